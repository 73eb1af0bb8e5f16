package dev.aquifer.tsquery;

import dev.aquifer.Tenant;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLongArray;
import java.util.concurrent.locks.ReentrantLock;

/**
 * An exact backend over a list of points, by which random schedules are judged: it computes every
 * window from the points alone, in order of time, and counts how often each was asked for.
 */
class PointsBackend implements Backend {
  record Point(Tenant tenant, long time, Map<String, String> tags, double value) {}

  private final ReentrantLock lock = new ReentrantLock();
  private final TreeMap<Long, List<Point>> points = new TreeMap<>();
  private final AtomicInteger requests = new AtomicInteger();
  private final AtomicLongArray asked = new AtomicLongArray(1 << 16);

  @Override
  public String name() {
    return "points";
  }

  void add(String tenant, long time, Map<String, String> tags, double value) {
    lock.lock();
    try {
      points
          .computeIfAbsent(time, key -> new ArrayList<>())
          .add(new Point(Tenant.of(tenant), time, tags, value));
    } finally {
      lock.unlock();
    }
  }

  void remove(long from, long to) {
    lock.lock();
    try {
      points.subMap(from, to).clear();
    } finally {
      lock.unlock();
    }
  }

  int requests() {
    return requests.get();
  }

  /** How often the window with this number, 0 to 65,535, was asked for. */
  long asked(int bucket) {
    return asked.get(bucket);
  }

  /** Whether all values are whole numbers, as which their sums are told, too. */
  boolean whole() {
    return false;
  }

  @Override
  public boolean totals(TimeSeriesQuery query, String field) {
    return whole();
  }

  @Override
  public void check(TimeSeriesQuery query) {}

  @Override
  public List<StatementText> render(FetchRequest request) {
    return request.ranges().stream()
        .map(range -> new StatementText(request.query().measurement() + " " + range, List.of()))
        .toList();
  }

  @Override
  public void fetch(FetchRequest request, RowSink sink) {
    requests.incrementAndGet();
    for (Stretch stretch : request.stretches()) {
      Map<List<String>, Map<Long, List<Double>>> windows = collect(request, stretch);
      windows.forEach(
          (group, rows) ->
              rows.forEach(
                  (start, values) -> {
                    sink.row(group, start);
                    for (int i = 0; i < request.query().selections().size(); i++) {
                      emit(request.query().selections().get(i), values, i, sink);
                    }
                  }));
    }
  }

  private Map<List<String>, Map<Long, List<Double>>> collect(
      FetchRequest request, Stretch stretch) {
    TimeSeriesQuery query = request.query();
    TimeRange range = stretch.range();
    count(range, stretch.everyNanos(), stretch.offsetNanos());
    Map<List<String>, Map<Long, List<Double>>> windows = new LinkedHashMap<>();
    lock.lock();
    try {
      for (List<Point> at : points.subMap(range.startNanos(), range.stopNanos()).values()) {
        for (Point point : at) {
          Condition condition = query.condition();
          if (point.tenant.equals(request.tenant())
              && (condition == null || holds(condition, point))) {
            List<String> group =
                query.groupBy().stream().map(tag -> point.tags.getOrDefault(tag, "")).toList();
            long start = stretch.startOf(point.time);
            if (point.time - start >= stretch.periodNanos()) {
              continue;
            }
            windows
                .computeIfAbsent(group, key -> new TreeMap<>())
                .computeIfAbsent(start, key -> new ArrayList<>())
                .add(point.value);
          }
        }
      }
    } finally {
      lock.unlock();
    }
    return windows;
  }

  private void count(TimeRange range, long every, long offset) {
    long first = Math.floorDiv(range.startNanos() - offset, every);
    long last = Math.floorDiv(range.stopNanos() - 1 - offset, every);
    for (long bucket = Math.max(0, first); bucket <= Math.min(last, asked.length() - 1); bucket++) {
      asked.incrementAndGet((int) bucket);
    }
  }

  private static boolean holds(Condition condition, Point point) {
    if (condition instanceof Condition.Group group) {
      return group.all()
          ? group.members().stream().allMatch(member -> holds(member, point))
          : group.members().stream().anyMatch(member -> holds(member, point));
    }
    if (condition instanceof Condition.OneOf oneOf) {
      String value = point.tags.getOrDefault(oneOf.tag(), "");
      return oneOf.values().contains(value) != oneOf.negated();
    }
    if (condition instanceof Condition.Compared compared) {
      double limit = compared.value().doubleValue();
      return switch (compared.comparison()) {
        case LESS -> point.value < limit;
        case AT_MOST -> point.value <= limit;
        case MORE -> point.value > limit;
        case AT_LEAST -> point.value >= limit;
      };
    }
    Condition.Like like = (Condition.Like) condition;
    String value = point.tags.getOrDefault(like.tag(), "");
    return java.util.regex.Pattern.compile(like.regex()).matcher(value).find() != like.negated();
  }

  private void emit(Selection of, List<Double> values, int selection, RowSink sink) {
    double sum = 0;
    for (double value : values) {
      sum += value;
    }
    List<Double> sorted = values.stream().sorted().toList();
    int n = values.size();
    switch (of.aggregate()) {
      case COUNT -> sink.longValue(selection, values.size());
      case SUM -> value(sum, selection, sink);
      case MEAN -> sink.doubleValue(selection, sum / values.size());
      case MIN -> value(sorted.get(0), selection, sink);
      case MAX -> value(sorted.get(n - 1), selection, sink);
      case FIRST -> value(values.get(0), selection, sink);
      case LAST -> value(values.get(n - 1), selection, sink);
      case SPREAD -> value(sorted.get(n - 1) - sorted.get(0), selection, sink);
      case STDDEV -> {
        if (n > 1) {
          sink.doubleValue(selection, Math.sqrt(squares(values) / (n - 1)));
        }
      }
      case MEDIAN -> {
        double low = sorted.get((n - 1) / 2);
        double high = sorted.get(n / 2);
        sink.doubleValue(selection, n % 2 == 1 ? low : low * 0.5 + high * 0.5);
      }
      case QUANTILE -> {
        int place = (int) Math.ceil(Objects.requireNonNull(of.quantile()) * n);
        value(sorted.get(Math.max(place, 1) - 1), selection, sink);
      }
      case DISTINCT -> sink.longValue(selection, new HashSet<>(values).size());
    }
  }

  private void value(double value, int selection, RowSink sink) {
    if (whole()) {
      sink.longValue(selection, (long) value);
    } else {
      sink.doubleValue(selection, value);
    }
  }

  /** Squared distances from the mean, as Youngs and Cramer add them up. */
  private static double squares(List<Double> values) {
    double sum = values.get(0);
    double squares = 0;
    for (int n = 2; n <= values.size(); n++) {
      double value = values.get(n - 1);
      sum += value;
      double distance = value * n - sum;
      squares += distance * distance / (n * (n - 1.0));
    }
    return squares;
  }
}
