package dev.aquifer.tsquery;

import com.github.benmanes.caffeine.cache.Cache;
import com.github.benmanes.caffeine.cache.Caffeine;
import com.github.benmanes.caffeine.cache.RemovalCause;
import dev.aquifer.Tenant;
import dev.aquifer.cache.Timeline;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;

/**
 * The segments in memory, and the order of what happens to them.
 *
 * <p>The race it closes: a fetch reads a window, the window changes and is voided, then the fetch
 * comes back with what it read. Each fetch takes the epoch of its {@link Ledger} before it reads;
 * voiding first appends to the ledger's log and then removes from segments, under the ledger's
 * lock; keeping checks the log under the same lock. So whichever comes second sees the other, and
 * nothing that was read before a change is kept after it. A flight whose claim was voided is not
 * waited for.
 *
 * <p>Where several nodes share a {@link Timeline}, what any of them voids comes from there, in the
 * order in which it was voided, and is treated alike.
 *
 * <p>Memory is bounded by weight. An eviction takes the segment from the ledger's set within the
 * same atomic step, and keeping adds it within its own, so that voiding sees all that are there.
 */
final class WindowCache {
  /** So often a segment is made at most, the last time while voids wait. */
  static final int KEEP_ATTEMPTS = 4;

  private final Ageing ageing;
  private final Cache<Track.Part, Segment> segments;
  private final Map<Ledger.Key, Ledger> ledgers = new ConcurrentHashMap<>();
  private final @Nullable Timelines timelines;
  private volatile @Nullable SecondTier second;

  /** Off only where a test shows what the check is for. */
  private volatile boolean epochChecked = true;

  /** Where voids of all nodes come from. */
  interface Timelines {
    Timeline of(Ledger.Key key, Timeline.Listener listener);
  }

  /**
   * @param timelines null: this process voids alone
   */
  WindowCache(Ageing ageing, long maximumWeight, @Nullable Timelines timelines) {
    this.ageing = ageing;
    this.timelines = timelines;
    this.segments =
        Caffeine.newBuilder()
            .maximumWeight(maximumWeight)
            .weigher((Track.Part part, Segment segment) -> segment.weight())
            .executor(Runnable::run)
            .evictionListener(
                (Track.@Nullable Part part, @Nullable Segment segment, RemovalCause cause) -> {
                  if (part != null) {
                    evicted(part);
                  }
                })
            .build();
  }

  /** What nodes share; null where there is memory alone. */
  @Nullable SecondTier second() {
    return second;
  }

  void attach(SecondTier tier) {
    second = tier;
  }

  Ledger pin(Tenant tenant, String measurement) {
    Ledger.Key key = new Ledger.Key(tenant, measurement);
    while (true) {
      Ledger ledger = ledgers.get(key);
      if (ledger == null) {
        // Not within the map's lock: a timeline takes those of partitions, under which voids come
        // that remove ledgers.
        Ledger made = ledger(key);
        ledger = ledgers.putIfAbsent(key, made);
        if (ledger == null) {
          return made;
        }
        unpin(made);
      }
      if (ledger.pin()) {
        return ledger;
      }
      ledgers.remove(key, ledger);
    }
  }

  private Ledger ledger(Ledger.Key key) {
    return new Ledger(
        key, (of, made) -> timelines == null ? null : timelines.of(of, new Voider(this, made)));
  }

  void unpin(Ledger ledger) {
    ledger.unpin();
    retire(ledger);
  }

  /** Lets go of it when nobody uses it and nothing is kept. */
  private void retire(Ledger ledger) {
    if (ledger.retire()) {
      ledgers.remove(ledger.key, ledger);
    }
  }

  /** What is to be done for the pending windows, and the flight that claims those to fetch. */
  record Departure(WindowPlanner.Plan plan, Flight flight) {}

  /** Plans, and claims in the same step what nobody else fetches. */
  Departure depart(Ledger ledger, Track track, WindowGrid grid, BitSet pending, Sight sight) {
    ledger.lock.lock();
    try {
      WindowPlanner.Plan plan = plan(ledger, track, grid, pending, sight);
      List<Run> claims = new ArrayList<>();
      for (Run run : plan.fetch()) {
        claim(run, grid, sight.now, claims);
      }
      Flight flight = new Flight(track, claims, ledger.log.begin(), new CompletableFuture<>());
      ledger.flights.add(flight);
      return new Departure(plan, flight);
    } finally {
      ledger.lock.unlock();
    }
  }

  /**
   * What a plan may look at.
   *
   * @param within how long ago windows that do not stay for good may have been fetched at most; 0:
   *     they are fetched, and nobody is waited for
   * @param current whether memory, and fetches under way, may answer
   * @param joins whether fetches under way may be waited for
   * @param others what other nodes had, where memory has none
   */
  record Sight(long now, long within, boolean current, boolean joins, Received others) {}

  /** The plan alone. */
  WindowPlanner.Plan plan(
      Ledger ledger, Track track, WindowGrid grid, BitSet pending, Sight sight) {
    ledger.lock.lock();
    try {
      List<Flight> joinable = new ArrayList<>();
      for (Flight flight : ledger.flights) {
        if (sight.current
            && sight.joins
            && sight.within > 0
            && flight.track().equals(track)
            && !voided(ledger, flight)) {
          joinable.add(flight);
        }
      }
      Map<Long, Segment> others =
          ledger.log.epoch() == sight.others.epoch() || !epochChecked
              ? sight.others.segments()
              : Map.<Long, Segment>of();
      return WindowPlanner.plan(
          grid,
          pending,
          new WindowPlanner.View(
              index -> seen(track, index, sight.current, others),
              joinable,
              sight.now,
              sight.within));
    } finally {
      ledger.lock.unlock();
    }
  }

  private @Nullable Segment seen(
      Track track, long index, boolean current, Map<Long, Segment> others) {
    Segment own = current ? segments.getIfPresent(new Track.Part(track, index)) : null;
    return own == null ? others.get(index) : own;
  }

  /**
   * Keeps the whole windows of what was fetched, except those voided since the flight began. What
   * takes long is done without the lock, which voids wait for: segments are made from what memory
   * has, and made again where that was changed meanwhile.
   */
  void keep(Ledger ledger, Flight flight, List<Run> fetched, Assembly assembly, long fetchedAt) {
    WindowGrid grid = assembly.grid();
    Keeping keeping = new Keeping(ledger, flight, assembly, assembly.lastPresent(), fetchedAt);
    for (Run run : fetched) {
      Run whole = grid.whole(run);
      for (long from = whole.from(); from < whole.to(); ) {
        long index = Math.floorDiv(from, (long) Segment.LENGTH);
        long end = Math.min(whole.to(), (index + 1) * Segment.LENGTH);
        keep(keeping, new Track.Part(flight.track(), index), new Run(from, end));
        from = end;
      }
    }
  }

  /** What is kept of one answer. */
  private record Keeping(
      Ledger ledger, Flight flight, Assembly assembly, long lastPresent, long fetchedAt) {}

  private void keep(Keeping keeping, Track.Part part, Run windows) {
    Ledger ledger = keeping.ledger;
    WindowGrid grid = keeping.assembly.grid();
    Segment old = null;
    Segment made = null;
    long epoch = 0;
    for (int attempt = 1; ; attempt++) {
      List<Segment.Fetched> current;
      ledger.lock.lock();
      try {
        if (!ledger.keeps()) {
          return;
        }
        long start = grid.start(windows.from());
        long stop = grid.stop(windows.to() - 1);
        if (made != null
            && segments.getIfPresent(part) == old
            && !voidedSince(ledger, epoch, start, stop)) {
          put(ledger, part, made);
          return;
        }
        epoch = ledger.log.epoch();
        old = segments.getIfPresent(part);
        current = current(keeping, windows);
        if (current.isEmpty()) {
          return;
        }
        if (attempt == KEEP_ATTEMPTS) {
          put(ledger, part, made(keeping, part, old, current));
          return;
        }
      } finally {
        ledger.lock.unlock();
      }
      made = made(keeping, part, old, current);
    }
  }

  /** The epoch of what is read now elsewhere; {@link #end} must follow. */
  long begin(Ledger ledger) {
    ledger.lock.lock();
    try {
      return ledger.log.begin();
    } finally {
      ledger.lock.unlock();
    }
  }

  void end(Ledger ledger, long epoch) {
    ledger.lock.lock();
    try {
      ledger.log.end(epoch);
    } finally {
      ledger.lock.unlock();
    }
  }

  /** What memory has of a segment; null for nothing. */
  @Nullable Segment segment(Track.Part part) {
    return segments.getIfPresent(part);
  }

  /**
   * Takes windows of another node into memory, except those voided since the epoch.
   *
   * @return what is known of the segment now; null while something is written that will void it
   */
  @Nullable Segment adopt(Ledger ledger, long epoch, Track.Part part, Segment found) {
    ledger.lock.lock();
    try {
      if (!ledger.keeps()) {
        return null;
      }
      Segment rest = found;
      Timeline.Span span = part.span();
      if (voidedSince(ledger, epoch, span.start(), span.stop())) {
        for (int i = 0; i < Segment.LENGTH; i++) {
          long bucket = part.firstBucket() + i;
          Timeline.Span window = part.span(bucket, bucket);
          if (rest.known(i) && voidedSince(ledger, epoch, window.start(), window.stop())) {
            rest = rest.without(i, i + 1);
          }
        }
      }
      Segment taken = rest;
      return segments
          .asMap()
          .compute(
              part,
              (key, old) -> {
                ledger.parts.add(key);
                return old == null ? taken : old.merged(taken);
              });
    } finally {
      ledger.lock.unlock();
    }
  }

  /** Ends the flight: its claims are free, and those who wait go on. */
  void land(Ledger ledger, Flight flight, @Nullable Throwable error) {
    ledger.lock.lock();
    try {
      ledger.flights.remove(flight);
      ledger.log.end(flight.epoch());
    } finally {
      ledger.lock.unlock();
    }
    if (error == null) {
      flight.done().complete(null);
    } else {
      flight.done().completeExceptionally(error);
    }
  }

  void invalidate(Tenant tenant, String measurement, Timeline.Span span) {
    // Without a ledger nothing is kept, and no fetch has begun that reads what was before.
    Ledger ledger = ledgers.get(new Ledger.Key(tenant, measurement));
    if (ledger != null) {
      invalidate(ledger, span.start(), span.stop());
    }
  }

  void invalidate(Ledger ledger, long start, long stop) {
    ledger.lock.lock();
    try {
      ledger.log.append(start, stop);
      for (Iterator<Track.Part> parts = ledger.parts.iterator(); parts.hasNext(); ) {
        Track.Part part = parts.next();
        if (voidIn(part, start, stop)) {
          parts.remove();
        }
      }
    } finally {
      ledger.lock.unlock();
    }
    retire(ledger);
  }

  /** All of the ledger's is void, also what is being fetched. */
  void invalidateAll(Ledger ledger) {
    ledger.lock.lock();
    try {
      ledger.log.append(Long.MIN_VALUE, Long.MAX_VALUE);
      segments.invalidateAll(List.copyOf(ledger.parts));
      ledger.parts.clear();
    } finally {
      ledger.lock.unlock();
    }
    retire(ledger);
  }

  /** Nothing is kept, nor will be of what is being fetched; nobody is listened to any more. */
  void clear() {
    List.copyOf(ledgers.values()).forEach(this::invalidateAll);
  }

  long weight() {
    segments.cleanUp();
    return segments.policy().eviction().orElseThrow().weightedSize().orElse(0);
  }

  int ledgers() {
    return ledgers.size();
  }

  void checkEpochs(boolean checked) {
    epochChecked = checked;
  }

  private boolean voided(Ledger ledger, Flight flight) {
    for (Run run : flight.claims()) {
      Track track = flight.track();
      if (voidedSince(ledger, flight.epoch(), track.start(run.from()), track.stop(run.to() - 1))) {
        return true;
      }
    }
    return false;
  }

  private boolean voidedSince(Ledger ledger, long epoch, long start, long stop) {
    return epochChecked && ledger.log.voidedSince(epoch, start, stop);
  }

  private void claim(Run run, WindowGrid grid, long now, List<Run> claims) {
    Run whole = grid.whole(run);
    long from = whole.from();
    long to = whole.to();
    // What cannot be kept for a moment cannot be handed to those who would wait for it.
    while (to > from && ageing.until(grid.stop(to - 1), now, false) == now) {
      to--;
    }
    if (from < to) {
      claims.add(new Run(from, to));
    }
  }

  /** Those of the windows that were not voided since the flight began. */
  private List<Segment.Fetched> current(Keeping keeping, Run windows) {
    WindowGrid grid = keeping.assembly.grid();
    List<Segment.Fetched> current = new ArrayList<>();
    for (long bucket = windows.from(); bucket < windows.to(); bucket++) {
      long stop = grid.stop(bucket);
      if (!voidedSince(keeping.ledger, keeping.flight.epoch(), grid.start(bucket), stop)) {
        boolean trailing = bucket > keeping.lastPresent;
        long until = ageing.until(stop, keeping.fetchedAt, trailing);
        int index = (int) Math.floorMod(bucket, (long) Segment.LENGTH);
        current.add(new Segment.Fetched(index, keeping.fetchedAt, until));
      }
    }
    return current;
  }

  private static Segment made(
      Keeping keeping, Track.Part part, @Nullable Segment old, List<Segment.Fetched> windows) {
    int base = (int) (part.firstBucket() - keeping.assembly.grid().first());
    return (old == null ? Segment.unknown() : old).with(keeping.assembly, base, windows);
  }

  /** In place of what memory has of it. */
  private void put(Ledger ledger, Track.Part part, Segment segment) {
    segments
        .asMap()
        .compute(
            part,
            (key, old) -> {
              ledger.parts.add(key);
              return segment;
            });
  }

  /** Whether nothing of the segment is left. */
  private boolean voidIn(Track.Part part, long start, long stop) {
    int from = part.indexFrom(start);
    int to = part.indexTo(stop);
    if (from >= to) {
      return false;
    }
    Segment left =
        segments
            .asMap()
            .computeIfPresent(
                part,
                (key, segment) -> {
                  Segment rest = segment.without(from, to);
                  return rest.allUnknown() ? null : rest;
                });
    return left == null;
  }

  private void evicted(Track.Part part) {
    Ledger ledger = ledgers.get(new Ledger.Key(part.track().tenant(), part.track().measurement()));
    if (ledger != null) {
      ledger.parts.remove(part);
      retire(ledger);
    }
  }
}
