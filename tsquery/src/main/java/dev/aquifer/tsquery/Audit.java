package dev.aquifer.tsquery;

import dev.aquifer.RefusedQueryException;
import dev.aquifer.Tenant;
import dev.aquifer.TenantLimitException;
import dev.aquifer.tsquery.AuditEvent.Outcome;
import java.time.Clock;
import java.time.Duration;
import java.util.concurrent.atomic.AtomicBoolean;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Makes audit events, where somebody wants them, and keeps what the listener throws. Thread-safe.
 */
final class Audit {
  private static final int LONGEST_REASON = 300;

  private static final Logger LOG = LoggerFactory.getLogger(Audit.class);

  private final @Nullable AuditListener listener;
  private final Clock clock;
  private final AtomicBoolean logged = new AtomicBoolean();

  /**
   * @param listener null: nobody
   */
  Audit(@Nullable AuditListener listener, Clock clock) {
    this.listener = listener;
    this.clock = clock;
  }

  /** A query was begun, and has ended. */
  void ended(QueryRun run, @Nullable TimeSeriesResult result, @Nullable Throwable error) {
    if (listener != null) {
      tell(
          new AuditEvent(
              clock.instant(),
              run.tenant(),
              Names.printable(run.query().measurement()),
              run.query().fingerprint(),
              run.range(),
              outcome(error),
              result == null ? 0 : result.shown(),
              run.fetched(),
              run.requests(),
              Duration.ofNanos(run.tookNanos()),
              reason(error)));
    }
  }

  /** A query was refused before it began. */
  void refused(TimeSeriesQuery query, Tenant tenant, RefusedQueryException why) {
    if (listener != null) {
      tell(
          new AuditEvent(
              clock.instant(),
              tenant,
              Names.printable(query.measurement()),
              query.fingerprint(),
              query.range() instanceof TimeRange range ? range : null,
              Outcome.REFUSED,
              0,
              0,
              0,
              Duration.ZERO,
              reason(why)));
    }
  }

  private static Outcome outcome(@Nullable Throwable error) {
    if (error == null) {
      return Outcome.ANSWERED;
    }
    return error instanceof RefusedQueryException
        ? Outcome.REFUSED
        : error instanceof TenantLimitException ? Outcome.LIMITED : Outcome.FAILED;
  }

  private static String reason(@Nullable Throwable error) {
    if (error == null) {
      return "";
    }
    String message = error.getMessage();
    return message == null || outcome(error) == Outcome.FAILED
        ? error.getClass().getSimpleName()
        : Names.printable(message, LONGEST_REASON);
  }

  private void tell(AuditEvent event) {
    AuditListener told = listener;
    if (told == null) {
      return;
    }
    try {
      told.ended(event);
    } catch (Throwable e) {
      if (logged.compareAndSet(false, true)) {
        LOG.warn(
            "Audit listener {} failed, and its event is lost; further failures are logged at debug"
                + " level",
            told.getClass().getName(),
            e);
      } else {
        LOG.debug("Audit listener {} failed", told.getClass().getName(), e);
      }
    }
  }
}
