package dev.aquifer.cache;

import dev.aquifer.CausalSession;
import java.util.HashMap;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.FutureTask;
import org.jspecify.annotations.Nullable;

/**
 * Many keys at once: each is a flight like any other, so single reads and batches share what they
 * fetch. All that no other caller fetches is asked of Redis in one go; the loader is called once,
 * by the first flight that has to load, for all that were not found then.
 */
final class BulkLoads {
  private final Node node;
  private final Flights flights;
  private final RemoteRead remoteRead;

  BulkLoads(Node node, Flights flights, RemoteRead remoteRead) {
    this.node = node;
    this.flights = flights;
    this.remoteRead = remoteRead;
  }

  Map<Object, @Nullable Object> getAll(Map<MemoryKey, Object> missing, Flights.BulkSource source) {
    TenantView view = missing.keySet().iterator().next().view;
    long deadline = node.nanos.getAsLong() + view.cache.settings.loadTimeout().toNanos();
    CausalSession session = node.sessions.current();
    Batch batch = new Batch(source);
    Set<Flight> mine = new LinkedHashSet<>();
    Map<Object, Flight> all = new LinkedHashMap<>();
    missing.forEach(
        (at, key) -> {
          Flight own = new Flight(at, key, () -> batch.value(key), node);
          own.batched();
          Flight flight = flights.board(own, session);
          all.put(key, flight);
          if (flight == own) {
            mine.add(own);
          }
        });
    start(mine, batch, deadline);
    Map<Object, @Nullable Object> found = new LinkedHashMap<>();
    all.forEach(
        (key, flight) -> {
          Flight.Outcome outcome = flights.await(flight, deadline);
          boolean own = mine.contains(flight);
          found.put(
              key,
              own || flights.satisfies(outcome, view, session)
                  ? flights.answered(view, outcome)
                  : flights.get(flight.at, key, () -> new Batch(source).value(key)));
        });
    return found;
  }

  private void start(Set<Flight> mine, Batch batch, long deadline) {
    if (mine.isEmpty()) {
      return;
    }
    TenantView view = mine.iterator().next().view;
    Map<Flight, Remote.Ask> asks = new LinkedHashMap<>();
    Remote remote = node.remote();
    for (Flight flight : mine) {
      if (remote != null && remote.readable(view.partition) && remoteRead.fits(flight)) {
        asks.put(flight, new Remote.Ask(flight.text, UUID.randomUUID().toString(), null));
      }
    }
    Map<Flight, Remote.Answer> answers = answers(view, asks);
    for (Flight flight : mine) {
      Remote.Answer answer = answers.get(flight);
      if (answer == null || answer.lease() != null) {
        batch.wanted.add(flight.key);
      }
    }
    for (Flight flight : mine) {
      Remote.Ask ask = asks.get(flight);
      String token = ask == null || ask.token() == null ? "" : ask.token();
      remoteRead.resume(flight, answers.get(flight), token, deadline);
    }
  }

  /** What Redis has to say, of those it answered in time for. */
  private Map<Flight, Remote.Answer> answers(TenantView view, Map<Flight, Remote.Ask> asks) {
    Map<Flight, Remote.Answer> answers = new HashMap<>();
    Remote remote = node.remote();
    if (remote == null || asks.isEmpty()) {
      return answers;
    }
    try {
      Iterator<Remote.@Nullable Answer> next =
          remote.read(view, List.copyOf(asks.values())).iterator();
      for (Flight flight : asks.keySet()) {
        Remote.Answer answer = next.next();
        if (answer != null) {
          answers.put(flight, answer);
        }
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
    return answers;
  }

  /** One call of the loader for all keys that want it by then; keys that come later call again. */
  private static final class Batch {
    private final Flights.BulkSource source;
    final Set<Object> wanted = ConcurrentHashMap.newKeySet();
    private volatile @Nullable FutureTask<Map<?, ?>> first;
    private final java.util.concurrent.locks.ReentrantLock choosing =
        new java.util.concurrent.locks.ReentrantLock();

    Batch(Flights.BulkSource source) {
      this.source = source;
    }

    @Nullable Object value(Object key) throws Exception {
      FutureTask<Map<?, ?>> call;
      boolean run = false;
      choosing.lock();
      try {
        FutureTask<Map<?, ?>> begun = first;
        if (begun == null || !wanted.contains(key)) {
          Set<Object> keys = new LinkedHashSet<>(wanted);
          boolean together = begun == null && keys.contains(key);
          call = new FutureTask<>(() -> source.load(together ? keys : Set.of(key)));
          run = true;
          if (together) {
            first = call;
          }
        } else {
          call = begun;
        }
      } finally {
        choosing.unlock();
      }
      if (run) {
        call.run();
      }
      try {
        return call.get().get(key);
      } catch (java.util.concurrent.ExecutionException e) {
        throw Flights.sneaky(e.getCause());
      }
    }
  }
}
