package dev.aquifer.tsquery;

import dev.aquifer.AquiferException;
import java.util.ArrayList;
import java.util.List;
import org.apache.arrow.vector.BigIntVector;
import org.apache.arrow.vector.BitVector;
import org.apache.arrow.vector.FieldVector;
import org.apache.arrow.vector.Float8Vector;
import org.apache.arrow.vector.LargeVarCharVector;
import org.apache.arrow.vector.TimeStampVector;
import org.apache.arrow.vector.UInt8Vector;
import org.apache.arrow.vector.VarCharVector;
import org.apache.arrow.vector.VectorSchemaRoot;
import org.apache.arrow.vector.ViewVarCharVector;
import org.apache.arrow.vector.types.pojo.ArrowType;
import org.jspecify.annotations.Nullable;

/**
 * Hands the rows of one request on, from the record batches of an answer to {@link
 * Influx3Dialect}'s SQL, as they come. Used by one thread, once.
 */
final class Influx3Answer {
  private final TimeSeriesQuery query;
  private final List<String> fields;
  private final int request;
  private final RowSink sink;

  /**
   * An answer to a query.
   *
   * @param request its number, where the answer is to several; -1 where it is to this alone
   */
  Influx3Answer(TimeSeriesQuery query, int request, RowSink sink) {
    this.query = query;
    this.fields = Influx3Dialect.fields(query);
    this.request = request;
    this.sink = sink;
  }

  /**
   * The next batch.
   *
   * @throws AquiferException it has other columns than were asked for, or a sum overflowed
   */
  void batch(VectorSchemaRoot batch) {
    Batch columns = new Batch(batch);
    for (int row = 0; row < batch.getRowCount(); row++) {
      columns.row(row);
    }
  }

  /** Hands on what a selection has in a row, if anything. */
  private interface Cell {
    void emit(int row);
  }

  /** The columns of one batch. */
  private final class Batch {
    private final VectorSchemaRoot batch;
    private final @Nullable FieldVector requests;
    private final FieldVector times;
    private final long unit;
    private final List<FieldVector> groups = new ArrayList<>();
    private final List<Cell> cells = new ArrayList<>();

    Batch(VectorSchemaRoot batch) {
      this.batch = batch;
      this.requests = request < 0 ? null : named(Influx3Dialect.REQUEST);
      this.times = named(Influx3Dialect.WINDOW);
      this.unit = unit(times);
      for (int i = 0; i < query.groupBy().size(); i++) {
        groups.add(named(Influx3Dialect.GROUP + i));
      }
      for (int i = 0; i < query.selections().size(); i++) {
        cells.add(cell(i, query.selections().get(i)));
      }
    }

    void row(int row) {
      if (requests != null && number(requests, row) != request) {
        return;
      }
      if (times.isNull(row)) {
        throw unexpected("a window without a time");
      }
      List<String> group = new ArrayList<>(groups.size());
      for (FieldVector column : groups) {
        group.add(column.isNull(row) ? "" : text(column, row));
      }
      sink.row(group, Math.multiplyExact(((TimeStampVector) times).get(row), unit));
      cells.forEach(cell -> cell.emit(row));
    }

    private Cell cell(int index, Selection selection) {
      int field = fields.indexOf(selection.field());
      return switch (selection.aggregate()) {
        case COUNT, DISTINCT -> counted(index, vector(selection.aggregate().function() + field));
        case SUM -> sum(index, field);
        case MEAN -> mean(index, field);
        case MIN, MAX, FIRST, LAST ->
            value(index, vector(selection.aggregate().function() + field));
        case QUANTILE -> value(index, vector(selection.aggregate().function() + index));
        case SPREAD -> spread(index, field);
        case STDDEV -> deviation(index, field);
        case MEDIAN -> median(index, field);
      };
    }

    private Cell counted(int index, FieldVector count) {
      return row -> {
        if (number(count, row) > 0) {
          emit(index, count, row);
        }
      };
    }

    private Cell value(int index, FieldVector column) {
      return row -> {
        if (!column.isNull(row)) {
          emit(index, column, row);
        }
      };
    }

    private Cell sum(int index, int field) {
      FieldVector sum = vector(Influx3Dialect.SUM + field);
      FieldVector about = vector(Influx3Dialect.ABOUT + field);
      return row -> {
        if (!sum.isNull(row)) {
          requireNoOverflow(index, sum, about, row);
          emit(index, sum, row);
        }
      };
    }

    private Cell mean(int index, int field) {
      FieldVector sum = vector(Influx3Dialect.SUM + field);
      FieldVector about = vector(Influx3Dialect.ABOUT + field);
      FieldVector count = vector(Influx3Dialect.COUNT + field);
      return row -> {
        if (!sum.isNull(row)) {
          requireNoOverflow(index, sum, about, row);
          sink.doubleValue(index, number(sum, row) / number(count, row) + 0.0);
        }
      };
    }

    private Cell spread(int index, int field) {
      FieldVector min = vector("min" + field);
      FieldVector max = vector("max" + field);
      return row -> {
        if (min.isNull(row)) {
          return;
        }
        if (min instanceof BigIntVector low && max instanceof BigIntVector high) {
          try {
            sink.longValue(index, Math.subtractExact(high.get(row), low.get(row)));
          } catch (ArithmeticException e) {
            throw overflow(index, row);
          }
        } else if (min instanceof UInt8Vector low && max instanceof UInt8Vector high) {
          Unsigned.put(sink, index, high.get(row) - low.get(row));
        } else {
          sink.doubleValue(index, number(max, row) - number(min, row) + 0.0);
        }
      };
    }

    /** One point has none. */
    private Cell deviation(int index, int field) {
      FieldVector squares = vector(Influx3Dialect.SQUARES + field);
      FieldVector count = vector(Influx3Dialect.COUNT + field);
      return row -> {
        double points = number(count, row);
        if (points > 1) {
          sink.doubleValue(index, Math.sqrt(number(squares, row) / (points - 1)));
        }
      };
    }

    private Cell median(int index, int field) {
      FieldVector lows = vector(Influx3Dialect.LOW + field);
      FieldVector highs = vector(Influx3Dialect.HIGH + field);
      return row -> {
        if (!lows.isNull(row)) {
          double low = number(lows, row);
          double high = number(highs, row);
          sink.doubleValue(index, (low == high ? low : low * 0.5 + high * 0.5) + 0.0);
        }
      };
    }

    private void emit(int index, FieldVector column, int row) {
      if (column instanceof BigIntVector whole) {
        sink.longValue(index, whole.get(row));
      } else if (column instanceof UInt8Vector whole) {
        Unsigned.put(sink, index, whole.get(row));
      } else if (column instanceof BitVector bits && forAnyKind(index)) {
        sink.booleanValue(index, bits.get(row) != 0);
      } else if (isText(column) && forAnyKind(index)) {
        sink.textValue(index, text(column, row));
      } else {
        // Which of two equal zeros the server met first must not show.
        sink.doubleValue(index, number(column, row) + 0.0);
      }
    }

    private boolean forAnyKind(int index) {
      return query.selections().get(index).aggregate().forAnyKind();
    }

    /** The server's whole numbers begin anew at the other end, silently. */
    private void requireNoOverflow(int index, FieldVector sum, FieldVector about, int row) {
      if (!(sum instanceof Float8Vector)
          && Math.abs(number(sum, row) - number(about, row)) > 0x1p62) {
        throw overflow(index, row);
      }
    }

    private AquiferException overflow(int index, int row) {
      return new AquiferException(
          "%s of %s passes 64 bits in the window at %s; ask for shorter windows."
              .formatted(
                  query.selections().get(index),
                  query.measurement(),
                  Nanos.instant(((TimeStampVector) times).get(row) * unit)));
    }

    /** A column of values, as the dialect calls it. */
    private FieldVector vector(String name) {
      return named(request < 0 ? name : Influx3Dialect.prefix(request) + name);
    }

    private FieldVector named(String name) {
      FieldVector vector = batch.getVector(name);
      if (vector == null || vector.getField().getDictionary() != null) {
        throw unexpected("no plain column '" + name + "'");
      }
      return vector;
    }
  }

  private static double number(FieldVector column, int row) {
    if (column instanceof BigIntVector whole) {
      return whole.get(row);
    }
    if (column instanceof UInt8Vector whole) {
      return Unsigned.real(whole.get(row));
    }
    if (column instanceof Float8Vector real) {
      return real.get(row);
    }
    throw new AquiferException(
        "The server answered with values of type %s. Use count, distinct, first or last for them."
            .formatted(column.getMinorType()));
  }

  private static boolean isText(FieldVector column) {
    return column instanceof VarCharVector
        || column instanceof LargeVarCharVector
        || column instanceof ViewVarCharVector;
  }

  private static String text(FieldVector column, int row) {
    if (!isText(column)) {
      throw unexpected("texts of type " + column.getMinorType());
    }
    return column.getObject(row).toString();
  }

  private static long unit(FieldVector times) {
    if (times instanceof TimeStampVector
        && times.getField().getType() instanceof ArrowType.Timestamp type) {
      return switch (type.getUnit()) {
        case SECOND -> Nanos.PER_SECOND;
        case MILLISECOND -> 1_000_000;
        case MICROSECOND -> Nanos.PER_MICRO;
        case NANOSECOND -> 1;
      };
    }
    throw unexpected("times of type " + times.getMinorType());
  }

  private static AquiferException unexpected(String what) {
    return new AquiferException(
        "The server's answer has " + what + ", unlike what was asked for; is it an InfluxDB 3?");
  }
}
