package dev.aquifer.tsquery;

import dev.aquifer.RefusedQueryException;
import java.time.Duration;

/**
 * Windows of equal length, side by side, aligned to the epoch plus an offset. A point on an edge
 * belongs to the window that starts there.
 *
 * @param every the length of each; positive
 * @param offset moves the edges; kept as the equal one in {@code [0, every)}, so a negative offset
 *     is allowed and −3 h of a day is 21 h
 */
public record Window(Duration every, Duration offset) {
  /**
   * Checks the length and reduces the offset.
   *
   * @throws RefusedQueryException when every is zero, negative or longer than 292 years
   */
  public Window {
    if (every.isZero() || every.isNegative()) {
      throw new RefusedQueryException(
          "A window of every %s is none: the duration must be positive.".formatted(every));
    }
    long length = Nanos.of("every", every);
    offset = Duration.ofNanos(Math.floorMod(Nanos.of("offset", offset), length));
  }

  long everyNanos() {
    return every.toNanos();
  }

  long offsetNanos() {
    return offset.toNanos();
  }
}
