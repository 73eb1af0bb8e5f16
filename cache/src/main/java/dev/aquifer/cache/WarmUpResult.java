package dev.aquifer.cache;

import java.time.Duration;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * How a warm-up ended.
 *
 * @param total keys that it was given, without those for which the cache is off
 * @param done keys that are in the cache, or known to have no value
 * @param remaining the others, to go on with: {@code cache.warm(result.remaining(), …)}
 * @param cancelled whether it was told to stop
 * @param error the last failure of a batch, if one failed
 * @param took from begin to end
 */
public record WarmUpResult<K>(
    int total,
    int done,
    Set<K> remaining,
    boolean cancelled,
    @Nullable Throwable error,
    Duration took) {
  /** Copies the keys. */
  public WarmUpResult {
    remaining = Set.copyOf(remaining);
  }
}
