package dev.aquifer.metrics;

import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.Tags;

/** The meters of one time-series measurement. */
final class WindowMeters {
  private final Counter shown;
  private final Counter fetched;
  private final Counter requests;

  WindowMeters(String measurement, OwnMeters meters) {
    Tags tags = Tags.of("measurement", measurement);
    shown = meters.counter("aquifer.windows.shown", "Buckets in answers", tags);
    fetched = meters.counter("aquifer.windows.fetched", "Buckets that had to be fetched", tags);
    requests = meters.counter("aquifer.windows.requests", "Requests sent to the server", tags);
  }

  void answered(long shownBuckets, long fetchedBuckets, int sent) {
    shown.increment((double) shownBuckets);
    fetched.increment((double) fetchedBuckets);
    requests.increment(sent);
  }
}
