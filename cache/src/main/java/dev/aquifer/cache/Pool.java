package dev.aquifer.cache;

import com.github.benmanes.caffeine.cache.Cache;
import com.github.benmanes.caffeine.cache.Caffeine;
import com.github.benmanes.caffeine.cache.Expiry;
import com.github.benmanes.caffeine.cache.Policy;
import com.github.benmanes.caffeine.cache.RemovalCause;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.LongSupplier;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/**
 * Entries under one bound of bytes, of which Caffeine chooses those that go. They are found in
 * their views, which this keeps equal to what it holds: what goes here goes there, and what is put
 * there is put in the same step, under Caffeine's lock of the key.
 */
final class Pool {
  /** Evictions wait for the search. */
  private static final int SEARCHED = 100_000;

  private static final long CLEAN = TimeUnit.SECONDS.toNanos(1);

  private final Cache<MemoryKey, Held> held;
  private final Policy.Eviction<MemoryKey, Held> bound;
  private final LongSupplier nanos;
  private final AtomicLong bytes = new AtomicLong();
  private volatile long cleaned;

  /** The weights of its tenants together; changed under the lock of {@link Fairness}. */
  double weight;

  /** From how many bytes on its bound may be raised. */
  volatile long mark = Long.MAX_VALUE;

  Pool(long most, LongSupplier nanos) {
    this.nanos = nanos;
    this.cleaned = nanos.getAsLong();
    this.held =
        Caffeine.newBuilder()
            .maximumWeight(most)
            .weigher((MemoryKey at, Held one) -> one.weight())
            .expireAfter(Expiry.<MemoryKey, Held>writing((at, one) -> left(one.entry)))
            .ticker(nanos::getAsLong)
            .executor(Runnable::run)
            .evictionListener((at, one, cause) -> evicted(one, cause))
            .build();
    this.bound = held.policy().eviction().orElseThrow();
  }

  long bytes() {
    return bytes.get();
  }

  /** Changes the bound; what is over it is gone when this returns. */
  void limit(long most) {
    if (bound.getMaximum() != most) {
      bound.setMaximum(most);
    }
  }

  long limit() {
    return bound.getMaximum();
  }

  /**
   * Holds it in the place of what its view had of the key, wherever that was. False: its view takes
   * no more of its kind.
   */
  boolean put(MemoryKey at, Entry entry, long now) {
    if (!at.view.count(entry)) {
      if (now - cleaned > CLEAN) {
        // Refused for what may long be past its time.
        cleaned = now;
        clean();
      }
      return false;
    }
    Held next = new Held(at, entry, this, now);
    Held[] before = new Held[1];
    held.asMap()
        .compute(
            at,
            (same, old) -> {
              Held found = at.view.entries.put(at.key, next);
              before[0] = found;
              at.view.share.bytes.addAndGet(next.weight() - weight(found));
              bytes.addAndGet(next.weight() - weight(old));
              return next;
            });
    Held found = before[0];
    if (found != null) {
      at.view.uncount(found.entry, false);
      if (found.pool != this) {
        boolean unused = found.pool.drop(found);
      }
    }
    return true;
  }

  /** Holds an entry in the place of exactly this one. */
  boolean replace(Held old, Entry entry, long now) {
    if (!old.at.view.count(entry)) {
      return false;
    }
    Held next = new Held(old.at, entry, this, now);
    next.touched = old.touched;
    boolean[] replaced = new boolean[1];
    held.asMap()
        .computeIfPresent(
            old.at,
            (at, present) -> {
              replaced[0] = present == old && at.view.entries.replace(at.key, old, next);
              if (replaced[0]) {
                at.view.share.bytes.addAndGet(next.weight() - old.weight());
                bytes.addAndGet(next.weight() - old.weight());
              }
              return replaced[0] ? next : present;
            });
    old.at.view.uncount(replaced[0] ? old.entry : entry, false);
    return replaced[0];
  }

  /** Of the view's entries that are used most, those that the filter takes. */
  List<MemoryKey> hottest(TenantView view, int most, Predicate<Entry> filter) {
    List<TenantView> of = view.all();
    return bound.hottest(
        all ->
            all.limit(SEARCHED)
                .filter(each -> of.contains(each.getKey().view))
                .limit(most)
                .filter(each -> filter.test(each.getValue().entry))
                .map(Map.Entry::getKey)
                .toList());
  }

  /** Tells Caffeine of a use. */
  void touch(MemoryKey at) {
    Held unused = held.getIfPresent(at);
  }

  /** Takes it from another pool, unless it went meanwhile. */
  void take(Held one) {
    Pool from = one.pool;
    if (from == this || !from.drop(one)) {
      return;
    }
    held.asMap()
        .compute(
            one.at,
            (at, present) -> {
              if (at.view.entries.get(at.key) != one) {
                return present;
              }
              one.pool = this;
              bytes.addAndGet(one.weight() - weight(present));
              return one;
            });
  }

  /** Does what Caffeine puts off, such as dropping what is past its time. */
  void clean() {
    held.cleanUp();
  }

  /** Without a word to the view. */
  private boolean drop(Held one) {
    boolean dropped = held.asMap().remove(one.at, one);
    if (dropped) {
      bytes.addAndGet(-one.weight());
    }
    return dropped;
  }

  private void evicted(@Nullable Held one, RemovalCause cause) {
    if (one == null) {
      return;
    }
    bytes.addAndGet(-one.weight());
    TenantView view = one.at.view;
    if (view.entries.remove(one.at.key, one)) {
      view.share.bytes.addAndGet(-one.weight());
      view.uncount(one.entry, cause == RemovalCause.SIZE);
    }
  }

  private static int weight(@Nullable Held one) {
    return one == null ? 0 : one.weight();
  }

  private Duration left(Entry entry) {
    return Duration.ofNanos(Math.max(1, entry.kept() - nanos.getAsLong()));
  }
}
