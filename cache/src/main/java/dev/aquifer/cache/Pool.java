package dev.aquifer.cache;

import com.github.benmanes.caffeine.cache.Cache;
import com.github.benmanes.caffeine.cache.Caffeine;
import com.github.benmanes.caffeine.cache.Expiry;
import com.github.benmanes.caffeine.cache.Policy;
import java.time.Duration;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/**
 * Entries under one bound of bytes, of which Caffeine chooses those that go. They are found in
 * their views, which this keeps equal to what it holds: what goes here goes there, and what is put
 * there is put in the same step, under Caffeine's lock of the key.
 */
final class Pool {
  private final Cache<MemoryKey, Held> held;
  private final Policy.Eviction<MemoryKey, Held> bound;
  private final LongSupplier nanos;
  private final AtomicLong bytes = new AtomicLong();

  /** The weights of its tenants together; changed under the lock of {@link Fairness}. */
  double weight;

  /** From how many bytes on its bound may be raised. */
  volatile long mark = Long.MAX_VALUE;

  Pool(long most, LongSupplier nanos) {
    this.nanos = nanos;
    this.held =
        Caffeine.newBuilder()
            .maximumWeight(most)
            .weigher((MemoryKey at, Held one) -> one.weight())
            .expireAfter(Expiry.<MemoryKey, Held>writing((at, one) -> left(one.entry)))
            .ticker(nanos::getAsLong)
            .executor(Runnable::run)
            .evictionListener((at, one, cause) -> evicted(one))
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

  /** Holds it in the place of what its view had of the key, wherever that was. */
  void put(MemoryKey at, Entry entry, long now) {
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
    if (before[0] != null && before[0].pool != this) {
      boolean unused = before[0].pool.drop(before[0]);
    }
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

  private void evicted(@Nullable Held one) {
    if (one == null) {
      return;
    }
    bytes.addAndGet(-one.weight());
    TenantView view = one.at.view;
    if (view.entries.remove(one.at.key, one)) {
      view.share.bytes.addAndGet(-one.weight());
    }
  }

  private static int weight(@Nullable Held one) {
    return one == null ? 0 : one.weight();
  }

  private Duration left(Entry entry) {
    return Duration.ofNanos(Math.max(1, entry.kept() - nanos.getAsLong()));
  }
}
