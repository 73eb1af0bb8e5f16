package dev.aquifer.metrics;

import dev.aquifer.spi.Observer.WindowRefusal;
import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.Tags;
import io.micrometer.core.instrument.Timer;
import java.util.concurrent.TimeUnit;

/** The meters of one time-series measurement. */
final class WindowMeters {
  private static final WindowRefusal[] REFUSALS = WindowRefusal.values();

  private final Counter shown;
  private final Counter fetched;
  private final Counter requests;
  private final Counter bytes;
  private final Timer queue;
  private final MeterGrid<Timer> fetches;
  private final MeterGrid<Counter> refusals;

  WindowMeters(String measurement, OwnMeters meters, TenantSlots tenants) {
    Tags tags = Tags.of("measurement", measurement);
    shown = meters.counter("aquifer.windows.shown", "Buckets in answers", tags);
    fetched = meters.counter("aquifer.windows.fetched", "Buckets that had to be fetched", tags);
    requests = meters.counter("aquifer.windows.requests", "Requests sent to the server", tags);
    bytes = meters.counter("aquifer.windows.bytes", "Bytes of the server's answers", tags);
    queue = meters.timer("aquifer.windows.queue", "How long requests wait for their turn", tags);
    fetches =
        new MeterGrid<>(
            2,
            cell ->
                meters.timer(
                    "aquifer.windows.fetches",
                    "How long requests take at the server",
                    tags.and("outcome", cell == 0 ? "success" : "failure")));
    refusals =
        new MeterGrid<>(
            REFUSALS.length * tenants.count(),
            cell -> {
              Tags all = tags.and("why", CacheMeters.word(REFUSALS[cell % REFUSALS.length]));
              return meters.counter(
                  "aquifer.windows.refusals",
                  "Queries that were turned away",
                  tenants.tagged() ? all.and("tenant", tenants.id(cell / REFUSALS.length)) : all);
            });
  }

  void answered(long shownBuckets, long fetchedBuckets, int sent) {
    shown.increment((double) shownBuckets);
    fetched.increment((double) fetchedBuckets);
    requests.increment(sent);
  }

  void queued(long nanos) {
    queue.record(Math.max(0, nanos), TimeUnit.NANOSECONDS);
  }

  void fetched(long nanos, long answer, boolean failed) {
    bytes.increment((double) Math.max(0, answer));
    fetches.get(failed ? 1 : 0).record(Math.max(0, nanos), TimeUnit.NANOSECONDS);
  }

  void refused(int tenant, WindowRefusal why) {
    refusals.get(MeterGrid.cell(tenant, REFUSALS.length, why)).increment();
  }
}
