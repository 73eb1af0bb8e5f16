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

  /** Loads what Redis does not have: called once at first, even with none, and then with some. */
  @FunctionalInterface
  interface Loading {
    void load(List<Granted> all);
  }

  /** A flight that is to load; with no lease where Redis did not answer. */
  record Granted(Flight flight, Remote.@Nullable Lease lease) {}

  /** Where flights begin to look. */
  enum From {
    /** With a plain look in Redis, where that is worth while. */
    LOOK,

    /** With the script: a look was in vain. */
    SCRIPT,

    /** Redis did not answer. */
    SOURCE
  }

  /** Starts one flight. */
  void start(Flight flight, long deadline, boolean wait) {
    start(List.of(new Place(flight, null)), From.LOOK, this::loadEach, deadline, wait);
  }

  /**
   * Starts flights of one view.
   *
   * @param wait whether the calling thread waits for Redis
   */
  void start(List<Place> places, From from, Loading loading, long deadline, boolean wait) {
    Remote remote = from == From.SOURCE ? null : node.remote();
    List<Place> open = new ArrayList<>(places.size());
    List<Granted> local = new ArrayList<>();
    for (Place place : places) {
      if (remote == null || !fits(place.flight)) {
        local.add(new Granted(place.flight, null));
      } else {
        open.add(place);
      }
    }
    if (remote == null || open.isEmpty()) {
      loading.load(local);
    } else {
      Way way = new Way(remote, open.get(0).flight, loading, deadline, open, local);
      way.looked = from == From.SCRIPT;
      way.step(wait);
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
    Place place = Place.of(flight, entry);
    new Way(remote, flight, this::loadEach, deadline, List.of(place), new ArrayList<>()).step(true);
  }

  private void loadEach(List<Granted> all) {
    all.forEach(granted -> loads.start(granted.flight(), granted.lease()));
  }

  private static Remote.@Nullable Answer answer(Flight flight, Remote remote)
      throws InterruptedException {
    Remote.Ask ask = new Remote.Ask(flight.text, false, null);
    return remote.read(flight.view, flight.session, List.of(ask), false).await()[0];
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
  record Place(Flight flight, byte @Nullable [] refused) {
    /** The flight's place, where this was found and refused, if anything was. */
    static Place of(Flight flight, byte @Nullable [] entry) {
      return new Place(flight, entry == null ? null : prefix(entry));
    }
  }

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
    private boolean looked;
    private boolean told;

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
      Remote.Reply reply = remote.read(view, session, asks, looked);
      looked = false;
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
            again.add(Place.of(flight, entry));
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
      if (!told || !granted.isEmpty()) {
        List<Granted> now = List.copyOf(granted);
        granted.clear();
        told = true;
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
        if (!told) {
          told = true;
          loading.load(List.of());
        }
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
    Judge judge = new Judge(node, flight.view, flight.session, asked);
    judge.answered(answer.incarnation(), answer.sequence());
    byte[] bytes = java.util.Objects.requireNonNull(answer.entry());
    byte[] key = StoredKeys.entry(flight.view, flight.text);
    boolean current =
        switch (judge.judge(key, bytes, answer.ttlMillis(), flight.keyCell)) {
          case REFUSED -> false;
          // It answers now, where it cannot be past its time.
          case UNDATED -> !judge.outlivesItsTime() && !flight.renews();
          case DATED -> kept(flight, judge);
        };
    return current
        ? Flights.outcome(flight, judge.value(), Tier.L2, answer.sequence(), node.shared.applied())
        : null;
  }

  private boolean kept(Flight flight, Judge judge) {
    Entry found = judge.entry(flight.text);
    boolean wanted = flight.wants(found, judge.now());
    if (wanted) {
      node.remember(flight.at, found);
    } else {
      node.flights.stale.found(flight, found);
    }
    return wanted;
  }
}
