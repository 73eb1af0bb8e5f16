package dev.aquifer.cache;

import java.util.function.BiConsumer;
import org.jspecify.annotations.Nullable;

/**
 * Keys of one view that are read together, and what becomes of each. Handed from thread to thread,
 * used by one at a time.
 */
final class BulkKeys {
  /** There is no answer yet; null is one. */
  private static final Object OPEN = new Object();

  final TenantView view;
  private final MemoryKey[] places;
  private final Object[] keys;
  private final @Nullable Object[] values;
  private Throwable @Nullable [] errors;
  private byte @Nullable [] @Nullable [] refused;
  private int size;
  private int open;

  /**
   * @param most how many there may be
   */
  BulkKeys(TenantView view, int most) {
    this.view = view;
    this.places = new MemoryKey[most];
    this.keys = new Object[most];
    this.values = new @Nullable Object[most];
  }

  /** Returns its position. */
  int add(MemoryKey place, Object key) {
    places[size] = place;
    keys[size] = key;
    values[size] = OPEN;
    open++;
    return size++;
  }

  int size() {
    return size;
  }

  /** How many have no answer yet. */
  int open() {
    return open;
  }

  boolean open(int i) {
    return values[i] == OPEN;
  }

  MemoryKey place(int i) {
    return places[i];
  }

  Object key(int i) {
    return keys[i];
  }

  /** The key's answer, null where it has none or failed. */
  @Nullable Object value(int i) {
    return open(i) ? null : values[i];
  }

  /** Once a key. */
  void answer(int i, @Nullable Object value) {
    values[i] = value;
    open--;
  }

  /** Once a key, in the place of its answer. */
  void fail(int i, Throwable error) {
    if (errors == null) {
      errors = new Throwable[size];
    }
    errors[i] = error;
    answer(i, null);
  }

  /** What is in Redis is not its answer. */
  void refuse(int i, byte[] entry) {
    if (refused == null) {
      refused = new byte[size][];
    }
    refused[i] = entry;
  }

  /** What was refused, null where nothing was. */
  byte @Nullable [] refused(int i) {
    return refused == null ? null : refused[i];
  }

  /** The keys that failed. */
  void forEachError(BiConsumer<Object, Throwable> each) {
    for (int i = 0; errors != null && i < size; i++) {
      if (errors[i] != null) {
        each.accept(keys[i], errors[i]);
      }
    }
  }
}
