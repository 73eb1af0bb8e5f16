package dev.aquifer.cache;

import org.jspecify.annotations.Nullable;

/** The key of an entry in memory: the tenant's view of a cache, and the caller's key. */
final class MemoryKey {
  final TenantView view;
  final Object key;
  private final int hash;

  /**
   * @param any of the tenant's views of the cache; this is in the one that has the key
   */
  MemoryKey(TenantView any, Object key) {
    this.view = any.of(key);
    this.key = key;
    view.share.used();
    this.hash = System.identityHashCode(view) * 31 + key.hashCode();
  }

  @Override
  public boolean equals(@Nullable Object other) {
    return other instanceof MemoryKey that && view == that.view && key.equals(that.key);
  }

  @Override
  public int hashCode() {
    return hash;
  }
}
