package dev.aquifer.tsquery;

/**
 * Windows side by side.
 *
 * @param from the first
 * @param to the one after the last
 */
record Run(long from, long to) {
  long size() {
    return to - from;
  }

  /** The windows of both; of no size, or less, when there are none. */
  Run common(Run other) {
    return new Run(Math.max(from, other.from), Math.min(to, other.to));
  }
}
