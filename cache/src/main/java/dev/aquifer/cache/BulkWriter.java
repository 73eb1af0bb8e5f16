package dev.aquifer.cache;

import java.util.Map;

/**
 * Writes values of many keys to their source.
 *
 * @param <K> keys
 * @param <V> values
 */
@FunctionalInterface
public interface BulkWriter<K, V> {
  /**
   * Writes all of them, or none; returns when they are durable. Runs on a thread of the cache,
   * under the tenant of those who wrote.
   *
   * @param values at least one; of several writes of one key the last
   * @throws Exception when they were not written, or it is not known whether they were
   */
  void writeAll(Map<K, V> values) throws Exception;
}
