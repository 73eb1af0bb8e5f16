package dev.aquifer.tsquery;

import dev.aquifer.ConfigurationException;
import dev.aquifer.RefusedQueryException;
import java.time.Duration;
import java.time.Instant;

/** Instants and durations as nanoseconds in a long: 1677-09-21 to 2262-04-11, or 292 years. */
final class Nanos {
  static final long PER_SECOND = 1_000_000_000L;
  static final long PER_MICRO = 1_000L;

  private static final Duration LONGEST_WAIT = Duration.ofDays(1);

  private Nanos() {}

  static long of(Instant instant) {
    try {
      return Math.addExact(
          Math.multiplyExact(instant.getEpochSecond(), PER_SECOND), instant.getNano());
    } catch (ArithmeticException e) {
      throw new RefusedQueryException(
          "The time %s is out of range: nanoseconds reach from 1677-09-22 to 2262-04-11."
              .formatted(instant),
          e);
    }
  }

  static long of(String what, Duration duration) {
    try {
      return duration.toNanos();
    } catch (ArithmeticException e) {
      throw new RefusedQueryException(
          "%s of %s is out of range: nanoseconds reach 292 years.".formatted(what, duration), e);
    }
  }

  /** A limit on waiting, checked. */
  static Duration limit(String what, Duration limit) {
    if (limit.isZero() || limit.isNegative() || limit.compareTo(LONGEST_WAIT) > 0) {
      throw new ConfigurationException(
          "The %s is %s; it must be more than 0 and at most %s."
              .formatted(what, limit, LONGEST_WAIT));
    }
    return limit;
  }

  static Instant instant(long nanos) {
    return Instant.ofEpochSecond(
        Math.floorDiv(nanos, PER_SECOND), Math.floorMod(nanos, PER_SECOND));
  }
}
