package dev.aquifer.tsquery;

import dev.aquifer.ConfigurationException;
import java.time.Duration;

/**
 * How large a query may be. What can be known is checked before any I/O, the number of series while
 * the answer arrives.
 *
 * @param windows windows in the range; default 100,000
 * @param range length of the range; default 3,660 days
 * @param points values in the answer, over all series and columns; default 5,000,000
 */
public record QueryLimits(long windows, Duration range, long points) {
  private static final long MAX_WINDOWS = 10_000_000;

  /**
   * Checks that each allows something.
   *
   * @throws ConfigurationException when a limit is zero or negative, or windows is over 10,000,000
   */
  public QueryLimits {
    if (windows <= 0
        || windows > MAX_WINDOWS
        || points <= 0
        || range.isNegative()
        || range.isZero()) {
      throw new ConfigurationException(
          "Limits of %,d windows (1 to %,d), range %s and %,d points: each must be positive."
              .formatted(windows, MAX_WINDOWS, range, points));
    }
  }

  /** 100,000 windows, 3,660 days, 5,000,000 points. */
  public static QueryLimits defaults() {
    return new QueryLimits(100_000, Duration.ofDays(3_660), 5_000_000);
  }
}
