package dev.aquifer.cache;

import dev.aquifer.ConfigurationException;
import dev.aquifer.Tag;
import dev.aquifer.TenantContext;
import dev.aquifer.spi.Observer.Scope;
import dev.aquifer.spi.Observer.Tier;
import java.time.Duration;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
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
    Adoption adoption = node.adoption;
    if (adoption != null && bypassed(adoption, view, key)) {
      return cast(node.bypass.get(adoption, view, key, () -> loader.load(key)));
    }
    Object form = form(key);
    Entry hit = node.memory(view, form);
    if (hit != null) {
      return answered(view, hit);
    }
    MemoryKey at = new MemoryKey(view, form);
    Flight.Source source = () -> loader.load(key);
    Flight.Outcome looked = flights.closerLook(at, key, source);
    return cast(looked == null ? flights.get(at, key, source) : flights.answered(view, looked));
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
    if (adoption != null && bypassed(adoption, view(), key)) {
      return node.bypass
          .getAsync(adoption, view(), key, () -> loader.apply(key))
          .thenApply(TieredCache::<@Nullable V>cast);
    }
    MemoryKey at = at(key);
    Entry hit = node.memory(at.view, at.key);
    if (hit != null) {
      return CompletableFuture.<@Nullable V>completedFuture(answered(at.view, hit));
    }
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
    if (adoption != null && bypassed(adoption, view(), key)) {
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
   * one call.
   *
   * @throws X what the loader throws
   */
  public <X extends Exception> Map<K, V> getAll(
      Set<? extends K> keys, BulkLoader<K, V, ? extends X> loader) throws X {
    Adoption adoption = node.adoption;
    TenantView view = view();
    Set<K> direct = new LinkedHashSet<>();
    if (adoption != null) {
      keys.stream().filter(key -> bypassed(adoption, view, key)).forEach(direct::add);
    }
    if (adoption == null || direct.isEmpty()) {
      return fetched(keys, loader);
    }
    Map<K, V> answers =
        unchecked(
            node.bypass.getAll(
                adoption,
                view,
                unchecked(direct),
                wanted -> loader.loadAll(TieredCache.<Set<K>>unchecked(wanted))));
    Set<K> rest = new LinkedHashSet<>(keys);
    rest.removeAll(direct);
    if (!rest.isEmpty()) {
      answers.putAll(fetched(rest, loader));
    }
    Map<K, V> ordered = new LinkedHashMap<>();
    keys.forEach(key -> ordered.put(key, TieredCache.<V>unchecked(answers.get(key))));
    ordered.values().removeIf(core::absent);
    return ordered;
  }

  /** {@link #getAll} through the cache, whatever its adoption. */
  private <X extends Exception> Map<K, V> fetched(
      Set<? extends K> keys, BulkLoader<K, V, ? extends X> loader) throws X {
    Map<K, V> found = new LinkedHashMap<>();
    Map<MemoryKey, Object> missing = new LinkedHashMap<>();
    for (K key : keys) {
      MemoryKey at = at(key);
      Entry hit = node.memory(at.view, at.key);
      V value = null;
      if (hit != null) {
        value = answered(at.view, hit);
      } else {
        Flight.Outcome looked =
            flights.closerLook(at, key, () -> loader.loadAll(Set.<K>of(key)).get(key));
        if (looked == null) {
          missing.put(at, key);
        } else {
          value = cast(flights.answered(at.view, looked));
        }
      }
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
    Adoption adoption = node.adoption;
    TenantView view = view();
    if (adoption != null && adoption.mode(core.name, view.tenant, key) == Adoption.Mode.OFF) {
      if (node.guards.voidsWhileOff) {
        node.voidKeys(view, List.of(KeyText.of(key)));
      }
      return;
    }
    flights.put(at(key), key, value);
  }

  /** The key's value is void on every node when this returns; see {@link Caches#invalidateTags}. */
  public void invalidate(K key) {
    invalidateAll(Set.of(key));
  }

  /** As {@link #invalidate}, for many keys in one round trip. */
  public void invalidateAll(Set<? extends K> keys) {
    if (!keys.isEmpty()) {
      TenantView view = view();
      node.voidKeys(view, keys.stream().map(KeyText::of).toList());
    }
  }

  /** All of the tenant's values in this cache are void, whatever their number. */
  public void invalidateAll() {
    node.voidNames(view().partition, List.of(KeyText.cacheName(core.name)), Scope.CACHE);
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
        new WarmUpRun<>(node, view.tenant, wanted, options, some -> fetched(some, loader));
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
      if (!off && !(at.key instanceof TextKey)) {
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

  private boolean bypassed(Adoption adoption, TenantView view, K key) {
    return adoption.mode(core.name, view.tenant, key) != Adoption.Mode.ON;
  }

  private TenantView view() {
    return core.view(TenantContext.require());
  }

  private MemoryKey at(K key) {
    return new MemoryKey(view(), form(key));
  }

  /** A key as memory keeps it. */
  static Object form(Object key) {
    return Keys.form(key);
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
      boolean simple = SIMPLE.get(key.getClass());
      return simple ? key : new TextKey(KeyText.of(key));
    }
  }

  private record TextKey(String text) {}
}
