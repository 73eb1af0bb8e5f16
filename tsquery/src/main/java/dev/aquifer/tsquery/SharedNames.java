package dev.aquifer.tsquery;

import java.util.List;
import java.util.concurrent.atomic.AtomicBoolean;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What segments are called in Redis: by what they are of, among all that share it, and by the tag
 * that holds the tenant. Where that is not known they have no names, and are not shared.
 * Thread-safe.
 */
final class SharedNames {
  private static final Logger LOG = LoggerFactory.getLogger(SharedNames.class);

  private final Backend backend;
  private final @Nullable String given;
  private final String tenantTag;
  private final AtomicBoolean failed = new AtomicBoolean();

  /**
   * @param given what all measurements are of; null: as the backend says of each
   */
  SharedNames(Backend backend, @Nullable String given, String tenantTag) {
    this.backend = backend;
    this.given = given;
    this.tenantTag = tenantTag;
  }

  /** Of segments of the ledger, in their order; none where they have no names. */
  List<String> of(Ledger ledger, List<Track.Part> parts) {
    String source = source(ledger);
    return source == null ? List.of() : parts.stream().map(part -> part.stored(source)).toList();
  }

  private @Nullable String source(Ledger ledger) {
    String known = ledger.source;
    if (known == null) {
      String named = given == null ? said(ledger.key.measurement()) : given;
      known = named == null ? null : "%d:%s:%s".formatted(named.length(), named, tenantTag);
      ledger.source = known;
    }
    return known;
  }

  private @Nullable String said(String measurement) {
    try {
      return backend.source(measurement);
    } catch (RuntimeException e) {
      if (failed.compareAndSet(false, true)) {
        LOG.warn(
            "{} does not say what {} is of, so its windows are shared with no other node",
            backend.name(),
            measurement,
            e);
      }
      return null;
    }
  }
}
