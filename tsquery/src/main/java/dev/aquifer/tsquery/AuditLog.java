package dev.aquifer.tsquery;

import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Writes audit lines. Thread-safe. */
final class AuditLog implements AuditListener {
  static final AuditListener INSTANCE = new AuditLog();

  private static final Logger LOG = LoggerFactory.getLogger("dev.aquifer.audit");

  private AuditLog() {}

  @Override
  public void ended(AuditEvent event) {
    if (LOG.isInfoEnabled()) {
      LOG.info(line(event));
    }
  }

  static String line(AuditEvent event) {
    TimeRange range = event.range();
    StringBuilder line = new StringBuilder(300);
    line.append("tenant=").append(event.tenant().id());
    line.append(" measurement=").append(quoted(event.measurement()));
    line.append(" fingerprint=").append(event.fingerprint());
    line.append(" range=");
    if (range == null) {
      line.append('-');
    } else {
      line.append('[').append(range.start()).append(',').append(range.stop()).append(')');
    }
    line.append(" outcome=").append(event.outcome());
    line.append(" windows=").append(event.windows());
    line.append(" fetched=").append(event.fetched());
    line.append(" requests=").append(event.requests());
    line.append(" millis=").append(event.took().toMillis());
    if (!event.reason().isEmpty()) {
      line.append(" reason=").append(quoted(event.reason()));
    }
    return line.toString();
  }

  private static String quoted(String text) {
    return '"' + text.replace('"', '\'').replace('\\', '/') + '"';
  }
}
