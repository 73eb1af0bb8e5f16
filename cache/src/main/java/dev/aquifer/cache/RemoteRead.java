package dev.aquifer.cache;

import dev.aquifer.CausalSession;
import dev.aquifer.spi.Observer.CacheFault;
import dev.aquifer.spi.Observer.Tier;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * The way of flights through Redis: a current entry ends one, a lease sends it on to load, and
 * while another process holds the lease it looks again until that process filled, failed or died.
 * Flights that set out together look together, and those that have to load do so in one call.
 *
 * <p>No thread waits, but for a caller who would wait anyway: it takes the answers on its own
 * thread, which spares two changes of threads.
 */
final class RemoteRead {
  private static final long FIRST_LOOK = TimeUnit.MILLISECONDS.toNanos(2);
  private static final long LONGEST_LOOK = TimeUnit.MILLISECONDS.toNanos(50);
  private static final int REFUSED_PREFIX = 80;
  private static final int TRIES = 4;

  private final Node node;
  private final Loads loads;

  RemoteRead(Node node, Loads loads) {
    this.node = node;
    this.loads = loads;
  }

  /** Loads what Redis does not have. */
  @FunctionalInterface
  interface Loading {
    void load(List<Granted> all);
  }

  /** A flight that is to load; with no lease where Redis did not answer. */
  record Granted(Flight flight, Remote.@Nullable Lease lease) {}

  /** Starts one flight. */
  void start(Flight flight, long deadline, boolean wait) {
    start(List.of(flight), this::loadEach, deadline, wait);
  }

  /**
   * Starts flights of one view.
   *
   * @param wait whether the calling thread waits for Redis
   */
  void start(List<Flight> flights, Loading loading, long deadline, boolean wait) {
    Remote remote = node.remote();
    List<Place> open = new ArrayList<>(flights.size());
    List<Granted> local = new ArrayList<>();
    for (Flight flight : flights) {
      if (remote == null || !fits(flight)) {
        local.add(new Granted(flight, null));
      } else {
        open.add(new Place(flight, null));
      }
    }
    if (remote == null || open.isEmpty()) {
      loading.load(local);
    } else {
      new Way(remote, flights.get(0), loading, deadline, open, local).step(wait);
    }
  }

  /** As {@link #start}, passing over what Redis has now. */
  void renew(Flight flight, long deadline) {
    Remote remote = node.remote();
    if (remote == null || !fits(flight) || !remote.readable(flight.view.partition)) {
      loads.start(flight, null);
      return;
    }
    byte[] entry = null;
    try {
      Remote.Answer answer = answer(flight, remote);
      entry = answer == null ? null : answer.entry();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
    Place place = new Place(flight, entry == null ? null : prefix(entry));
    new Way(remote, flight, this::loadEach, deadline, List.of(place), new ArrayList<>()).step(true);
  }

  private void loadEach(List<Granted> all) {
    all.forEach(granted -> loads.start(granted.flight(), granted.lease()));
  }

  private static Remote.@Nullable Answer answer(Flight flight, Remote remote)
      throws InterruptedException {
    Remote.Ask ask = new Remote.Ask(flight.text, false, null);
    return remote.read(flight.view, flight.session, List.of(ask)).await()[0];
  }

  /** What Redis has, with no lease; null where it has nothing current. */
  Flight.@Nullable Outcome look(Flight flight) throws InterruptedException {
    Remote remote = node.remote();
    if (remote == null || !fits(flight) || !remote.readable(flight.view.partition)) {
      return null;
    }
    long asked = node.ticks.get();
    Remote.Answer answer = answer(flight, remote);
    return answer == null || answer.entry() == null ? null : judged(flight, answer, asked);
  }

  boolean fits(Flight flight) {
    if (flight.text.length() <= flight.view.cache.settings.maxKeyChars()) {
      return true;
    }
    flight.view.cache.fault(CacheFault.TOO_LARGE, null);
    return false;
  }

  /** A flight, and how the entry began that was refused. */
  @SuppressWarnings("ArrayRecordComponent") // never compared
  private record Place(Flight flight, byte @Nullable [] refused) {}

  /** Flights under way, and what is to be done with them next. */
  private final class Way {
    private final Remote remote;
    private final TenantView view;
    private final CausalSession session;
    private final Loading loading;
    private final long deadline;
    private final List<Granted> granted;
    private final List<Place> waiting = new ArrayList<>(1);
    private List<Place> open;
    private long pause = FIRST_LOOK;
    private int tries;
    private long asked;

    Way(
        Remote remote,
        Flight first,
        Loading loading,
        long deadline,
        List<Place> open,
        List<Granted> granted) {
      this.remote = remote;
      this.view = first.view;
      this.session = first.session;
      this.loading = loading;
      this.deadline = deadline;
      this.open = open;
      this.granted = granted;
    }

    void step(boolean wait) {
      if (!remote.readable(view.partition)) {
        loadOpen();
        return;
      }
      List<Remote.Ask> asks = new ArrayList<>(open.size());
      for (Place place : open) {
        asks.add(new Remote.Ask(place.flight.text, true, place.refused));
      }
      asked = node.ticks.get();
      Remote.Reply reply = remote.read(view, session, asks);
      if (!wait) {
        reply.then(answers -> guarded(() -> took(answers, false)));
        return;
      }
      Remote.@Nullable Answer[] answers;
      try {
        answers = reply.await();
      } catch (InterruptedException e) {
        // The others still want the answer: another thread goes on.
        Thread.currentThread().interrupt();
        loadOpen();
        return;
      }
      took(answers, true);
    }

    private void loadOpen() {
      open.forEach(place -> granted.add(new Granted(place.flight, null)));
      open = List.of();
      over();
    }

    private void took(Remote.@Nullable Answer[] answers, boolean wait) {
      List<Place> again = new ArrayList<>(0);
      for (int i = 0; i < answers.length; i++) {
        Flight flight = open.get(i).flight;
        Remote.Answer answer = answers[i];
        byte[] entry = answer == null ? null : answer.entry();
        if (answer == null || answer.lease() != null) {
          granted.add(new Granted(flight, answer == null ? null : answer.lease()));
        } else if (entry == null && (poisoned(flight) || flight.replaces)) {
          // Nobody will fill it, or not with what is asked for.
          granted.add(new Granted(flight, null));
        } else if (entry == null) {
          waiting.add(open.get(i));
        } else {
          Flight.Outcome outcome = judged(flight, answer, asked);
          if (outcome != null) {
            node.flights.finish(flight, outcome);
          } else {
            again.add(new Place(flight, prefix(entry)));
          }
        }
      }
      open = again;
      // A refused entry is asked past once; more often only if others keep filling void ones.
      if (!again.isEmpty() && ++tries < TRIES) {
        step(wait);
      } else {
        loadOpen();
      }
    }

    /** What is to be loaded is, and the others look later. */
    private void over() {
      tries = 0;
      boolean late = node.nanos.getAsLong() + pause - deadline >= 0;
      if (late) {
        waiting.forEach(place -> granted.add(new Granted(place.flight, null)));
        waiting.clear();
      }
      open = List.copyOf(waiting);
      waiting.clear();
      if (!granted.isEmpty()) {
        List<Granted> now = List.copyOf(granted);
        granted.clear();
        loading.load(now);
      }
      if (!open.isEmpty()) {
        lookLater();
      }
    }

    @SuppressWarnings("FutureReturnValueIgnored") // what it runs ends the flights
    private void lookLater() {
      long after = pause;
      pause = Math.min(LONGEST_LOOK, pause * 3 / 2);
      try {
        node.timer.schedule(() -> guarded(() -> step(false)), after, TimeUnit.NANOSECONDS);
      } catch (RejectedExecutionException e) {
        open.forEach(place -> node.flights.fail(place.flight, Flights.closed(view, e)));
      }
    }

    /** A flight that nobody ends would keep its callers waiting. */
    private void guarded(Runnable work) {
      try {
        work.run();
      } catch (RuntimeException | Error e) {
        granted.forEach(
            one -> {
              loads.giveBack(one.flight, one.lease);
              node.flights.fail(one.flight, e);
            });
        waiting.forEach(place -> node.flights.fail(place.flight, e));
        open.forEach(place -> node.flights.fail(place.flight, e));
      }
    }
  }

  private static boolean poisoned(Flight flight) {
    return TagCell.anyPoisoned(flight.cells) || TagCell.anyPoisoned(flight.shared);
  }

  private static byte[] prefix(byte[] entry) {
    return Arrays.copyOf(entry, Math.min(entry.length, REFUSED_PREFIX));
  }

  /**
   * The entry's value, kept in memory, or null where it is damaged, void or of another schema.
   *
   * @param asked the tick from before it was asked for
   */
  private Flight.@Nullable Outcome judged(Flight flight, Remote.Answer answer, long asked) {
    CacheCore cache = flight.view.cache;
    byte[] bytes = java.util.Objects.requireNonNull(answer.entry());
    Envelope.Place place =
        new Envelope.Place(StoredKeys.of(flight.view, flight.text).entry(), cache.values.format);
    Envelope envelope = Envelope.read(place, bytes);
    if (envelope == null || !envelope.writtenBy(cache.values.codec)) {
      boolean foreign = envelope != null || Envelope.foreign(place, bytes);
      cache.fault(foreign ? CacheFault.FOREIGN : CacheFault.DAMAGED, null);
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
        || !partition.counts(session)
        || node.shared.applied() < session.sequence(node.shared.name)) {
      return null;
    }
    Object value = null;
    int size = 0;
    if (!envelope.negative()) {
      try {
        byte[] payload = envelope.payload(cache.settings.maxValueBytes());
        size = payload.length;
        value = cache.values.decode(payload);
      } catch (Exception e) {
        cache.fault(CacheFault.DAMAGED, e);
        return null;
      }
    }
    long left = left(envelope, answer, remote.clock());
    if (left <= 0) {
      // For how long nobody knows: it answers now, where it cannot be past its time.
      return envelope.staleMillis() == 0 && !flight.renews()
          ? Flights.outcome(flight, value, Tier.L2, answer.sequence(), node.shared.applied())
          : null;
    }
    long now = node.nanos.getAsLong();
    long kept = now + Lifetimes.nanos(left);
    Entry found =
        new Entry(
            value,
            envelope.negative(),
            kept - Lifetimes.nanos(envelope.staleMillis()),
            kept,
            Lifetimes.nanos(envelope.loadMillis()),
            node.guards.earlyTicks ? tick : node.ticks.get(),
            cells,
            shared,
            size + 256 + 2 * flight.text.length());
    if (!flight.wants(found, now)) {
      node.flights.stale.found(flight, found);
      return null;
    }
    node.remember(flight.at, found);
    return Flights.outcome(flight, value, Tier.L2, answer.sequence(), node.shared.applied());
  }

  /** How long memory may keep it, in milliseconds; 0: not at all, since nobody knows. */
  private long left(Envelope envelope, Remote.Answer answer, ServerClock clock) {
    if (answer.ttlMillis() >= 0) {
      return Math.max(1, answer.ttlMillis());
    }
    if (envelope.ends() == 0 || !clock.known()) {
      return 0;
    }
    long now = clock.atMost(node.nanos.getAsLong());
    return Math.min(envelope.ends() - now, envelope.ends() - envelope.created());
  }
}
