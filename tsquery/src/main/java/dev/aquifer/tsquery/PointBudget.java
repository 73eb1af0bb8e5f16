package dev.aquifer.tsquery;

import dev.aquifer.RefusedQueryException;
import dev.aquifer.Tenant;

/**
 * How many points the answers that are put together at a time may have: of one query, or of all of
 * a batch. Used by one thread.
 */
final class PointBudget {
  private final Tenant tenant;
  private final long limit;
  private long taken;

  PointBudget(Tenant tenant, long limit) {
    this.tenant = tenant;
    this.limit = limit;
  }

  /** How many in all. */
  long limit() {
    return limit;
  }

  /**
   * Takes room for a series.
   *
   * @param of what it is for, for the message
   * @throws RefusedQueryException there is not so much left
   */
  void take(long points, String of) {
    if (!takes(points)) {
      throw new RefusedQueryException(
          ("Tenant %s: the answer has more than %,d points: %,d are taken, and one more series of"
                  + " %s has %,d. Ask for fewer series or longer windows, or raise the limit.")
              .formatted(tenant, limit, taken, of, points));
    }
  }

  /** Takes room, where there is so much left. */
  boolean takes(long points) {
    if (points > limit - taken) {
      return false;
    }
    taken += points;
    return true;
  }
}
