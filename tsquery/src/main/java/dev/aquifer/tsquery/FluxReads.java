package dev.aquifer.tsquery;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/**
 * Which reads answer a query in Flux, and how.
 *
 * <p>The storage computes windows itself only where no {@code group} comes before them: a series at
 * a time. Where the series of an answer are those of the storage ({@link Shape#SERIES}), that is
 * all there is to do. Where they are not, points of several series share windows, and an answer
 * must not depend on the order in which the server happens to come by them, else a cached window
 * would differ in its last bits from one fetched with others: the storage sorts series by an
 * unstable sort, and Flux's sum and mean add up a table by pieces whose edges depend on the range.
 * So counts, extremes and quantiles are left to it, first and last are taken after a sort by time
 * and value, and sums are the last of cumulative ones in that order, which are added up one by one.
 * A median is made here of the two values in the middle: the server's own takes floats alone, and
 * to make them of each point costs it more than all the rest. Standard deviations are always such
 * sums: of the terms that PostgreSQL adds up, too. Sums of whole numbers are the same in any order,
 * and are left to the server as they come; their means are made here, since the server's depend on
 * how the points came to it.
 */
record FluxReads(TimeSeriesQuery query, List<Read> reads) {
  /** What is done with series whose points share windows. */
  enum Shape {
    /** Nothing: there are none. */
    SERIES,
    /** They are grouped. */
    GROUPED,
    /** The points themselves are handed over, and all is computed here. */
    POINTS,
    /**
     * They are grouped, once for two results: sums, and numbers of points. Both are of the same
     * points, which two reads would not promise.
     */
    TOTALED,
    /**
     * They are grouped, once for two results: the lower and the upper of the two values in the
     * middle, which may be one and the same point.
     */
    MIDDLE,
    /** They are grouped and sorted. */
    SORTED,
    /** They are grouped and sorted; the answer has a sum and the number of its points. */
    SUMMED,
    /**
     * They are grouped and sorted; the answer has the sum of squared distances from the mean and
     * the number of its points.
     */
    SQUARED
  }

  /**
   * One read.
   *
   * @param aggregate what it computes
   * @param quantile the share, where it computes that
   * @param fields of which fields
   */
  record Read(Aggregate aggregate, @Nullable Double quantile, Shape shape, Set<String> fields) {
    /** Whether its answer has sums and numbers of points. */
    boolean counted() {
      return shape == Shape.SUMMED || shape == Shape.SQUARED;
    }

    /** Whether it is of fields that are told to be whole numbers, and of no others. */
    boolean whole() {
      return shape == Shape.POINTS
          || (aggregate == Aggregate.SUM && (shape == Shape.TOTALED || shape == Shape.GROUPED));
    }

    /** Whether it has two results, of the same points. */
    boolean twofold() {
      return shape == Shape.TOTALED || shape == Shape.MIDDLE;
    }
  }

  private record Kind(Aggregate aggregate, @Nullable Double quantile, Shape shape) {}

  private static final Set<Aggregate> OF_POINTS =
      Set.of(
          Aggregate.COUNT,
          Aggregate.SUM,
          Aggregate.MEAN,
          Aggregate.MIN,
          Aggregate.MAX,
          Aggregate.FIRST,
          Aggregate.LAST);

  /**
   * The plan for a query.
   *
   * @param few whether there are few points: of whole numbers, each is then sent as it is, in one
   *     read for all that is asked of them
   * @param tags all of the measurement's but the tenant's; empty when they are not known
   * @param integers fields of the measurement that are known to be whole numbers
   */
  static FluxReads of(TimeSeriesQuery query, boolean few, Set<String> tags, Set<String> integers) {
    boolean apart = apart(query, tags);
    if (few
        && !apart
        && query.selections().stream()
            .allMatch(
                each -> OF_POINTS.contains(each.aggregate()) && integers.contains(each.field()))) {
      Set<String> all = new TreeSet<>();
      query.selections().forEach(each -> all.add(each.field()));
      return new FluxReads(query, List.of(new Read(Aggregate.COUNT, null, Shape.POINTS, all)));
    }
    Map<Kind, Set<String>> fields = new LinkedHashMap<>();
    for (Selection selection : query.selections()) {
      Kind kind =
          apart && selection.aggregate() != Aggregate.STDDEV
              ? new Kind(selection.aggregate(), selection.quantile(), Shape.SERIES)
              : shared(query, selection, integers);
      fields.computeIfAbsent(kind, key -> new TreeSet<>()).add(selection.field());
    }
    List<Read> reads = new ArrayList<>();
    fields.forEach(
        (kind, of) -> reads.add(new Read(kind.aggregate, kind.quantile, kind.shape, of)));
    return new FluxReads(query, reads);
  }

  /**
   * Why the storage does not compute all windows by itself, and what to do; null when it does.
   *
   * @param tags as in {@link #of}
   */
  @Nullable String lost(Set<String> tags) {
    if (reads.stream().allMatch(read -> read.shape() == Shape.SERIES)) {
      return null;
    }
    if (tags.isEmpty()) {
      return "InfluxDB groups the points before it computes windows, as the tags of %s are not known; tell of all of them by tags(…)"
          .formatted(query.measurement());
    }
    Set<String> missing = new TreeSet<>(tags);
    missing.removeAll(fixed(query));
    return missing.isEmpty()
        ? "InfluxDB's storage has no standard deviations; it hands out the points"
        : "InfluxDB groups the points before it computes windows, as series that differ in %s share them; group by these tags or ask for one value of each, where the answer may be so"
            .formatted(missing);
  }

  /** What the result of a read over a range is called. */
  static String result(int read, int range) {
    return read + "." + range;
  }

  /** What the second result of such a read is called. */
  static String second(int read, int range) {
    return result(read, range) + ".n";
  }

  private static Kind shared(TimeSeriesQuery query, Selection selection, Set<String> integers) {
    Aggregate aggregate = selection.aggregate();
    boolean integer = integers.contains(selection.field());
    boolean totaled = integer && totaled(query, selection.field());
    return switch (aggregate) {
      case COUNT ->
          totaled
              ? new Kind(Aggregate.SUM, null, Shape.TOTALED)
              : new Kind(aggregate, null, Shape.GROUPED);
      case MIN, MAX, SPREAD, QUANTILE, DISTINCT ->
          new Kind(aggregate, selection.quantile(), Shape.GROUPED);
      case MEDIAN -> new Kind(aggregate, null, Shape.MIDDLE);
      case FIRST, LAST -> new Kind(aggregate, null, Shape.SORTED);
      case SUM, MEAN ->
          integer
              ? new Kind(Aggregate.SUM, null, totaled ? Shape.TOTALED : Shape.GROUPED)
              : new Kind(Aggregate.SUM, null, Shape.SUMMED);
      case STDDEV -> new Kind(aggregate, null, Shape.SQUARED);
    };
  }

  /** Whether sums and numbers of the same points of a field are asked for. */
  private static boolean totaled(TimeSeriesQuery query, String field) {
    List<Selection> all = query.selections();
    return all.contains(new Selection(Aggregate.MEAN, field))
        || (all.contains(new Selection(Aggregate.SUM, field))
            && all.contains(new Selection(Aggregate.COUNT, field)));
  }

  /** Whether the series of the answer are those of the storage. */
  static boolean apart(TimeSeriesQuery query, Set<String> tags) {
    return !tags.isEmpty() && fixed(query).containsAll(tags);
  }

  /** The tags that have one value in each series of the answer. */
  static Set<String> fixed(TimeSeriesQuery query) {
    Set<String> fixed = new TreeSet<>(query.groupBy());
    Condition condition = query.condition();
    if (condition instanceof Condition.Group group && group.all()) {
      group.members().forEach(member -> addFixed(member, fixed));
    } else if (condition != null) {
      addFixed(condition, fixed);
    }
    return fixed;
  }

  private static void addFixed(Condition condition, Set<String> fixed) {
    if (condition instanceof Condition.OneOf one && !one.negated() && one.values().size() == 1) {
      fixed.add(one.tag());
    }
  }
}
