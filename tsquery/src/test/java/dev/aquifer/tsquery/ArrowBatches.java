package dev.aquifer.tsquery;

import java.nio.charset.StandardCharsets;
import org.apache.arrow.flight.FlightProducer.ServerStreamListener;
import org.apache.arrow.memory.BufferAllocator;
import org.apache.arrow.vector.BigIntVector;
import org.apache.arrow.vector.BitVector;
import org.apache.arrow.vector.FieldVector;
import org.apache.arrow.vector.Float8Vector;
import org.apache.arrow.vector.TimeStampNanoVector;
import org.apache.arrow.vector.UInt8Vector;
import org.apache.arrow.vector.VarCharVector;
import org.apache.arrow.vector.VectorSchemaRoot;

/** Columns of InfluxDB 3's answers, and answers of them. */
final class ArrowBatches {
  private ArrowBatches() {}

  static void good(BufferAllocator memory, ServerStreamListener out) {
    answer(out, times(memory, 0, 60_000_000_000L), floats(memory, 1.5, 2));
  }

  static void summed(
      BufferAllocator memory, ServerStreamListener out, FieldVector sum, double about, long count) {
    Float8Vector abouts = new Float8Vector("about0", memory);
    abouts.setSafe(0, about);
    answer(out, times(memory, 0), sum, abouts, longs(memory, "count0", count));
  }

  static void answer(ServerStreamListener out, FieldVector... columns) {
    batch(out, columns);
    out.completed();
  }

  static void batch(ServerStreamListener out, FieldVector... columns) {
    try (VectorSchemaRoot root = VectorSchemaRoot.of(columns)) {
      root.setRowCount(columns[0].getValueCount());
      out.start(root);
      out.putNext();
    }
  }

  static TimeStampNanoVector times(BufferAllocator memory, long... nanos) {
    TimeStampNanoVector vector = new TimeStampNanoVector("w", memory);
    for (int i = 0; i < nanos.length; i++) {
      vector.setSafe(i, nanos[i]);
    }
    vector.setValueCount(nanos.length);
    return vector;
  }

  static Float8Vector floats(BufferAllocator memory, double... values) {
    Float8Vector vector = new Float8Vector("max0", memory);
    for (int i = 0; i < values.length; i++) {
      vector.setSafe(i, values[i]);
    }
    vector.setValueCount(values.length);
    return vector;
  }

  static BigIntVector longs(BufferAllocator memory, String name, long value) {
    BigIntVector vector = new BigIntVector(name, memory);
    vector.setSafe(0, value);
    vector.setValueCount(1);
    return vector;
  }

  static UInt8Vector unsigned(BufferAllocator memory, long value) {
    UInt8Vector vector = new UInt8Vector("sum0", memory);
    vector.setSafe(0, value);
    vector.setValueCount(1);
    return vector;
  }

  static VarCharVector texts(BufferAllocator memory, String value) {
    VarCharVector vector = new VarCharVector("max0", memory);
    vector.setSafe(0, value.getBytes(StandardCharsets.UTF_8));
    vector.setValueCount(1);
    return vector;
  }

  static BitVector bits(BufferAllocator memory) {
    BitVector vector = new BitVector("max0", memory);
    vector.setSafe(0, 1);
    vector.setValueCount(1);
    return vector;
  }
}
