package dev.aquifer.tsquery;

import dev.aquifer.ConfigurationException;

/**
 * How many requests one tenant may send to the backend, so that it takes from no other. Answers
 * from the cache count for nothing. Immutable; counted on each node by itself.
 *
 * @param concurrent how many run at a time; 1 or more
 * @param queued how many more wait for their turn, within the query's timeout; 0 or more
 * @param perSecond how many begin in a second, 0: no limit
 * @param burst how many of them at once, after a pause; from 1 to 600 times {@code perSecond}, 0
 *     without a limit
 */
public record RequestLimits(int concurrent, int queued, int perSecond, int burst) {
  /** A bucket that is full again after this is forgotten when it was not used for as long. */
  static final int LONGEST_FILL_SECONDS = 600;

  private static final int QUEUED = 64;

  /**
   * Checks the values.
   *
   * @throws ConfigurationException when one is out of range
   */
  public RequestLimits {
    if (concurrent < 1 || queued < 0) {
      throw new ConfigurationException(
          "%d requests at a time and %d that wait: use 1 or more, and 0 or more."
              .formatted(concurrent, queued));
    }
    boolean none = perSecond == 0 && burst == 0;
    if (!none && (perSecond < 1 || burst < 1 || burst > (long) perSecond * LONGEST_FILL_SECONDS)) {
      throw new ConfigurationException(
          "%d requests per second, burst %d: use 1 or more of both, and a burst of at most %d times the rate."
              .formatted(perSecond, burst, LONGEST_FILL_SECONDS));
    }
  }

  /** So many at a time, 64 that wait, no limit a second. */
  public static RequestLimits concurrent(int requests) {
    return new RequestLimits(requests, QUEUED, 0, 0);
  }

  /** The same with another number of requests that may wait. */
  public RequestLimits withQueued(int requests) {
    return new RequestLimits(concurrent, requests, perSecond, burst);
  }

  /** The same with a limit on the requests that begin in a second. */
  public RequestLimits withRate(int requestsPerSecond, int atOnce) {
    return new RequestLimits(concurrent, queued, requestsPerSecond, atOnce);
  }
}
