package dev.aquifer.cache;

import org.jspecify.annotations.Nullable;

/**
 * Gets a value from where it truly lives. It runs under the caller's tenant and causal session, on
 * a thread of the cache, once for all callers that wait for the same key; it is interrupted when
 * the load's time is up.
 *
 * @param <K> keys
 * @param <V> values
 * @param <X> what it may throw
 */
@FunctionalInterface
public interface Loader<K, V, X extends Exception> {
  /** The value, or null (or an empty Optional) when there is none, which is remembered too. */
  @Nullable V load(K key) throws X;
}
