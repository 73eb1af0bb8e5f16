package dev.aquifer.tsquery;

import dev.aquifer.RefusedQueryException;
import java.time.Instant;

/**
 * A half-open range of time.
 *
 * @param start the first moment inside
 * @param stop the first moment after it
 */
public record TimeRange(Instant start, Instant stop) implements QueryRange {
  /**
   * Checks the order and that both fit in 64 bits of nanoseconds.
   *
   * @throws RefusedQueryException when stop is not after start, or either is before 1677 or after
   *     2262
   */
  public TimeRange {
    if (Nanos.of(start) >= Nanos.of(stop)) {
      throw new RefusedQueryException(
          "The range is empty: start %s is not before stop %s.".formatted(start, stop));
    }
  }

  static TimeRange ofNanos(long start, long stop) {
    return new TimeRange(Nanos.instant(start), Nanos.instant(stop));
  }

  long startNanos() {
    return Nanos.of(start);
  }

  long stopNanos() {
    return Nanos.of(stop);
  }

  @Override
  public String toString() {
    return "[" + start + ", " + stop + ")";
  }
}
