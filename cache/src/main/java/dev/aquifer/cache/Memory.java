package dev.aquifer.cache;

import com.github.benmanes.caffeine.cache.Cache;
import com.github.benmanes.caffeine.cache.Caffeine;
import com.github.benmanes.caffeine.cache.Expiry;
import com.github.benmanes.caffeine.cache.Policy;
import com.github.benmanes.caffeine.cache.RemovalCause;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/**
 * The first tier: entries by view and key, in bounded memory. Whether one may be served is for
 * {@link Node} to judge.
 *
 * <p>A look-up allocates nothing and reads no clock but its caller's: it asks with a probe that its
 * thread uses again, and Caffeine is told the time only now and then, since all it does with it is
 * to sweep. An entry past its time may be found until it is swept, and is not returned.
 */
final class Memory {
  /** Evictions wait for the search. */
  private static final int SEARCHED = 100_000;

  private static final long GRAIN = TimeUnit.MILLISECONDS.toNanos(10);

  private static final long SWEEP = TimeUnit.SECONDS.toNanos(1);

  private final Cache<Object, Entry> entries;
  private volatile long swept;

  /** What Caffeine takes for the time; never ahead of it. */
  private final AtomicLong lately;

  // An instance's, not static: it goes with its cache.
  @SuppressWarnings("ThreadLocalUsage")
  private final ThreadLocal<Probe> probes = ThreadLocal.withInitial(Probe::new);

  Memory(long bytes, long now) {
    this.lately = new AtomicLong(now);
    this.swept = now;
    this.entries =
        Caffeine.newBuilder()
            .maximumWeight(bytes)
            .weigher((Object key, Entry entry) -> entry.weight())
            .expireAfter(Expiry.<Object, Entry>writing((key, entry) -> left(entry)))
            .ticker(lately::get)
            .executor(Runnable::run)
            .removalListener(Memory::removed)
            .build();
  }

  /** The entry, if there is one whose time is not up. */
  @Nullable Entry find(TenantView view, Object key, long now) {
    Entry entry = any(view, key, now);
    return entry != null && now - entry.due() < 0 ? entry : null;
  }

  /** The entry, if there is one, whatever its time. */
  @Nullable Entry any(TenantView view, Object key, long now) {
    long seen = lately.get();
    if (now - seen > GRAIN) {
      lately.compareAndSet(seen, now);
    }
    Probe probe = probes.get();
    probe.aim(view, key);
    try {
      return entries.getIfPresent(probe);
    } finally {
      // The thread may outlive what it looked for.
      probe.aim(null, null);
    }
  }

  void put(MemoryKey key, Entry entry, long now) {
    long seen = lately.get();
    if (now - seen > 0) {
      lately.compareAndSet(seen, now);
    }
    TenantView view = key.view;
    if (view.count(entry)) {
      entries.put(key, entry);
    } else if (now - swept > SWEEP) {
      // Refused for what may long be past its time.
      swept = now;
      entries.cleanUp();
    }
  }

  /** Puts one entry in the place of exactly this one. */
  boolean replace(MemoryKey key, Entry old, Entry entry) {
    boolean counted = key.view.count(entry);
    boolean replaced = counted && entries.asMap().replace(key, old, entry);
    if (counted && !replaced) {
      key.view.uncount(entry, false);
    }
    return replaced;
  }

  @SuppressWarnings("NullAway") // neither key nor entry is held weakly
  private static void removed(@Nullable Object key, @Nullable Entry entry, RemovalCause cause) {
    ((MemoryKey) key).view.uncount(entry, cause == RemovalCause.SIZE);
  }

  /** Of the view's entries that are used most, those that the filter takes. */
  List<MemoryKey> hottest(TenantView view, int most, Predicate<Entry> filter) {
    Policy.Eviction<Object, Entry> eviction = entries.policy().eviction().orElseThrow();
    return eviction.hottest(
        all ->
            all.limit(SEARCHED)
                .filter(each -> each.getKey() instanceof MemoryKey at && at.view == view)
                .limit(most)
                .filter(each -> filter.test(each.getValue()))
                .map(each -> (MemoryKey) each.getKey())
                .toList());
  }

  private Duration left(Entry entry) {
    return Duration.ofNanos(Math.max(1, entry.kept() - lately.get()));
  }

  /** Equal to the key that it is aimed at, while it is. Never stored. */
  private static final class Probe {
    private @Nullable TenantView view;
    private @Nullable Object key;
    private int hash;

    void aim(@Nullable TenantView atView, @Nullable Object atKey) {
      view = atView;
      key = atKey;
      hash = atView == null || atKey == null ? 0 : MemoryKey.hash(atView, atKey);
    }

    @Override
    public boolean equals(@Nullable Object other) {
      return other == this
          || (other instanceof MemoryKey that && that.view == view && that.key.equals(key));
    }

    @Override
    public int hashCode() {
      return hash;
    }
  }
}
