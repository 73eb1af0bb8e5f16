package dev.aquifer.cache;

import dev.aquifer.ReadFloor;
import java.util.HashMap;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.jspecify.annotations.Nullable;

/**
 * Calls that the source answers, on the calling thread, since the cache is off for them or only
 * looks on. The caller gets what it would get from the cache: the loader's value, or none.
 */
final class Bypass {
  private final Node node;
  private final Shadow shadow;

  Bypass(Node node, Shadow shadow) {
    this.node = node;
    this.shadow = shadow;
  }

  @Nullable Object get(Adoption adoption, TenantView view, Object key, Flight.Source source) {
    Shadow.Seen seen = begin(adoption, view, key);
    Object value = read(floor(seen), source::load);
    shadow.seen(seen, value);
    return answer(view, value);
  }

  CompletableFuture<@Nullable Object> getAsync(
      Adoption adoption,
      TenantView view,
      Object key,
      Callable<CompletionStage<? extends @Nullable Object>> source) {
    Shadow.Seen seen = begin(adoption, view, key);
    CompletableFuture<@Nullable Object> result = new CompletableFuture<>();
    try {
      read(floor(seen), source)
          .whenComplete(
              (value, error) -> {
                if (error != null) {
                  result.completeExceptionally(
                      error instanceof java.util.concurrent.CompletionException
                              && error.getCause() != null
                          ? error.getCause()
                          : error);
                  return;
                }
                shadow.seen(seen, value);
                result.complete(answer(view, value));
              });
    } catch (Throwable e) {
      result.completeExceptionally(e);
    }
    return result;
  }

  Map<Object, @Nullable Object> getAll(
      TenantView view, Set<Object> keys, Flights.BulkSource source) {
    Many many = new Many(view, keys);
    return many.answers(read(many.floor, () -> (Map<?, ?>) source.load(keys)));
  }

  CompletableFuture<Map<Object, @Nullable Object>> getAllAsync(
      TenantView view, Set<Object> keys, Callable<CompletionStage<? extends Map<?, ?>>> source) {
    try {
      Many many = new Many(view, keys);
      return read(many.floor, source)
          .<Map<Object, @Nullable Object>>thenApply(many::answers)
          .toCompletableFuture();
    } catch (Throwable e) {
      return CompletableFuture.failedFuture(e);
    }
  }

  /** Keys that are read together, and what the cache has of those it looks on for. */
  private final class Many {
    private final TenantView view;
    private final Map<Object, Shadow.@Nullable Seen> all = new HashMap<>();
    final ReadFloor floor;

    Many(TenantView view, Set<Object> keys) {
      this.view = view;
      Adoption adoption = node.adoption;
      ReadFloor demand = ReadFloor.NONE;
      for (Object key : keys) {
        Shadow.Seen seen = adoption == null ? null : begin(adoption, view, key);
        all.put(key, seen);
        demand = demand.and(floor(seen));
      }
      this.floor = demand;
    }

    Map<Object, @Nullable Object> answers(Map<?, ?> values) {
      Map<Object, @Nullable Object> found = new HashMap<>();
      all.forEach(
          (key, seen) -> {
            Object value = values.get(key);
            shadow.seen(seen, value);
            found.put(key, answer(view, value));
          });
      return found;
    }
  }

  private Shadow.@Nullable Seen begin(Adoption adoption, TenantView view, Object key) {
    return adoption.mode(view.cache.name, view.tenant, key) == Adoption.Mode.SHADOW
        ? shadow.begin(view, key)
        : null;
  }

  /** What is to fill the cache was shown what a load must be shown (race R8). Asks nobody. */
  private ReadFloor floor(Shadow.@Nullable Seen seen) {
    return seen == null ? ReadFloor.NONE : node.flights.floor(seen, false);
  }

  private <T extends @Nullable Object> T read(ReadFloor floor, Callable<T> source) {
    try {
      return floor.isNone() ? source.call() : node.positions.call(floor, source);
    } catch (Exception e) {
      throw Flights.<RuntimeException>sneaky(e);
    }
  }

  private static @Nullable Object answer(TenantView view, @Nullable Object value) {
    return value == null ? view.cache.none() : value;
  }
}
