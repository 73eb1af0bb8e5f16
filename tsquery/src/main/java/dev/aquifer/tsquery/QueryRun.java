package dev.aquifer.tsquery;

import dev.aquifer.Tenant;
import dev.aquifer.tsquery.SegmentReads.Wanted;
import java.time.Duration;
import java.util.BitSet;
import java.util.List;
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
  /**
   * So many flights of others may leave what they were waited for pending, before it is fetched.
   */
  private static final int VAIN_WAITS = 2;

  private final QuerySetting setting;
  private final Tenant tenant;
  private final TimeSeriesQuery query;
  private final TimeRange range;
  private final WindowGrid grid;
  private final Track track;
  private final Assembly assembly;
  private final Fetching fetching;
  private final BitSet pending;
  private final long within;
  private final long delay;
  private @Nullable OpenWindow parts;
  private @Nullable Sharing sharing;
  private @Nullable Round round;
  private List<Flight> awaited = List.of();
  private int vainWaits;

  /** How much was pending when it last waited. */
  private int leftBefore = Integer.MAX_VALUE;

  /**
   * What was planned and claimed.
   *
   * @param runs what is fetched by this query
   * @param sharing null: with nobody
   */
  private record Round(
      WindowCache cache,
      Ledger ledger,
      WindowCache.Departure departure,
      List<Run> runs,
      @Nullable Sharing sharing) {}

  /**
   * A query.
   *
   * @param part whether its windows are parts of a window that is open: those that are not settled
   *     are good for as long as that, and not worth sharing
   */
  QueryRun(
      QuerySetting setting,
      Tenant tenant,
      TimeSeriesQuery query,
      TimeRange range,
      WindowGrid grid,
      PointBudget budget,
      boolean part) {
    this.setting = setting;
    this.tenant = tenant;
    this.query = query;
    this.range = range;
    this.grid = grid;
    this.track = Track.of(tenant, query);
    this.assembly = new Assembly(grid, query, budget);
    this.fetching = new Fetching(setting, tenant, query, grid, assembly);
    this.pending = allPending();
    this.within = part ? setting.ageing().open().toNanos() : Long.MAX_VALUE;
    this.delay = part ? setting.ageing().lateness().toNanos() : 0;
  }

  /** As {@link #ofParts(PointBudget)}, of a query alone. */
  QueryRun ofParts() {
    return ofParts(new PointBudget(tenant, assembly.limit()));
  }

  /**
   * The same; its open window is to be put together, where it has one that can be. Once.
   *
   * @param budget how many points the parts may have
   */
  QueryRun ofParts(PointBudget budget) {
    OpenWindow open = OpenWindow.of(setting, tenant, query, range, grid, budget);
    if (open != null) {
      parts = open;
      pending.clear((int) (open.bucket() - grid.first()));
    }
    return this;
  }

  /** What asks for the parts of its open window; null when that is read whole, or put together. */
  @Nullable QueryRun parts() {
    return parts == null ? null : parts.run();
  }

  /** All parts are there. */
  void putTogether() {
    OpenWindow made = parts;
    if (made != null) {
      boolean whole = made.putInto(assembly);
      fetching.count(made.run().fetching);
      assembly.received(made.run().bytes());
      readWhole();
      if (whole) {
        clear(new Run(made.bucket(), made.bucket() + 1));
      }
    }
  }

  /** The open window is not put together. */
  void readWhole() {
    OpenWindow left = parts;
    parts = null;
    if (left != null) {
      pending.set((int) (left.bucket() - grid.first()));
    }
  }

  Assembly assembly() {
    return assembly;
  }

  Fetching fetching() {
    return fetching;
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
    return fetching.tookNanos();
  }

  long fetched() {
    return fetching.fetched();
  }

  int requests() {
    return fetching.requests();
  }

  /** How many bytes of answers came for it so far. */
  long bytes() {
    return assembly.bytes();
  }

  long points() {
    return assembly.seriesPoints();
  }

  /** What the backend says of what it is asked for. */
  List<String> remarks() {
    return setting.backend().remarks(fetching.sample());
  }

  TimeSeriesResult uncached() {
    fetching.fetch(List.of(new Run(grid.first(), grid.end())));
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
    return parts != null || !pending.isEmpty();
  }

  /**
   * Plans, claims, and copies what is cached. Whether something is to be fetched; then {@link
   * #arrive} or {@link #fail} must follow. In any case {@link #awaitOthers} must.
   */
  boolean depart(WindowCache cache, Ledger ledger) {
    long now = now();
    boolean current = ledger.current();
    Sharing with = current ? sharing(cache) : null;
    Received others = with == null ? Received.NOTHING : others(with, cache, ledger, now);
    WindowCache.Departure departure =
        cache.depart(ledger, track, grid, pending, sight(now, current, others));
    WindowPlanner.Plan plan = departure.plan();
    round = new Round(cache, ledger, departure, plan.fetch(), with);
    awaited = plan.awaited();
    try {
      plan.cached().forEach(this::copy);
      if (with != null && !plan.fetch().isEmpty()) {
        List<Run> mine = with.claim(ledger, plan.fetch(), now);
        round = new Round(cache, ledger, departure, mine, with);
      }
    } catch (RuntimeException | Error e) {
      fail(e);
      throw e;
    }
    if (claimed().isEmpty() && !leaves()) {
      land(null);
    }
    return round != null && !claimed().isEmpty();
  }

  /**
   * What is to be asked of other nodes, by who asks for several queries; {@link #receive} takes the
   * answer. Null: nothing.
   */
  @Nullable Wanted wanted(WindowCache cache, Ledger ledger) {
    Sharing with = ledger.current() ? sharing(cache) : null;
    return with == null ? null : wanted(with, cache, ledger, now());
  }

  void receive(Received received) {
    if (sharing != null) {
      sharing.receive(received);
    }
  }

  /** Whether something would be fetched now. Claims nothing. */
  boolean wouldFetch(WindowCache cache, Ledger ledger) {
    return !plan(cache, ledger).fetch().isEmpty();
  }

  /** What would be done now, by what memory has. */
  WindowPlanner.Plan plan(WindowCache cache, Ledger ledger) {
    return cache.plan(ledger, track, grid, pending, sight(now(), true, Received.NOTHING));
  }

  private WindowCache.Sight sight(long now, boolean current, Received others) {
    return new WindowCache.Sight(now, within, current, vainWaits < VAIN_WAITS, others);
  }

  /** What would be sent for a plan, to show it: nothing else can be done with this query then. */
  List<FetchRequest> requests(WindowPlanner.Plan plan) {
    Run looked = assembly.lookedAt(plan.fetch());
    if (looked != null) {
      for (WindowPlanner.Cached part : plan.cached()) {
        Run run = part.run().common(looked);
        if (run.size() > 0) {
          copy(new WindowPlanner.Cached(part.segment(), part.segmentFirst(), run));
        }
      }
    }
    return fetching.requests(plan.fetch());
  }

  /** Fetches what was claimed, by itself, and keeps it. */
  void fetchAndKeep() {
    List<Run> runs = claimed();
    long[] began = new long[1];
    try {
      current().ledger.reading(() -> began[0] = fetching.fetch(runs));
      arrive(began[0]);
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
      Sharing with = current.sharing == null ? sharing(current.cache) : current.sharing;
      if (with != null) {
        with.store(current.ledger, runs, began);
      }
      runs.forEach(this::clear);
    } catch (RuntimeException | Error e) {
      fail(e);
      throw e;
    }
    if (!leaves()) {
      land(null);
    }
  }

  /** What was claimed will not come. Nothing when the round has ended. */
  void fail(Throwable error) {
    Round failed = round;
    if (failed != null) {
      try {
        if (failed.sharing != null) {
          failed.sharing.giveUp(failed.ledger);
        }
      } finally {
        land(error);
      }
    }
  }

  /** Waits for what another node fetches, and ends the round. Nothing when it has ended. */
  void awaitNodes() {
    Round left = round;
    if (left != null && left.sharing != null) {
      try {
        left.sharing.await(left.ledger, fetching.remaining().toNanos() / 2);
      } catch (RuntimeException | Error e) {
        fail(e);
        throw e;
      }
      land(null);
    }
  }

  /** Waits for what others fetch, if something is pending still. */
  void awaitOthers() {
    if (round != null) {
      awaitNodes();
    } else if (!pending.isEmpty() && !awaited.isEmpty()) {
      // What made another fail may be its own alone: its limits, its time, its interrupt.
      vainWaits = fetching.await(awaited.get(0)) ? waits(pending.cardinality()) : VAIN_WAITS;
    }
  }

  /** How many waits in a row brought nothing, with this one. */
  private int waits(int left) {
    int vain = left < leftBefore ? 1 : vainWaits + 1;
    leftBefore = left;
    return vain;
  }

  /** The one request that what was claimed takes, ready to be sent; null when it takes several. */
  @Nullable FetchRequest request() {
    return fetching.single(claimed());
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
    fetching.countFetched(claimed(), requestsSent);
  }

  private void copy(WindowPlanner.Cached part) {
    Run run = part.run();
    part.segment()
        .copyTo(
            assembly,
            (int) (run.from() - part.segmentFirst()),
            (int) (run.to() - part.segmentFirst()),
            (int) (run.from() - grid.first()));
    clear(run);
  }

  private Round current() {
    Round current = round;
    if (current == null) {
      throw new IllegalStateException("No round has begun");
    }
    return current;
  }

  /** Whether another node fetches some of what was claimed. */
  private boolean leaves() {
    Round current = current();
    return current.sharing != null && current.sharing.waits();
  }

  private List<Run> claimed() {
    return current().runs;
  }

  private void land(@Nullable Throwable error) {
    Round ended = current();
    round = null;
    ended.cache.land(ended.ledger, ended.departure.flight(), error);
  }

  /** What other nodes have of what is missing here. */
  private Received others(Sharing with, WindowCache cache, Ledger ledger, long now) {
    Wanted wanted = wanted(with, cache, ledger, now);
    SecondTier second = cache.second();
    if (wanted != null && second != null) {
      with.receive(second.reads.read(List.of(wanted)).get(0));
    }
    return with.received();
  }

  private @Nullable Wanted wanted(Sharing with, WindowCache cache, Ledger ledger, long now) {
    if (!with.asks()) {
      return null;
    }
    return with.wanted(ledger, plan(cache, ledger).fetch(), now);
  }

  private @Nullable Sharing sharing(WindowCache cache) {
    SecondTier second = cache.second();
    if (sharing == null && second != null) {
      sharing = new Sharing(second, grid, track, query, delay, assembly.mostSeries());
    }
    return sharing;
  }

  Duration remaining() {
    return fetching.remaining();
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

  TimeSeriesResult result() {
    return new TimeSeriesResult(
        range,
        assembly.render(query),
        grid.count(grid.first(), grid.end()),
        fetched(),
        requests(),
        bytes());
  }

  long now() {
    return fetching.now();
  }
}
