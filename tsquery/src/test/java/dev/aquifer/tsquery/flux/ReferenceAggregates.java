package dev.aquifer.tsquery.flux;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * What InfluxDB's aggregates make of the points of one window, worked out from the points alone.
 * Values are Double, Long (unsigned ones where told), Boolean or String.
 */
public final class ReferenceAggregates {
  /** A point. */
  public record Point(long time, Object value) {}

  /** A value, with the time of the point that it is taken from, where it is. */
  public record Found(@Nullable Object value, @Nullable Long time) {}

  private final boolean unsigned;

  /** For one field; {@code unsigned} tells how its whole numbers are meant. */
  public ReferenceAggregates(boolean unsigned) {
    this.unsigned = unsigned;
  }

  /**
   * The rows of a window that has points.
   *
   * @param function as in Flux; {@code quantile} with {@code q} and {@code method}
   * @param points in order of time
   */
  public List<Found> of(String function, double q, String method, List<Point> points) {
    return switch (function) {
      case "count" -> one((long) points.size());
      case "sum" -> one(sum(points));
      case "mean" -> one(mean(points));
      case "min" -> taken(extreme(points, 1));
      case "max" -> taken(extreme(points, -1));
      case "first" -> taken(points.get(0));
      case "last" -> taken(points.get(points.size() - 1));
      case "spread" -> one(number(extreme(points, -1)) - number(extreme(points, 1)));
      case "stddev" -> one(stddev(points));
      case "skew" -> one(skew(points));
      case "median" -> quantile(0.5, "estimate_tdigest", points);
      case "quantile" -> quantile(q, method, points);
      case "mode" -> mode(points);
      case "distinct" -> distinct(points);
      case "integral" -> one(integral(points));
      default -> throw new IllegalArgumentException(function);
    };
  }

  private static List<Found> one(@Nullable Object value) {
    return List.of(new Found(value, null));
  }

  private static List<Found> taken(Point point) {
    return List.of(new Found(point.value, point.time));
  }

  private double number(Point point) {
    if (point.value instanceof Long whole) {
      return unsigned ? Double.parseDouble(Long.toUnsignedString(whole)) : whole;
    }
    return (Double) point.value;
  }

  private Object sum(List<Point> points) {
    if (points.get(0).value instanceof Long) {
      return points.stream().mapToLong(point -> (Long) point.value).sum();
    }
    // One by one: what a stream's sum makes up for is not made up for there.
    double sum = 0;
    for (Point point : points) {
      sum += (Double) point.value;
    }
    return sum;
  }

  /** Whole numbers are added as such, and what passes 64 bits is lost. */
  private double mean(List<Point> points) {
    Object sum = sum(points);
    return number(new Point(0, sum)) / points.size();
  }

  private Point extreme(List<Point> points, int sign) {
    Comparator<Point> order =
        unsigned
            ? (a, b) -> Long.compareUnsigned((Long) a.value, (Long) b.value)
            : Comparator.comparingDouble(this::number);
    return Collections.min(points, sign > 0 ? order : order.reversed());
  }

  private double stddev(List<Point> points) {
    double mean = 0;
    double squares = 0;
    int n = 0;
    for (Point point : points) {
      double before = number(point) - mean;
      mean += before / ++n;
      squares += before * (number(point) - mean);
    }
    return n < 2 ? Double.NaN : Math.sqrt(squares / (n - 1));
  }

  private double skew(List<Point> points) {
    double n = 0;
    double m1 = 0;
    double m2 = 0;
    double m3 = 0;
    for (Point point : points) {
      double delta = number(point) - m1;
      double share = delta / ++n;
      double term = delta * share * (n - 1);
      m3 += term * share * (n - 2) - 3 * share * m2;
      m2 += term;
      m1 += share;
    }
    return n < 2 ? Double.NaN : Math.sqrt(n) * m3 / Math.pow(m2, 1.5);
  }

  private static double integral(List<Point> points) {
    double sum = 0;
    for (int i = 1; i < points.size(); i++) {
      Point before = points.get(i - 1);
      Point now = points.get(i);
      sum += 0.5 * ((Double) now.value + (Double) before.value) * (now.time - before.time) / 1e9;
    }
    return sum;
  }

  private static List<Found> distinct(List<Point> points) {
    LinkedHashSet<Object> values = new LinkedHashSet<>();
    points.forEach(point -> values.add(point.value));
    List<Found> rows = new ArrayList<>();
    values.forEach(value -> rows.add(new Found(value, null)));
    return rows;
  }

  /** Values that are there most often; none where all are equally often. */
  private static List<Found> mode(List<Point> points) {
    Map<Object, Integer> counts = new LinkedHashMap<>();
    points.forEach(point -> counts.merge(point.value, 1, Integer::sum));
    int most = Collections.max(counts.values());
    List<Found> rows = new ArrayList<>();
    counts.entrySet().stream()
        .filter(entry -> entry.getValue() == most)
        .map(entry -> (Double) entry.getKey())
        .sorted()
        .forEach(value -> rows.add(new Found(value, null)));
    return rows.size() == counts.size() ? one(null) : rows;
  }

  private List<Found> quantile(double q, String method, List<Point> points) {
    double[] sorted = points.stream().mapToDouble(this::number).sorted().toArray();
    return switch (method) {
      case "exact_mean" -> {
        double at = q * (sorted.length - 1);
        int below = (int) Math.floor(at);
        int above = (int) Math.ceil(at);
        yield one(
            below == above
                ? sorted[below]
                : sorted[below] * (above - at) + sorted[above] * (at - below));
      }
      case "exact_selector" -> {
        List<Point> ordered = new ArrayList<>(points);
        ordered.sort(Comparator.comparingDouble(this::number));
        yield taken(ordered.get(Math.max(0, (int) Math.ceil(q * sorted.length) - 1)));
      }
      case "estimate_tdigest" -> one(digest(q, sorted));
      default -> throw new IllegalArgumentException(method);
    };
  }

  /**
   * A t-digest of so few points that each is a centroid of its own: it goes from the middle of one
   * to the middle of the next.
   */
  private static double digest(double q, double[] sorted) {
    if (sorted.length > 200) {
      throw new IllegalArgumentException("centroids of several points are not worked out");
    }
    double at = q * sorted.length;
    if (sorted.length == 1 || at <= 0.5) {
      return sorted[0];
    }
    int above = Arrays.binarySearch(middles(sorted.length), at);
    above = above < 0 ? -above - 1 : above;
    if (above >= sorted.length) {
      return sorted[sorted.length - 1];
    }
    double high = sorted[above];
    double low = sorted[above - 1];
    double fromLow = at - (above - 0.5);
    double toHigh = above + 0.5 - at;
    double mean = (low * toHigh + high * fromLow) / (toHigh + fromLow);
    return Math.max(low, Math.min(mean, high));
  }

  private static double[] middles(int count) {
    double[] middles = new double[count];
    for (int i = 0; i < count; i++) {
      middles[i] = i + 0.5;
    }
    return middles;
  }
}
