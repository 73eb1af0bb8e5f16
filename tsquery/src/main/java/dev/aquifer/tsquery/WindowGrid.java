package dev.aquifer.tsquery;

import dev.aquifer.RefusedQueryException;

/**
 * The windows that a range touches. Window {@code i} covers {@code [i·every + offset, (i+1)·every +
 * offset)}, counted from the epoch, also before it. The first and the last one are clipped when the
 * range begins or ends inside them; those between are whole, and only whole windows are ever kept.
 *
 * @param first the window that the range starts in
 * @param end the window after the one that the range's last nanosecond is in
 */
record WindowGrid(long every, long offset, long rangeStart, long rangeStop, long first, long end) {

  /** The grid, refused when it is larger than the limits allow. */
  static WindowGrid of(Window window, TimeRange range, QueryLimits limits, int columns) {
    long every = window.everyNanos();
    long offset = window.offsetNanos();
    long start = range.startNanos();
    long stop = range.stopNanos();
    if (Nanos.instant(start).plus(limits.range()).isBefore(range.stop())) {
      throw new RefusedQueryException(
          "The range %s is longer than the limit of %s.".formatted(range, limits.range()));
    }
    try {
      long first = Math.floorDiv(Math.subtractExact(start, offset), every);
      long end = Math.floorDiv(Math.subtractExact(stop - 1, offset), every) + 1;
      long windows = end - first;
      if (windows > limits.windows()) {
        throw new RefusedQueryException(
            "The range %s has %,d windows of %s; at most %,d are allowed. Ask for longer windows."
                .formatted(range, windows, window.every(), limits.windows()));
      }
      if (windows * columns > limits.points()) {
        throw new RefusedQueryException(
            "%,d windows of %d columns pass the limit of %,d points."
                .formatted(windows, columns, limits.points()));
      }
      WindowGrid grid = new WindowGrid(every, offset, start, stop, first, end);
      grid.start(first);
      grid.start(end);
      return grid;
    } catch (ArithmeticException e) {
      throw new RefusedQueryException(
          "The windows of %s around %s pass the range of 64-bit nanoseconds."
              .formatted(window.every(), range),
          e);
    }
  }

  /** How many windows. */
  int size() {
    return (int) (end - first);
  }

  /** When a window starts, in nanoseconds since the epoch. */
  long start(long bucket) {
    return Math.addExact(Math.multiplyExact(bucket, every), offset);
  }

  /** The window that a time is in. */
  long bucketOf(long nanos) {
    return Math.floorDiv(nanos - offset, every);
  }

  /** The first whole window; equal to {@link #fullEnd} or later when there is none. */
  long fullFirst() {
    return start(first) < rangeStart ? first + 1 : first;
  }

  /** The window after the last whole one. */
  long fullEnd() {
    return start(end) > rangeStop ? end - 1 : end;
  }

  /** Whether a window is not wholly in the range. */
  boolean clipped(long bucket) {
    return bucket < fullFirst() || bucket >= fullEnd();
  }

  /** The time of some windows, as far as it is in the range. */
  TimeRange range(long from, long to) {
    return TimeRange.ofNanos(Math.max(rangeStart, start(from)), Math.min(rangeStop, start(to)));
  }
}
