package dev.aquifer.tsquery;

import dev.aquifer.Tenant;
import dev.aquifer.UnavailableException;
import dev.aquifer.spi.Observer;
import java.time.Clock;
import java.time.Duration;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/**
 * One query on its way to an answer. In rounds: plan and claim; copy what is cached; fetch and keep
 * what was claimed; then wait for what others fetch, and plan again for what is still pending. Own
 * fetches end before others' are waited for, so that two queries never wait for each other.
 *
 * <p>A query alone goes through its rounds by itself ({@link #cached}); those of a batch go through
 * them together ({@link QueryBatch}), and what they fetch goes out as one.
 *
 * <p>Used by one thread, once.
 */
final class QueryRun {
  /** A flight of another that failed is tried again by oneself, that often. */
  private static final int RETRIES = 1;

  /** What all queries of a {@link TimeSeries} have in common. */
  record Setting(
      Backend backend,
      String tenantTag,
      Duration timeout,
      Clock clock,
      RequestQueue queue,
      Observer observer) {
    /** Tells the observer how long a request took, and how many bytes came since. */
    void timed(Tenant tenant, TimeSeriesQuery query, LongSupplier received, Runnable request) {
      long began = System.nanoTime();
      long before = received.getAsLong();
      Throwable error = null;
      try {
        request.run();
      } catch (RuntimeException | Error e) {
        error = e;
        throw e;
      } finally {
        observer.windowFetched(
            query.measurement(),
            tenant,
            System.nanoTime() - began,
            received.getAsLong() - before,
            error);
      }
    }
  }

  private final Setting setting;
  private final Tenant tenant;
  private final TimeSeriesQuery query;
  private final TimeRange range;
  private final WindowGrid grid;
  private final Assembly assembly;
  private final long started = System.nanoTime();
  private boolean asked;
  private final BitSet pending;
  private @Nullable Round round;
  private List<Flight> awaited = List.of();
  private int failures;
  private long readAt;
  private long fetched;
  private int requests;

  /** What was planned and claimed, and is being fetched. */
  private record Round(WindowCache cache, Ledger ledger, WindowCache.Departure departure) {}

  QueryRun(
      Setting setting,
      Tenant tenant,
      TimeSeriesQuery query,
      TimeRange range,
      WindowGrid grid,
      PointBudget budget) {
    this.setting = setting;
    this.tenant = tenant;
    this.query = query;
    this.range = range;
    this.grid = grid;
    this.assembly = new Assembly(grid, query, budget);
    this.pending = allPending();
  }

  Tenant tenant() {
    return tenant;
  }

  TimeSeriesQuery query() {
    return query;
  }

  TimeRange range() {
    return range;
  }

  WindowGrid grid() {
    return grid;
  }

  /** How long ago it began. */
  long tookNanos() {
    return System.nanoTime() - started;
  }

  long fetched() {
    return fetched;
  }

  int requests() {
    return requests;
  }

  /** How many bytes of answers came for it so far. */
  long bytes() {
    return assembly.bytes();
  }

  long points() {
    return (long) grid.size() * query.selections().size();
  }

  TimeSeriesResult uncached() {
    fetch(List.of(new Run(grid.first(), grid.end())));
    return result();
  }

  TimeSeriesResult cached(WindowCache cache) {
    Ledger ledger = cache.pin(tenant, query.measurement());
    try {
      while (pending()) {
        if (depart(cache, ledger)) {
          fetchAndKeep();
        }
        awaitOthers();
      }
      return result();
    } finally {
      cache.unpin(ledger);
    }
  }

  boolean pending() {
    return !pending.isEmpty();
  }

  /**
   * Plans, claims, and copies what is cached. Whether something is to be fetched; then {@link
   * #arrive} or {@link #fail} must follow.
   */
  boolean depart(WindowCache cache, Ledger ledger) {
    long now = now();
    Track track = Track.of(tenant, query);
    boolean current = ledger.current();
    Map<Long, Segment> others = current ? others(cache, ledger, track, now) : Map.of();
    WindowCache.Departure departure =
        cache.depart(ledger, track, grid, pending, new WindowCache.Sight(now, current, others));
    round = new Round(cache, ledger, departure);
    WindowPlanner.Plan plan = departure.plan();
    awaited = plan.awaited();
    try {
      for (WindowPlanner.Cached part : plan.cached()) {
        Run run = part.run();
        part.segment()
            .copyTo(
                assembly,
                (int) (run.from() - part.segmentFirst()),
                (int) (run.to() - part.segmentFirst()),
                (int) (run.from() - grid.first()));
        clear(run);
      }
    } catch (RuntimeException | Error e) {
      fail(e);
      throw e;
    }
    if (plan.fetch().isEmpty()) {
      land(null);
      return false;
    }
    return true;
  }

  /** Whether something would be fetched now. Claims nothing. */
  boolean wouldFetch(WindowCache cache, Ledger ledger) {
    WindowCache.Sight memory = WindowCache.Sight.memory(now());
    return !cache.plan(ledger, Track.of(tenant, query), grid, pending, memory).fetch().isEmpty();
  }

  /** Fetches what was claimed, by itself, and keeps it. */
  void fetchAndKeep() {
    List<Run> runs = claimed();
    try {
      current().ledger.reading(() -> readAt = fetch(runs));
      arrive(readAt);
    } catch (RuntimeException | Error e) {
      fail(e);
      throw e;
    }
  }

  /** What was claimed is there. */
  void arrive(long began) {
    Round current = current();
    List<Run> runs = claimed();
    try {
      current.cache.keep(current.ledger, current.departure.flight(), runs, assembly, began);
      share(current.cache, current.departure.flight().track(), runs, began);
      runs.forEach(this::clear);
    } catch (RuntimeException | Error e) {
      fail(e);
      throw e;
    }
    land(null);
  }

  /** What was claimed will not come. Nothing when the round has ended. */
  void fail(Throwable error) {
    if (round != null) {
      land(error);
    }
  }

  /** Waits for what others fetch, if something is pending still. */
  void awaitOthers() {
    if (!pending.isEmpty() && !await(awaited.get(0)) && ++failures > RETRIES) {
      throw new UnavailableException(
          "%s failed %d times for queries of %s that this one waited for; see the cause."
              .formatted(setting.backend().name(), failures, query.measurement()),
          failure(awaited.get(0)));
    }
  }

  /** The one request that what was claimed takes, ready to be sent; null when it takes several. */
  @Nullable FetchRequest request() {
    List<Run> runs = claimed();
    List<List<Stretch>> stretches = requests(runs);
    if (stretches.size() > 1) {
      return null;
    }
    assembly.expect(runs);
    return request(stretches.get(0));
  }

  /** Takes the rows of {@link #request}. */
  RowSink sink() {
    return assembly;
  }

  /** Half of an answer came and no more: as if nothing had. */
  void forget() {
    assembly.forget();
  }

  /** Counts what came with requests that were sent for several. */
  void countFetched(int requestsSent) {
    requests += requestsSent;
    fetched += count(claimed());
  }

  private Round current() {
    Round current = round;
    if (current == null) {
      throw new IllegalStateException("No round has begun");
    }
    return current;
  }

  private List<Run> claimed() {
    return current().departure.plan().fetch();
  }

  private void land(@Nullable Throwable error) {
    Round ended = current();
    round = null;
    ended.cache.land(ended.ledger, ended.departure.flight(), error);
  }

  Explanation explain(WindowCache cache) {
    Ledger ledger = cache.pin(tenant, query.measurement());
    try {
      WindowPlanner.Plan plan =
          cache.plan(
              ledger, Track.of(tenant, query), grid, allPending(), WindowCache.Sight.memory(now()));
      int windows = grid.count(grid.first(), grid.end());
      int cached = count(plan.cached().stream().map(WindowPlanner.Cached::run).toList());
      int clipped = grid.clipped();
      List<StatementText> statements = new ArrayList<>();
      Set<String> remarks = new LinkedHashSet<>();
      for (List<Stretch> stretches : requests(plan.fetch())) {
        FetchRequest request = request(stretches);
        statements.addAll(setting.backend().render(request));
        remarks.addAll(setting.backend().remarks(request));
      }
      return new Explanation(
          setting.backend().name(),
          query.fingerprint(),
          windows,
          cached,
          windows - cached - clipped,
          clipped,
          statements,
          List.copyOf(remarks));
    } finally {
      cache.unpin(ledger);
    }
  }

  /** What other nodes have of what is missing here; asked for once. */
  private Map<Long, Segment> others(WindowCache cache, Ledger ledger, Track track, long now) {
    SecondTier second = cache.second();
    if (second == null || asked) {
      return Map.of();
    }
    asked = true;
    WindowPlanner.Plan plan =
        cache.plan(ledger, track, grid, pending, WindowCache.Sight.memory(now));
    List<Long> wanted = SecondTier.segments(grid, plan.fetch(), now);
    return second.read(ledger, track, shape(), wanted, now);
  }

  private void share(WindowCache cache, Track track, List<Run> fetchedRuns, long now) {
    SecondTier second = cache.second();
    if (second != null) {
      for (long index : SecondTier.segments(grid, fetchedRuns, now)) {
        second.later(new Track.Part(track, index), shape());
      }
    }
  }

  private SegmentCodec.Shape shape() {
    return new SegmentCodec.Shape(query.selections().size(), query.groupBy().size());
  }

  /** When the read began, by the clock: what is kept is never said to be younger than it is. */
  private long fetch(List<Run> runs) {
    assembly.expect(runs);
    long began = Long.MAX_VALUE;
    for (List<Stretch> stretches : requests(runs)) {
      RequestQueue.Turn turn = setting.queue().take(tenant, query.measurement(), remaining());
      try {
        began = Math.min(began, now());
        requests++;
        setting.timed(
            tenant,
            query,
            assembly::bytes,
            () -> setting.backend().fetch(request(stretches), assembly));
      } finally {
        turn.close();
      }
    }
    fetched += count(runs);
    return began;
  }

  private FetchRequest request(List<Stretch> stretches) {
    return new FetchRequest(query, setting.tenantTag(), tenant, stretches, remaining());
  }

  /** What each request asks for. */
  private List<List<Stretch>> requests(List<Run> runs) {
    List<Stretch> all = new ArrayList<>();
    for (Run run : runs) {
      all.addAll(grid.stretches(run.from(), run.to()));
    }
    int most = setting.backend().rangesInRequest();
    List<List<Stretch>> made = new ArrayList<>();
    for (int from = 0; from < all.size(); from += most) {
      made.add(List.copyOf(all.subList(from, Math.min(all.size(), from + most))));
    }
    return made;
  }

  /** Waits until the flight has ended; false when it failed. */
  private boolean await(Flight flight) {
    try {
      flight.done().get(remaining().toNanos(), TimeUnit.NANOSECONDS);
      return true;
    } catch (ExecutionException e) {
      return false;
    } catch (TimeoutException e) {
      throw tooSlow(e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new UnavailableException(
          "Interrupted while another query fetched windows of %s from %s"
              .formatted(query.measurement(), setting.backend().name()),
          e);
    }
  }

  private static Throwable failure(Flight flight) {
    return flight.done().handle((nothing, error) -> error).join();
  }

  Duration remaining() {
    Duration left = setting.timeout().minusNanos(System.nanoTime() - started);
    if (left.isNegative() || left.isZero()) {
      throw tooSlow(null);
    }
    return left;
  }

  private UnavailableException tooSlow(@Nullable Throwable cause) {
    return new UnavailableException(
        "A query of %s was not answered by %s within %s"
            .formatted(query.measurement(), setting.backend().name(), setting.timeout()),
        cause);
  }

  private BitSet allPending() {
    BitSet all = new BitSet(grid.size());
    all.set(0, grid.size());
    for (int i = 0; grid.skips() && i < grid.size(); i++) {
      if (grid.skipped(grid.first() + i)) {
        all.clear(i);
      }
    }
    return all;
  }

  private void clear(Run run) {
    pending.clear((int) (run.from() - grid.first()), (int) (run.to() - grid.first()));
  }

  private int count(List<Run> runs) {
    return runs.stream().mapToInt(run -> grid.count(run.from(), run.to())).sum();
  }

  TimeSeriesResult result() {
    return new TimeSeriesResult(
        range,
        assembly.render(query),
        grid.count(grid.first(), grid.end()),
        fetched,
        requests,
        bytes());
  }

  long now() {
    return Nanos.of(setting.clock().instant());
  }
}
