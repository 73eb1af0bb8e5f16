package dev.aquifer.cache;

import dev.aquifer.AquiferException;
import dev.aquifer.CausalSession;
import dev.aquifer.LoadTimeoutException;
import dev.aquifer.spi.LastRoute;
import dev.aquifer.spi.Observer.Tier;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.jspecify.annotations.Nullable;

/**
 * Single flight in the process: of all callers that miss a key of a tenant, one looks in Redis and,
 * if need be, loads; the others wait for it. A caller who must be shown more than the flight was
 * begins another, which takes the first one's place.
 *
 * <p>No lock is held while anything is read. The loader runs on a thread of the cache, so that its
 * time has a limit also for the caller that started it, and an interrupt of one caller stops no
 * other's answer.
 */
final class Flights {
  private final Node node;
  private final RemoteRead remoteRead;
  private final Loads loads;
  private final ConcurrentHashMap<MemoryKey, Flight> running = new ConcurrentHashMap<>();

  Flights(Node node) {
    this.node = node;
    this.loads = new Loads(node, this);
    this.remoteRead = new RemoteRead(node, loads);
  }

  /** What an asynchronous loader returns: its value comes later. */
  record Later(CompletionStage<? extends @Nullable Object> stage) {}

  @Nullable Object get(MemoryKey at, Object key, Flight.Source source) {
    long deadline = node.nanos.getAsLong() + at.view.cache.settings.loadTimeout().toNanos();
    CausalSession session = node.sessions.current();
    while (true) {
      Flight mine = new Flight(at, key, source, node);
      Flight flight = board(mine, session);
      if (flight == mine) {
        Entry raced = node.memory(at.view, at.key);
        if (raced != null) {
          finish(mine, outcome(mine, raced.value(), Tier.L1));
        } else {
          remoteRead.start(mine, deadline);
        }
      }
      Flight.Outcome outcome = await(flight, deadline);
      if (flight == mine || satisfies(outcome, at.view, session)) {
        if (outcome.tier() == Tier.SOURCE) {
          LastRoute.record(flight.route);
        }
        return answered(at.view, outcome);
      }
    }
  }

  CompletableFuture<@Nullable Object> getAsync(MemoryKey at, Object key, Flight.Source source) {
    CausalSession session = node.sessions.current();
    CompletableFuture<@Nullable Object> result = new CompletableFuture<>();
    try {
      node.executor.execute(
          () -> {
            try {
              result.complete(
                  at.view.tenant.call(
                      () -> node.sessions.call(session, () -> get(at, key, source))));
            } catch (Throwable e) {
              result.completeExceptionally(e);
            }
          });
    } catch (RejectedExecutionException e) {
      result.completeExceptionally(closed(at.view, e));
    }
    return result;
  }

  /** What Redis has, with no load. */
  @Nullable Object peek(MemoryKey at, Object key) {
    Flight flight = new Flight(at, key, () -> null, node);
    Flight.Outcome found;
    try {
      found = remoteRead.look(flight);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return null;
    }
    return found == null ? null : answered(at.view, found);
  }

  Map<Object, @Nullable Object> getAll(Map<MemoryKey, Object> missing, BulkSource source) {
    return new BulkLoads(node, this, remoteRead).getAll(missing, source);
  }

  /** Stores a value that is current now: the key is void first, with the lease for this value. */
  void put(MemoryKey at, Object key, @Nullable Object value) {
    Flight flight = new Flight(at, key, () -> value, node);
    loads.put(flight, value);
  }

  /** Takes the caller onto the running flight of its key, or makes its own the running one. */
  Flight board(Flight mine, CausalSession session) {
    while (true) {
      Flight found = running.putIfAbsent(mine.at, mine);
      if (found == null) {
        return mine;
      }
      Flight loading = loads.current();
      if (loading != null) {
        refuseCircle(loading, found);
      }
      if (found.serves(session, node.shared) && node.joinable(found)) {
        return found;
      }
      if (running.replace(mine.at, found, mine)) {
        return mine;
      }
    }
  }

  /** The flight is over: whoever comes now looks in memory, or begins another. */
  void finish(Flight flight, Flight.Outcome outcome) {
    running.remove(flight.at, flight);
    flight.done.complete(outcome);
  }

  void fail(Flight flight, Throwable error) {
    running.remove(flight.at, flight);
    flight.done.completeExceptionally(error);
  }

  Flight.Outcome await(Flight flight, long deadline) {
    Flight loading = loads.current();
    if (loading != null) {
      loading.waitsFor = flight;
      refuseCircle(loading, flight);
    }
    try {
      long left = Math.max(0, deadline - node.nanos.getAsLong());
      return flight.done.get(left, TimeUnit.NANOSECONDS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new AquiferException(
          "Interrupted while waiting for a load of cache '%s'; the load goes on for others."
              .formatted(flight.view.cache.name),
          e);
    } catch (ExecutionException e) {
      throw sneaky(e.getCause());
    } catch (TimeoutException e) {
      throw timedOut(flight, e);
    } finally {
      if (loading != null) {
        loading.waitsFor = null;
      }
    }
  }

  @Nullable Object answered(TenantView view, Flight.Outcome outcome) {
    CacheCore cache = view.cache;
    if (outcome.tier() == Tier.L2) {
      cache.remoteHits.increment();
    } else if (outcome.tier() == Tier.L1) {
      cache.memoryHits.increment();
    }
    node.observer.cacheAnswered(cache.name, view.tenant, outcome.tier());
    return outcome.value() == null ? cache.none() : outcome.value();
  }

  static Flight.Outcome outcome(
      Flight flight, @Nullable Object value, Tier tier, long sequence, long shared) {
    return new Flight.Outcome(value, tier, sequence, shared, Set.of());
  }

  boolean satisfies(Flight.Outcome outcome, TenantView view, CausalSession session) {
    return outcome.sequence() >= session.sequence(view.partition.name)
        && outcome.sharedSequence() >= session.sequence(node.shared.name);
  }

  Flight.Outcome outcome(Flight flight, @Nullable Object value, Tier tier) {
    // Not what is applied by now: the value may be older than that.
    return outcome(flight, value, tier, flight.applied(), flight.sharedApplied());
  }

  static LoadTimeoutException timedOut(Flight flight, @Nullable Throwable cause) {
    return new LoadTimeoutException(
        "A load of cache '%s' for tenant %s took longer than its limit of %s. Make the loader faster, or raise loadTimeout."
            .formatted(
                flight.view.cache.name,
                flight.view.tenant,
                flight.view.cache.settings.loadTimeout()),
        cause);
  }

  static AquiferException closed(TenantView view, RejectedExecutionException e) {
    return new AquiferException(
        "Cache '%s' is closed, or its executor takes no more work.".formatted(view.cache.name), e);
  }

  private static void refuseCircle(Flight loading, Flight wanted) {
    Flight next = wanted;
    // Bounded, since others' circles may form while this one is looked for.
    for (int hops = 0; next != null && hops < 1000; hops++) {
      if (next == loading) {
        throw new AquiferException(
            "The loader of cache '%s' asks, itself or through others, for the key that it is loading. Load the value without the cache."
                .formatted(loading.view.cache.name));
      }
      next = next.waitsFor;
    }
  }

  @SuppressWarnings({"unchecked", "TypeParameterUnusedInFormals"})
  static <X extends Throwable> RuntimeException sneaky(@Nullable Throwable error) throws X {
    throw (X) (error == null ? new AquiferException("A load failed without an error.") : error);
  }

  /** A bulk loader, bound. */
  @FunctionalInterface
  interface BulkSource {
    Map<?, ?> load(Set<Object> keys) throws Exception;
  }
}
