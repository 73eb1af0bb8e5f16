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
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Many keys at once. A plain look ({@link BulkLooks}) answers what Redis has, with nothing made for
 * a key but its answer. Each other key is a flight like any other, so single reads and batches
 * share what they load: all that no other caller fetches is asked of Redis in one go, and what has
 * to be loaded then is loaded by one call; what others were loading, and failed to, by another.
 */
// What futures end with is looked at by their own stages.
@SuppressWarnings("FutureReturnValueIgnored")
final class BulkLoads {
  private final Node node;
  private final Flights flights;
  private final Loads loads;
  private final RemoteRead remoteRead;
  private final BulkLooks looks;

  BulkLoads(Node node, Flights flights, Loads loads, RemoteRead remoteRead) {
    this.node = node;
    this.flights = flights;
    this.loads = loads;
    this.remoteRead = remoteRead;
    this.looks = new BulkLooks(node, flights);
  }

  /** Waits for all. */
  void getAll(BulkKeys keys, Flights.BulkSource source, long deadline) {
    CausalSession session = node.sessions.current();
    BulkLooks.Batch looking = looks.start(keys, session, key -> () -> one(source, key));
    RemoteRead.From from = looking == null ? RemoteRead.From.LOOK : looking.await();
    if (keys.open() > 0) {
      Boarded boarded = board(keys, source, session);
      start(boarded, from, source, deadline, true);
      boarded.all.forEach(
          (i, flight) -> {
            try {
              keys.answer(i, awaited(boarded, flight, source, session, deadline));
            } catch (Throwable e) {
              keys.fail(i, e);
            }
          });
    }
  }

  private @Nullable Object awaited(
      Boarded boarded,
      Flight flight,
      Flights.BulkSource source,
      CausalSession session,
      long deadline) {
    Flight.Outcome outcome = flights.await(flight, deadline);
    return boarded.mine.containsKey(flight) || flights.satisfies(outcome, flight.view, session)
        ? flights.answered(flight.view, outcome)
        : flights.get(flight.at, flight.key, () -> one(source, flight.key));
  }

  /** As {@link #getAll}, with nobody waiting. */
  CompletableFuture<BulkKeys> getAllAsync(BulkKeys keys, Flights.BulkSource source, long deadline) {
    CausalSession session = node.sessions.current();
    CompletableFuture<BulkKeys> all = new CompletableFuture<>();
    // Whom a load asks for must be known to wait for it, or a circle would not be noticed.
    BulkLooks.Batch looking =
        loads.current() == null ? looks.start(keys, session, key -> () -> one(source, key)) : null;
    if (looking == null) {
      fly(keys, RemoteRead.From.LOOK, source, session, deadline, all);
      return all;
    }
    looking.then(
        (from, error) -> {
          if (from == null) {
            all.completeExceptionally(java.util.Objects.requireNonNull(error));
            return;
          }
          try {
            fly(keys, from, source, session, deadline, all);
          } catch (Throwable e) {
            all.completeExceptionally(e);
          }
        });
    return all;
  }

  /** What has no answer yet becomes flights; then all is there. */
  private void fly(
      BulkKeys keys,
      RemoteRead.From from,
      Flights.BulkSource source,
      CausalSession session,
      long deadline,
      CompletableFuture<BulkKeys> all) {
    if (keys.open() == 0) {
      all.complete(keys);
      return;
    }
    Boarded boarded = board(keys, source, session);
    Map<Integer, CompletableFuture<@Nullable Object>> results = new LinkedHashMap<>();
    boarded.all.forEach(
        (i, flight) -> {
          Object key = keys.key(i);
          Flight mine =
              boarded.mine.containsKey(flight)
                  ? flight
                  : new Flight(flight.at, key, () -> one(source, key), node, session);
          results.put(i, flights.followed(mine, flight, deadline));
        });
    start(boarded, from, source, deadline, false);
    CompletableFuture.allOf(results.values().toArray(new CompletableFuture<?>[0]))
        .handleAsync(
            (done, error) -> {
              for (Map.Entry<Integer, CompletableFuture<@Nullable Object>> each :
                  results.entrySet()) {
                take(keys, each.getKey(), each.getValue());
              }
              return keys;
            },
            node.executor)
        .whenComplete(
            (done, error) -> {
              if (error == null) {
                all.complete(keys);
              } else {
                all.completeExceptionally(error);
              }
            });
  }

  private static void take(BulkKeys keys, int i, CompletableFuture<@Nullable Object> result) {
    try {
      keys.answer(i, result.join());
    } catch (RuntimeException e) {
      keys.fail(i, Flights.unwrapped(e));
    }
  }

  /** The flights of keys, by position, and those among them that this call has to end. */
  private record Boarded(Map<Integer, Flight> all, Map<Flight, RemoteRead.Place> mine) {}

  private Boarded board(BulkKeys keys, Flights.BulkSource source, CausalSession session) {
    Boarded boarded = new Boarded(new LinkedHashMap<>(), new LinkedHashMap<>());
    try {
      for (int i = 0; i < keys.size(); i++) {
        if (keys.open(i)) {
          Object key = keys.key(i);
          Flight own = new Flight(keys.place(i), key, () -> one(source, key), node, session);
          Flight flight = flights.board(own, session);
          boarded.all.put(i, flight);
          if (flight == own) {
            boarded.mine.put(own, RemoteRead.Place.of(own, keys.refused(i)));
          }
        }
      }
    } catch (RuntimeException e) {
      boarded.mine.keySet().forEach(flight -> flights.fail(flight, e));
      throw e;
    }
    return boarded;
  }

  private void start(
      Boarded boarded,
      RemoteRead.From from,
      Flights.BulkSource source,
      long deadline,
      boolean wait) {
    Map<TenantView, List<RemoteRead.Place>> views = new LinkedHashMap<>(2);
    boarded.mine.forEach(
        (flight, place) ->
            views.computeIfAbsent(flight.view, view -> new ArrayList<>()).add(place));
    RemoteRead.Loading loading =
        new Gathering(views.size(), granted -> new Batch(granted, source).start());
    // The partitions are asked at the same time; a thread waits where there is one of them.
    boolean alone = wait && views.size() == 1;
    views.values().forEach(places -> remoteRead.start(places, from, loading, deadline, alone));
  }

  /** What the partitions do not have is loaded by one call; what is granted later by others. */
  private static final class Gathering implements RemoteRead.Loading {
    private final Consumer<List<RemoteRead.Granted>> then;
    private final ReentrantLock lock = new ReentrantLock();
    private final List<RemoteRead.Granted> first = new ArrayList<>();
    private int missing;

    Gathering(int partitions, Consumer<List<RemoteRead.Granted>> then) {
      this.missing = partitions;
      this.then = then;
    }

    @Override
    public void load(List<RemoteRead.Granted> all) {
      List<RemoteRead.Granted> now = gathered(all);
      if (!now.isEmpty()) {
        then.accept(now);
      }
    }

    private List<RemoteRead.Granted> gathered(List<RemoteRead.Granted> all) {
      lock.lock();
      try {
        if (missing == 0) {
          return all;
        }
        first.addAll(all);
        missing--;
        return missing == 0 ? first : List.of();
      } finally {
        lock.unlock();
      }
    }
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
        if (flight.urgent) {
          // Some load waits for this key already, and so for the batch.
          first.hurry();
        }
        loads.join(flight, one.lease(), done.thenApply(answers -> answers.of(flight.key)));
      }
      try {
        node.limiter.start(first, this::run, error -> end(null, error));
      } catch (RuntimeException | Error e) {
        end(null, Limiter.rejected(first, e));
      }
    }

    private void run() {
      try {
        load();
      } catch (Throwable e) {
        end(null, e);
      }
    }

    private void load() throws Exception {
      ReadFloor floor = ReadFloor.NONE;
      Set<Object> keys = new LinkedHashSet<>();
      for (RemoteRead.Granted one : granted) {
        Flight flight = one.flight();
        if (!flight.ended.isDone()) {
          flight.loadsFrom(node);
          floor = floor.and(loads.floor(flight, true));
          keys.add(flight.key);
        }
      }
      if (keys.isEmpty()) {
        // It was too late before its turn came.
        return;
      }
      Object loaded = loads.call(first, floor, () -> source.load(keys));
      granted.forEach(one -> one.flight().route = first.route);
      if (loaded instanceof Flights.Later later) {
        later.stage().whenComplete(this::end);
      } else {
        end(loaded, null);
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
