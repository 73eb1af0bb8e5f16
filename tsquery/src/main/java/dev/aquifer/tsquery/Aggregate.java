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
  LAST;

  /** The name in lower case, as query languages write it. */
  String function() {
    return name().toLowerCase(Locale.ROOT);
  }

  /** Whether text and boolean fields have it too. */
  boolean forAnyKind() {
    return this == COUNT || this == FIRST || this == LAST;
  }
}
