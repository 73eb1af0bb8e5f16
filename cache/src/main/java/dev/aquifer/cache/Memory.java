package dev.aquifer.cache;

import dev.aquifer.Tenant;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/**
 * The first tier: entries by view and key, in bounded memory. Whether one may be served is for
 * {@link Node} to judge.
 *
 * <p>A look-up is one of the view's map: it allocates nothing and reads no clock but its caller's.
 * Which entry goes when memory is short is Caffeine's choice ({@link Pool}), which is told of an
 * entry's use at most once in {@link #GRAIN}: often enough to know what is used from what is not,
 * and seldom enough to cost the hot ones nothing.
 */
final class Memory {
  private static final long GRAIN = TimeUnit.MILLISECONDS.toNanos(10);

  private final Fairness fairness;

  Memory(long bytes, LongSupplier nanos) {
    this.fairness = new Fairness(bytes, nanos);
  }

  Share share(Tenant tenant) {
    return fairness.share(tenant);
  }

  Fairness fairness() {
    return fairness;
  }

  /** The entry, if there is one that needs no closer look. */
  @Nullable Entry find(TenantView view, Object key, long now) {
    Held held = view.entries.get(key);
    if (held == null) {
      return null;
    }
    Entry entry = held.entry;
    if (now - entry.due() >= 0) {
      return null;
    }
    touch(held, now);
    return entry;
  }

  /** The entry, if there is one, whatever its time. */
  @Nullable Entry any(TenantView view, Object key, long now) {
    Held held = view.entries.get(key);
    if (held == null) {
      return null;
    }
    touch(held, now);
    return held.entry;
  }

  private static void touch(Held held, long now) {
    if (now - held.touched > GRAIN) {
      held.touched = now;
      held.pool.touch(held.at);
    }
  }

  void put(MemoryKey at, Entry entry, long now) {
    Share share = at.view.share;
    if (share.pool.put(at, entry, now)) {
      fairness.grown(share);
    }
  }

  /** Puts one entry in the place of exactly this one. */
  boolean replace(MemoryKey at, Entry old, Entry entry, long now) {
    Held held = at.view.entries.get(at.key);
    return held != null && old.equals(held.entry) && held.pool.replace(held, entry, now);
  }

  /** Of the view's entries that are used most, those that the filter takes. */
  List<MemoryKey> hottest(TenantView view, int most, Predicate<Entry> filter) {
    return view.share.pool.hottest(view, most, filter);
  }
}
