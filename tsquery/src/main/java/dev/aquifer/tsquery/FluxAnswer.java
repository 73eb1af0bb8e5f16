package dev.aquifer.tsquery;

import dev.aquifer.AquiferException;
import dev.aquifer.tsquery.flux.FluxChunk;
import dev.aquifer.tsquery.flux.FluxColumn;
import dev.aquifer.tsquery.flux.FluxSink;
import dev.aquifer.tsquery.flux.FluxType;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** Hands the tables of an answer on as rows, as they come. Used by one thread, once. */
final class FluxAnswer implements FluxSink {
  /** A read, over one stretch of windows. */
  private record Part(FluxReads.Read read, Stretch stretch, boolean second) {}

  /** A series of a field over a stretch, of which one of a read's two results has come. */
  private record Half(FluxReads.Read read, Stretch stretch, String field, List<String> group) {}

  private final TimeSeriesQuery query;
  private final RowSink sink;
  private final Map<String, Part> parts = new HashMap<>();
  private final Set<List<Object>> tables = new HashSet<>();
  private final Map<Half, Map<Long, Double>> halves = new HashMap<>();
  private final Map<Part, FluxPoints> points = new HashMap<>();
  private @Nullable Table table;

  /**
   * An answer.
   *
   * @param prefix what the names of its results begin with
   */
  FluxAnswer(String prefix, FluxReads plan, List<Stretch> stretches, RowSink sink) {
    this.query = plan.query();
    this.sink = sink;
    for (int i = 0; i < plan.reads().size(); i++) {
      for (int j = 0; j < stretches.size(); j++) {
        FluxReads.Read read = plan.reads().get(i);
        Stretch stretch = stretches.get(j);
        parts.put(prefix + FluxReads.result(i, j), new Part(read, stretch, false));
        if (read.twofold()) {
          parts.put(prefix + FluxReads.second(i, j), new Part(read, stretch, true));
        }
      }
    }
  }

  /** Whether a result of this name is one of its own. */
  boolean has(String result) {
    return parts.containsKey(result);
  }

  @Override
  public void chunk(FluxChunk chunk) {
    if (chunk.rows() == 0) {
      return;
    }
    Table current = table;
    if (current == null || chunk.startsTable() || chunk.startsSchema()) {
      Part part = parts.get(chunk.result());
      if (part == null) {
        throw unexpected("a result '" + Names.printable(chunk.result()) + "'");
      }
      if (part.read().shape() == FluxReads.Shape.POINTS) {
        table = null;
        points
            .computeIfAbsent(part, key -> new FluxPoints(query, part.read(), part.stretch(), sink))
            .add(chunk);
        return;
      }
      current = new Table(chunk, part);
      table = current;
    }
    current.rows(chunk.rows());
  }

  /** The answer is whole: hands on what could not be before. */
  void end() {
    points.values().forEach(FluxPoints::end);
  }

  /** The table whose rows come. */
  private final class Table {
    private final FluxReads.Read read;
    private final Stretch stretch;
    // Null where all of it is in one window.
    private final @Nullable FluxColumn times;
    private final FluxColumn values;
    private final @Nullable FluxColumn counts;
    private final List<String> group = new ArrayList<>(query.groupBy().size());
    private final int selection;
    private final int mean;
    // Of the second of two results, where that is asked for.
    private final int points;
    private final boolean second;
    private final @Nullable Map<Long, Double> half;
    private boolean begun;
    private long last;

    Table(FluxChunk chunk, Part part) {
      read = part.read();
      stretch = part.stretch();
      times =
          FluxWindows.labelled(read, stretch)
              ? chunk.column(read.counted() ? "_start" : "_time")
              : null;
      values = chunk.column("_value");
      counts = read.counted() ? chunk.column("n") : null;
      String field = text(chunk, "_field");
      if ((times != null && times.type() != FluxType.TIME) || !read.fields().contains(field)) {
        throw unexpected("a field '" + Names.printable(field) + "' or times of another type");
      }
      boolean squared = read.shape() == FluxReads.Shape.SQUARED;
      if (counts != null && counts.type() != (squared ? FluxType.DOUBLE : FluxType.LONG)) {
        throw unexpected("numbers of points of type " + counts.type().annotation());
      }
      query.groupBy().forEach(tag -> group.add(text(chunk, tag)));
      selection =
          query.selections().indexOf(new Selection(read.aggregate(), field, read.quantile()));
      mean = query.selections().indexOf(new Selection(Aggregate.MEAN, field));
      second = part.second();
      points =
          second && read.shape() == FluxReads.Shape.TOTALED
              ? query.selections().indexOf(new Selection(Aggregate.COUNT, field))
              : -1;
      if (read.whole() && values.type() == FluxType.DOUBLE) {
        throw notWhole(field, query, values.type());
      }
      half =
          read.shape() == FluxReads.Shape.MIDDLE
                  || (read.shape() == FluxReads.Shape.TOTALED && mean >= 0)
              ? halves.computeIfAbsent(
                  new Half(read, stretch, field, group), key -> new HashMap<>())
              : null;
      if (read.shape() == FluxReads.Shape.SERIES && !tables.add(List.of(part, field, group))) {
        throw ambiguous();
      }
    }

    void rows(int rows) {
      for (int row = 0; row < rows; row++) {
        if (values.isNull(row) && values.type() != FluxType.TEXT) {
          continue;
        }
        // Labels of windows are where they begin inside the range.
        long start =
            stretch.startOf(times == null ? stretch.range().startNanos() : times.longAt(row));
        if (read.shape() == FluxReads.Shape.SERIES && begun && start <= last) {
          throw ambiguous();
        }
        begun = true;
        last = start;
        sink.row(group, start);
        if (read.shape() == FluxReads.Shape.SQUARED) {
          deviation(row);
          continue;
        }
        if (read.shape() == FluxReads.Shape.MIDDLE) {
          requireKind();
        } else if (selection >= 0 && !second) {
          value(row);
        }
        if (points >= 0) {
          sink.longValue(points, values.longAt(row));
        }
        if (half != null) {
          join(half, start, number(row));
        }
        if (counts != null && mean >= 0) {
          sink.doubleValue(mean, number(row) / counts.longAt(row) + 0.0);
        }
      }
    }

    private void join(Map<Long, Double> waiting, long start, double now) {
      Double before = waiting.remove(start);
      if (before == null) {
        waiting.put(start, now);
      } else {
        double one = second ? before : now;
        double other = second ? now : before;
        if (read.shape() == FluxReads.Shape.MIDDLE) {
          sink.doubleValue(selection, (one == other ? one : one * 0.5 + other * 0.5) + 0.0);
        } else {
          sink.doubleValue(mean, one / other + 0.0);
        }
      }
    }

    /** One point has no deviation. */
    private void deviation(int row) {
      double points = counts == null ? 0 : counts.doubleAt(row);
      if (points > 1) {
        sink.doubleValue(selection, Math.sqrt(number(row) / (points - 1)));
      }
    }

    private void requireKind() {
      boolean number = values.type() != FluxType.TEXT && values.type() != FluxType.BOOLEAN;
      if (!number && !read.aggregate().forAnyKind()) {
        throw new AquiferException(
            "%s cannot be computed: the field is %s. Use count, distinct, first or last."
                .formatted(query.selections().get(selection), values.type().annotation()));
      }
    }

    private void value(int row) {
      requireKind();
      switch (values.type()) {
        case LONG -> sink.longValue(selection, values.longAt(row));
        case UNSIGNED_LONG -> Unsigned.put(sink, selection, values.longAt(row));
        // Which of two equal zeros the server met first must not show.
        case DOUBLE -> sink.doubleValue(selection, values.doubleAt(row) + 0.0);
        case BOOLEAN -> sink.booleanValue(selection, values.booleanAt(row));
        case TEXT -> {
          String text = values.textAt(row);
          sink.textValue(selection, text == null ? "" : text);
        }
        default -> throw unexpected("values of type " + values.type().annotation());
      }
    }

    private double number(int row) {
      return switch (values.type()) {
        case LONG -> values.longAt(row);
        case UNSIGNED_LONG -> Unsigned.real(values.longAt(row));
        case DOUBLE -> values.doubleAt(row);
        default -> throw unexpected("sums of type " + values.type().annotation());
      };
    }

    private AquiferException ambiguous() {
      return new AquiferException(
          "Series of %s share a window though they are told to differ in %s; tell of all its tags."
              .formatted(query.measurement(), query.groupBy()));
    }
  }

  static AquiferException notWhole(String field, TimeSeriesQuery query, FluxType type) {
    String values = type == FluxType.DOUBLE ? "floats" : "values of type " + type.annotation();
    return new AquiferException(
        "Field %s of %s has %s, though it is told to be of integers; do not tell so."
            .formatted(Names.printable(field), query.measurement(), values));
  }

  private static String text(FluxChunk chunk, String label) {
    int index = chunk.indexOf(label);
    if (index < 0) {
      return "";
    }
    FluxColumn column = chunk.columns().get(index);
    if (!column.grouped() || column.type() != FluxType.TEXT) {
      throw unexpected("a column '" + Names.printable(label) + "' that is no tag");
    }
    String value = column.textAt(0);
    return value == null ? "" : value;
  }

  static AquiferException unexpected(String what) {
    return new AquiferException(
        "The server's answer has " + what + ", which was not asked for; is the URL InfluxDB's?");
  }
}
