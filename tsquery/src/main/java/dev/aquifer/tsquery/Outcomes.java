package dev.aquifer.tsquery;

import dev.aquifer.RefusedQueryException;
import dev.aquifer.Tenant;
import dev.aquifer.spi.Observer;
import java.util.concurrent.atomic.LongAdder;
import org.jspecify.annotations.Nullable;

/** Tells all who count of what became of a query. Thread-safe. */
final class Outcomes {
  private final Observer observer;
  private final Profiles profiles;
  private final Audit audit;
  private final LongAdder shown = new LongAdder();
  private final LongAdder fetched = new LongAdder();
  private final LongAdder received = new LongAdder();

  Outcomes(Observer observer, Profiles profiles, Audit audit) {
    this.observer = observer;
    this.profiles = profiles;
    this.audit = audit;
  }

  /**
   * A query has ended, in one of two ways.
   *
   * @param result null when it failed
   * @param error null when it was answered
   */
  void ended(QueryRun run, @Nullable TimeSeriesResult result, @Nullable Throwable error) {
    received.add(run.bytes());
    if (result != null) {
      shown.add(result.shown());
      fetched.add(result.fetched());
      observer.windowAnswered(
          run.query().measurement(),
          run.tenant(),
          result.shown(),
          result.fetched(),
          result.requests());
    }
    profiles.ended(run, result);
    audit.ended(run, result, error);
  }

  /** A query was refused before it began. */
  void refused(TimeSeriesQuery query, Tenant tenant, RefusedQueryException why) {
    observer.windowRefused(query.measurement(), tenant, Observer.WindowRefusal.QUERY);
    audit.refused(query, tenant, why);
  }

  TimeSeriesStatistics statistics(@Nullable SecondTier second) {
    long asked = fetched.sum();
    return new TimeSeriesStatistics(
        Math.max(0, shown.sum() - asked),
        second == null ? 0 : second.reads.windows.sum(),
        asked,
        received.sum(),
        second == null ? 0 : second.leases.awaited.sum(),
        second == null ? 0 : second.stored.sum(),
        second == null ? 0 : second.refused.sum(),
        second == null ? 0 : second.conflicts.sum(),
        second == null ? 0 : second.reads.damaged.sum(),
        second == null ? 0 : second.tooLarge.sum());
  }
}
