package dev.aquifer.cache;

import dev.aquifer.Tag;
import dev.aquifer.TenantContext;
import dev.aquifer.spi.Observer.Scope;
import dev.aquifer.spi.Observer.Tier;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * A cache in two tiers, memory and Redis, that serves a value only while nothing it depends on is
 * known to have changed since it was read. Made by {@link Caches#cache}. Thread-safe.
 *
 * <p>Every call works for the tenant that is current on its thread. A read looks in memory (no
 * lock, no I/O); else one of the callers of a key, in this process and in all others, loads it, and
 * the rest wait for that.
 *
 * <p>Keys are text, numbers, enums, UUIDs, {@code java.time} values, records, or collections of
 * these. Values are shared between callers: treat them as immutable. What a loader throws reaches
 * each of its callers unchanged; a failure of Redis reaches none.
 *
 * @param <K> keys
 * @param <V> values
 */
public final class TieredCache<K, V> {
  /** What {@link #hit} says where memory has no answer; null is one. */
  static final Object MISS = new Object();

  private final CacheCore core;
  private final Node node;
  private final Flights flights;

  TieredCache(CacheCore core) {
    this.core = core;
    this.node = core.node;
    this.flights = node.flights;
  }

  /** The cache's name. */
  public String name() {
    return core.name;
  }

  /**
   * The value, loaded if need be; null, or an empty Optional where that is the declared type, when
   * there is none.
   *
   * @throws dev.aquifer.MissingTenantException when no tenant is current
   * @throws dev.aquifer.LoadTimeoutException when the load takes longer than the limit
   * @throws dev.aquifer.AquiferException when the wait is interrupted (the load goes on), or when
   *     the loader asks for the key that it is loading
   * @throws IllegalArgumentException when the key cannot be one
   * @throws X what the loader throws
   */
  public <X extends Exception> @Nullable V get(
      K key, Loader<? super K, ? extends V, ? extends X> loader) throws X {
    TenantView view = view();
    Object form = Keys.form(key);
    Entry hit = node.memory(view, form);
    if (hit != null) {
      return answered(view, hit);
    }
    return cast(flights.get(new MemoryKey(core.live(view), form), key, () -> loader.load(key)));
  }

  /** What memory answers, or {@link #MISS}. */
  @Nullable Object hit(K key) {
    TenantView view = view();
    Entry hit = node.memory(view, Keys.form(key));
    return hit == null ? MISS : answered(view, hit);
  }

  /**
   * As {@link #get}, without blocking the caller: a value in memory is in the future already, all
   * else happens on threads of the cache.
   *
   * @param loader its part on the calling thread is run under the tenant and the session
   */
  public CompletableFuture<@Nullable V> getAsync(
      K key, Function<? super K, ? extends CompletionStage<? extends @Nullable V>> loader) {
    MemoryKey at = at(key);
    Entry hit = node.memory(at.view, at.key);
    if (hit != null) {
      return CompletableFuture.<@Nullable V>completedFuture(answered(at.view, hit));
    }
    CompletableFuture<@Nullable Object> found =
        flights.getAsync(at, key, () -> new Flights.Later(loader.apply(key)));
    return found.thenApply(TieredCache::<@Nullable V>cast);
  }

  /** The value if memory or Redis has it, else null. Never loads. */
  public @Nullable V getIfPresent(K key) {
    MemoryKey at = at(key);
    Entry hit = node.memory(at.view, at.key);
    return hit != null ? answered(at.view, hit) : cast(flights.peek(at, key));
  }

  /**
   * The values of the keys that have one, in the order of the keys. What is missing is loaded by
   * one call.
   *
   * @throws X what the loader throws
   */
  public <X extends Exception> Map<K, V> getAll(
      Set<? extends K> keys, BulkLoader<K, V, ? extends X> loader) throws X {
    Map<K, V> found = new LinkedHashMap<>();
    Map<MemoryKey, Object> missing = new LinkedHashMap<>();
    for (K key : keys) {
      MemoryKey at = at(key);
      Entry hit = node.memory(at.view, at.key);
      if (hit == null) {
        missing.put(at, key);
      }
      V value = hit == null ? null : answered(at.view, hit);
      // Keeps the order; keys without a value are taken out at the end.
      found.put(key, TieredCache.<V>unchecked(value));
    }
    if (!missing.isEmpty()) {
      Map<Object, @Nullable Object> loaded =
          flights.getAll(missing, wanted -> loader.loadAll(TieredCache.<Set<K>>unchecked(wanted)));
      loaded.forEach((key, value) -> found.put(TieredCache.unchecked(key), unchecked(value)));
    }
    found.values().removeIf(core::absent);
    return found;
  }

  /**
   * Stores a value that the caller knows to be current, and voids the key everywhere else.
   *
   * @param value null: remembers that there is none
   */
  public void put(K key, @Nullable V value) {
    MemoryKey at = at(key);
    flights.put(at, key, value);
  }

  /** The key's value is void on every node when this returns; see {@link Caches#invalidateTags}. */
  public void invalidate(K key) {
    invalidateAll(Set.of(key));
  }

  /** As {@link #invalidate}, for many keys in one round trip. */
  public void invalidateAll(Set<? extends K> keys) {
    if (!keys.isEmpty()) {
      TenantView view = core.live(view());
      node.voidKeys(view, keys.stream().map(KeyText::of).toList());
    }
  }

  /** All of the tenant's values in this cache are void, whatever their number. */
  public void invalidateAll() {
    node.voidNames(view().partition, List.of(KeyText.cacheName(core.name)), Scope.CACHE);
  }

  /** What was counted since the cache was made. */
  public CacheStatistics statistics() {
    return core.statistics();
  }

  /** The tags that the settings give every value. */
  Set<Tag> tags() {
    return core.settings.tags();
  }

  private TenantView view() {
    return core.view(TenantContext.require());
  }

  private MemoryKey at(K key) {
    return new MemoryKey(core.live(view()), Keys.form(key));
  }

  private @Nullable V answered(TenantView view, Entry hit) {
    core.memoryHits.increment();
    node.observer.cacheAnswered(core.name, view.tenant, Tier.L1);
    return cast(hit.negative() ? core.none() : hit.value());
  }

  @SuppressWarnings({"unchecked", "NullAway", "TypeParameterUnusedInFormals"})
  private static <T extends @Nullable Object> T cast(@Nullable Object value) {
    return (T) value;
  }

  @SuppressWarnings({"unchecked", "NullAway", "TypeParameterUnusedInFormals"})
  private static <T> T unchecked(@Nullable Object value) {
    return (T) value;
  }

  /** Keys as memory keeps them: as they are where that is safe, else their text. */
  private static final class Keys {
    private static final ClassValue<Boolean> SIMPLE =
        new ClassValue<>() {
          @Override
          protected Boolean computeValue(Class<?> type) {
            return KeyText.simple(type);
          }
        };

    static Object form(Object key) {
      if (key instanceof String || key instanceof Long || key instanceof Integer) {
        return key;
      }
      if (key instanceof CallKey call && call.simple) {
        return key;
      }
      boolean simple = SIMPLE.get(key.getClass());
      return simple ? key : new TextKey(KeyText.of(key));
    }
  }

  private record TextKey(String text) {}
}
