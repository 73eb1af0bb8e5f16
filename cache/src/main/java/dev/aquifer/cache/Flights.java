package dev.aquifer.cache;

import dev.aquifer.AquiferException;
import dev.aquifer.CausalSession;
import dev.aquifer.LoadTimeoutException;
import dev.aquifer.ReadFloor;
import dev.aquifer.spi.LastRoute;
import dev.aquifer.spi.Observer.Tier;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;
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
// What futures end with is looked at by their own stages.
@SuppressWarnings("FutureReturnValueIgnored")
final class Flights {
  private final Node node;
  private final RemoteRead remoteRead;
  private final Loads loads;
  private final CurrentValues currentValues;
  private final Refreshes refreshes;
  final StaleAnswers stale;
  private final BulkLoads bulkLoads;
  private final ConcurrentHashMap<MemoryKey, Flight> running = new ConcurrentHashMap<>();

  Flights(Node node, NodeSettings settings) {
    this.node = node;
    this.stale = new StaleAnswers(node);
    this.refreshes = new Refreshes(node, this, settings);
    this.loads = new Loads(node, this);
    this.currentValues = new CurrentValues(node, loads);
    this.remoteRead = new RemoteRead(node, loads);
    this.bulkLoads = new BulkLoads(node, this, loads, remoteRead);
  }

  /** What an asynchronous loader returns: its value comes later. */
  record Later(CompletionStage<? extends @Nullable Object> stage) {}

  /** See {@link Refreshes#closerLook}. */
  Flight.@Nullable Outcome closerLook(MemoryKey at, Object key, Flight.@Nullable Source source) {
    return refreshes.closerLook(at, key, source);
  }

  @Nullable Object get(MemoryKey at, Object key, Flight.Source source) {
    long deadline = deadline(at.view);
    CausalSession session = node.sessions.current();
    while (true) {
      Flight mine = new Flight(at, key, source, node, session);
      Flight flight = started(mine, deadline, true);
      Flight.Outcome outcome = await(flight, deadline);
      if (flight == mine || satisfies(outcome, at.view, session)) {
        if (outcome.tier() == Tier.SOURCE) {
          LastRoute.record(flight.route);
        }
        return answered(at.view, outcome);
      }
    }
  }

  /** The future is the caller's alone: to cancel or complete it changes nothing for others. */
  CompletableFuture<@Nullable Object> getAsync(MemoryKey at, Object key, Flight.Source source) {
    long deadline = deadline(at.view);
    CausalSession session = node.sessions.current();
    Flight mine = new Flight(at, key, source, node, session);
    try {
      return followed(mine, started(mine, deadline, false), deadline);
    } catch (AquiferException e) {
      return CompletableFuture.failedFuture(e);
    }
  }

  private Flight started(Flight mine, long deadline, boolean wait) {
    Flight flight = board(mine, mine.session);
    if (flight == mine) {
      Entry raced = node.memory(mine.view, mine.at.key, mine.session);
      if (raced != null) {
        finish(mine, outcome(mine, raced.value(), Tier.L1));
      } else {
        remoteRead.start(mine, deadline, wait);
      }
    }
    return flight;
  }

  /** What a flight brings its caller, for whom this one was meant. */
  CompletableFuture<@Nullable Object> followed(Flight mine, Flight flight, long deadline) {
    CompletableFuture<@Nullable Object> result = new CompletableFuture<>();
    follow(mine, flight, deadline, result);
    limit(mine, deadline, result);
    return result;
  }

  /** The flight's way alone: it is nobody's to board, and no caller waits for it. */
  Flight.Outcome aside(Flight flight, long deadline) {
    remoteRead.start(flight, deadline, true);
    return await(flight, deadline);
  }

  /** Loads a value anew while the one that is there is served; waits for it, fails with it. */
  void renew(MemoryKey at, Object key, Flight.Source source) {
    long deadline = deadline(at.view);
    CausalSession session = node.sessions.current();
    Flight mine = new Flight(at, key, source, node, session);
    if (boarded(mine, session) == mine) {
      remoteRead.renew(mine, deadline);
      awaitEnd(mine, deadline);
      Throwable failure = mine.failure;
      if (failure != null) {
        throw sneaky(failure);
      }
    }
  }

  /** Waits for what the load brings, not for an answer, which the value that is there may be. */
  private void awaitEnd(Flight flight, long deadline) {
    try {
      flight.ended.get(Math.max(0, deadline - node.nanos.getAsLong()), TimeUnit.NANOSECONDS);
    } catch (InterruptedException e) {
      throw interrupted(flight, e);
    } catch (TimeoutException e) {
      throw timedOut(flight, e);
    } catch (ExecutionException e) {
      throw sneaky(e.getCause());
    }
  }

  private static AquiferException interrupted(Flight flight, InterruptedException e) {
    Thread.currentThread().interrupt();
    return new AquiferException(
        "Interrupted while waiting for a load of cache '%s'; the load goes on for others."
            .formatted(flight.view.cache.name),
        e);
  }

  /** See {@link Loads#floor}. */
  ReadFloor floor(Flight flight, boolean settle) {
    return loads.floor(flight, settle);
  }

  private void follow(
      Flight mine, Flight flight, long deadline, CompletableFuture<@Nullable Object> result) {
    flight
        .later(node.executor)
        .whenComplete(
            (outcome, error) -> {
              try {
                if (error != null) {
                  result.completeExceptionally(cause(mine.view, error));
                } else if (flight == mine || satisfies(outcome, mine.view, mine.session)) {
                  result.complete(answered(mine.view, outcome));
                } else {
                  Flight next = new Flight(mine.at, mine.key, mine.source, node, mine.session);
                  follow(next, started(next, deadline, false), deadline, result);
                }
              } catch (Throwable e) {
                result.completeExceptionally(e);
              }
            });
  }

  private void limit(Flight mine, long deadline, CompletableFuture<@Nullable Object> result) {
    if (result.isDone()) {
      return;
    }
    try {
      Future<?> limit =
          node.timer.schedule(
              () -> late(mine, result),
              Math.max(0, deadline - node.nanos.getAsLong()),
              TimeUnit.NANOSECONDS);
      result.whenComplete((value, error) -> limit.cancel(false));
    } catch (RejectedExecutionException e) {
      result.completeExceptionally(closed(mine.view, e));
    }
  }

  private void late(Flight mine, CompletableFuture<@Nullable Object> result) {
    Flight.Outcome kept = stale.instead(mine, mine.session);
    if (kept == null) {
      result.completeExceptionally(timedOut(mine, null));
    } else {
      result.complete(answered(mine.view, kept));
    }
  }

  private long deadline(TenantView view) {
    return node.nanos.getAsLong() + view.cache.settings.loadTimeout().toNanos();
  }

  static Throwable unwrapped(Throwable error) {
    return error instanceof CompletionException && error.getCause() != null
        ? error.getCause()
        : error;
  }

  /** What a loader threw, out of what futures wrap it in. */
  static Throwable cause(TenantView view, Throwable error) {
    Throwable inner = unwrapped(error);
    return inner instanceof RejectedExecutionException rejected ? closed(view, rejected) : inner;
  }

  /** What Redis has, with no load. */
  @Nullable Object peek(MemoryKey at, Object key) {
    try {
      BulkKeys one = new BulkKeys(at.view, 1);
      one.add(at, key);
      Glance glance = Glance.at(node, one, node.sessions.current(), 0);
      if (glance != null) {
        boolean inTime = glance.await();
        if (one.open() == 0) {
          answered(at.view, Tier.L2);
          Object value = one.value(0);
          return value == null ? at.view.cache.none() : value;
        }
        if (!inTime || glance.told()) {
          return null;
        }
      }
      Flight flight = new Flight(at, key, () -> null, node);
      Flight.Outcome found = remoteRead.look(flight);
      return found == null ? null : answered(at.view, found);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return null;
    }
  }

  void getAll(BulkKeys missing, BulkSource source) {
    bulkLoads.getAll(missing, source, deadline(missing.view));
  }

  CompletableFuture<BulkKeys> getAllAsync(BulkKeys missing, BulkSource source) {
    return bulkLoads.getAllAsync(missing, source, deadline(missing.view));
  }

  /** Stores values that are current now: their keys are void first, with leases for the values. */
  void put(Map<MemoryKey, Object> keys, List<?> values) {
    currentValues.put(puts(keys), values);
  }

  /** As {@link #put}, with nobody waiting. */
  CompletableFuture<Void> putAsync(Map<MemoryKey, Object> keys, List<?> values) {
    return currentValues.putAsync(puts(keys), values);
  }

  private List<Flight> puts(Map<MemoryKey, Object> keys) {
    List<Flight> flights = new ArrayList<>(keys.size());
    keys.forEach((at, key) -> flights.add(new Flight(at, key, () -> null, node)));
    return flights;
  }

  /**
   * Stores a value that was current at the sequence, if nothing that it depends on moved since; 0:
   * not.
   */
  void stored(Flight flight, Remote.@Nullable Lease lease, @Nullable Object value, long sequence) {
    loads.stored(flight, lease, value, sequence);
  }

  /** Takes the caller onto the running flight of its key, or makes its own the running one. */
  Flight board(Flight mine, CausalSession session) {
    mine.urgent = loads.current() != null;
    Flight boarded = boarded(mine, session);
    stale.arm(boarded);
    return boarded;
  }

  private Flight boarded(Flight mine, CausalSession session) {
    while (true) {
      Flight found = running.putIfAbsent(mine.at, mine);
      if (found == null) {
        return mine;
      }
      Flight loading = loads.current();
      if (loading != null) {
        refuseCircle(loading, found);
      }
      if (found.serves(mine, node.shared)
          && node.joinable(found)
          && stale.servesStill(found, session)) {
        return found;
      }
      if (running.replace(mine.at, found, mine)) {
        // Its lease, which is renewed as long as it loads, is not to be waited for.
        mine.replaces = !found.shows(mine);
        return mine;
      }
    }
  }

  /** Starts a flight that nobody waits for, unless its key has one. */
  boolean startBehind(Flight flight, long now) {
    if (running.putIfAbsent(flight.at, flight) != null) {
      flight.ended.complete(null);
      return false;
    }
    long deadline = now + flight.view.cache.settings.loadTimeout().toNanos();
    try {
      remoteRead.start(flight, deadline, false);
      return true;
    } catch (RuntimeException | Error e) {
      fail(flight, e);
      return false;
    }
  }

  /** The flight is over: whoever comes now looks in memory, or begins another. */
  void finish(Flight flight, Flight.Outcome outcome) {
    running.remove(flight.at, flight);
    flight.done.complete(outcome);
    flight.ended.complete(null);
    if (outcome.tier() == Tier.L2) {
      refreshes.found(flight.at, flight.key, flight.source, flight.session);
    }
  }

  void fail(Flight flight, Throwable error) {
    running.remove(flight.at, flight);
    flight.failure = error;
    stale.failed(flight);
    Flight.Outcome kept = stale.instead(flight, flight.session);
    if (kept == null) {
      flight.done.completeExceptionally(error);
    } else {
      flight.done.complete(kept);
    }
    flight.ended.complete(null);
  }

  /** What they wait for may never come now: the timer has ended, and the link. */
  void close() {
    RejectedExecutionException ended = new RejectedExecutionException("closed");
    running.values().forEach(flight -> fail(flight, closed(flight.view, ended)));
  }

  Flight.Outcome await(Flight flight, long deadline) {
    Flight loading = loads.current();
    if (loading != null) {
      loading.waitsFor = flight;
      refuseCircle(loading, flight);
      flight.hurry();
    }
    try {
      long left = Math.max(0, deadline - node.nanos.getAsLong());
      return flight.done.get(left, TimeUnit.NANOSECONDS);
    } catch (InterruptedException e) {
      throw interrupted(flight, e);
    } catch (ExecutionException e) {
      throw sneaky(e.getCause());
    } catch (TimeoutException e) {
      Flight.Outcome kept = stale.instead(flight, node.sessions.current());
      if (kept != null) {
        return kept;
      }
      throw timedOut(flight, e);
    } finally {
      if (loading != null) {
        loading.waitsFor = null;
      }
    }
  }

  @Nullable Object answered(TenantView view, Flight.Outcome outcome) {
    answered(view, outcome.tier());
    return outcome.value() == null ? view.cache.none() : outcome.value();
  }

  /** A caller is answered from there. */
  void answered(TenantView view, Tier tier) {
    CacheCore cache = view.cache;
    if (tier == Tier.L2) {
      cache.remoteHits.increment();
    } else if (tier == Tier.L1) {
      cache.memoryHits.increment();
    } else if (tier == Tier.STALE) {
      cache.staleAnswers.increment();
    }
    node.observer.cacheAnswered(cache.name, view.tenant, tier);
  }

  /** See {@link Refreshes#found}. */
  void found(MemoryKey at, Object key, Flight.Source source, CausalSession session) {
    refreshes.found(at, key, source, session);
  }

  static Flight.Outcome outcome(
      Flight flight, @Nullable Object value, Tier tier, long sequence, long shared) {
    return new Flight.Outcome(value, tier, sequence, shared, Set.of());
  }

  boolean satisfies(Flight.Outcome outcome, TenantView view, CausalSession session) {
    Entry kept = outcome.kept();
    return kept == null
        ? view.partition.shows(outcome.sequence(), session)
            && view.partition.counts(session)
            && node.shared.shows(outcome.sharedSequence(), session)
        : stale.servable(view, kept, node.nanos.getAsLong(), session);
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

  /** A bulk loader, bound: returns a map, or one that comes later. */
  @FunctionalInterface
  interface BulkSource {
    @Nullable Object load(Set<Object> keys) throws Exception;
  }
}
