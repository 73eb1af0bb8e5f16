package dev.aquifer.tsquery;

import dev.aquifer.Tenant;
import java.time.Duration;
import java.time.Instant;
import org.jspecify.annotations.Nullable;

/**
 * What one query of a tenant asked for, and what became of it. Has no value that the query asks
 * for, none of the answer, no statement and no secret. Immutable.
 *
 * @param at when it ended
 * @param tenant who asked
 * @param measurement what was asked for
 * @param fingerprint of the query without its range ({@link TimeSeriesQuery#fingerprint})
 * @param range of the answer; null where a relative range was refused
 * @param outcome what became of it
 * @param windows in the answer; 0 without one
 * @param fetched windows that the backend was asked for
 * @param requests sent to the backend; a batch's joint request counts for one of its queries
 * @param took waiting included
 * @param reason why it was refused or failed, in printable characters, 300 at most; empty where it
 *     was answered. Of an error of the backend it is the kind alone: its text may quote values
 */
public record AuditEvent(
    Instant at,
    Tenant tenant,
    String measurement,
    String fingerprint,
    @Nullable TimeRange range,
    Outcome outcome,
    long windows,
    long fetched,
    int requests,
    Duration took,
    String reason) {
  /** What became of a query. */
  public enum Outcome {
    /** It was answered, from the cache or the backend. */
    ANSWERED,
    /** It was turned away for what it is. */
    REFUSED,
    /** It was turned away since its tenant has too many requests. */
    LIMITED,
    /** It failed. */
    FAILED
  }
}
