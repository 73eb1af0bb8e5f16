package dev.aquifer.tsquery;

import java.util.Locale;

/** What becomes of the points of one series in one window. */
public enum Aggregate {
  /** How many points have the field. A window without any counts 0 where it is shown at all. */
  COUNT,
  /** Their sum. */
  SUM,
  /** Their arithmetic mean. */
  MEAN,
  /** The smallest value. */
  MIN,
  /** The largest value. */
  MAX,
  /** The earliest value. */
  FIRST,
  /** The latest value. */
  LAST,
  /** The largest value less the smallest. */
  SPREAD,
  /**
   * The standard deviation of a sample: the root of the squared distances from the mean over one
   * less than their number. A window of one point has none, and is as one without points. It is
   * added up by Youngs and Cramer's method in order of time, and of value where times are equal;
   * InfluxQL has a method of its own for each series, and may differ in the last digits.
   */
  STDDEV,
  /**
   * The value in the middle, or the half of the lower middle one plus the half of the upper. Exact,
   * not estimated; InfluxQL halves their distance instead, and may differ in the last digit.
   */
  MEDIAN,
  /**
   * The smallest value that at least the share q of the points do not pass: the one at the place
   * q·n, rounded up, in order of size ({@code percentile_disc} of SQL, {@code exact_selector} of
   * Flux). It is always a value that was written. Select it by {@link Selection#quantile}. InfluxQL
   * counts places otherwise and cannot do it.
   */
  QUANTILE,
  /** How many different values the points have. In empty windows as {@link #COUNT}. */
  DISTINCT;

  /** The name in lower case, as query languages write it. */
  String function() {
    return name().toLowerCase(Locale.ROOT);
  }

  /** Whether text and boolean fields have it too. */
  boolean forAnyKind() {
    return counts() || this == FIRST || this == LAST;
  }

  /** Whether it counts: its values are whole numbers, and an empty window's is 0. */
  boolean counts() {
    return this == COUNT || this == DISTINCT;
  }

  /** Whether its values are floating, whatever the field's are. */
  boolean floating() {
    return this == MEAN || this == STDDEV || this == MEDIAN;
  }

  /** What its values are, of a field of this kind. */
  ValueKind kind(ValueKind field) {
    return counts() ? ValueKind.LONG : floating() ? ValueKind.DOUBLE : field;
  }
}
