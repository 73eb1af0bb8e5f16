package dev.aquifer.cache;

import dev.aquifer.CausalSession;
import dev.aquifer.spi.Observer.CacheFault;
import dev.aquifer.spi.Observer.Tier;
import java.util.Arrays;
import java.util.UUID;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * The way of a flight through Redis: a current entry ends it, a lease sends it on to load, and
 * while another process holds the lease it looks again until that process filled, failed or died.
 */
final class RemoteRead {
  private static final long FIRST_LOOK = TimeUnit.MILLISECONDS.toNanos(2);
  private static final long LONGEST_LOOK = TimeUnit.MILLISECONDS.toNanos(50);
  private static final int REFUSED_PREFIX = 80;

  private final Node node;
  private final Loads loads;

  RemoteRead(Node node, Loads loads) {
    this.node = node;
    this.loads = loads;
  }

  /** Starts the flight on the caller's thread, which also waits for Redis. */
  void start(Flight flight, long deadline) {
    Remote remote = node.remote();
    if (remote == null || !fits(flight)) {
      loads.start(flight, null);
      return;
    }
    step(flight, remote, new Turn(UUID.randomUUID().toString(), null, FIRST_LOOK, deadline));
  }

  /** What Redis has, with no lease; null where it has nothing current. */
  Flight.@Nullable Outcome look(Flight flight) throws InterruptedException {
    Remote remote = node.remote();
    if (remote == null || !fits(flight) || !remote.readable(flight.view.partition)) {
      return null;
    }
    long tick = node.ticks.get();
    Remote.Answer answer = remote.read(flight.view, new Remote.Ask(flight.text, null, null));
    return answer == null || answer.entry() == null ? null : judged(flight, answer, tick);
  }

  boolean fits(Flight flight) {
    if (flight.text.length() <= flight.view.cache.settings.maxKeyChars()) {
      return true;
    }
    flight.view.cache.fault(CacheFault.TOO_LARGE, null);
    return false;
  }

  /** What a flight remembers between two looks. */
  @SuppressWarnings("ArrayRecordComponent") // never compared
  private record Turn(String token, byte @Nullable [] refused, long pause, long deadline) {}

  /** Goes on with what a batch was answered. */
  void resume(Flight flight, Remote.@Nullable Answer answer, String token, long deadline) {
    Remote remote = node.remote();
    byte[] entry = answer == null ? null : answer.entry();
    if (remote == null || answer == null || answer.lease() != null) {
      loads.start(flight, answer == null ? null : answer.lease());
    } else if (entry == null) {
      lookLater(flight, remote, new Turn(token, null, FIRST_LOOK, deadline));
    } else {
      Flight.Outcome outcome = judged(flight, answer, flight.tick());
      if (outcome != null) {
        node.flights.finish(flight, outcome);
      } else {
        step(flight, remote, new Turn(token, prefix(entry), FIRST_LOOK, deadline));
      }
    }
  }

  private static byte[] prefix(byte[] entry) {
    return Arrays.copyOf(entry, Math.min(entry.length, REFUSED_PREFIX));
  }

  private void step(Flight flight, Remote remote, Turn turn) {
    Turn next = turn;
    // A refused entry is asked past once; more often only if others keep filling void ones.
    for (int tries = 0; tries < 4; tries++) {
      Remote.Answer answer;
      long tick = node.ticks.get();
      try {
        answer =
            remote.readable(flight.view.partition)
                ? remote.read(
                    flight.view, new Remote.Ask(flight.text, next.token(), next.refused()))
                : null;
      } catch (InterruptedException e) {
        // The others still want the answer: another thread goes on.
        Thread.currentThread().interrupt();
        loads.start(flight, null);
        return;
      }
      if (answer == null || answer.lease() != null) {
        loads.start(flight, answer == null ? null : answer.lease());
        return;
      }
      byte[] entry = answer.entry();
      if (entry == null) {
        lookLater(flight, remote, next);
        return;
      }
      Flight.Outcome outcome = judged(flight, answer, tick);
      if (outcome != null) {
        node.flights.finish(flight, outcome);
        return;
      }
      next = new Turn(next.token(), prefix(entry), next.pause(), next.deadline());
    }
    loads.start(flight, null);
  }

  @SuppressWarnings("FutureReturnValueIgnored") // what it runs ends the flight, whatever happens
  private void lookLater(Flight flight, Remote remote, Turn turn) {
    long now = node.nanos.getAsLong();
    if (now + turn.pause() - turn.deadline() >= 0) {
      loads.start(flight, null);
      return;
    }
    Turn next =
        new Turn(
            turn.token(),
            turn.refused(),
            Math.min(LONGEST_LOOK, turn.pause() * 3 / 2),
            turn.deadline());
    try {
      node.timer.schedule(
          () -> node.executor.execute(() -> step(flight, remote, next)),
          turn.pause(),
          TimeUnit.NANOSECONDS);
    } catch (java.util.concurrent.RejectedExecutionException e) {
      node.flights.fail(flight, Flights.closed(flight.view, e));
    }
  }

  /**
   * The entry's value, kept in memory, or null where it is damaged, void or of another schema.
   *
   * @param asked the tick from before it was asked for
   */
  private Flight.@Nullable Outcome judged(Flight flight, Remote.Answer answer, long asked) {
    CacheCore cache = flight.view.cache;
    byte[] bytes = java.util.Objects.requireNonNull(answer.entry());
    Envelope envelope = Envelope.read(bytes);
    if (envelope == null || !envelope.writtenBy(cache.values.codec)) {
      cache.fault(CacheFault.DAMAGED, null);
      return null;
    }
    // Taken before the entry is judged: a void that comes after is then later than this.
    Partition partition = flight.view.partition;
    long judging = node.ticks.get();
    long tick = partition.knownTo(answer.incarnation(), answer.sequence()) ? judging : asked;
    TagCell[] cells = flight.view.own(flight.keyCell, envelope.tags());
    TagCell[] shared = flight.view.shared(node.shared, envelope.tags());
    boolean current =
        partition.stands(envelope.incarnation(), envelope.asOf(), cells)
            && node.shared.stands(envelope.sharedIncarnation(), envelope.sharedAsOf(), shared);
    CausalSession session = flight.session;
    Remote remote = node.remote();
    if ((node.guards.markers && !current)
        // A void that Redis does not know of yet has no sequence to judge by.
        || remote == null
        || !remote.readable(partition)
        || !remote.readable(node.shared)
        || answer.sequence() < session.sequence(partition.name)
        || node.shared.applied() < session.sequence(node.shared.name)) {
      return null;
    }
    Object value = null;
    int size = 0;
    if (!envelope.negative()) {
      try {
        byte[] payload = envelope.payload(cache.settings.maxValueBytes());
        size = payload.length;
        value = cache.values.bytes.decode(payload);
      } catch (Exception | StackOverflowError e) {
        cache.fault(CacheFault.DAMAGED, e);
        return null;
      }
      if (value == null) {
        cache.fault(CacheFault.DAMAGED, null);
        return null;
      }
    }
    long now = node.nanos.getAsLong();
    long kept = now + TimeUnit.MILLISECONDS.toNanos(Math.max(1, answer.ttlMillis()));
    node.remember(
        flight.at,
        new Entry(
            value,
            envelope.negative(),
            Math.max(now, kept - TimeUnit.MILLISECONDS.toNanos(envelope.staleMillis())),
            kept,
            TimeUnit.MILLISECONDS.toNanos(envelope.loadMillis()),
            node.guards.earlyTicks ? tick : node.ticks.get(),
            cells,
            shared,
            size + 256 + 2 * flight.text.length()));
    return Flights.outcome(flight, value, Tier.L2, answer.sequence(), node.shared.applied());
  }
}
