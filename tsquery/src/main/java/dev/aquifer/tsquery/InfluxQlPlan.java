package dev.aquifer.tsquery;

import java.util.ArrayList;
import java.util.List;
import java.util.Set;

/**
 * Which selections of a query the server aggregates for each group, and which it aggregates for
 * each of its own series, to be joined here ({@link SeriesTotals}).
 *
 * <p>A server adds up points of several series in an order that depends on the range it is asked
 * for. Floats then differ in their last digits, and with them a window that is cached from one
 * fetched with others. Of one series it reads the points in order of time. So sums, means and
 * deviations are asked for each series, unless the answer has one in each group, or the field is
 * told to be of whole numbers, whose sums are the same in any order.
 *
 * @param grouped indexes of selections, rising
 * @param apart the others
 */
record InfluxQlPlan(List<Integer> grouped, List<Integer> apart) {
  /**
   * The plan for a query.
   *
   * @param tags all of the measurement's but the tenant's; empty when they are not known
   * @param integers fields of the measurement that are known to be whole numbers
   */
  static InfluxQlPlan of(TimeSeriesQuery query, Set<String> tags, Set<String> integers) {
    boolean single = !tags.isEmpty() && FluxReads.fixed(query).containsAll(tags);
    List<Integer> grouped = new ArrayList<>();
    List<Integer> apart = new ArrayList<>();
    for (int i = 0; i < query.selections().size(); i++) {
      (single || isSameInAnyOrder(query.selections().get(i), integers) ? grouped : apart).add(i);
    }
    return new InfluxQlPlan(List.copyOf(grouped), List.copyOf(apart));
  }

  private static boolean isSameInAnyOrder(Selection selection, Set<String> integers) {
    return switch (selection.aggregate()) {
      case SUM, MEAN -> integers.contains(selection.field());
      case STDDEV -> false;
      default -> true;
    };
  }

  /** How many statements each stretch of windows takes. */
  int statements() {
    return (grouped.isEmpty() ? 0 : 1) + (apart.isEmpty() ? 0 : 1);
  }
}
