package dev.aquifer.cache;

import dev.aquifer.ConfigurationException;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/**
 * How the loads of one cache behave, and how long what they return lives; part of {@link
 * CacheSettings}, whose builder sets it. Immutable.
 *
 * @param ttlPolicy decides on each value's time to live; null: {@link CacheSettings#ttl} for all
 * @param jitter by which part of itself, at most, each time to live is shortened or lengthened, 0.1
 *     by default
 * @param refreshAhead how early values that are in use are loaded again before their time is up, in
 *     multiples of what their load took, 1 by default; zero: never
 * @param staleOnError how long after its time a value is kept, to be served where a load fails or
 *     is slow; zero, the default: not at all
 * @param softTimeout how long a load may take before callers get such a value; null, the default:
 *     as long as the hard limit
 * @param retryAfter how long after a failed load such a value is served without another try, 1
 *     second by default; doubled with each failure
 * @param retryAtMost what that doubles up to, 30 seconds by default
 * @param negativeLimit for how many keys of a tenant memory may hold their absence, 10,000 by
 *     default
 */
public record LoadSettings(
    @Nullable TtlPolicy<?, ?> ttlPolicy,
    double jitter,
    double refreshAhead,
    Duration staleOnError,
    @Nullable Duration softTimeout,
    Duration retryAfter,
    Duration retryAtMost,
    int negativeLimit) {
  /** The defaults. */
  static final LoadSettings DEFAULTS =
      new LoadSettings(
          null, 0.1, 1, Duration.ZERO, null, Duration.ofSeconds(1), Duration.ofSeconds(30), 10_000);

  /** Checks the values. */
  public LoadSettings {
    range("jitter", jitter, 0.5);
    range("refreshAhead", refreshAhead, 100);
    CacheSettings.within("staleOnError", staleOnError, Duration.ZERO);
    CacheSettings.within("retryAfter", retryAfter, Duration.ZERO);
    CacheSettings.within("retryAtMost", retryAtMost, Duration.ZERO);
    if (retryAtMost.compareTo(retryAfter) < 0) {
      throw new ConfigurationException(
          "retryAtMost %s is shorter than retryAfter %s, which it is the bound of."
              .formatted(retryAtMost, retryAfter));
    }
    if (softTimeout != null) {
      CacheSettings.within("softTimeout", softTimeout, Duration.ofMillis(1));
      if (staleOnError.isZero()) {
        throw new ConfigurationException(
            "softTimeout is %s and staleOnError is zero, so there would be nothing to answer with; set staleOnError."
                .formatted(softTimeout));
      }
    }
    if (negativeLimit < 0) {
      throw new ConfigurationException(
          "negativeLimit is %d; use 0 or more.".formatted(negativeLimit));
    }
  }

  private static void range(String name, double value, double most) {
    // Not a number fits no range.
    if (!(value >= 0 && value <= most)) {
      throw new ConfigurationException("%s is %s; use 0 to %s.".formatted(name, value, most));
    }
  }
}
