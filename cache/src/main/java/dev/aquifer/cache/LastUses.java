package dev.aquifer.cache;

import com.github.benmanes.caffeine.cache.Cache;
import com.github.benmanes.caffeine.cache.Caffeine;
import org.jspecify.annotations.Nullable;

/**
 * When keys of one cache were used last, to the minute, of as many as are of interest. A hit writes
 * nothing: once a minute an entry sends one on the slower way, which comes by here.
 */
final class LastUses {
  private static final int MOST = 10_000;

  private final Cache<MemoryKey, Long> lately =
      Caffeine.newBuilder().maximumSize(MOST).executor(Runnable::run).build();

  void note(MemoryKey at, long now) {
    lately.put(at, now);
  }

  @Nullable Long last(MemoryKey at) {
    return lately.getIfPresent(at);
  }
}
