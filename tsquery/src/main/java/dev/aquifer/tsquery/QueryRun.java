package dev.aquifer.tsquery;

import dev.aquifer.Tenant;
import dev.aquifer.UnavailableException;
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
import org.jspecify.annotations.Nullable;

/**
 * One query on its way to an answer. In rounds: plan and claim; copy what is cached; fetch and keep
 * what was claimed; then wait for what others fetch, and plan again for what is still pending. Own
 * fetches end before others' are waited for, so that two queries never wait for each other.
 *
 * <p>Used by one thread, once.
 */
final class QueryRun {
  /** A flight of another that failed is tried again by oneself, that often. */
  private static final int RETRIES = 1;

  /** What all queries of a {@link TimeSeries} have in common. */
  record Setting(
      Backend backend, String tenantTag, Duration timeout, long maxPoints, Clock clock) {}

  private final Setting setting;
  private final Tenant tenant;
  private final TimeSeriesQuery query;
  private final TimeRange range;
  private final WindowGrid grid;
  private final Assembly assembly;
  private final long started = System.nanoTime();
  private boolean asked;
  private long fetched;
  private int requests;

  QueryRun(
      Setting setting, Tenant tenant, TimeSeriesQuery query, TimeRange range, WindowGrid grid) {
    this.setting = setting;
    this.tenant = tenant;
    this.query = query;
    this.range = range;
    this.grid = grid;
    this.assembly = new Assembly(grid, query.selections(), setting.maxPoints());
  }

  Tenant tenant() {
    return tenant;
  }

  TimeSeriesResult uncached() {
    fetch(List.of(new Run(grid.first(), grid.end())));
    return result();
  }

  TimeSeriesResult cached(WindowCache cache) {
    Ledger ledger = cache.pin(tenant, query.measurement());
    try {
      BitSet pending = allPending();
      int failures = 0;
      while (!pending.isEmpty()) {
        List<Flight> awaited = round(cache, ledger, pending);
        if (!pending.isEmpty() && !await(awaited.get(0)) && ++failures > RETRIES) {
          throw new UnavailableException(
              "%s failed %d times for queries of %s that this one waited for; see the cause."
                  .formatted(setting.backend().name(), failures, query.measurement()),
              failure(awaited.get(0)));
        }
      }
      return result();
    } finally {
      cache.unpin(ledger);
    }
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
      for (FetchRequest request : requests(plan.fetch())) {
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

  /** One round; takes what it answers from pending, and returns whom to wait for. */
  private List<Flight> round(WindowCache cache, Ledger ledger, BitSet pending) {
    // Before the epoch and before the read: what is kept is never said to be younger than it is.
    long now = now();
    Track track = Track.of(tenant, query);
    boolean current = ledger.current();
    Map<Long, Segment> others = current ? others(cache, ledger, track, pending, now) : Map.of();
    WindowCache.Departure departure =
        cache.depart(ledger, track, grid, pending, new WindowCache.Sight(now, current, others));
    WindowPlanner.Plan plan = departure.plan();
    Throwable error = null;
    try {
      for (WindowPlanner.Cached part : plan.cached()) {
        Run run = part.run();
        part.segment()
            .copyTo(
                assembly,
                (int) (run.from() - part.segmentFirst()),
                (int) (run.to() - part.segmentFirst()),
                (int) (run.from() - grid.first()));
        clear(pending, run);
      }
      if (!plan.fetch().isEmpty()) {
        ledger.reading(() -> fetch(plan.fetch()));
        cache.keep(ledger, departure.flight(), plan.fetch(), assembly, now);
        share(cache, track, plan.fetch(), now);
        plan.fetch().forEach(run -> clear(pending, run));
      }
    } catch (RuntimeException | Error e) {
      error = e;
      throw e;
    } finally {
      cache.land(ledger, departure.flight(), error);
    }
    return plan.awaited();
  }

  /** What other nodes have of what is missing here; asked for once. */
  private Map<Long, Segment> others(
      WindowCache cache, Ledger ledger, Track track, BitSet pending, long now) {
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

  private void fetch(List<Run> runs) {
    assembly.expect(runs);
    for (FetchRequest request : requests(runs)) {
      requests++;
      setting.backend().fetch(request, assembly);
    }
    fetched += count(runs);
  }

  private List<FetchRequest> requests(List<Run> runs) {
    List<Stretch> all = new ArrayList<>();
    for (Run run : runs) {
      all.addAll(grid.stretches(run.from(), run.to()));
    }
    int most = setting.backend().rangesInRequest();
    List<FetchRequest> made = new ArrayList<>();
    for (int from = 0; from < all.size(); from += most) {
      List<Stretch> some = all.subList(from, Math.min(all.size(), from + most));
      made.add(new FetchRequest(query, setting.tenantTag(), tenant, some, remaining()));
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

  private Duration remaining() {
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
    BitSet pending = new BitSet(grid.size());
    pending.set(0, grid.size());
    for (int i = 0; grid.skips() && i < grid.size(); i++) {
      if (grid.skipped(grid.first() + i)) {
        pending.clear(i);
      }
    }
    return pending;
  }

  private void clear(BitSet pending, Run run) {
    pending.clear((int) (run.from() - grid.first()), (int) (run.to() - grid.first()));
  }

  private int count(List<Run> runs) {
    return runs.stream().mapToInt(run -> grid.count(run.from(), run.to())).sum();
  }

  private TimeSeriesResult result() {
    return new TimeSeriesResult(
        range, assembly.render(query), grid.count(grid.first(), grid.end()), fetched, requests);
  }

  private long now() {
    return Nanos.of(setting.clock().instant());
  }
}
