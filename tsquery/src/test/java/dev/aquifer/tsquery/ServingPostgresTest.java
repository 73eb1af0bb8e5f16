package dev.aquifer.tsquery;

import static org.assertj.core.api.Assertions.assertThat;

import dev.aquifer.AquiferException;
import dev.aquifer.Tenant;
import dev.aquifer.testkit.FaultProxy;
import dev.aquifer.testkit.PostgresTest;
import dev.aquifer.testkit.Proof;
import dev.aquifer.testkit.TestDatabase;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.postgresql.ds.PGSimpleDataSource;

/** What many clients, tenants and panels cost a real server. */
@PostgresTest(
    schema = {
      "CREATE TABLE vitals (at timestamptz, tenant text, device text, value float8, note text)",
      "INSERT INTO vitals SELECT timestamptz '2026-03-01T12:00Z' + i * interval '10 s', 't1',"
          + " 'd' || i % 3, i % 97 / 8.0, 'no number' FROM generate_series(-9000, 400) i",
      "INSERT INTO vitals SELECT timestamptz '2026-03-01T12:00Z' - i * interval '10 s', 'flood',"
          + " 'd0', i FROM generate_series(1, 100) i",
      "CREATE INDEX ON vitals (tenant, at)",
      "CREATE VIEW slow AS WITH wait AS MATERIALIZED (SELECT pg_sleep(0.02))"
          + " SELECT v.* FROM vitals v, wait"
    })
class ServingPostgresTest {
  private static final Tenant T1 = Tenant.of("t1");
  private static final Tenant FLOOD = Tenant.of("flood");
  private static final SeriesTable VITALS =
      SeriesTable.builder("vitals")
          .time("at")
          .tag("device")
          .field("value", ValueKind.DOUBLE)
          .field("note", ValueKind.LONG)
          .build();
  private static final SeriesTable SLOW =
      SeriesTable.builder("slow").time("at").field("value", ValueKind.DOUBLE).build();

  private final TestDatabase database;
  private final Connections connections;
  private final SteppingClock clock = new SteppingClock(Schedule.NOON);
  private final ExecutorService threads = Executors.newCachedThreadPool();

  ServingPostgresTest(TestDatabase database) {
    this.database = database;
    this.connections = new Connections(database.dataSource());
  }

  @AfterEach
  void end() throws Exception {
    threads.shutdownNow();
    assertThat(threads.awaitTermination(20, TimeUnit.SECONDS)).isTrue();
    connections.close();
  }

  @Test
  void queryAll_statementThatTheServerRefuses_failsByItselfOnTheSameConnection() throws Exception {
    try (TimeSeries series = series(PostgresBackend.of(connections.dataSource(), VITALS))) {
      List<TimeSeriesQuery> panels =
          List.of(panel(0), panel(1).toBuilder().select(Aggregate.SUM, "note").build(), panel(2));
      List<BatchAnswer> answers = T1.call(() -> series.queryAll(panels));

      assertThat(connections.taken()).isEqualTo(1);
      assertThat(answers.get(0).orThrow().series()).isNotEmpty();
      assertThat(answers.get(2).orThrow().series()).isNotEmpty();
      assertThat(answers.get(1).error())
          .isInstanceOf(AquiferException.class)
          .hasMessageContaining("no number");
    }
  }

  @Test
  void queryAll_twentyPanels_takesTwoRequests() {
    Proof.of("batch-dashboard")
        .tries(10, 200)
        .run(
            run -> {
              PostgresBackend backend = PostgresBackend.of(connections.dataSource(), VITALS);
              List<TimeSeriesQuery> panels = new ArrayList<>();
              for (int i = 0; i < 20; i++) {
                panels.add(panel(i));
              }
              long batched = 0;
              long single = 0;
              for (int i = 0; i < run.tries(); i++) {
                run.tried(1);
                try (TimeSeries one = series(backend);
                    TimeSeries other = series(backend)) {
                  int before = connections.taken();
                  long began = System.nanoTime();
                  List<BatchAnswer> answers = T1.call(() -> one.queryAll(panels));
                  batched += System.nanoTime() - began;
                  assertThat(connections.taken() - before).isEqualTo(2);
                  began = System.nanoTime();
                  List<TimeSeriesResult> results = new ArrayList<>();
                  for (TimeSeriesQuery panel : panels) {
                    results.add(T1.call(() -> other.query(panel)));
                  }
                  single += System.nanoTime() - began;
                  assertThat(connections.taken() - before).isEqualTo(22);
                  for (int j = 0; j < 20; j++) {
                    assertThat(answers.get(j).orThrow().series())
                        .isEqualTo(results.get(j).series());
                  }
                }
              }
              run.detail("requests, batch", 2);
              run.detail("requests, one by one", 20);
              run.detail("ms, batch", batched / 1e6 / run.tries());
              run.detail("ms, one by one", single / 1e6 / run.tries());
            });
  }

  @Test
  void query_bySixtyFourClientsOverDifferentRanges_fetchesEachSettledWindowOnce() throws Exception {
    CountingBackend backend =
        new CountingBackend(PostgresBackend.of(connections.dataSource(), VITALS));
    try (TimeSeries series =
        TimeSeries.builder()
            .backend(backend)
            .clock(clock)
            .lateness(Duration.ofMinutes(1))
            .build()) {
      CyclicBarrier start = new CyclicBarrier(64);
      SplittableRandom random = new SplittableRandom(64);
      List<TimeSeriesQuery> queries = new ArrayList<>();
      List<Future<TimeSeriesResult>> answers = new ArrayList<>();
      for (int i = 0; i < 64; i++) {
        int from = random.nextInt(600);
        TimeSeriesQuery query =
            minutes(Schedule.NOON.minusSeconds(60L * (720 - from)), random.nextInt(30, 120));
        queries.add(query);
        answers.add(
            threads.submit(
                () -> {
                  start.await(20, TimeUnit.SECONDS);
                  return T1.call(() -> series.query(query));
                }));
      }
      for (Future<TimeSeriesResult> answer : answers) {
        answer.get(60, TimeUnit.SECONDS);
      }
      assertThat(backend.whole()).hasSizeGreaterThan(500);
      assertThat(backend.whole().values()).allSatisfy(asked -> assertThat(asked).hasValue(1));
      assertThat(backend.requests()).isLessThanOrEqualTo(64);
      for (int i = 0; i < 64; i++) {
        TimeSeriesQuery query = queries.get(i);
        assertThat(answers.get(i).get().series())
            .isEqualTo(T1.call(() -> series.queryUncached(query)).series());
      }
    }
  }

  /** A day by minutes, refreshed every 10 s. */
  @Test
  void query_dashboardThatSlides_movesAFractionOfTheBytesInAFractionOfTheTime() throws Exception {
    try (FaultProxy proxy = FaultProxy.to("127.0.0.1", database.cluster().primary().port());
        Connections far = new Connections(through(proxy))) {
      Proof.of("dashboard-bytes")
          .tries(30, 360)
          .run(
              run -> {
                try (TimeSeries series = series(PostgresBackend.of(far.dataSource(), VITALS))) {
                  TimeSeriesQuery query =
                      TimeSeriesQuery.builder("vitals")
                          .select(Aggregate.MEAN, "value")
                          .groupBy("device")
                          .every(Duration.ofMinutes(1))
                          .last(Duration.ofDays(1))
                          .build();
                  Cost cached = new Cost();
                  Cost uncached = new Cost();
                  T1.call(() -> series.query(query));
                  T1.call(() -> series.queryUncached(query));
                  for (int i = 0; i < run.tries(); i++) {
                    run.tried(1);
                    clock.advance(Duration.ofSeconds(10));
                    TimeSeriesResult own = cached.of(proxy, () -> series.query(query));
                    TimeSeriesResult all = uncached.of(proxy, () -> series.queryUncached(query));
                    assertThat(own.series()).isEqualTo(all.series());
                    assertThat(own.requests()).isLessThanOrEqualTo(1);
                    cached.buckets += own.fetched();
                    uncached.buckets += all.fetched();
                  }
                  run.detail("bytes, cached", cached.bytes);
                  run.detail("bytes, uncached", uncached.bytes);
                  run.detail("P50 ms, cached", cached.median());
                  run.detail("P50 ms, uncached", uncached.median());
                  run.detail("buckets, cached", cached.buckets);
                  run.detail("buckets, uncached", uncached.buckets);
                  assertThat(cached.bytes).isLessThanOrEqualTo(uncached.bytes / 3);
                  assertThat(cached.median()).isLessThanOrEqualTo(uncached.median() / 4);
                  assertThat(cached.buckets).isLessThanOrEqualTo(uncached.buckets / 100);
                }
              });
    }
  }

  /** Each request takes the server 20 ms; one tenant always has 24 more to send. */
  @Test
  void query_besideATenantThatFloods_isAnsweredAsIfAlone() {
    Proof.of("flood-live")
        .tries(40, 1_000)
        .run(
            run -> {
              AtomicBoolean flooding = new AtomicBoolean(true);
              AtomicInteger flooded = new AtomicInteger();
              try (TimeSeries series =
                  TimeSeries.builder()
                      .backend(PostgresBackend.of(connections.dataSource(), SLOW))
                      .clock(clock)
                      .build()) {
                times(series, 20);
                long[] alone = times(series, (int) run.tries());
                List<Future<?>> flood = new ArrayList<>();
                for (int i = 0; i < 24; i++) {
                  flood.add(
                      threads.submit(
                          () -> {
                            while (flooding.get()) {
                              FLOOD.call(() -> series.queryUncached(slow(1)));
                              flooded.incrementAndGet();
                            }
                            return null;
                          }));
                }
                long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(20);
                while (series.queue().waiting(FLOOD) < 12) {
                  assertThat(System.nanoTime()).isLessThan(end);
                  Thread.onSpinWait();
                }
                long[] beside = times(series, (int) run.tries());
                flooding.set(false);
                for (Future<?> each : flood) {
                  each.get(60, TimeUnit.SECONDS);
                }
                run.tried(run.tries());
                run.detail("requests of the flood", flooded.get());
                run.detail("P50 ms, alone", at(alone, 50));
                run.detail("P50 ms, beside", at(beside, 50));
                run.detail("P99 ms, alone", at(alone, 99));
                run.detail("P99 ms, beside", at(beside, 99));
                // In one line it would wait for six others: 120 ms and more.
                assertThat(at(beside, 50)).isLessThan(3 * at(alone, 50));
                if (Boolean.getBoolean("proof.long")) {
                  assertThat(at(beside, 99)).isLessThanOrEqualTo(1.1 * at(alone, 99));
                }
              }
            });
  }

  private static long[] times(TimeSeries series, int count) throws Exception {
    long[] times = new long[count];
    for (int i = 0; i < count; i++) {
      long began = System.nanoTime();
      T1.call(() -> series.queryUncached(slow(1)));
      times[i] = System.nanoTime() - began;
    }
    Arrays.sort(times);
    return times;
  }

  private static double at(long[] sorted, int percentile) {
    return sorted[(sorted.length - 1) * percentile / 100] / 1e6;
  }

  private static TimeSeriesQuery slow(int minutes) {
    return TimeSeriesQuery.builder("slow")
        .select(Aggregate.SUM, "value")
        .every(Duration.ofMinutes(1))
        .range(Schedule.NOON.minusSeconds(60L * minutes), Schedule.NOON)
        .build();
  }

  /** Settled windows, and no two panels share any. */
  private static TimeSeriesQuery panel(int number) {
    return minutes(Schedule.NOON.minus(Duration.ofHours(24 - number)), 50);
  }

  private static TimeSeriesQuery minutes(Instant start, int minutes) {
    return TimeSeriesQuery.builder("vitals")
        .select(Aggregate.MEAN, "value")
        .groupBy("device")
        .every(Duration.ofMinutes(1))
        .range(start, start.plusSeconds(60L * minutes))
        .build();
  }

  private TimeSeries series(Backend backend) {
    return TimeSeries.builder().backend(backend).clock(clock).build();
  }

  private PGSimpleDataSource through(FaultProxy proxy) {
    PGSimpleDataSource source = new PGSimpleDataSource();
    source.setServerNames(new String[] {proxy.host()});
    source.setPortNumbers(new int[] {proxy.port()});
    source.setDatabaseName(database.name());
    source.setUser(database.user());
    source.setPassword(database.password());
    return source;
  }

  /** What a way of asking costs. */
  private static final class Cost {
    private long bytes;
    private final List<Long> nanos = new ArrayList<>();
    private long buckets;

    double median() {
      return nanos.stream().mapToLong(Long::longValue).sorted().toArray()[nanos.size() / 2] / 1e6;
    }

    TimeSeriesResult of(FaultProxy proxy, java.util.function.Supplier<TimeSeriesResult> ask)
        throws Exception {
      long before = proxy.bytesToClient() + proxy.bytesToServer();
      long began = System.nanoTime();
      TimeSeriesResult result = T1.call(ask::get);
      nanos.add(System.nanoTime() - began);
      bytes += proxy.bytesToClient() + proxy.bytesToServer() - before;
      return result;
    }
  }
}
