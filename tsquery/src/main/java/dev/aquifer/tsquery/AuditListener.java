package dev.aquifer.tsquery;

/**
 * Is told of every query of a {@link TimeSeries} that has ended, on the thread of its caller, which
 * it must not hold up. What it throws is logged and reaches nobody. Thread-safe.
 */
@FunctionalInterface
public interface AuditListener {
  /** A query has ended. */
  void ended(AuditEvent event);

  /**
   * Writes a line for each to the logger {@code dev.aquifer.audit}, at level INFO: {@code
   * tenant=DFW measurement="vitals" fingerprint=… range=[…,…) outcome=ANSWERED windows=168 …}. No
   * text in it can begin another line or end its quotes.
   */
  static AuditListener log() {
    return AuditLog.INSTANCE;
  }
}
