package dev.aquifer.tsquery;

import dev.aquifer.RefusedQueryException;
import java.time.Duration;

/**
 * Windows that are equally long and equally far apart, and do not overlap: window {@code k} begins
 * {@code k·every + offset} after the epoch and lasts for the period. Windows of any kind are such
 * stretches: months one or two at a time, those of a zone from one change of its clock to the next,
 * overlapping ones every so many.
 *
 * @param range all windows that touch it are wanted, each with the points inside it alone
 * @param every from the start of one to the start of the next
 * @param period how long each is; less than every where there are gaps between them
 * @param offset of a start from a multiple of every; at least 0, less than every
 */
public record Stretch(TimeRange range, Duration every, Duration period, Duration offset) {
  /**
   * Checks the lengths.
   *
   * @throws RefusedQueryException the period is longer than every, or zero or negative
   */
  public Stretch {
    if (period.isZero() || period.isNegative() || period.compareTo(every) > 0) {
      throw new RefusedQueryException(
          "Windows of %s every %s are no stretch: they would overlap, or be none."
              .formatted(period, every));
    }
  }

  /** Windows of which one begins at a time. */
  static Stretch of(TimeRange range, long every, long period, long start) {
    return new Stretch(
        range,
        Duration.ofNanos(every),
        Duration.ofNanos(period),
        Duration.ofNanos(Math.floorMod(start, every)));
  }

  /** Whether some time lies between its windows. */
  public boolean gapped() {
    return !period.equals(every);
  }

  /** Whether all of the range is in one window. */
  boolean single() {
    long length = range.stopNanos() - startOf(range.startNanos());
    return length > 0 && length <= periodNanos();
  }

  /** The start of the window that a time is in. */
  long startOf(long nanos) {
    long every = everyNanos();
    long offset = offsetNanos();
    return Math.addExact(
        Math.multiplyExact(Math.floorDiv(Math.subtractExact(nanos, offset), every), every), offset);
  }

  long everyNanos() {
    return every.toNanos();
  }

  long periodNanos() {
    return period.toNanos();
  }

  long offsetNanos() {
    return offset.toNanos();
  }

  /** Whether the windows of both are the same, wherever they are wanted. */
  boolean alike(Stretch other) {
    return every.equals(other.every) && period.equals(other.period) && offset.equals(other.offset);
  }
}
