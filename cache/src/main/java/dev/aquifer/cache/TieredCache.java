package dev.aquifer.cache;

import dev.aquifer.ConfigurationException;
import dev.aquifer.ReadFloor;
import dev.aquifer.Tag;
import dev.aquifer.TenantContext;
import dev.aquifer.batch.BatchSettings;
import dev.aquifer.spi.Observer.Scope;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.Function;
import java.util.function.Supplier;
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

  final CacheCore core;
  private final Node node;
  private final Flights flights;
  private final BulkReads<K, V> bulk;

  TieredCache(CacheCore core) {
    this.core = core;
    this.node = core.node;
    this.flights = node.flights;
    this.bulk = new BulkReads<>(core);
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
    Adoption adoption = node.adoption;
    if (adoption != null && core.bypassed(adoption, view, key)) {
      return cast(node.bypass.get(adoption, view, key, () -> loader.load(key)));
    }
    Object form = KeyForm.of(key);
    Entry hit = node.memory(view, form);
    if (hit != null) {
      return answered(view, hit);
    }
    Objects.requireNonNull(loader, "loader");
    MemoryKey at = new MemoryKey(core.live(view), form);
    Flight.Source source = () -> loader.load(key);
    Flight.Outcome looked = flights.closerLook(at, key, source);
    return cast(looked == null ? flights.get(at, key, source) : flights.answered(at.view, looked));
  }

  /** What memory answers, or {@link #MISS}. */
  @Nullable Object hit(K key) {
    if (node.adoption != null) {
      return MISS;
    }
    TenantView view = view();
    Entry hit = node.memory(view, KeyForm.of(key));
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
    Adoption adoption = node.adoption;
    if (adoption != null && core.bypassed(adoption, view(), key)) {
      return node.bypass
          .getAsync(adoption, view(), key, () -> loader.apply(key))
          .thenApply(TieredCache::<@Nullable V>cast);
    }
    MemoryKey at = at(key);
    Entry hit = node.memory(at.view, at.key);
    if (hit != null) {
      return CompletableFuture.<@Nullable V>completedFuture(answered(at.view, hit));
    }
    Objects.requireNonNull(loader, "loader");
    Flight.Source source = () -> new Flights.Later(loader.apply(key));
    Flight.Outcome looked = flights.closerLook(at, key, source);
    if (looked != null) {
      return CompletableFuture.<@Nullable V>completedFuture(
          cast(flights.answered(at.view, looked)));
    }
    CompletableFuture<@Nullable Object> found = flights.getAsync(at, key, source);
    return found.thenApply(TieredCache::<@Nullable V>cast);
  }

  /** The value if memory or Redis has it, else null. Never loads. */
  public @Nullable V getIfPresent(K key) {
    Adoption adoption = node.adoption;
    if (adoption != null && core.bypassed(adoption, view(), key)) {
      return null;
    }
    MemoryKey at = at(key);
    Entry hit = node.memory(at.view, at.key);
    if (hit != null) {
      return answered(at.view, hit);
    }
    Flight.Outcome looked = flights.closerLook(at, key, null);
    return cast(looked == null ? flights.peek(at, key) : flights.answered(at.view, looked));
  }

  /**
   * The values of the keys that have one, in the order of the keys. What is missing is loaded by
   * one call; Redis is asked once.
   *
   * @throws X what the loader throws; of a loader that failed for some keys (see {@link
   *     PartialLoadException}), the failure of the first. {@link #getAllOutcomes} has the values of
   *     the others
   */
  public <X extends Exception> Map<K, V> getAll(
      Set<? extends K> keys, BulkLoader<K, V, ? extends X> loader) throws X {
    return getAllOutcomes(keys, loader).<X>orThrow();
  }

  /**
   * As {@link #getAll}, with what became of each key: what a loader throws is the failure of all
   * keys that it was asked for, and of no other.
   */
  public BulkResult<K, V> getAllOutcomes(
      Set<? extends K> keys, BulkLoader<K, V, ? extends Exception> loader) {
    return bulk.get(Objects.requireNonNull(keys, "keys"), Objects.requireNonNull(loader, "loader"));
  }

  /**
   * As {@link #getAllOutcomes}, without blocking the caller. The future fails only where a key
   * cannot be one.
   *
   * @param loader its part on the calling thread is run under the tenant and the session
   */
  public CompletableFuture<BulkResult<K, V>> getAllAsync(
      Set<? extends K> keys,
      Function<? super Set<K>, ? extends CompletionStage<? extends Map<K, V>>> loader) {
    return bulk.getAsync(
        Objects.requireNonNull(keys, "keys"), Objects.requireNonNull(loader, "loader"));
  }

  /**
   * Stores a value that the caller knows to be current, and voids the key everywhere else.
   *
   * @param value null: remembers that there is none
   */
  public void put(K key, @Nullable V value) {
    putAll(Collections.singletonMap(key, value));
  }

  /** As {@link #put}, without blocking the caller. */
  public CompletableFuture<Void> putAsync(K key, @Nullable V value) {
    return putAllAsync(Collections.singletonMap(key, value));
  }

  /** As {@link #put}, for many keys in one round trip. */
  public void putAll(Map<? extends K, ? extends @Nullable V> values) {
    Map<MemoryKey, Object> off = new LinkedHashMap<>();
    Map<MemoryKey, Object> places = places(Objects.requireNonNull(values, "values").keySet(), off);
    if (!off.isEmpty()) {
      voidKeys(off.values());
    }
    if (!places.isEmpty()) {
      flights.put(places, values(places, values));
    }
  }

  /** As {@link #putAll}, without blocking the caller. */
  public CompletableFuture<Void> putAllAsync(Map<? extends K, ? extends @Nullable V> values) {
    Map<MemoryKey, Object> off = new LinkedHashMap<>();
    Map<MemoryKey, Object> places = places(Objects.requireNonNull(values, "values").keySet(), off);
    CompletableFuture<?> voided =
        off.isEmpty()
            ? CompletableFuture.completedFuture(null)
            : node.voids.makeAsync(node.voids.keys(view(), off.values(), null));
    CompletableFuture<Void> stored =
        places.isEmpty()
            ? CompletableFuture.completedFuture(null)
            : flights.putAsync(places, values(places, values));
    return CompletableFuture.allOf(voided, stored);
  }

  private static <K, V> List<V> values(
      Map<MemoryKey, Object> places, Map<? extends K, ? extends V> of) {
    List<V> values = new ArrayList<>();
    places.values().forEach(key -> values.add(TieredCache.<V>cast(of.get(key))));
    return values;
  }

  /** The key's value is void on every node when this returns; see {@link Caches#invalidateTags}. */
  public void invalidate(K key) {
    invalidateAll(Set.of(Objects.requireNonNull(key, "key")));
  }

  /** As {@link #invalidate}, without blocking the caller. */
  public CompletableFuture<Void> invalidateAsync(K key) {
    return invalidateAllAsync(Set.of(Objects.requireNonNull(key, "key")));
  }

  /** As {@link #invalidate}, for many keys in one round trip. */
  public void invalidateAll(Set<? extends K> keys) {
    if (!Objects.requireNonNull(keys, "keys").isEmpty()) {
      voidKeys(keys);
    }
  }

  /** As {@link #invalidateAll(Set)}, without blocking the caller. */
  public CompletableFuture<Void> invalidateAllAsync(Set<? extends K> keys) {
    return Objects.requireNonNull(keys, "keys").isEmpty()
        ? CompletableFuture.completedFuture(null)
        : node.voids
            .makeAsync(node.voids.keys(view(), Set.copyOf(keys), null))
            .thenAccept(sequences -> {});
  }

  /** All of the tenant's values in this cache are void, whatever their number. */
  public void invalidateAll() {
    List<String> names = List.of(KeyText.cacheName(core.name));
    node.voids.make(node.voids.names(view().tenant, names, ReadFloor.NONE, Scope.CACHE));
  }

  /**
   * Brings the current tenant's values of these keys into the cache, beside what callers do: in
   * batches, a bounded number at a time, at a bounded rate. What is there already is not loaded.
   * Does not wait; also fills a cache that is in {@link Adoption.Mode#SHADOW}, and leaves out what
   * it is off for.
   */
  public WarmUpRun<K> warm(
      Collection<? extends K> keys, BulkLoader<K, V, ?> loader, WarmUp options) {
    TenantView view = view();
    Adoption adoption = node.adoption;
    Set<K> wanted = new LinkedHashSet<>(keys);
    if (adoption != null) {
      wanted.removeIf(key -> adoption.mode(core.name, view.tenant, key) == Adoption.Mode.OFF);
    }
    WarmUpRun<K> run =
        new WarmUpRun<>(
            node, view.tenant, wanted, options, some -> bulk.fetched(some, loader).orThrow());
    run.start();
    return run;
  }

  /**
   * As {@link #warm}, at once and then again and again, {@link WarmUp#every} apart, until the
   * schedule is closed.
   *
   * @param keys asked each time, on a thread of the cache, under the tenant that is current now
   */
  public Schedule keepWarm(
      Supplier<? extends Collection<? extends K>> keys,
      BulkLoader<K, V, ?> loader,
      WarmUp options) {
    return new Schedule(
            node,
            view().tenant,
            "Warming cache '" + core.name + "'",
            options.every(),
            () -> warm(keys.get(), loader, options).result())
        .start();
  }

  /**
   * Loads what the current tenant uses most, and what is about to expire, anew before it does,
   * until the schedule is closed. One load at a time; looks twice in each {@code ahead}. Only for
   * keys that are text, numbers, enums, UUIDs or {@code java.time} values.
   *
   * @param most how many of the tenant's entries in this node's memory, those used most
   * @param ahead how long before its end an entry is due, 100 ms or more
   */
  public Schedule refreshHottest(int most, Duration ahead, Loader<K, V, ?> loader) {
    if (most < 1 || ahead.compareTo(Duration.ofMillis(100)) < 0) {
      throw new ConfigurationException(
          "most is %d, ahead is %s; use 1 or more, and 100 ms or more.".formatted(most, ahead));
    }
    TenantView view = view();
    return new Schedule(
            node,
            view.tenant,
            "Refreshing cache '" + core.name + "'",
            ahead.dividedBy(2),
            () -> renewed(view, node.hottest(view, most, ahead.toNanos()), loader))
        .start();
  }

  /** Loads each anew, one after the other; a failure of one leaves the others alone. */
  private CompletableFuture<Integer> renewed(
      TenantView view, List<MemoryKey> due, Loader<K, V, ?> loader) {
    Exception failure = null;
    int count = 0;
    for (MemoryKey at : due) {
      Adoption adoption = node.adoption;
      boolean off =
          adoption != null && adoption.mode(core.name, view.tenant, at.key) == Adoption.Mode.OFF;
      if (!off && KeyForm.isKey(at.key)) {
        K key = unchecked(at.key);
        try {
          flights.renew(at, key, () -> loader.load(key));
          count++;
        } catch (Exception e) {
          failure = e;
        }
      }
    }
    return failure == null
        ? CompletableFuture.completedFuture(count)
        : CompletableFuture.failedFuture(failure);
  }

  /**
   * Writes through this cache, in batches; see {@link CacheWriter}.
   *
   * @param source writes to what the cache is loaded from
   */
  public CacheWriter<K, V> writer(BulkWriter<? super K, ? super V> source, BatchSettings settings) {
    return new CacheWriter<>(core, source, settings);
  }

  /** What was counted since the cache was made. */
  public CacheStatistics statistics() {
    return core.statistics();
  }

  /** What it would have answered where it is in {@link Adoption.Mode#SHADOW}. */
  public ShadowReport shadow() {
    return core.shadow.report();
  }

  /** The tags that the settings give every value. */
  Set<Tag> tags() {
    return core.settings.tags();
  }

  private TenantView view() {
    return core.view(TenantContext.require());
  }

  private MemoryKey at(K key) {
    return new MemoryKey(core.live(view()), KeyForm.of(key));
  }

  /**
   * Where values of the keys belong.
   *
   * @param off takes the keys that the cache is off for
   */
  private Map<MemoryKey, Object> places(Set<? extends K> keys, Map<MemoryKey, Object> off) {
    TenantView view = core.live(view());
    Adoption adoption = node.adoption;
    Map<MemoryKey, Object> places = new LinkedHashMap<>();
    for (K key : keys) {
      boolean isOff =
          adoption != null && adoption.mode(core.name, view.tenant, key) == Adoption.Mode.OFF;
      if (!isOff || node.guards.voidsWhileOff) {
        (isOff ? off : places).put(new MemoryKey(view, KeyForm.of(key)), key);
      }
    }
    return places;
  }

  private void voidKeys(Collection<?> keys) {
    node.voids.make(node.voids.keys(view(), keys, null));
  }

  private @Nullable V answered(TenantView view, Entry hit) {
    return cast(core.answered(view, hit));
  }

  @SuppressWarnings({"unchecked", "NullAway", "TypeParameterUnusedInFormals"})
  private static <T extends @Nullable Object> T cast(@Nullable Object value) {
    return (T) value;
  }

  @SuppressWarnings({"unchecked", "NullAway", "TypeParameterUnusedInFormals"})
  private static <T> T unchecked(@Nullable Object value) {
    return (T) value;
  }
}
