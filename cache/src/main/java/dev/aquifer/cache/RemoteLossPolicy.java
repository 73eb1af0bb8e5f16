package dev.aquifer.cache;

import dev.aquifer.ConfigurationException;
import java.time.Duration;

/**
 * What memory may answer while the link to Redis is not proven live, so that invalidations by other
 * nodes may be missing. Immutable and thread-safe.
 */
public final class RemoteLossPolicy {
  private static final RemoteLossPolicy LOAD = new RemoteLossPolicy(Duration.ZERO);

  private final Duration tolerance;

  private RemoteLossPolicy(Duration tolerance) {
    this.tolerance = tolerance;
  }

  /**
   * Nothing: reads go to Redis, or, where that does not answer, to the loader. No value is older
   * than the heartbeat's limit ({@link CachesBuilder#silenceLimit}). The default.
   */
  public static RemoteLossPolicy load() {
    return LOAD;
  }

  /**
   * Values in memory, for so long after the link fell silent; then as {@link #load()}. Changes made
   * through this node are seen at once, those made elsewhere up to that much later.
   *
   * @param atMost above zero, at most a day
   */
  public static RemoteLossPolicy serveMemory(Duration atMost) {
    if (atMost.isZero() || atMost.isNegative() || atMost.compareTo(Duration.ofDays(1)) > 0) {
      throw new ConfigurationException(
          "RemoteLossPolicy.serveMemory takes a time above zero and up to a day; it was %s."
              .formatted(atMost));
    }
    return new RemoteLossPolicy(atMost);
  }

  /** How long after the link fell silent memory still answers. */
  public Duration tolerance() {
    return tolerance;
  }

  @Override
  public String toString() {
    return tolerance.isZero() ? "load" : "serveMemory(" + tolerance + ")";
  }
}
