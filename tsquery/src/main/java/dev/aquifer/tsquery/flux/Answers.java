package dev.aquifer.tsquery.flux;

import java.util.ArrayList;
import java.util.List;
import java.util.Set;

/**
 * Whether a read that storage does more of than before answers the same. What is the same and what
 * not was seen on a real server:
 *
 * <ul>
 *   <li>Storage and the query engine know a missing tag otherwise, and unsigned numbers: see {@link
 *       Faithful}.
 *   <li>Sums and means of floats differ in their last digits: the query engine adds in pieces,
 *       storage one by one. Pieces are as the rows come, so that it is enough for it that fewer
 *       come.
 *   <li>Tables come in another order from an aggregate in storage. That is nothing in itself, but
 *       what merges tables makes it an order of rows.
 *   <li>Rows that storage groups have another order, and another group key.
 * </ul>
 */
final class Answers {
  /** Of the rows of one series, storage and query engine choose and count the same. */
  private static final Set<String> CHOOSING = Set.of("count", "min", "max", "first", "last");

  private static final Set<String> ADDING = Set.of("sum", "mean");

  /** Each table for itself, the group key untouched. */
  private static final Set<String> TABLEWISE =
      Set.of(
          "count",
          "cumulativeSum",
          "derivative",
          "difference",
          "elapsed",
          "fill",
          "filter",
          "first",
          "last",
          "limit",
          "max",
          "min",
          "sort",
          "spread",
          "tail",
          "yield");

  /** These merge or split tables, and it is all the same to them in which pieces rows come. */
  private static final Set<String> WHOLE =
      Set.of(
          "drop",
          "duplicate",
          "experimental/table.fill",
          "findColumn",
          "findRecord",
          "group",
          "keep",
          "map",
          "pivot",
          "rename",
          "set",
          "union",
          "unique",
          "distinct",
          "window");

  private static final Set<String> OF_ALL_TABLES = Set.of("_start", "_stop", "_time", "_value");

  private Answers() {}

  static boolean aggregated(Reading read) {
    return read.aggregate() != null;
  }

  static boolean same(
      Reading before,
      Reading after,
      Set<Expression.Call> approved,
      Set<String> shadowed,
      FloatSums sums) {
    if (untouched(before, after)) {
      return true;
    }
    // What storage answers of such a read, it may not answer of another.
    if (before.undecided() || after.undecided()) {
      return false;
    }
    if (before.losesPoints() != null || !faithful(before, after, approved, shadowed)) {
      return false;
    }
    boolean exact = sums == FloatSums.EXACT;
    List<Step> rest = after.rest();
    String aggregate = after.aggregate();
    return switch (after.node()) {
      case Reading.RANGE -> !exact || rest.stream().allMatch(Answers::inAnyPieces);
      case Reading.WINDOW_AGGREGATE, Reading.WINDOW_AGGREGATE_BY_TIME ->
          aggregate != null
              && (CHOOSING.contains(aggregate) || (ADDING.contains(aggregate) && !exact))
              && rest.stream().allMatch(Answers::tablewise);
      default -> false;
    };
  }

  /** Whether it makes no difference that storage evaluates what the query engine did before. */
  private static boolean faithful(
      Reading before, Reading after, Set<Expression.Call> approved, Set<String> shadowed) {
    List<Expression.Call> known = new ArrayList<>();
    before.taken().forEach(filter -> known.add(filter.step().call()));
    for (Reading.Taken filter : after.taken()) {
      Expression.Call call = filter.step().call();
      if (known.remove(call) || approved.contains(call)) {
        continue;
      }
      Faithful faithful = new Faithful(filter.row(), filter.scope(), shadowed);
      if (!filter.parts().stream().allMatch(faithful::stays)) {
        return false;
      }
    }
    return true;
  }

  private static boolean untouched(Reading before, Reading after) {
    List<Step> old = before.pushed();
    List<Step> now = after.pushed();
    if (!before.node().equals(after.node())
        || old.size() != now.size()
        || (before.left() == null) != (after.left() == null)) {
      return false;
    }
    for (int i = 1; i < old.size(); i++) {
      if (!old.get(i).call().equals(now.get(i).call())) {
        return false;
      }
    }
    Step left = before.left();
    Step still = after.left();
    return left == null || still == null || left.call().equals(still.call());
  }

  private static boolean inAnyPieces(Step step) {
    return TABLEWISE.contains(step.kind()) || WHOLE.contains(step.kind());
  }

  private static boolean tablewise(Step step) {
    if (step.kind().equals("drop")) {
      List<String> columns = step.texts("columns");
      return columns != null && OF_ALL_TABLES.containsAll(columns);
    }
    return TABLEWISE.contains(step.kind());
  }
}
