package dev.aquifer.tsquery;

import dev.aquifer.Tenant;
import dev.aquifer.cache.Timeline;
import java.util.function.LongUnaryOperator;

/**
 * The windows that queries share: of one tenant, one measurement and one fingerprint, whatever
 * their ranges. Parts are compared as values, never joined to a text, so that none can reach into
 * another's.
 */
record Track(Tenant tenant, String measurement, String fingerprint, Edges edges) {
  static Track of(Tenant tenant, TimeSeriesQuery query) {
    return new Track(
        tenant, query.measurement(), query.bucketsFingerprint(), new Edges(query.window()));
  }

  /** When a window starts that a grid has, whose edges fit in 64 bits. */
  long start(long bucket) {
    return edges.start(bucket);
  }

  /** When a window ends that a grid has. */
  long stop(long bucket) {
    return edges.stop(bucket);
  }

  /** One segment of it. */
  record Part(Track track, long index) {
    long firstBucket() {
      return index * Segment.LENGTH;
    }

    /**
     * Its name in Redis; other formats, and other rules of zones, have other names.
     *
     * @param source what the windows are of, among all that share a Redis
     */
    String stored(String source) {
      return "%d:%d:%s:%s:%s:%d"
          .formatted(
              SegmentCodec.FORMAT,
              source.length(),
              source,
              track.fingerprint,
              track.edges.rules(),
              index);
    }

    /** When it is; for ever, where nanoseconds cannot say it. */
    Timeline.Span span() {
      return span(firstBucket(), firstBucket() + Segment.LENGTH - 1);
    }

    /** When windows from the first to the last are. */
    Timeline.Span span(long first, long last) {
      try {
        return new Timeline.Span(track.start(first), track.stop(last));
      } catch (ArithmeticException | IllegalArgumentException e) {
        return new Timeline.Span(Long.MIN_VALUE, Long.MAX_VALUE);
      }
    }

    /** The index in the segment of the first window that ends after a time; its length if none. */
    int indexFrom(long nanos) {
      return clamp(at(track.edges::firstOpen, nanos));
    }

    /** The index after the last window that begins before a time. */
    int indexTo(long nanos) {
      return clamp(at(time -> track.edges.last(time - 1) + 1, nanos));
    }

    /** Times at the edge of what can be have no window of any grid beyond them. */
    private static long at(LongUnaryOperator windows, long nanos) {
      try {
        return windows.applyAsLong(nanos);
      } catch (ArithmeticException e) {
        return nanos < 0 ? Long.MIN_VALUE : Long.MAX_VALUE;
      }
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
