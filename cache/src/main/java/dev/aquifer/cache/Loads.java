package dev.aquifer.cache;

import dev.aquifer.ReadFloor;
import dev.aquifer.Tag;
import dev.aquifer.spi.LastRoute;
import dev.aquifer.spi.Observer.CacheFault;
import dev.aquifer.spi.Observer.Role;
import dev.aquifer.spi.Observer.Scope;
import dev.aquifer.spi.Observer.Tier;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.Future;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * Runs loaders, and stores what they return where that is safe.
 *
 * <p>A load is shown at least what its tags' newest voids wrote (race R8): the database position of
 * a void is demanded of whichever node the loader reads. A value overtaken by a void while it was
 * loaded goes to the callers that waited for it, and is stored nowhere (R1, R3).
 */
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
    flight.loadsFrom(node);
    long begun = node.nanos.getAsLong();
    Future<?> limit;
    try {
      limit =
          node.timer.schedule(
              () -> overdue(flight, lease, begun),
              flight.view.cache.settings.loadTimeout().toNanos(),
              TimeUnit.NANOSECONDS);
      node.executor.execute(() -> run(flight, lease, begun, limit));
    } catch (RejectedExecutionException e) {
      giveBack(flight, lease);
      flights.fail(flight, Flights.closed(flight.view, e));
    }
  }

  private void run(Flight flight, Remote.@Nullable Lease lease, long begun, Future<?> limit) {
    current.set(flight);
    flight.loading.set(Thread.currentThread());
    LastRoute.record(Role.UNKNOWN);
    try {
      Object loaded =
          flight.view.tenant.call(
              () ->
                  node.sessions.call(
                      flight.session,
                      () -> node.positions.call(floor(flight), flight.source::load)));
      flight.route = LastRoute.last();
      if (loaded instanceof Flights.Later later) {
        later
            .stage()
            .whenComplete((value, error) -> ended(flight, lease, begun, limit, value, error));
      } else {
        ended(flight, lease, begun, limit, loaded, null);
      }
    } catch (Throwable e) {
      ended(flight, lease, begun, limit, null, e);
    } finally {
      current.remove();
      if (flight.loading.getAndSet(null) == null) {
        // Overdue: the interrupt is on its way, and must not reach the thread's next work.
        while (!Thread.interrupted()) {
          Thread.onSpinWait();
        }
      }
    }
  }

  private void overdue(Flight flight, Remote.@Nullable Lease lease, long begun) {
    if (flight.done.isDone()) {
      return;
    }
    giveBack(flight, lease);
    failed(flight, begun, Flights.timedOut(flight, null));
    Thread loading = flight.loading.getAndSet(null);
    if (loading != null) {
      loading.interrupt();
    }
  }

  private void ended(
      Flight flight,
      Remote.@Nullable Lease lease,
      long begun,
      Future<?> limit,
      @Nullable Object value,
      @Nullable Throwable error) {
    limit.cancel(false);
    if (flight.done.isDone()) {
      return;
    }
    if (error != null) {
      giveBack(flight, lease);
      failed(
          flight,
          begun,
          error instanceof java.util.concurrent.CompletionException && error.getCause() != null
              ? error.getCause()
              : error);
      return;
    }
    CacheCore cache = flight.view.cache;
    cache.loads.increment();
    node.observer.cacheLoaded(cache.name, flight.view.tenant, node.nanos.getAsLong() - begun, null);
    try {
      store(flight, lease, value);
    } catch (RuntimeException e) {
      // What the cache cannot do is never the caller's failure.
      cache.fault(CacheFault.UNENCODABLE, e);
      giveBack(flight, lease);
    }
    Object given = cache.absent(value) ? null : value;
    flights.finish(
        flight,
        lease == null
            ? flights.outcome(flight, given, Tier.SOURCE)
            : Flights.outcome(flight, given, Tier.SOURCE, lease.asOf(), lease.sharedAsOf()));
  }

  private void failed(Flight flight, long begun, Throwable error) {
    CacheCore cache = flight.view.cache;
    cache.failures.increment();
    node.observer.cacheLoaded(
        cache.name, flight.view.tenant, node.nanos.getAsLong() - begun, error);
    flights.fail(flight, error);
  }

  void store(Flight flight, Remote.@Nullable Lease lease, @Nullable Object value) {
    CacheCore cache = flight.view.cache;
    boolean negative = cache.absent(value);
    long ttl = ttl(cache, negative);
    if (ttl == 0) {
      giveBack(flight, lease);
      return;
    }
    Set<Tag> more = cache.tags(flight.key, negative ? null : value);
    TagCell[] cells = flight.view.own(flight.keyCell, more);
    TagCell[] shared = flight.view.shared(node.shared, more);
    if (!node.guards.overtakenLoads
        || (flight.view.partition.holds(flight.tick(), cells)
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
              expires,
              0,
              node.guards.overtakenLoads ? flight.tick() : node.ticks.get(),
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
            new Remote.Filling(stored, negative, tagNames(cache, more), ttl, 0, 0));
      }
    } else {
      cache.fault(CacheFault.FILL_REFUSED, null);
      giveBack(flight, lease);
    }
  }

  /**
   * Stores a value that is current at this call: the void that it makes comes before it, and every
   * later one, which the sequences show, after.
   */
  void put(Flight before, @Nullable Object value) {
    CacheCore cache = before.view.cache;
    Partition partition = before.view.partition;
    Set<Tag> more = cache.tags(before.key, value);
    TagCell[] cells = before.view.own(before.keyCell, more);
    TagCell[] shared = before.view.shared(node.shared, more);
    long[] known = sequences(cells);
    long[] knownShared = sequences(shared);
    long sharedAsOf = node.shared.applied();
    String token = UUID.randomUUID().toString();
    long sequence =
        node.voidNames(
            partition,
            List.of(KeyText.keyName(cache.name, before.text)),
            List.of(StoredKeys.of(before.view, before.text)),
            ReadFloor.NONE,
            token,
            Scope.KEY);
    Flight after = new Flight(before.at, before.key, before.source, node);
    known[0] = sequence;
    Remote remote = node.remote();
    Remote.Lease lease =
        remote == null
            ? null
            : new Remote.Lease(
                token, partition.incarnation(), sequence, node.shared.incarnation(), sharedAsOf);
    boolean current =
        sequence > 0
            && Arrays.equals(known, sequences(cells))
            && Arrays.equals(knownShared, sequences(shared))
            && (remote == null || (remote.readable(partition) && remote.readable(node.shared)));
    try {
      if (current) {
        store(after, lease, value);
      } else {
        giveBack(after, lease);
      }
    } catch (RuntimeException e) {
      cache.fault(CacheFault.UNENCODABLE, e);
      giveBack(after, lease);
    }
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

  private static long ttl(CacheCore cache, boolean negative) {
    long millis = (negative ? cache.settings.negativeTtl() : cache.settings.ttl()).toMillis();
    // Jitter, so that what was filled together does not expire together (R10).
    return millis == 0
        ? 0
        : Math.max(1, Math.round(millis * (0.9 + 0.2 * ThreadLocalRandom.current().nextDouble())));
  }

  static List<String> tagNames(CacheCore cache, Set<Tag> more) {
    List<String> names = new ArrayList<>();
    cache.settings.tags().forEach(tag -> names.add(tag.name()));
    more.forEach(tag -> names.add(tag.name()));
    return names;
  }

  private ReadFloor floor(Flight flight) {
    Partition partition = flight.view.partition;
    ReadFloor floor = partition.keyFloor(KeyText.keyName(flight.view.cache.name, flight.text));
    if (flight.lateTags) {
      floor = floor.and(partition.newestFloor()).and(node.shared.newestFloor());
    }
    return floor.and(settled(flight.cells)).and(settled(flight.shared));
  }

  /** A moment that is a while ago has a known position by now, which more nodes satisfy. */
  private ReadFloor settled(TagCell[] cells) {
    ReadFloor floor = ReadFloor.NONE;
    for (TagCell cell : cells) {
      ReadFloor demand = cell.floor();
      if (demand.timed() && node.nanos.getAsLong() - cell.seen() > SETTLE_AFTER) {
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
