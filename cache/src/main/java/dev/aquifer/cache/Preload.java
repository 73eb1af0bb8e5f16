package dev.aquifer.cache;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.function.Function;

/**
 * What one user will need of several caches, loaded with one call: at login, say. Immutable; {@link
 * #and} returns another.
 *
 * @param <U> who it is for
 */
public final class Preload<U> {
  private final List<Step<U>> steps;

  private Preload(List<Step<U>> steps) {
    this.steps = steps;
  }

  private record Step<U>(String cache, Function<U, WarmUpRun<?>> start) {}

  /** A plan of nothing. */
  public static <U> Preload<U> plan() {
    return new Preload<>(List.of());
  }

  /**
   * The plan, and these keys of this cache.
   *
   * @param keys what a user needs of it; asked on the thread that runs the plan
   */
  public <K, V> Preload<U> and(
      TieredCache<K, V> cache,
      Function<? super U, ? extends Set<? extends K>> keys,
      BulkLoader<K, V, ?> loader) {
    WarmUp options = WarmUp.builder().keysPerSecond(Integer.MAX_VALUE).attempts(1).build();
    List<Step<U>> more = new ArrayList<>(steps);
    more.add(new Step<>(cache.name(), user -> cache.warm(keys.apply(user), loader, options)));
    return new Preload<>(List.copyOf(more));
  }

  /**
   * Loads what the user needs and is not there, for the current tenant, all caches at the same
   * time. Does not wait; a step that fails leaves the others alone.
   *
   * @return how each step ended, by its cache's name
   */
  public CompletableFuture<Map<String, WarmUpResult<?>>> run(U user) {
    Map<String, CompletableFuture<? extends WarmUpResult<?>>> started = new LinkedHashMap<>();
    for (Step<U> step : steps) {
      String name = step.cache();
      for (int i = 2; started.containsKey(name); i++) {
        name = step.cache() + " " + i;
      }
      started.put(name, start(step, user));
    }
    return CompletableFuture.allOf(started.values().toArray(new CompletableFuture<?>[0]))
        .thenApply(
            all -> {
              Map<String, WarmUpResult<?>> ends = new LinkedHashMap<>();
              started.forEach((name, end) -> ends.put(name, end.join()));
              return ends;
            });
  }

  private static <U> CompletableFuture<? extends WarmUpResult<?>> start(Step<U> step, U user) {
    try {
      return step.start().apply(user).result();
    } catch (RuntimeException e) {
      return CompletableFuture.completedFuture(
          new WarmUpResult<>(0, 0, Set.of(), false, e, java.time.Duration.ZERO));
    }
  }
}
