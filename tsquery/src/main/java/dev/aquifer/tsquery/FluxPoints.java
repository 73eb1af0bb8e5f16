package dev.aquifer.tsquery;

import dev.aquifer.tsquery.flux.FluxChunk;
import dev.aquifer.tsquery.flux.FluxColumn;
import dev.aquifer.tsquery.flux.FluxType;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Computes here what is asked of points that came as they are: whole numbers, over one stretch of
 * windows. What it hands on is what the server would have answered, bit for bit: sums go round at
 * 64 bits as its own do. Used by one thread.
 */
final class FluxPoints {
  private final TimeSeriesQuery query;
  private final FluxReads.Read read;
  private final Stretch stretch;
  private final RowSink sink;
  private final Map<Window, Totals> totals = new LinkedHashMap<>();

  /** A window of a series. */
  private record Window(List<String> group, long start, String field) {}

  FluxPoints(TimeSeriesQuery query, FluxReads.Read read, Stretch stretch, RowSink sink) {
    this.query = query;
    this.read = read;
    this.stretch = stretch;
    this.sink = sink;
  }

  /** Takes points, in any order. */
  void add(FluxChunk chunk) {
    FluxColumn times = chunk.column("_time");
    FluxColumn values = chunk.column("_value");
    FluxColumn fields = chunk.column("_field");
    if (times.type() != FluxType.TIME || fields.type() != FluxType.TEXT) {
      throw FluxAnswer.unexpected("times or names of another type");
    }
    List<@Nullable FluxColumn> tags = new ArrayList<>();
    query.groupBy().forEach(tag -> tags.add(tag(chunk, tag)));
    boolean unsigned = values.type() == FluxType.UNSIGNED_LONG;
    for (int row = 0; row < chunk.rows(); row++) {
      long time = times.longAt(row);
      long start = stretch.startOf(time);
      if (values.isNull(row) || time - start >= stretch.periodNanos()) {
        continue;
      }
      String field = text(fields, row);
      if (!read.fields().contains(field)) {
        throw FluxAnswer.unexpected("a field '" + Names.printable(field) + "'");
      }
      if (values.type() != FluxType.LONG && !unsigned) {
        throw FluxAnswer.notWhole(field, query, values.type());
      }
      List<String> group = new ArrayList<>(tags.size());
      for (FluxColumn tag : tags) {
        group.add(text(tag, row));
      }
      totals
          .computeIfAbsent(new Window(group, start, field), window -> begin(window, unsigned))
          .add(time, values.longAt(row));
    }
  }

  /** Hands on the windows, when all points are there. */
  void end() {
    totals.forEach(
        (window, of) -> {
          sink.row(window.group, window.start);
          for (int i = 0; i < query.selections().size(); i++) {
            Selection selection = query.selections().get(i);
            if (selection.field().equals(window.field)) {
              of.put(selection.aggregate(), i, sink);
            }
          }
        });
  }

  /** More windows than the query may have are refused as they come. */
  private Totals begin(Window window, boolean unsigned) {
    sink.row(window.group, window.start);
    return new Totals(unsigned);
  }

  private static @Nullable FluxColumn tag(FluxChunk chunk, String tag) {
    int index = chunk.indexOf(tag);
    if (index < 0) {
      return null;
    }
    FluxColumn column = chunk.columns().get(index);
    if (column.type() != FluxType.TEXT) {
      throw FluxAnswer.unexpected("a column '" + Names.printable(tag) + "' that is no tag");
    }
    return column;
  }

  private static String text(@Nullable FluxColumn column, int row) {
    String text = column == null ? null : column.textAt(row);
    return text == null ? "" : text;
  }

  /** Of the points of a window of a series. */
  private static final class Totals {
    private final boolean unsigned;
    private final Comparator<Long> order;
    private long count;
    private long sum;
    private long min;
    private long max;
    private long first;
    private long firstTime;
    private long last;
    private long lastTime;

    Totals(boolean unsigned) {
      this.unsigned = unsigned;
      this.order = unsigned ? Long::compareUnsigned : Long::compare;
    }

    void add(long time, long value) {
      boolean none = count == 0;
      count++;
      sum += value;
      min = none || order.compare(value, min) < 0 ? value : min;
      max = none || order.compare(value, max) > 0 ? value : max;
      if (none || time < firstTime || (time == firstTime && order.compare(value, first) < 0)) {
        first = value;
        firstTime = time;
      }
      if (none || time > lastTime || (time == lastTime && order.compare(value, last) > 0)) {
        last = value;
        lastTime = time;
      }
    }

    void put(Aggregate aggregate, int selection, RowSink to) {
      switch (aggregate) {
        case COUNT -> to.longValue(selection, count);
        case SUM -> put(sum, selection, to);
        case MEAN -> to.doubleValue(selection, number(sum) / (double) count + 0.0);
        case MIN -> put(min, selection, to);
        case MAX -> put(max, selection, to);
        case FIRST -> put(first, selection, to);
        case LAST -> put(last, selection, to);
        default -> throw new IllegalStateException(aggregate + " is not of whole numbers");
      }
    }

    private void put(long value, int selection, RowSink to) {
      if (unsigned) {
        Unsigned.put(to, selection, value);
      } else {
        to.longValue(selection, value);
      }
    }

    private double number(long value) {
      return unsigned ? Unsigned.real(value) : value;
    }
  }
}
