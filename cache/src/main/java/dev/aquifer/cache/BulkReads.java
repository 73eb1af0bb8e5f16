package dev.aquifer.cache;

import dev.aquifer.TenantContext;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * Reads of many keys of a cache: what memory has, the rest through {@link Flights}, and, of keys
 * that the cache is not on for, what the source answers.
 */
final class BulkReads<K, V> {
  private final CacheCore core;
  private final Node node;
  private final Flights flights;

  BulkReads(CacheCore core) {
    this.core = core;
    this.node = core.node;
    this.flights = node.flights;
  }

  /** See {@link TieredCache#getAllOutcomes}. */
  BulkResult<K, V> get(Set<? extends K> keys, BulkLoader<K, V, ? extends Exception> loader) {
    Set<K> direct = notOn(keys);
    return direct.isEmpty()
        ? fetched(keys, loader)
        : beside(direct, loader).with(fetched(rest(keys, direct), loader), keys);
  }

  /** {@link #get} through the cache, whatever its adoption. */
  BulkResult<K, V> fetched(
      Collection<? extends K> keys, BulkLoader<K, V, ? extends Exception> loader) {
    Bulk bulk = new Bulk(keys, key -> loader.loadAll(Set.<K>of(key)).get(key));
    if (bulk.missing.open() > 0) {
      flights.getAll(bulk.missing, wanted -> loader.loadAll(BulkReads.<Set<K>>unchecked(wanted)));
    }
    return bulk.result();
  }

  /** What the source answers for keys that the cache is not on for. */
  private BulkResult<K, V> beside(Set<K> direct, BulkLoader<K, V, ? extends Exception> loader) {
    try {
      Map<?, ?> found =
          node.bypass.getAll(
              view(),
              unchecked(direct),
              wanted -> loader.loadAll(BulkReads.<Set<K>>unchecked(wanted)));
      return beside(direct, found, null);
    } catch (Throwable e) {
      return beside(direct, Map.of(), e);
    }
  }

  private BulkResult<K, V> beside(Set<K> direct, Map<?, ?> found, @Nullable Throwable error) {
    Throwable cause = error == null ? null : Flights.unwrapped(error);
    PartialLoadException partial = cause instanceof PartialLoadException p ? p : null;
    Map<K, V> values = new LinkedHashMap<>();
    Map<K, Throwable> errors = new LinkedHashMap<>();
    for (K key : direct) {
      Object value = partial == null ? found.get(key) : partial.values().get(key);
      Throwable failure = partial == null ? cause : partial.errors().get(key);
      if (failure != null) {
        errors.put(key, failure);
      } else if (!core.absent(value)) {
        values.put(key, unchecked(value));
      }
    }
    return new BulkResult<>(values, errors);
  }

  private Set<K> notOn(Collection<? extends K> keys) {
    Adoption adoption = node.adoption;
    Set<K> found = new LinkedHashSet<>();
    if (adoption != null) {
      TenantView view = view();
      keys.stream().filter(key -> core.bypassed(adoption, view, key)).forEach(found::add);
    }
    return found;
  }

  private Set<K> rest(Collection<? extends K> keys, Set<K> direct) {
    Set<K> rest = new LinkedHashSet<>(keys);
    rest.removeAll(direct);
    return rest;
  }

  /** See {@link TieredCache#getAllAsync}. */
  CompletableFuture<BulkResult<K, V>> getAsync(
      Set<? extends K> keys,
      Function<? super Set<K>, ? extends CompletionStage<? extends Map<K, V>>> loader) {
    Set<K> direct = notOn(keys);
    if (!direct.isEmpty()) {
      CompletableFuture<BulkResult<K, V>> others = getAsync(rest(keys, direct), loader);
      return node.bypass
          .getAllAsync(view(), unchecked(direct), () -> loader.apply(direct))
          .handle((found, error) -> beside(direct, found == null ? Map.of() : found, error))
          .thenCombine(others, (mine, more) -> mine.with(more, keys));
    }
    Bulk bulk =
        new Bulk(
            keys,
            key -> new Flights.Later(loader.apply(Set.<K>of(key)).thenApply(all -> all.get(key))));
    if (bulk.missing.open() == 0) {
      return CompletableFuture.completedFuture(bulk.result());
    }
    return flights
        .getAllAsync(
            bulk.missing,
            wanted -> new Flights.Later(loader.apply(BulkReads.<Set<K>>unchecked(wanted))))
        .thenApply(done -> bulk.result());
  }

  /** What memory has of many keys, and what it has not. */
  private final class Bulk {
    private final List<K> keys;
    private final @Nullable Object[] values;
    final BulkKeys missing;

    /** Where what is missing belongs among the values. */
    private final int[] places;

    Bulk(Collection<? extends K> wanted, Loader<K, ?, ? extends Exception> single) {
      TenantView view = core.live(view());
      keys = new ArrayList<>(wanted);
      values = new @Nullable Object[keys.size()];
      places = new int[keys.size()];
      missing = new BulkKeys(view, keys.size());
      for (int i = 0; i < values.length; i++) {
        K key = keys.get(i);
        MemoryKey at = new MemoryKey(view, KeyForm.of(key));
        if (!at.view.entries.containsKey(at.key) || !inMemory(i, at, single)) {
          places[missing.add(at, key)] = i;
        }
      }
    }

    private boolean inMemory(int i, MemoryKey at, Loader<K, ?, ? extends Exception> single) {
      K key = keys.get(i);
      Entry hit = node.memory(at.view, at.key);
      Flight.Outcome looked =
          hit != null ? null : flights.closerLook(at, key, () -> single.load(key));
      if (hit != null) {
        values[i] = core.answered(at.view, hit);
      } else if (looked != null) {
        values[i] = flights.answered(at.view, looked);
      }
      return hit != null || looked != null;
    }

    BulkResult<K, V> result() {
      for (int i = 0; i < missing.size(); i++) {
        values[places[i]] = missing.value(i);
      }
      Map<K, V> found = new LinkedHashMap<>(values.length * 4 / 3 + 1);
      for (int i = 0; i < values.length; i++) {
        if (!core.absent(values[i])) {
          found.put(keys.get(i), BulkReads.<V>unchecked(values[i]));
        }
      }
      Map<K, Throwable> errors = new LinkedHashMap<>();
      missing.forEachError((key, error) -> errors.put(BulkReads.unchecked(key), error));
      return new BulkResult<>(found, errors);
    }
  }

  private TenantView view() {
    return core.view(TenantContext.require());
  }

  @SuppressWarnings({"unchecked", "NullAway", "TypeParameterUnusedInFormals"})
  private static <T> T unchecked(@Nullable Object value) {
    return (T) value;
  }
}
