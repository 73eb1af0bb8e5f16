package dev.aquifer.tsquery;

import dev.aquifer.Tenant;
import dev.aquifer.tsquery.flux.ReferenceAggregates;
import dev.aquifer.tsquery.flux.ReferenceWindows;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;
import java.util.function.Predicate;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * What a query must answer, worked out from the points: windows and aggregates are those by which
 * the answers of a real InfluxDB were reproduced, nothing of the library's is used but the query
 * itself. Not thread-safe.
 */
final class ReferenceAnswer {
  /** A series as it is shown. */
  record Shown(List<Long> starts, List<List<@Nullable Object>> columns) {}

  private record Point(Map<String, String> tags, ReferenceAggregates.Point at) {
    String tag(String name) {
      return tags.getOrDefault(name, "");
    }
  }

  private final boolean whole;
  private final ReferenceAggregates aggregates = new ReferenceAggregates(false);
  private final Map<String, TreeMap<Long, List<Point>>> points = new TreeMap<>();

  ReferenceAnswer() {
    this(false);
  }

  /** Of whole numbers, where they are all; points have them as doubles. */
  ReferenceAnswer(boolean whole) {
    this.whole = whole;
  }

  void add(String tenant, long time, Map<String, String> tags, double value) {
    points
        .computeIfAbsent(tenant, key -> new TreeMap<>())
        .computeIfAbsent(time, key -> new ArrayList<>())
        .add(new Point(tags, new ReferenceAggregates.Point(time, value)));
  }

  /** An answer of the library's as this one is. */
  static Map<Map<String, String>, Shown> shown(TimeSeriesResult result) {
    Map<Map<String, String>, Shown> all = new LinkedHashMap<>();
    for (Series series : result.series()) {
      List<Long> starts = new ArrayList<>();
      List<List<@Nullable Object>> columns = new ArrayList<>();
      for (int i = 0; i < series.size(); i++) {
        starts.add(series.startNanos(i));
      }
      for (ValueColumn column : series.columns()) {
        List<@Nullable Object> values = new ArrayList<>();
        for (int i = 0; i < column.size(); i++) {
          values.add(column.valueAt(i));
        }
        columns.add(values);
      }
      all.put(series.group(), new Shown(starts, columns));
    }
    return all;
  }

  /** The answer over the query's range, which must be given by its ends. */
  Map<Map<String, String>, Shown> answer(Tenant tenant, TimeSeriesQuery query) {
    TimeRange range = (TimeRange) query.range();
    Map<Map<String, String>, List<ReferenceAggregates.Point>> groups = new LinkedHashMap<>();
    points
        .getOrDefault(tenant.id(), new TreeMap<>())
        .subMap(range.startNanos(), range.stopNanos())
        .values()
        .forEach(
            at -> {
              for (Point point : at) {
                if (holds(query.predicate(), point)) {
                  groups
                      .computeIfAbsent(group(query, point.tags), key -> new ArrayList<>())
                      .add(point.at);
                }
              }
            });
    List<ReferenceWindows.Bounds> windows =
        windows(query.window()).within(range.startNanos(), range.stopNanos());
    Map<Map<String, String>, Shown> answer = new LinkedHashMap<>();
    groups.forEach(
        (group, of) -> {
          Shown shown = shown(query, windows, of);
          if (shown != null) {
            answer.put(group, shown);
          }
        });
    return answer;
  }

  private static ReferenceWindows windows(Window window) {
    return new ReferenceWindows(
        length(window.every()), length(window.period()), length(window.offset()), window.zone());
  }

  private static ReferenceWindows.Length length(Step step) {
    return step.months() == 0
        ? ReferenceWindows.Length.nanos(step.duration().toNanos())
        : ReferenceWindows.Length.months(step.months());
  }

  private static Predicate<ReferenceAggregates.Point> in(ReferenceWindows.Bounds window) {
    return point -> window.contains(point.time());
  }

  private static Map<String, String> group(TimeSeriesQuery query, Map<String, String> tags) {
    Map<String, String> group = new TreeMap<>();
    query.groupBy().forEach(tag -> group.put(tag, tags.getOrDefault(tag, "")));
    return group;
  }

  /** Null where no window has a value: none has points, or the only point has no deviation. */
  private @Nullable Shown shown(
      TimeSeriesQuery query,
      List<ReferenceWindows.Bounds> windows,
      List<ReferenceAggregates.Point> points) {
    List<Long> starts = new ArrayList<>();
    List<List<@Nullable Object>> columns = new ArrayList<>();
    query.selections().forEach(selection -> columns.add(new ArrayList<>()));
    boolean any = false;
    for (ReferenceWindows.Bounds window : windows) {
      List<ReferenceAggregates.Point> inside = points.stream().filter(in(window)).toList();
      List<@Nullable Object> values = new ArrayList<>();
      for (Selection selection : query.selections()) {
        values.add(inside.isEmpty() ? null : kindly(selection, value(selection, inside)));
      }
      boolean empty = values.stream().allMatch(Objects::isNull);
      any |= !empty;
      if (empty && query.fill().kind() == Fill.Kind.NONE) {
        continue;
      }
      starts.add(window.wholeStart());
      for (int i = 0; i < columns.size(); i++) {
        columns.get(i).add(values.get(i));
      }
    }
    if (!any) {
      return null;
    }
    for (int i = 0; i < columns.size(); i++) {
      boolean counts = query.selections().get(i).aggregate().name().matches("COUNT|DISTINCT");
      fill(query.fill(), counts, starts, columns.get(i));
      widen(columns.get(i), query.fill().kind() == Fill.Kind.LINEAR);
    }
    return new Shown(starts, columns);
  }

  private static void fill(
      Fill fill, boolean counts, List<Long> starts, List<@Nullable Object> column) {
    List<@Nullable Object> known = new ArrayList<>(column);
    Object nothing = counts ? 0L : null;
    for (int i = 0; i < column.size(); i++) {
      if (known.get(i) == null) {
        Object before = i == 0 ? null : column.get(i - 1);
        column.set(
            i,
            switch (fill.kind()) {
              case PREVIOUS -> before != null ? before : nothing;
              case VALUE -> fill.value();
              case LINEAR -> {
                Double between = between(starts, known, i);
                yield between != null ? between : nothing;
              }
              default -> nothing;
            });
      }
    }
  }

  /** On the line from the last known value to the next. */
  private static @Nullable Double between(
      List<Long> starts, List<@Nullable Object> known, int index) {
    int low = index;
    int high = index;
    while (low >= 0 && known.get(low) == null) {
      low--;
    }
    while (high < known.size() && known.get(high) == null) {
      high++;
    }
    if (low < 0 || high == known.size()) {
      return null;
    }
    double from = ((Number) known.get(low)).doubleValue();
    double to = ((Number) known.get(high)).doubleValue();
    double whole = starts.get(high) - starts.get(low);
    return from + (to - from) * ((starts.get(index) - starts.get(low)) / whole);
  }

  /** One float makes all numbers of a column floats. */
  private static void widen(List<@Nullable Object> column, boolean always) {
    if (always || column.stream().anyMatch(Double.class::isInstance)) {
      column.replaceAll(value -> value instanceof Long whole ? (Object) (double) whole : value);
    }
  }

  private @Nullable Object kindly(Selection selection, @Nullable Object value) {
    boolean floating = selection.aggregate().name().matches("MEAN|STDDEV|MEDIAN");
    return whole && !floating && value instanceof Double number
        ? (Object) number.longValue()
        : value;
  }

  /** As the library documents them: exact, and of doubles alone. */
  private @Nullable Object value(Selection selection, List<ReferenceAggregates.Point> points) {
    String function = selection.aggregate().name().toLowerCase(Locale.ROOT);
    return switch (selection.aggregate()) {
      case QUANTILE -> of("quantile", selection.quantile(), "exact_selector", points);
      case MEDIAN -> of("quantile", 0.5, "exact_mean", points);
      case DISTINCT -> (long) aggregates.of("distinct", 0, "", points).size();
      case STDDEV -> points.size() < 2 ? null : deviation(points);
      default -> of(function, 0, "", points);
    };
  }

  private @Nullable Object of(
      String function, double q, String method, List<ReferenceAggregates.Point> points) {
    return aggregates.of(function, q, method, points).get(0).value();
  }

  /** By Youngs and Cramer: squares(n) = squares(n - 1) + (n·x - sum)² / (n·(n - 1)). */
  private static double deviation(List<ReferenceAggregates.Point> points) {
    double n = 0;
    double sum = 0;
    double squares = 0;
    for (ReferenceAggregates.Point point : points) {
      double x = (Double) point.value();
      n++;
      sum += x;
      squares += n < 2 ? 0 : (n * x - sum) * (n * x - sum) / (n * (n - 1));
    }
    return Math.sqrt(squares / (n - 1));
  }

  /** As the predicate is written, not as the library takes it apart. */
  private static boolean holds(@Nullable PointPredicate predicate, Point point) {
    if (predicate instanceof PointPredicate.Not not) {
      return !holds(not.of(), point);
    } else if (predicate instanceof PointPredicate.And and) {
      return and.all().stream().allMatch(each -> holds(each, point));
    } else if (predicate instanceof PointPredicate.Or or) {
      return or.any().stream().anyMatch(each -> holds(each, point));
    } else if (predicate instanceof TagPredicate.Equal equal) {
      return point.tag(equal.tag()).equals(equal.value());
    } else if (predicate instanceof TagPredicate.In in) {
      return in.values().contains(point.tag(in.tag()));
    } else if (predicate instanceof TagPredicate.Matches matches) {
      return Pattern.compile(matches.regex()).matcher(point.tag(matches.tag())).find();
    } else if (predicate instanceof FieldPredicate.Compared compared) {
      int order = Double.compare((Double) point.at.value(), compared.value().doubleValue());
      return switch (compared.comparison()) {
        case LESS -> order < 0;
        case AT_MOST -> order <= 0;
        case MORE -> order > 0;
        case AT_LEAST -> order >= 0;
      };
    } else if (predicate != null) {
      throw new IllegalArgumentException("not worked out: " + predicate);
    }
    return true;
  }
}
