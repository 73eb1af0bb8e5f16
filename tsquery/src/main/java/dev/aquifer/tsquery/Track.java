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

  /** When a window starts that a grid has, whose edges fit in 64 bits. */
  long start(long bucket) {
    return bucket * every + offset;
  }

  /** The window that a time is in; times at the edge of what can be are taken to be inside it. */
  private long bucketOf(long nanos) {
    return Math.floorDiv(nanos < Long.MIN_VALUE + offset ? Long.MIN_VALUE : nanos - offset, every);
  }

  /** One segment of it. */
  record Part(Track track, long index) {
    long firstBucket() {
      return index * Segment.LENGTH;
    }

    /** The index in the segment of the first window that ends after a time; its length if none. */
    int indexFrom(long nanos) {
      return clamp(track.bucketOf(nanos));
    }

    /** The index after the last window that begins before a time. */
    int indexTo(long nanos) {
      return clamp(track.bucketOf(nanos - 1) + 1);
    }

    private int clamp(long bucket) {
      if (bucket <= firstBucket()) {
        return 0;
      }
      boolean beyond = bucket >= firstBucket() + Segment.LENGTH;
      return beyond ? Segment.LENGTH : (int) (bucket - firstBucket());
    }
  }
}
