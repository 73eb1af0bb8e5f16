package dev.aquifer.cache;

import org.jspecify.annotations.Nullable;

/** The key of an entry in memory: the tenant's view of a cache, and the caller's key. */
final class MemoryKey {
  final TenantView view;
  final Object key;
  private final int hash;

  MemoryKey(TenantView view, Object key) {
    this.view = view;
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
