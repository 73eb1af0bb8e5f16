package dev.aquifer.cache;

import java.util.Map;
import java.util.Set;

/**
 * Gets many values at once. See {@link Loader} for where it runs.
 *
 * @param <K> keys
 * @param <V> values
 * @param <X> what it may throw
 */
@FunctionalInterface
public interface BulkLoader<K, V, X extends Exception> {
  /** The values found. A key that is missing in the answer has no value, which is remembered. */
  Map<K, V> loadAll(Set<K> keys) throws X;
}
