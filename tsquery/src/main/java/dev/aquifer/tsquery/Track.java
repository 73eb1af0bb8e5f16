package dev.aquifer.tsquery;

import dev.aquifer.Tenant;

/**
 * The windows that queries share: of one tenant, one measurement and one fingerprint, whatever
 * their ranges. Parts are compared as values, never joined to a text, so that none can reach into
 * another's.
 */
record Track(Tenant tenant, String measurement, String fingerprint, long every, long offset) {
  static Track of(Tenant tenant, TimeSeriesQuery query) {
    return new Track(
        tenant,
        query.measurement(),
        query.bucketsFingerprint(),
        query.window().everyNanos(),
        query.window().offsetNanos());
  }

  /** When a window starts; the edges of what can be a time at all, beyond them. */
  long start(long bucket) {
    long high = Math.multiplyHigh(bucket, every);
    long low = bucket * every;
    if ((high != 0 || low < 0) && (high != -1 || low >= 0)) {
      return bucket < 0 ? Long.MIN_VALUE : Long.MAX_VALUE;
    }
    long start = low + offset;
    return low > 0 && start < 0 ? Long.MAX_VALUE : start;
  }

  /** One segment of it. */
  record Part(Track track, long index) {
    long firstBucket() {
      return index * Segment.LENGTH;
    }
  }
}
