package dev.aquifer.cache;

import dev.aquifer.CausalSession;
import dev.aquifer.ReadFloor;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.RejectedExecutionException;
import org.jspecify.annotations.Nullable;

/**
 * Many keys at once: each is a flight like any other, so single reads and batches share what they
 * fetch. All that no other caller fetches is asked of Redis in one go, and what has to be loaded
 * then is loaded by one call; what others were loading, and failed to, by another.
 */
// What futures end with is looked at by their own stages.
@SuppressWarnings("FutureReturnValueIgnored")
final class BulkLoads {
  private final Node node;
  private final Flights flights;
  private final Loads loads;
  private final RemoteRead remoteRead;

  BulkLoads(Node node, Flights flights, Loads loads, RemoteRead remoteRead) {
    this.node = node;
    this.flights = flights;
    this.loads = loads;
    this.remoteRead = remoteRead;
  }

  /** How each key ended: what it has, or why not. */
  record Ends(Map<Object, @Nullable Object> values, Map<Object, Throwable> errors) {}

  /** Waits for all. */
  Ends getAll(Map<MemoryKey, Object> missing, Flights.BulkSource source, long deadline) {
    CausalSession session = node.sessions.current();
    Boarded boarded = board(missing, source, session);
    start(boarded, source, deadline, true);
    Ends ends = new Ends(new LinkedHashMap<>(), new LinkedHashMap<>());
    boarded.all.forEach(
        (key, flight) -> {
          try {
            Flight.Outcome outcome = flights.await(flight, deadline);
            boolean satisfied =
                boarded.mine.contains(flight) || flights.satisfies(outcome, flight.view, session);
            ends.values.put(
                key,
                satisfied
                    ? flights.answered(flight.view, outcome)
                    : flights.get(flight.at, key, () -> one(source, key)));
          } catch (Throwable e) {
            ends.errors.put(key, e);
          }
        });
    return ends;
  }

  /** As {@link #getAll}, with nobody waiting. */
  CompletableFuture<Ends> getAllAsync(
      Map<MemoryKey, Object> missing, Flights.BulkSource source, long deadline) {
    CausalSession session = node.sessions.current();
    Boarded boarded = board(missing, source, session);
    Map<Object, CompletableFuture<@Nullable Object>> all = new LinkedHashMap<>();
    boarded.all.forEach(
        (key, flight) -> {
          boolean own = boarded.mine.contains(flight);
          Flight mine =
              own ? flight : new Flight(flight.at, key, () -> one(source, key), node, session);
          all.put(key, flights.followed(mine, flight, deadline));
        });
    start(boarded, source, deadline, false);
    CompletableFuture<?>[] each = all.values().toArray(new CompletableFuture<?>[0]);
    return CompletableFuture.allOf(each).handleAsync((done, error) -> ends(all), node.executor);
  }

  private static Ends ends(Map<Object, CompletableFuture<@Nullable Object>> all) {
    Ends ends = new Ends(new LinkedHashMap<>(), new LinkedHashMap<>());
    all.forEach(
        (key, result) -> {
          try {
            ends.values.put(key, result.join());
          } catch (RuntimeException e) {
            ends.errors.put(key, Flights.unwrapped(e));
          }
        });
    return ends;
  }

  /** The flights of all keys, and those among them that this call has to end. */
  private record Boarded(Map<Object, Flight> all, Set<Flight> mine) {}

  private Boarded board(
      Map<MemoryKey, Object> missing, Flights.BulkSource source, CausalSession session) {
    Boarded boarded = new Boarded(new LinkedHashMap<>(), new LinkedHashSet<>());
    try {
      missing.forEach(
          (at, key) -> {
            Flight own = new Flight(at, key, () -> one(source, key), node, session);
            Flight flight = flights.board(own, session);
            boarded.all.put(key, flight);
            if (flight == own) {
              boarded.mine.add(own);
            }
          });
    } catch (RuntimeException e) {
      boarded.mine.forEach(flight -> flights.fail(flight, e));
      throw e;
    }
    return boarded;
  }

  private void start(Boarded boarded, Flights.BulkSource source, long deadline, boolean wait) {
    Map<TenantView, List<Flight>> views = new LinkedHashMap<>(2);
    boarded.mine.forEach(
        flight -> views.computeIfAbsent(flight.view, view -> new ArrayList<>()).add(flight));
    views.forEach(
        (view, flights) ->
            remoteRead.start(
                flights, granted -> new Batch(granted, source).start(), deadline, wait));
  }

  private static @Nullable Object one(Flights.BulkSource source, Object key) throws Exception {
    Object loaded;
    try {
      loaded = source.load(Set.of(key));
    } catch (PartialLoadException e) {
      return Answers.of(null, e).of(key);
    }
    return loaded instanceof Flights.Later later
        ? new Flights.Later(
            later.stage().handle((values, error) -> Answers.of(values, error).of(key)))
        : Answers.of(loaded, null).of(key);
  }

  /** What a bulk loader answered, or how it failed: as a whole, or for some. */
  private record Answers(
      Map<?, ?> values, Map<?, ? extends Throwable> errors, @Nullable Throwable whole) {
    static Answers of(@Nullable Object values, @Nullable Throwable error) {
      Throwable cause = error == null ? null : Flights.unwrapped(error);
      if (cause instanceof PartialLoadException partial) {
        return new Answers(partial.values(), partial.errors(), null);
      }
      if (cause == null && values instanceof Map<?, ?> map) {
        return new Answers(map, Map.of(), null);
      }
      return new Answers(
          Map.of(),
          Map.of(),
          cause != null
              ? cause
              : new NullPointerException(
                  "A bulk loader returned null; it must return a map, an empty one where there is nothing."));
    }

    @Nullable Object of(Object key) {
      Throwable error = whole != null ? whole : errors.get(key);
      if (error != null) {
        throw Flights.<RuntimeException>sneaky(error);
      }
      return values.get(key);
    }
  }

  /** One call of the loader. */
  private final class Batch {
    private final List<RemoteRead.Granted> granted;
    private final Flights.BulkSource source;
    private final Flight first;
    private final CompletableFuture<Answers> done = new CompletableFuture<>();

    Batch(List<RemoteRead.Granted> granted, Flights.BulkSource source) {
      this.granted = granted;
      this.source = source;
      this.first = granted.get(0).flight();
    }

    void start() {
      for (RemoteRead.Granted one : granted) {
        Flight flight = one.flight();
        if (flight != first) {
          // A loader that asks for one of its own keys waits for itself.
          flight.waitsFor = first;
        }
        loads.join(flight, one.lease(), done.thenApply(answers -> answers.of(flight.key)));
      }
      try {
        node.limiter.start(first, this::run, error -> end(null, error));
      } catch (RejectedExecutionException e) {
        end(null, Flights.closed(first.view, e));
      }
    }

    private void run() {
      ReadFloor floor = ReadFloor.NONE;
      Set<Object> keys = new LinkedHashSet<>();
      for (RemoteRead.Granted one : granted) {
        one.flight().loadsFrom(node);
        floor = floor.and(loads.floor(one.flight(), true));
        keys.add(one.flight().key);
      }
      try {
        Object loaded = loads.call(first, floor, () -> source.load(keys));
        granted.forEach(one -> one.flight().route = first.route);
        if (loaded instanceof Flights.Later later) {
          later.stage().whenComplete(this::end);
        } else {
          end(loaded, null);
        }
      } catch (Throwable e) {
        end(null, e);
      }
    }

    private void end(@Nullable Object loaded, @Nullable Throwable error) {
      Answers answers = Answers.of(loaded, error);
      Remote remote = node.remote();
      if (remote == null) {
        done.complete(answers);
      } else {
        remote.together(() -> done.complete(answers));
      }
    }
  }
}
