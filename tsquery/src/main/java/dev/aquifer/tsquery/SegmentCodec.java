package dev.aquifer.tsquery;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * A segment as bytes, for other nodes. Big-endian: format (1); the runs of windows that have their
 * times in common, each with the window after its last (2), how long before the writing it was
 * fetched and how much longer it is good (2 × 8); how many series there are (4), and of each the
 * values of its group tags and its columns, packed, or, where they cannot be, value by value.
 *
 * <p>Times are told as spans before and after the writing, and read against the reader's clock and
 * the age that Redis' clock gives: no two machines' clocks are compared.
 *
 * <p>Bytes may be anything: what is not exactly that reads as null. Nothing is allocated by a count
 * before the bytes are there that it speaks of.
 */
final class SegmentCodec {
  static final int FORMAT = 1;

  private static final long LONGEST = Long.MAX_VALUE / 4;
  private static final byte PACKED = 0;
  private static final byte PLAIN = 1;

  private SegmentCodec() {}

  /** What series have: so many columns, and values of so many group tags. */
  record Shape(int columns, int groups) {}

  /** The windows that are still good; null when there is none. */
  static byte @Nullable [] write(Segment segment, long now) {
    long[] fetchedAt = segment.marks().fetchedAt();
    long[] goodUntil = segment.marks().goodUntil();
    for (int i = 0; i < fetchedAt.length; i++) {
      boolean good = goodUntil[i] == Segment.FOR_GOOD || goodUntil[i] > now;
      if (fetchedAt[i] == Segment.UNKNOWN || !good) {
        fetchedAt[i] = Segment.UNKNOWN;
        goodUntil[i] = Segment.UNKNOWN;
      }
    }
    if (Arrays.stream(fetchedAt).allMatch(at -> at == Segment.UNKNOWN)) {
      return null;
    }
    ByteArrayOutputStream bytes = new ByteArrayOutputStream(1024);
    try (DataOutputStream out = new DataOutputStream(bytes)) {
      out.writeByte(FORMAT);
      writeTimes(out, fetchedAt, goodUntil, now);
      out.writeInt(segment.series().size());
      for (Map.Entry<Group, Column[]> series : segment.series().entrySet()) {
        for (String value : series.getKey().values()) {
          writeText(out, value);
        }
        for (Column column : series.getValue()) {
          writeColumn(out, column);
        }
      }
    } catch (IOException e) {
      throw new UncheckedIOException("Memory does not fail", e);
    }
    return bytes.toByteArray();
  }

  private static void writeTimes(DataOutputStream out, long[] fetchedAt, long[] goodUntil, long now)
      throws IOException {
    for (int from = 0; from < fetchedAt.length; ) {
      int to = from + 1;
      while (to < fetchedAt.length
          && fetchedAt[to] == fetchedAt[from]
          && goodUntil[to] == goodUntil[from]) {
        to++;
      }
      out.writeShort(to);
      boolean unknown = fetchedAt[from] == Segment.UNKNOWN;
      boolean forGood = goodUntil[from] == Segment.FOR_GOOD;
      // Of a clock that was set back: not older than now.
      out.writeLong(unknown ? Segment.UNKNOWN : Math.max(0, now - fetchedAt[from]));
      out.writeLong(unknown ? 0 : forGood ? Segment.FOR_GOOD : goodUntil[from] - now);
      from = to;
    }
  }

  private static void writeColumn(DataOutputStream out, Column column) throws IOException {
    Column packed = column instanceof Cells cells ? PackedColumn.of(cells) : column;
    if (packed instanceof PackedColumn values) {
      out.writeByte(PACKED);
      byte[] bytes = values.bytes();
      out.writeShort(bytes.length);
      out.write(bytes);
      return;
    }
    Cells cells = (Cells) column;
    out.writeByte(PLAIN);
    for (int i = 0; i < Segment.LENGTH; i++) {
      out.writeByte(cells.kindAt(i));
    }
    for (int i = 0; i < Segment.LENGTH; i++) {
      if (cells.kindAt(i) == Cells.TEXT) {
        writeText(out, String.valueOf(cells.valueAt(i)));
      } else if (cells.kindAt(i) != Cells.ABSENT) {
        out.writeLong(cells.bitsAt(i));
      }
    }
  }

  private static void writeText(DataOutputStream out, String text) throws IOException {
    byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
    out.writeInt(bytes.length);
    out.write(bytes);
  }

  /**
   * The segment of the bytes; null where they are none.
   *
   * @param age since they were written
   */
  static @Nullable Segment read(byte[] bytes, Shape shape, Duration age, long now) {
    try (DataInputStream in = new DataInputStream(new ByteArrayInputStream(bytes))) {
      if (in.readByte() != FORMAT) {
        return null;
      }
      Marks marks = readTimes(in, age.toNanos(), now);
      int count = in.readInt();
      if (marks == null || count < 0) {
        return null;
      }
      Map<Group, Column[]> series = new HashMap<>();
      for (int i = 0; i < count; i++) {
        List<String> group = new ArrayList<>();
        for (int g = 0; g < shape.groups(); g++) {
          group.add(readText(in));
        }
        Column[] columns = new Column[shape.columns()];
        for (int c = 0; c < columns.length; c++) {
          columns[c] = readColumn(in);
        }
        if (series.put(new Group(group), columns) != null) {
          return null;
        }
      }
      return in.available() == 0 ? Segment.of(marks, series) : null;
    } catch (IOException | ArithmeticException e) {
      return null;
    }
  }

  private static @Nullable Marks readTimes(DataInputStream in, long age, long now)
      throws IOException {
    long[] fetchedAt = new long[Segment.LENGTH];
    long[] goodUntil = new long[Segment.LENGTH];
    for (int from = 0; from < Segment.LENGTH; ) {
      int to = in.readUnsignedShort();
      long before = in.readLong();
      long left = in.readLong();
      if (to <= from || to > Segment.LENGTH) {
        return null;
      }
      boolean unknown = before == Segment.UNKNOWN;
      boolean forGood = left == Segment.FOR_GOOD;
      if (!unknown && (before < 0 || before > LONGEST || left < 0)) {
        return null;
      }
      long until = forGood ? Segment.FOR_GOOD : left > LONGEST ? now : now - age + left;
      boolean good = !unknown && (forGood || until > now);
      Arrays.fill(fetchedAt, from, to, good ? now - age - before : Segment.UNKNOWN);
      Arrays.fill(goodUntil, from, to, good ? until : Segment.UNKNOWN);
      from = to;
    }
    return Marks.of(fetchedAt, goodUntil);
  }

  private static Column readColumn(DataInputStream in) throws IOException {
    byte form = in.readByte();
    if (form == PACKED) {
      PackedColumn packed = PackedColumn.read(take(in, in.readUnsignedShort()));
      if (packed == null) {
        throw new EOFException("A packed column that is none");
      }
      return packed;
    }
    if (form != PLAIN) {
      throw new EOFException("A column of form " + form);
    }
    byte[] kinds = take(in, Segment.LENGTH);
    Cells cells = new Cells(Segment.LENGTH);
    for (int i = 0; i < kinds.length; i++) {
      switch (kinds[i]) {
        case Cells.ABSENT -> {}
        case Cells.LONG, Cells.DOUBLE, Cells.BOOLEAN -> cells.put(i, kinds[i], in.readLong());
        case Cells.TEXT -> cells.putText(i, readText(in));
        default -> throw new EOFException("A value of kind " + kinds[i]);
      }
    }
    return cells;
  }

  private static String readText(DataInputStream in) throws IOException {
    return new String(take(in, in.readInt()), StandardCharsets.UTF_8);
  }

  /** So many bytes, if they are there. */
  private static byte[] take(DataInputStream in, int length) throws IOException {
    if (length < 0 || length > in.available()) {
      throw new EOFException("Fewer bytes than stated");
    }
    return in.readNBytes(length);
  }
}
