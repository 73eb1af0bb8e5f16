package dev.aquifer.tsquery;

import dev.aquifer.ConfigurationException;
import dev.aquifer.RefusedQueryException;
import dev.aquifer.Tag;
import dev.aquifer.Tenant;
import dev.aquifer.TenantContext;
import dev.aquifer.cache.Caches;
import dev.aquifer.cache.Timeline;
import dev.aquifer.spi.Observer;
import dev.aquifer.spi.Report;
import java.time.Clock;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * Answers queries of time series for the current tenant, from cached windows and a backend that is
 * asked for the missing ones alone. The answer is the uncached one, bit for bit, as long as what
 * changes in windows that are kept is told of by {@link #invalidate}; what is not told of shows
 * when the window's time is up ({@link Ageing}).
 *
 * <p>Thread-safe; make one a server and share it. Queries run on the caller's thread.
 *
 * <pre>{@code
 * try (TimeSeries series =
 *     TimeSeries.builder().backend(PostgresBackend.of(dataSource, departures)).build()) {
 *   TimeSeriesResult day = Tenant.of("DFW").call(() -> series.query(query));
 * }
 * }</pre>
 */
public final class TimeSeries implements AutoCloseable {
  private final Backend backend;
  private final String tenantTag;
  private final QuerySetting setting;
  private final QueryLimits limits;
  private final ConcurrentHashMap<Tenant, QueryLimits> ownLimits = new ConcurrentHashMap<>();
  private final RequestQueue queue;
  private final Profiles profiles;
  private final Clock clock;
  private final Observer observer;
  private final WindowCache cache;
  private final @Nullable Caches caches;
  private final Outcomes outcomes;
  private final AtomicBoolean closed = new AtomicBoolean();

  TimeSeries(TimeSeriesBuilder builder, Backend backend) {
    this.backend = backend;
    this.tenantTag = builder.tenantTag;
    this.limits = builder.limits;
    this.clock = builder.clock;
    this.observer = Observer.of(List.of(builder.observer));
    this.caches = builder.caches;
    this.cache = new WindowCache(builder.ageing, builder.maximumWeight, timelines(builder));
    this.queue =
        new RequestQueue(
            new RequestQueue.Setting(
                builder.concurrency, builder.requestLimits(), observer, System::nanoTime));
    this.profiles = new Profiles(builder.profiled);
    this.outcomes = new Outcomes(observer, profiles, new Audit(builder.audit, clock));
    this.setting =
        new QuerySetting(
            backend, tenantTag, builder.timeout, builder.ageing, clock, queue, observer);
    if (builder.caches != null && builder.remoteBytes > 0) {
      cache.attach(
          new SecondTier(
              cache,
              new SecondTier.Settings(
                  new SharedNames(backend, builder.source, tenantTag),
                  builder.remoteLife,
                  builder.remoteWait,
                  builder.remoteBytes,
                  builder.executor == null ? builder.caches.executor() : builder.executor,
                  clock,
                  observer)));
    }
  }

  private static WindowCache.@Nullable Timelines timelines(TimeSeriesBuilder builder) {
    Caches caches = builder.caches;
    Map<String, Set<Tag>> tags = Map.copyOf(builder.tags);
    return caches == null
        ? null
        : (key, listener) ->
            caches.timeline(
                key.tenant(),
                key.measurement(),
                tags.getOrDefault(key.measurement(), Set.of()),
                listener);
  }

  /** A builder; only the backend is needed. */
  public static TimeSeriesBuilder builder() {
    return new TimeSeriesBuilder();
  }

  /**
   * Answers the query for the current tenant.
   *
   * @throws dev.aquifer.MissingTenantException the thread has no tenant
   * @throws RefusedQueryException the query names the tenant's tag, is larger than the limits, or
   *     uses what the backend cannot do; nothing was sent, unless the answer itself was too large
   * @throws dev.aquifer.TenantLimitException something must be fetched, and the tenant has as many
   *     requests running and waiting as it may ({@link RequestLimits}); nothing was sent
   * @throws dev.aquifer.UnavailableException the backend could not be reached or was too slow, or
   *     the tenant's turn did not come within the timeout
   */
  public TimeSeriesResult query(TimeSeriesQuery query) {
    QueryRun run = start(query).ofParts();
    return told(run, () -> run.parts() == null ? run.cached(cache) : putTogether(run));
  }

  /**
   * Answers many queries for the current tenant, such as those of a dashboard: equal ones once,
   * cached ones at once, and what must be fetched in as few requests as the backend takes, each of
   * which waits for one turn. A query that fails or is refused takes none with it.
   *
   * @param queries 1,000 at most; their points together are held to the limit of one query
   * @param listener is told of each answer as it comes, on this thread
   * @return the answers, in the order of the queries
   * @throws dev.aquifer.MissingTenantException the thread has no tenant
   * @throws RefusedQueryException there are too many queries or points; nothing was sent
   */
  public List<BatchAnswer> queryAll(List<TimeSeriesQuery> queries, BatchListener listener) {
    requireOpen();
    Tenant tenant = TenantContext.require();
    Instant now = clock.instant();
    long points = limits(tenant).points();
    PointBudget budget = new PointBudget(tenant, points);
    PointBudget parts = new PointBudget(tenant, points);
    Batch batch;
    List<QueryRun> runs;
    try {
      batch = new Batch(tenant, queries, listener);
      runs = batch.start(query -> start(query, tenant, now, budget).ofParts(parts), points);
    } catch (RefusedQueryException e) {
      // All of it is refused as one, and told of as one.
      outcomes.refused(queries.get(0), tenant, e);
      throw e;
    }
    new QueryBatch(
            setting,
            cache,
            tenant,
            (run, result, error) -> {
              outcomes.ended(run, result, error);
              batch.ended(run, result, error);
            })
        .answer(runs);
    return batch.answers();
  }

  /** {@link #queryAll(List, BatchListener)} with nobody told before all have ended. */
  public List<BatchAnswer> queryAll(List<TimeSeriesQuery> queries) {
    return queryAll(queries, (answer, done, of) -> {});
  }

  /**
   * Answers the query from the backend alone; neither reads nor fills the cache. Same errors as
   * {@link #query}.
   */
  public TimeSeriesResult queryUncached(TimeSeriesQuery query) {
    QueryRun run = start(query);
    return told(run, run::uncached);
  }

  /** What {@link #query} would do now. Sends nothing. Same refusals. */
  public Explanation explain(TimeSeriesQuery query) {
    return Explaining.explain(start(query).ofParts(), cache, backend);
  }

  /**
   * Voids, for the current tenant, the cached windows that have a moment in common with {@code
   * [start, stop)}; also those that are being fetched now. Call it after the change is visible to
   * readers of the backend. The cost grows with the cached segments of this measurement and tenant,
   * not with their points.
   *
   * <p>With {@link TimeSeriesBuilder#caches} that goes for all nodes: for this session, and whoever
   * bears its token, when this returns; for others as soon as they hear of it.
   *
   * @throws dev.aquifer.MissingTenantException the thread has no tenant
   * @throws RefusedQueryException start is not before stop
   */
  public void invalidate(String measurement, Instant start, Instant stop) {
    TimeRange range = new TimeRange(start, stop);
    voided(measurement, List.of(new Timeline.Span(range.startNanos(), range.stopNanos())));
  }

  /** As {@link #invalidate(String, Instant, Instant)}, for a change of which no range is known. */
  public void invalidate(String measurement) {
    voided(measurement, List.of(new Timeline.Span(Long.MIN_VALUE, Long.MAX_VALUE)));
  }

  /**
   * Points of these times were written, for the current tenant, and are visible to readers of the
   * backend: the windows that they touch are void, as by {@link #invalidate(String, Instant,
   * Instant)}. Any number of points is told of as 32 ranges at most; of more times than that the
   * closest are joined, with what lies between them.
   *
   * @throws dev.aquifer.MissingTenantException the thread has no tenant
   * @throws RefusedQueryException a time is out of the range of 64-bit nanoseconds
   */
  public void written(String measurement, Collection<Instant> times) {
    voided(
        measurement, WrittenTimes.spans(times.stream().mapToLong(WrittenTimes::nanos).toArray()));
  }

  /**
   * The same of points in InfluxDB's line protocol, of any measurements, as they were sent; by the
   * rules of the backend's server, see {@link Backend#escapesBackslashes}. Each has its time; one
   * without has the server's, which nobody else knows.
   *
   * @param precision of the times: NANOS, MICROS, MILLIS or SECONDS
   * @throws IllegalArgumentException a line breaks the protocol's rules, has no time, or has
   *     another tenant in the tenant's tag; nothing is void then
   */
  public void written(String lines, ChronoUnit precision) {
    requireOpen();
    LineProtocol.read(
            lines, precision, tenantTag, TenantContext.require().id(), backend.escapesBackslashes())
        .forEach((measurement, times) -> voided(measurement, WrittenTimes.spans(times)));
  }

  /** The same of bytes, in UTF-8. */
  public void written(byte[] lines, ChronoUnit precision) {
    written(LineProtocol.text(lines), precision);
  }

  /**
   * Answers the query over an encounter's time instead of its own range: to the encounter's end, or
   * to now. Windows are shared with all queries that differ in their range alone; the one that is
   * still open lives for seconds.
   *
   * @throws RefusedQueryException also when the encounter begins later than now
   */
  public TimeSeriesResult query(Encounter encounter, TimeSeriesQuery query) {
    TimeRange range = encounter.until(clock.instant());
    return query(query.withRange(range.start(), range.stop()));
  }

  /**
   * The boundaries of an encounter are others now, for the current tenant: it was closed or
   * amended. All windows of the measurement in either time are void, as one.
   */
  public void changed(String measurement, Encounter before, Encounter after) {
    voided(measurement, List.of(before.span(), after.span()));
  }

  private void voided(String measurement, List<Timeline.Span> spans) {
    requireOpen();
    Tenant tenant = TenantContext.require();
    Names.require("measurement", measurement);
    if (caches == null) {
      spans.forEach(span -> cache.invalidate(tenant, measurement, span));
    } else if (!spans.isEmpty()) {
      caches.invalidateRanges(measurement, spans);
    }
  }

  /** What it did so far. */
  public TimeSeriesStatistics statistics() {
    return outcomes.statistics(cache.second());
  }

  /**
   * What the current tenant's queries cost on this node, the heaviest first, each with suggestions;
   * as many fingerprints as {@link TimeSeriesBuilder#profiled} says.
   *
   * @throws dev.aquifer.MissingTenantException the thread has no tenant
   */
  public List<QueryProfile> profile() {
    return profiles.of(TenantContext.require());
  }

  /**
   * The 50 fingerprints that took most time on this node, of all tenants, as a table for a page
   * such as {@code MetricsPage}. Names of measurements, fields and tags are in it, values that are
   * asked for are not.
   */
  public Report costs() {
    return new CostReport(profiles);
  }

  /** Sets how large one tenant's queries may be, from the next call on; null: as those of all. */
  public void limits(Tenant tenant, @Nullable QueryLimits largest) {
    if (largest == null) {
      ownLimits.remove(tenant);
    } else {
      ownLimits.put(tenant, largest);
    }
  }

  /**
   * Sets how many requests of one tenant the backend is sent at a time, from the next call on;
   * null: as many as of all.
   *
   * @throws ConfigurationException when it is more than all tenants' together
   */
  public void requestLimits(Tenant tenant, @Nullable RequestLimits most) {
    queue.limit(tenant, most);
  }

  /** Drops the cache and lets go of the backend. Idempotent; calls after it are refused. */
  @Override
  public void close() {
    if (closed.compareAndSet(false, true)) {
      queue.close();
      cache.clear();
      backend.close();
    }
  }

  WindowCache cache() {
    return cache;
  }

  RequestQueue queue() {
    return queue;
  }

  private TimeSeriesResult putTogether(QueryRun run) {
    BatchAnswer[] answer = new BatchAnswer[1];
    new QueryBatch(
            setting,
            cache,
            run.tenant(),
            (ended, result, error) -> answer[0] = new BatchAnswer(0, run.query(), result, error))
        .answer(List.of(run));
    return answer[0].orThrow();
  }

  private TimeSeriesResult told(QueryRun run, Supplier<TimeSeriesResult> answer) {
    TimeSeriesResult result;
    try {
      result = answer.get();
    } catch (RuntimeException | Error e) {
      outcomes.ended(run, null, e);
      throw e;
    }
    outcomes.ended(run, result, null);
    return result;
  }

  private QueryLimits limits(Tenant tenant) {
    return ownLimits.getOrDefault(tenant, limits);
  }

  private QueryRun start(TimeSeriesQuery query) {
    requireOpen();
    Tenant tenant = TenantContext.require();
    return start(query, tenant, clock.instant(), new PointBudget(tenant, limits(tenant).points()));
  }

  private QueryRun start(TimeSeriesQuery query, Tenant tenant, Instant now, PointBudget budget) {
    try {
      refuseTenantTag(query);
      TimeRange range =
          query.range() instanceof LastRange last ? last.until(now) : (TimeRange) query.range();
      WindowGrid grid =
          WindowGrid.of(query.window(), range, limits(tenant), query.selections().size());
      backend.check(query);
      return new QueryRun(setting, tenant, query, range, grid, budget, false);
    } catch (RefusedQueryException e) {
      outcomes.refused(query, tenant, e);
      throw new RefusedQueryException("Tenant %s: %s".formatted(tenant, e.getMessage()), e);
    }
  }

  private void refuseTenantTag(TimeSeriesQuery query) {
    Condition condition = query.condition();
    boolean named =
        query.groupBy().contains(tenantTag)
            || query.selections().stream().anyMatch(each -> each.field().equals(tenantTag))
            || (condition != null && Condition.tags(condition).contains(tenantTag));
    if (named) {
      throw new RefusedQueryException(
          ("The query of %s names '%s', the tenant's tag. The current tenant is added to every"
                  + " query; leave it out.")
              .formatted(query.measurement(), tenantTag));
    }
  }

  private void requireOpen() {
    if (closed.get()) {
      throw new IllegalStateException("This TimeSeries is closed");
    }
  }
}
