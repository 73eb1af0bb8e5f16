package dev.aquifer.tsquery;

import dev.aquifer.RefusedQueryException;
import java.time.Duration;
import java.time.Instant;

/**
 * The time that ends when the query is asked.
 *
 * @param duration how far it reaches back
 */
public record LastRange(Duration duration) implements QueryRange {
  /**
   * Checks the length.
   *
   * @throws RefusedQueryException when it is zero or negative
   */
  public LastRange {
    if (duration.isZero() || duration.isNegative()) {
      throw new RefusedQueryException(
          "last(%s) is no range: the duration must be positive.".formatted(duration));
    }
  }

  TimeRange until(Instant now) {
    Nanos.of("last(…)", duration);
    return new TimeRange(now.minus(duration), now);
  }
}
