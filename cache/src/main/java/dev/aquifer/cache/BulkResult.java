package dev.aquifer.cache;

import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * What a read of many keys came to, key by key. A key in neither map has no value.
 *
 * @param values of the keys that have one, in the order in which they were asked for
 * @param errors of the keys whose load failed or took too long
 * @param <K> keys
 * @param <V> values
 */
public record BulkResult<K, V>(Map<K, V> values, Map<K, Throwable> errors) {
  /** Both, in the order of these keys. */
  BulkResult<K, V> with(BulkResult<K, V> more, Collection<? extends K> order) {
    Map<K, V> allValues = new LinkedHashMap<>();
    Map<K, Throwable> allErrors = new LinkedHashMap<>();
    for (K key : order) {
      V value = values.containsKey(key) ? values.get(key) : more.values.get(key);
      Throwable error = errors.containsKey(key) ? errors.get(key) : more.errors.get(key);
      if (value != null) {
        allValues.put(key, value);
      }
      if (error != null) {
        allErrors.put(key, error);
      }
    }
    return new BulkResult<>(allValues, allErrors);
  }

  /**
   * The values, where no key failed.
   *
   * @throws X what the first key that failed failed with, unchanged
   */
  public <X extends Exception> Map<K, V> orThrow() throws X {
    if (!errors.isEmpty()) {
      throw Flights.<RuntimeException>sneaky(errors.values().iterator().next());
    }
    return values;
  }
}
