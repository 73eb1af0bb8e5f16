package dev.aquifer.cache;

import dev.aquifer.CausalSession;
import dev.aquifer.Consistency;
import dev.aquifer.ReadFloor;
import dev.aquifer.Tag;
import dev.aquifer.spi.LastRoute;
import dev.aquifer.spi.Observer.CacheFault;
import dev.aquifer.spi.Observer.Role;
import dev.aquifer.spi.Observer.Tier;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Future;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * Runs loaders, and stores what they return where that is safe.
 *
 * <p>A load is shown at least what its tags' newest voids wrote (race R8): the database position of
 * a void is demanded of whichever node the loader reads. A value overtaken by a void while it was
 * loaded goes to the callers that waited for it, and is stored nowhere (R1, R3).
 */
// What futures end with is looked at by their own stages.
@SuppressWarnings("FutureReturnValueIgnored")
final class Loads {
  private static final int OVERHEAD = 256;
  private static final int UNKNOWN_SIZE = 1024;
  private static final long SETTLE_AFTER = TimeUnit.SECONDS.toNanos(1);

  private final Node node;
  private final Flights flights;

  // An instance's, not static: nodes in one process are apart.
  @SuppressWarnings("ThreadLocalUsage")
  private final ThreadLocal<@Nullable Flight> current = new ThreadLocal<>();

  Loads(Node node, Flights flights) {
    this.node = node;
    this.flights = flights;
  }

  /** The flight that this thread loads for, if it does. */
  @Nullable Flight current() {
    return current.get();
  }

  /** Loads on a thread of the cache, until the hard limit. */
  void start(Flight flight, Remote.@Nullable Lease lease) {
    long begun = node.nanos.getAsLong();
    Future<?> limit = timed(flight, lease, begun);
    if (limit == null) {
      return;
    }
    try {
      node.limiter.start(
          flight,
          () -> run(flight, lease, begun, limit),
          error -> ended(flight, lease, begun, limit, null, error));
    } catch (RuntimeException | Error e) {
      ended(flight, lease, begun, limit, null, Limiter.rejected(flight, e));
    }
  }

  /** As {@link #start}, for a value that a load of many brings. */
  void join(Flight flight, Remote.@Nullable Lease lease, CompletableFuture<?> value) {
    long begun = node.nanos.getAsLong();
    Future<?> limit = timed(flight, lease, begun);
    if (limit != null) {
      value.whenComplete((loaded, error) -> ended(flight, lease, begun, limit, loaded, error));
    }
  }

  /** The hard limit begins; null: the node is closed, and the flight is over. */
  private @Nullable Future<?> timed(Flight flight, Remote.@Nullable Lease lease, long begun) {
    try {
      return node.timer.schedule(
          () -> overdue(flight, lease, begun),
          flight.view.cache.settings.loadTimeout().toNanos(),
          TimeUnit.NANOSECONDS);
    } catch (RejectedExecutionException e) {
      giveBack(flight, lease);
      flights.fail(flight, Flights.closed(flight.view, e));
      return null;
    }
  }

  private void run(Flight flight, Remote.@Nullable Lease lease, long begun, Future<?> limit) {
    if (flight.ended.isDone()) {
      // It was too late before its turn came. An answer within the soft limit ends no flight.
      return;
    }
    try {
      // Here, not where it began to wait for a thread.
      flight.loadsFrom(node);
      Object loaded =
          flight.counted()
              ? call(flight, floor(flight, true), flight.source)
              : flight.source.load();
      if (loaded instanceof Flights.Later later) {
        later
            .stage()
            .whenComplete((value, error) -> ended(flight, lease, begun, limit, value, error));
      } else {
        ended(flight, lease, begun, limit, loaded, null);
      }
    } catch (Throwable e) {
      ended(flight, lease, begun, limit, null, e);
    }
  }

  /**
   * Calls a loader as the flight's tenant and in its session; who takes too long is interrupted.
   */
  @Nullable Object call(Flight flight, ReadFloor floor, Flight.Source source) throws Exception {
    current.set(flight);
    LastRoute.record(Role.UNKNOWN);
    try {
      if (!flight.enters()) {
        throw Flights.timedOut(flight, null);
      }
      Object loaded =
          flight.view.tenant.call(
              () ->
                  node.sessions.call(
                      flight.session,
                      () -> node.positions.call(floor, () -> asked(flight, source))));
      flight.route = LastRoute.last();
      return loaded;
    } finally {
      current.remove();
      flight.leaves();
    }
  }

  /** As fresh as who began the flight asked its reads to be, though it was on another thread. */
  private @Nullable Object asked(Flight flight, Flight.Source source) throws Exception {
    Consistency asked = flight.asked;
    return asked == null ? source.load() : node.positions.read(asked, source::load);
  }

  private void overdue(Flight flight, Remote.@Nullable Lease lease, long begun) {
    if (flight.loaded.compareAndSet(false, true)) {
      giveBack(flight, lease);
      failed(flight, begun, Flights.timedOut(flight, null));
    } else if (flight.ended.isDone()) {
      return;
    } else {
      // Loaded in time, and not encoded.
      flights.fail(flight, Flights.timedOut(flight, null));
    }
    flight.interrupt();
  }

  private void ended(
      Flight flight,
      Remote.@Nullable Lease lease,
      long begun,
      Future<?> limit,
      @Nullable Object value,
      @Nullable Throwable error) {
    if (!flight.loaded.compareAndSet(false, true)) {
      if (error != null && !flight.ended.isDone()) {
        // After the value was there: whoever waits is not to wait for ever.
        flights.fail(flight, error);
      }
      return;
    }
    if (error != null) {
      limit.cancel(false);
      giveBack(flight, lease);
      failed(flight, begun, Flights.unwrapped(error));
      return;
    }
    CacheCore cache = flight.view.cache;
    long took = node.nanos.getAsLong() - begun;
    cache.loads.increment();
    cache.loadNanos.add(took);
    flights.stale.loaded(flight);
    node.observer.cacheLoaded(cache.name, flight.view.tenant, took, null);
    try {
      store(flight, lease, value, took);
    } catch (Throwable e) {
      // What the cache cannot do, or a codec or a tagger, is never the caller's failure.
      cache.fault(CacheFault.UNENCODABLE, e);
      giveBack(flight, lease);
    }
    Object given = cache.absent(value) ? null : value;
    limit.cancel(false);
    flights.finish(
        flight,
        lease == null
            ? flights.outcome(flight, given, Tier.SOURCE)
            : Flights.outcome(flight, given, Tier.SOURCE, lease.asOf(), lease.sharedAsOf()));
  }

  private void failed(Flight flight, long begun, Throwable error) {
    CacheCore cache = flight.view.cache;
    long took = node.nanos.getAsLong() - begun;
    cache.failures.increment();
    cache.loadNanos.add(took);
    node.observer.cacheLoaded(cache.name, flight.view.tenant, took, error);
    flights.fail(flight, error);
  }

  /**
   * @param took how long the load took, in nanoseconds
   */
  void store(Flight flight, Remote.@Nullable Lease lease, @Nullable Object value, long took) {
    CacheCore cache = flight.view.cache;
    boolean negative = cache.absent(value);
    long ttl = node.lifetimes.ttlMillis(flight, value, took, node.nanos.getAsLong());
    long staleMillis = Lifetimes.staleMillis(cache, negative);
    if (ttl == 0) {
      giveBack(flight, lease);
      return;
    }
    Set<Tag> more = cache.tags(flight.key, negative ? null : value);
    TagCell[] cells = flight.view.own(flight.keyCell, more);
    TagCell[] shared = flight.view.shared(node.shared, more);
    boolean poisoned = TagCell.anyPoisoned(cells) || TagCell.anyPoisoned(shared);
    if (!node.guards.overtakenLoads
        || (!poisoned
            && flight.view.partition.holds(flight.tick(), cells)
            && node.shared.holds(flight.tick(), shared))) {
      byte[] payload = node.alone() || negative ? null : encoded(cache, value);
      if (payload != null && payload.length > cache.settings.maxValueBytes()) {
        cache.fault(CacheFault.TOO_LARGE, null);
        giveBack(flight, lease);
        return;
      }
      int size = payload == null ? UNKNOWN_SIZE : payload.length;
      long expires = node.nanos.getAsLong() + TimeUnit.MILLISECONDS.toNanos(ttl);
      node.remember(
          flight.at,
          new Entry(
              negative ? null : value,
              negative,
              expires,
              expires + TimeUnit.MILLISECONDS.toNanos(staleMillis),
              took,
              flight.tick(),
              cells,
              shared,
              size + OVERHEAD + 2 * flight.text.length()));
      Remote remote = node.remote();
      if (lease != null && remote != null) {
        byte[] stored = payload == null ? new byte[0] : payload;
        remote.fill(
            flight.view,
            flight.text,
            lease,
            new Remote.Filling(
                stored,
                negative,
                tagNames(cache, more),
                ttl,
                staleMillis,
                TimeUnit.NANOSECONDS.toMillis(Math.max(0, took))));
      }
    } else {
      cache.fault(CacheFault.FILL_REFUSED, null);
      giveBack(flight, lease);
    }
  }

  /** See {@link Flights#stored}. */
  void stored(Flight flight, Remote.@Nullable Lease lease, @Nullable Object value, long sequence) {
    CacheCore cache = flight.view.cache;
    try {
      TagCell[] cells = flight.view.own(flight.keyCell, cache.tags(flight.key, value));
      if (sequence > 0 && Arrays.stream(sequences(cells)).allMatch(marked -> marked <= sequence)) {
        store(flight, lease, value, 0);
        return;
      }
    } catch (RuntimeException e) {
      cache.fault(CacheFault.UNENCODABLE, e);
    }
    giveBack(flight, lease);
  }

  private static long[] sequences(TagCell[] cells) {
    return Arrays.stream(cells).mapToLong(TagCell::sequence).toArray();
  }

  void giveBack(Flight flight, Remote.@Nullable Lease lease) {
    Remote remote = node.remote();
    if (lease != null && remote != null) {
      remote.release(flight.view, flight.text, lease);
    }
  }

  private static byte[] encoded(CacheCore cache, @Nullable Object value) {
    try {
      return cache.values.bytes.encode(java.util.Objects.requireNonNull(value));
    } catch (Exception | StackOverflowError e) {
      throw new dev.aquifer.EncodingException(
          "A value of cache '%s' cannot be encoded; it is served and not stored."
              .formatted(cache.name),
          e);
    }
  }

  static List<String> tagNames(CacheCore cache, Set<Tag> more) {
    List<String> names = new ArrayList<>();
    cache.settings.tags().forEach(tag -> names.add(tag.name()));
    more.forEach(tag -> names.add(tag.name()));
    return names;
  }

  /**
   * What the load must be shown.
   *
   * @param settle whether the primary may be asked for the position of a moment
   */
  ReadFloor floor(Flight flight, boolean settle) {
    if (!node.guards.floors) {
      return ReadFloor.NONE;
    }
    Partition partition = flight.view.partition;
    String key = KeyText.keyName(flight.view.cache.name, flight.text);
    // Of all tenants: what is void there and named no more.
    ReadFloor floor = partition.keyFloor(key).and(node.shared.keyFloor(key));
    if (flight.lateTags) {
      floor = floor.and(partition.newestFloor()).and(node.shared.newestFloor());
    }
    return floor
        .and(demand(flight.cells, settle))
        .and(demand(flight.shared, settle))
        .and(unheard(flight));
  }

  /**
   * What is void and not heard of here demands nothing by itself. Where the caller's session says
   * that there is such, all is demanded that was written by now; with the link lost, all that was
   * written longer ago than memory might miss it.
   */
  private ReadFloor unheard(Flight flight) {
    Partition partition = flight.view.partition;
    CausalSession session = flight.session;
    if (!partition.shows(partition.applied(), session)
        || !partition.counts(session)
        || !node.shared.shows(node.shared.applied(), session)) {
      return node.positions.now();
    }
    long limit = flight.view.cache.memoryLimit;
    if (node.heardWithin(partition, limit)) {
      return ReadFloor.NONE;
    }
    ReadFloor now = node.positions.now();
    return now.timed() ? ReadFloor.after(now.after() - limit) : now;
  }

  /** A moment that is a while ago has a known position by now, which more nodes satisfy. */
  private ReadFloor demand(TagCell[] cells, boolean settle) {
    ReadFloor floor = ReadFloor.NONE;
    for (TagCell cell : cells) {
      ReadFloor demand = cell.floor();
      if (settle && demand.timed() && node.nanos.getAsLong() - cell.seen() > SETTLE_AFTER) {
        demand = resolved(cell, demand);
      }
      floor = floor.and(demand);
    }
    return floor;
  }

  private ReadFloor resolved(TagCell cell, ReadFloor demand) {
    try {
      dev.aquifer.Position position = node.positions.resolve(demand);
      ReadFloor known = position == null ? ReadFloor.NONE : ReadFloor.at(position);
      cell.settle(demand, known);
      return known;
    } catch (RuntimeException e) {
      return demand;
    }
  }
}
