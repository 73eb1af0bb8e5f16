package dev.aquifer.tsquery;

import dev.aquifer.RefusedQueryException;
import java.time.Duration;
import java.time.Period;
import java.time.temporal.ChronoUnit;

/**
 * How far it is from one window to the next: a fixed time, or months of the calendar. Days and
 * weeks are fixed times; in a zone they, too, go by its clock (see {@link Window}). Only one of
 * both may be other than zero.
 *
 * @param months of the calendar
 * @param duration a fixed time, also of days and weeks
 */
public record Step(long months, Duration duration) {
  /** Nothing. */
  public static final Step ZERO = new Step(0, Duration.ZERO);

  /** No window is longer, nor any range of 64-bit nanoseconds. */
  private static final long MAX_MONTHS = 12 * 292;

  private static final long NANOS_IN_DAY = Duration.ofDays(1).toNanos();
  private static final long SHORTEST_MONTH = 28 * NANOS_IN_DAY;

  /**
   * Checks both.
   *
   * @throws RefusedQueryException months stand beside a fixed time, or either is over 292 years
   */
  public Step {
    if (months != 0 && !duration.isZero()) {
      throw new RefusedQueryException(
          "A step of %d months and %s is none: months and fixed times do not mix."
              .formatted(months, duration));
    }
    if (months > MAX_MONTHS || months < -MAX_MONTHS) {
      throw new RefusedQueryException(
          "A step of %d months is out of range: 292 years at most.".formatted(months));
    }
    Nanos.of("step", duration);
  }

  /** A fixed time. */
  public static Step of(Duration duration) {
    return new Step(0, duration);
  }

  /**
   * Days, weeks, months or years of the calendar.
   *
   * @throws RefusedQueryException it has days and months, or is over 292 years
   */
  public static Step of(Period period) {
    return new Step(period.toTotalMonths(), Duration.ofDays(period.get(ChronoUnit.DAYS)));
  }

  boolean zero() {
    return months == 0 && duration.isZero();
  }

  boolean positive() {
    return months > 0 || (!duration.isNegative() && !duration.isZero());
  }

  boolean calendar() {
    return months != 0;
  }

  long nanos() {
    return duration.toNanos();
  }

  /** The shortest that it can be, in nanoseconds; for one that is positive. */
  long shortest() {
    return calendar() ? months * SHORTEST_MONTH : nanos();
  }

  /** As ISO 8601 writes it. */
  @Override
  public String toString() {
    return calendar() ? Period.ofMonths((int) months).normalized().toString() : duration.toString();
  }
}
