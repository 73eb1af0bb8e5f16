package dev.aquifer.tsquery;

import dev.aquifer.AquiferException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * Joins what each series of a group has in a window, in the order in which the series come: the
 * server lists them by their tags, whatever the range. So the result does not depend on the range
 * either. Used by one thread.
 */
final class SeriesTotals implements RowSink {
  /** What a column of an answer holds of the points of a series in a window. */
  enum Part {
    SUM,
    POINTS,
    MEAN,
    DEVIATION
  }

  /** One column: of which selection, and what. */
  record Column(int selection, Part part) {}

  private final TimeSeriesQuery query;
  private final List<Integer> selections;
  private final List<Column> columns;
  private final RowSink sink;
  private final Map<List<String>, TreeMap<Long, Total[]>> groups = new LinkedHashMap<>();
  private final Total[] row;

  /** What the row that comes is joined to; null between rows. */
  private Total @Nullable [] joined;

  SeriesTotals(TimeSeriesQuery query, List<Integer> selections, RowSink sink) {
    this.query = query;
    this.selections = selections;
    this.columns = columns(query, selections);
    this.sink = sink;
    this.row = new Total[query.selections().size()];
  }

  /** What must be known of each series; the number of a value is the place of its column here. */
  List<Column> columns() {
    return columns;
  }

  /** What must be known of each series, so that those of a group can be joined. */
  static List<Column> columns(TimeSeriesQuery query, List<Integer> selections) {
    List<Column> columns = new ArrayList<>();
    for (int selection : selections) {
      for (Part part : parts(query.selections().get(selection).aggregate())) {
        columns.add(new Column(selection, part));
      }
    }
    return columns;
  }

  private static List<Part> parts(Aggregate aggregate) {
    return switch (aggregate) {
      case SUM -> List.of(Part.SUM);
      case MEAN -> List.of(Part.SUM, Part.POINTS);
      case STDDEV -> List.of(Part.DEVIATION, Part.MEAN, Part.POINTS);
      default -> throw new IllegalArgumentException(aggregate.toString());
    };
  }

  @Override
  public void row(List<String> group, long windowStart) {
    join();
    TreeMap<Long, Total[]> windows = groups.computeIfAbsent(group, key -> new TreeMap<>());
    Total[] totals = windows.get(windowStart);
    if (totals == null) {
      // Counts towards the limit on points before anything is held.
      sink.row(group, windowStart);
      totals = new Total[row.length];
      windows.put(windowStart, totals);
    }
    joined = totals;
    for (int selection : selections) {
      row[selection] = new Total();
    }
  }

  @Override
  public void longValue(int column, long value) {
    Column of = columns.get(column);
    Total total = row[of.selection()];
    total.present = true;
    switch (of.part()) {
      case SUM -> {
        total.whole = value;
        total.real = value;
      }
      case POINTS -> total.points = value;
      case MEAN -> total.mean = value;
      case DEVIATION -> total.squares = value;
    }
  }

  @Override
  public void doubleValue(int column, double value) {
    Column of = columns.get(column);
    Total total = row[of.selection()];
    total.present = true;
    switch (of.part()) {
      case SUM -> {
        total.floating = true;
        total.real = value;
      }
      case POINTS -> total.points = (long) value;
      case MEAN -> total.mean = value;
      case DEVIATION -> total.squares = value;
    }
  }

  @Override
  public void booleanValue(int column, boolean value) {
    throw noNumber(column);
  }

  @Override
  public void textValue(int column, String value) {
    throw noNumber(column);
  }

  private AquiferException noNumber(int column) {
    return new AquiferException(
        "The server's answer has no number for %s; is the URL InfluxDB's?"
            .formatted(query.selections().get(columns.get(column).selection())));
  }

  /** The row has ended. */
  private void join() {
    Total[] totals = joined;
    joined = null;
    if (totals == null) {
      return;
    }
    for (int selection : selections) {
      Total of = row[selection];
      if (of.present) {
        of.squares = of.squares * of.squares * (of.points - 1);
        Total before = totals[selection];
        totals[selection] = before == null ? of : before.and(of, query.measurement());
      }
    }
  }

  /** All series have come. */
  void end() {
    join();
    groups.forEach(
        (group, windows) ->
            windows.forEach(
                (start, totals) -> {
                  sink.row(group, start);
                  for (int selection : selections) {
                    Total total = totals[selection];
                    if (total != null) {
                      show(selection, total);
                    }
                  }
                }));
    groups.clear();
  }

  private void show(int selection, Total total) {
    switch (query.selections().get(selection).aggregate()) {
      case MEAN ->
          sink.doubleValue(
              selection, (total.floating ? total.real : (double) total.whole) / total.points);
      case STDDEV -> {
        // One point has no deviation.
        if (total.points > 1) {
          sink.doubleValue(selection, Math.sqrt(total.squares / (total.points - 1)));
        }
      }
      default -> {
        if (total.floating) {
          sink.doubleValue(selection, total.real);
        } else {
          sink.longValue(selection, total.whole);
        }
      }
    }
  }

  private static final class Total {
    boolean present;

    /** Some part of the sum was no whole number; then the whole one means nothing. */
    boolean floating;

    long whole;
    double real;
    long points;
    double mean;

    /** The deviation first, then the sum of squared distances from the mean. */
    double squares;

    Total and(Total next, String measurement) {
      Total both = new Total();
      both.present = true;
      both.floating = floating || next.floating;
      both.real = real + next.real;
      both.whole = both.floating ? 0 : sum(whole, next.whole, measurement);
      both.points = points + next.points;
      // By Chan, Golub and LeVeque.
      double apart = next.mean - mean;
      double share = both.points == 0 ? 0 : (double) next.points / both.points;
      both.mean = mean + apart * share;
      both.squares = squares + next.squares + apart * apart * points * share;
      return both;
    }

    private static long sum(long one, long other, String measurement) {
      try {
        return Math.addExact(one, other);
      } catch (ArithmeticException e) {
        throw new AquiferException(
            "A sum of whole numbers of %s passes 64 bits; ask for shorter windows."
                .formatted(measurement),
            e);
      }
    }
  }
}
