package dev.aquifer.tsquery.flux;

/** The names of the rewrites, as {@code explain()} shows them. */
final class Rules {
  static final String LITERAL_RIGHT = "literal-right";
  static final String CONTAINS = "contains-to-or";
  static final String NEGATION = "negation";
  static final String INLINED = "predicate-inlined";
  static final String FOLDED = "constant-folded";
  static final String MISSING_TAG = "missing-tag";
  static final String PUSHABLE_FIRST = "pushable-first";
  static final String TIME_INTO_RANGE = "time-into-range";
  static final String READ_PER_USE = "read-per-use";
  static final String READ_INLINED = "read-inlined";
  static final String OFFSET_POSITIVE = "offset-positive";
  static final String LATEST_ROW = "latest-row";

  private Rules() {}
}
