package dev.aquifer.cache;

import com.github.benmanes.caffeine.cache.Cache;
import com.github.benmanes.caffeine.cache.Caffeine;
import dev.aquifer.Tenant;
import org.jspecify.annotations.Nullable;

/**
 * When keys of one cache were used last, to the minute, of as many as are of interest. A hit writes
 * nothing: once a minute an entry sends one on the slower way, which comes by here.
 */
final class LastUses {
  private static final int MOST = 10_000;

  private final Cache<Use, Long> lately =
      Caffeine.newBuilder().maximumSize(MOST).executor(Runnable::run).build();

  void note(MemoryKey at, long now) {
    lately.put(new Use(at), now);
  }

  @Nullable Long last(MemoryKey at) {
    return lately.getIfPresent(new Use(at));
  }

  /** Of a tenant, not of its view, which goes when the tenant is idle. */
  private record Use(Tenant tenant, Object key) {
    Use(MemoryKey at) {
      this(at.view.tenant, at.key);
    }
  }
}
