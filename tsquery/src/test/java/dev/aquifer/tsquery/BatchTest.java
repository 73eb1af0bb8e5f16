package dev.aquifer.tsquery;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.sun.management.ThreadMXBean;
import dev.aquifer.AquiferException;
import dev.aquifer.RefusedQueryException;
import dev.aquifer.Tenant;
import dev.aquifer.UnavailableException;
import dev.aquifer.testkit.Eventually;
import dev.aquifer.testkit.Proof;
import java.lang.management.ManagementFactory;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneId;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Predicate;
import java.util.random.RandomGenerator;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class BatchTest {
  private static final Tenant T1 = Tenant.of("t1");
  private static final Duration TIMEOUT = Duration.ofSeconds(30);
  private static final List<Aggregate> FOUR =
      List.of(Aggregate.COUNT, Aggregate.SUM, Aggregate.MEAN, Aggregate.MIN);

  private final Joined backend = new Joined();
  private final TimeSeries series =
      TimeSeries.builder()
          .backend(backend)
          .clock(new SteppingClock(Schedule.NOON))
          .concurrency(1)
          .timeout(TIMEOUT)
          .build();

  @AfterEach
  void close() {
    series.close();
  }

  @Test
  void queryAll_dashboard_isOneRequestAndEachAnswerIsTheOneByOneAnswer() throws Exception {
    points(backend);
    List<TimeSeriesQuery> panels = panels(8);
    List<BatchAnswer> answers = T1.call(() -> series.queryAll(panels));

    assertThat(backend.joint).hasValue(1);
    assertThat(answers).extracting(BatchAnswer::index).containsExactly(0, 1, 2, 3, 4, 5, 6, 7);
    assertThat(answers.stream().mapToInt(each -> each.orThrow().requests()).sum()).isEqualTo(1);
    for (BatchAnswer answer : answers) {
      assertThat(answer.orThrow().series())
          .isEqualTo(T1.call(() -> series.queryUncached(answer.query())).series())
          .isNotEmpty();
    }
    int before = backend.requests();
    assertThat(T1.call(() -> series.queryAll(panels)))
        .allSatisfy(each -> assertThat(each.orThrow().requests()).isZero());
    assertThat(backend.requests()).isEqualTo(before);
  }

  @Test
  void queryAll_equalQueries_areAskedOnce() throws Exception {
    points(backend);
    TimeSeriesQuery one = hour("m", Aggregate.SUM, 0);
    TimeSeriesQuery filled = one.toBuilder().fill(Fill.nulls()).build();
    List<BatchAnswer> answers = T1.call(() -> series.queryAll(List.of(one, one, filled, one)));

    assertThat(answers.get(1).result()).isSameAs(answers.get(0).result());
    assertThat(answers.get(3).result()).isSameAs(answers.get(0).result());
    assertThat(answers.get(2).orThrow().series().get(0).size()).isEqualTo(60);
    assertThat(answers.get(2).orThrow().fetched()).isZero();
    assertThat(backend.requests()).isEqualTo(1);
  }

  @Test
  void queryAll_oneRefusedOneFailing_takesNoneWithIt() throws Exception {
    points(backend);
    backend.failing = query -> query.measurement().equals("broken");
    TimeSeriesQuery good = hour("m", Aggregate.SUM, 0);
    TimeSeriesQuery broken = hour("broken", Aggregate.SUM, 0);
    TimeSeriesQuery tenant = good.toBuilder().groupBy("tenant").build();
    TimeSeriesQuery late = hour("m", Aggregate.MEAN, 1);
    List<Integer> told = new ArrayList<>();
    List<BatchAnswer> answers =
        T1.call(
            () ->
                series.queryAll(
                    List.of(good, broken, tenant, late),
                    (answer, done, of) -> {
                      told.add(answer.index());
                      assertThat(done).isEqualTo(told.size());
                      assertThat(of).isEqualTo(4);
                    }));

    assertThat(told).containsExactlyInAnyOrder(0, 1, 2, 3).startsWith(2);
    assertThat(answers.get(0).orThrow().series()).isNotEmpty();
    assertThat(answers.get(3).orThrow().series())
        .isEqualTo(T1.call(() -> series.queryUncached(late)).series());
    assertThat(answers.get(2).error()).isInstanceOf(RefusedQueryException.class);
    BatchAnswer failed = answers.get(1);
    assertThatThrownBy(failed::orThrow)
        .isInstanceOf(AquiferException.class)
        .hasMessageContaining("broken");
    assertThat(T1.call(() -> series.query(good)).requests()).isZero();
    assertThat(series.queue().running()).isZero();
  }

  @Test
  void queryAll_serverGone_endsAllAfterOneMoreTry() throws Exception {
    backend.failing = query -> true;
    backend.gone = true;
    List<BatchAnswer> answers = T1.call(() -> series.queryAll(panels(8)));

    assertThat(answers)
        .allSatisfy(each -> assertThat(each.error()).isInstanceOf(UnavailableException.class));
    assertThat(backend.joint.get() + backend.alone.get()).isEqualTo(2);
  }

  @Test
  void queryAll_cachedOnes_areToldBeforeAnythingIsFetched() throws Exception {
    points(backend);
    TimeSeriesQuery known = hour("m", Aggregate.SUM, 5);
    T1.call(() -> series.query(known));
    int before = backend.requests();
    List<Integer> requestsWhenTold = new ArrayList<>();
    T1.call(
        () ->
            series.queryAll(
                List.of(hour("m", Aggregate.SUM, 6), known),
                (answer, done, of) -> requestsWhenTold.add(backend.requests() - before)));
    assertThat(requestsWhenTold).containsExactly(0, 1);
  }

  /** No claim is held and no turn is taken while the listener runs: there is one turn in all. */
  @Test
  void queryAll_listenerThatAsksAndThrows_breaksNothing() throws Exception {
    points(backend);
    List<TimeSeriesQuery> panels = panels(12);
    AtomicInteger asked = new AtomicInteger();
    List<BatchAnswer> answers =
        T1.call(
            () ->
                series.queryAll(
                    panels,
                    (answer, done, of) -> {
                      for (TimeSeriesQuery panel : panels) {
                        assertThat(series.query(panel).series()).isNotEmpty();
                        asked.incrementAndGet();
                      }
                      throw new IllegalStateException("a listener that fails");
                    }));
    assertThat(answers).allSatisfy(each -> assertThat(each.orThrow().series()).isNotEmpty());
    assertThat(asked).hasValue(144);
  }

  @Test
  void queryAll_moreThanTheLimits_isRefusedWithoutIo() {
    TimeSeriesQuery one = hour("m", Aggregate.SUM, 0);
    assertThatThrownBy(() -> T1.call(() -> series.queryAll(Collections.nCopies(1_001, one))))
        .isInstanceOf(RefusedQueryException.class)
        .hasMessageContaining("t1")
        .hasMessageContaining("1,001 queries");
    series.limits(T1, new QueryLimits(60, Duration.ofDays(1), 119));
    assertThatThrownBy(
            () -> T1.call(() -> series.queryAll(List.of(one, hour("m", Aggregate.MEAN, 0)))))
        .isInstanceOf(RefusedQueryException.class)
        .hasMessageContaining("120 points")
        .hasMessageContaining("119 are allowed");
    assertThat(backend.requests()).isZero();
  }

  @Test
  void queryAll_seriesOfAllPassTheLimit_refusesTheOneThatPassesIt() throws Exception {
    points(backend);
    series.limits(T1, new QueryLimits(60, Duration.ofDays(1), 250));
    TimeSeriesQuery grouped = hour("m", Aggregate.SUM, 0).toBuilder().groupBy("d").build();
    TimeSeriesQuery small = hour("m", Aggregate.MAX, 0);
    List<BatchAnswer> answers = T1.call(() -> series.queryAll(List.of(grouped, small, small)));
    assertThat(answers.get(0).orThrow().series()).hasSize(3);
    assertThat(answers.get(1).orThrow().series()).hasSize(1);

    TimeSeriesQuery second = hour("m", Aggregate.MIN, 1).toBuilder().groupBy("d").build();
    List<BatchAnswer> more =
        T1.call(() -> series.queryAll(List.of(hour("m", Aggregate.MAX, 1), second, grouped)));
    assertThat(more.stream().filter(each -> each.error() != null)).hasSize(1);
    assertThat(more.stream().filter(each -> each.error() != null).findAny().get().error())
        .isInstanceOf(RefusedQueryException.class)
        .hasMessageContaining("250 points");
  }

  /** Those that come after the limit is passed are not even looked at. */
  @Test
  void queryAll_windowsOfAllPassTheLimit_allocatesForFewOfThem() {
    List<TimeSeriesQuery> wide = new ArrayList<>();
    for (int i = 0; i < 1_000; i++) {
      wide.add(
          TimeSeriesQuery.builder("m" + i)
              .select(Aggregate.MAX, "value")
              .every(Duration.ofMinutes(1))
              .period(Duration.ofMinutes(2))
              .zone(ZoneId.of("Europe/Berlin"))
              .range(Schedule.NOON.minus(Duration.ofMinutes(9_000)), Schedule.NOON)
              .build());
    }
    series.limits(T1, new QueryLimits(9_100, Duration.ofDays(10), 27_000));
    ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
    long before = threads.getCurrentThreadAllocatedBytes();

    assertThatThrownBy(() -> T1.call(() -> series.queryAll(wide)))
        .isInstanceOf(RefusedQueryException.class)
        .hasMessageContaining("27,000 are allowed");

    // Each has the edges of its windows: some 150 kB.
    assertThat(threads.getCurrentThreadAllocatedBytes() - before).isLessThan(50_000_000);
  }

  @Test
  void queryAll_computedColumns_areHeldToTheLimitOfAll() throws Exception {
    points(backend);
    series.limits(T1, new QueryLimits(60, Duration.ofDays(1), 500));
    List<TimeSeriesQuery> mapped = new ArrayList<>();
    for (Aggregate each : FOUR) {
      TimeSeriesQuery.Builder query = hour("m", each, 0).toBuilder();
      for (int column = 0; column < 3; column++) {
        query.then(Stage.map("c" + column, ColumnExpression.of(each, "value")));
      }
      mapped.add(query.build());
    }

    long points = 0;
    List<BatchAnswer> answers = T1.call(() -> series.queryAll(mapped));
    for (BatchAnswer answer : answers) {
      for (Series one : answer.result() == null ? List.<Series>of() : answer.result().series()) {
        points += (long) one.size() * one.columns().size();
      }
    }

    assertThat(points).isPositive().isLessThanOrEqualTo(500);
    assertThat(answers)
        .anySatisfy(each -> assertThat(each.error()).hasMessageContaining("computed"));
  }

  /** What came of a request that broke off must leave no trace. */
  @Test
  void queryAll_pointsGoneBetweenABrokenRequestAndTheNext_areNotInTheAnswer() throws Exception {
    points(backend);
    backend.failing =
        query -> {
          boolean broken = query.measurement().equals("broken");
          if (broken) {
            backend.remove(Long.MIN_VALUE, Long.MAX_VALUE);
          }
          return broken;
        };
    List<BatchAnswer> answers =
        T1.call(
            () ->
                series.queryAll(
                    List.of(hour("m", Aggregate.SUM, 0), hour("broken", Aggregate.SUM, 0))));
    assertThat(answers.get(0).orThrow().series()).isEmpty();
  }

  /** Batches at random, with failures, half answers and voids in between. */
  @Test
  void queryAll_atRandom_answersAsTheQueriesByThemselves() {
    Proof.of("batch")
        .tries(150, 20_000)
        .each(
            random -> {
              Joined points = new Joined();
              points(points);
              SteppingClock clock = new SteppingClock(Schedule.NOON);
              try (TimeSeries own = TimeSeries.builder().backend(points).clock(clock).build()) {
                for (int round = 0; round < 6; round++) {
                  int failing = random.nextInt(10);
                  points.failing = query -> query.hashCode() % 10 == failing;
                  points.halfway = random.nextBoolean();
                  List<TimeSeriesQuery> queries = new ArrayList<>();
                  for (int i = random.nextInt(1, 25); i > 0; i--) {
                    queries.add(query(random));
                  }
                  List<BatchAnswer> answers = T1.call(() -> own.queryAll(queries));
                  for (int i = 0; i < answers.size(); i++) {
                    BatchAnswer answer = answers.get(i);
                    assertThat(answer.query()).isEqualTo(queries.get(i));
                    Predicate<TimeSeriesQuery> failed = points.failing;
                    points.failing = query -> false;
                    if (answer.result() != null) {
                      assertThat(answer.result().series())
                          .isEqualTo(T1.call(() -> own.queryUncached(answer.query())).series());
                    } else {
                      assertThat(failed.test(answer.query())).isTrue();
                    }
                    points.failing = failed;
                  }
                  long at = -random.nextInt(7_200);
                  points.add("t1", Nanos.of(Schedule.NOON.plusSeconds(at)), Map.of("d", "d9"), 1);
                  Instant time = Schedule.NOON.plusSeconds(at);
                  T1.run(() -> own.invalidate("m", time, time.plusNanos(1)));
                  clock.advance(Duration.ofSeconds(random.nextInt(90)));
                }
              }
            });
  }

  @Test
  void queryAll_thatWaitedForItsTurn_hasWhatTheWaitLeftOfItsTime() throws Exception {
    CountDownLatch running = new CountDownLatch(1);
    CountDownLatch end = new CountDownLatch(1);
    backend.failing = query -> query.measurement().equals("long") && held(running, end);
    ExecutorService threads = Executors.newCachedThreadPool();
    try {
      Future<?> first =
          threads.submit(() -> T1.call(() -> series.query(hour("long", Aggregate.SUM, 0))));
      assertThat(running.await(20, TimeUnit.SECONDS)).isTrue();
      Future<List<BatchAnswer>> second =
          threads.submit(() -> T1.call(() -> series.queryAll(panels(4))));
      Eventually.within(Duration.ofSeconds(20))
          .until("waits", () -> series.queue().waiting(T1) > 0);
      passed(Duration.ofMillis(50));
      end.countDown();
      first.get(20, TimeUnit.SECONDS);
      second.get(20, TimeUnit.SECONDS).forEach(BatchAnswer::orThrow);
    } finally {
      end.countDown();
      threads.shutdown();
    }
    assertThat(backend.timeouts)
        .hasSize(4)
        .allSatisfy(left -> assertThat(left).isLessThan(TIMEOUT.minusMillis(50)));
  }

  private static boolean held(CountDownLatch running, CountDownLatch end) {
    running.countDown();
    try {
      return !end.await(20, TimeUnit.SECONDS);
    } catch (InterruptedException e) {
      throw new IllegalStateException(e);
    }
  }

  private static void passed(Duration time) {
    long began = System.nanoTime();
    while (System.nanoTime() - began < time.toNanos()) {
      Thread.onSpinWait();
    }
  }

  @Test
  void fetchAll_ofTheInterface_givesEachWhatThoseBeforeItLeft() {
    Consuming slow = new Consuming();
    slow.fetchAll(
        List.of(
            within(Duration.ofMinutes(2)),
            within(Duration.ofMinutes(2)),
            within(Duration.ofNanos(1)),
            within(Duration.ofMinutes(2))),
        slow);

    assertThat(slow.answered).containsExactly(0, 1, 3);
    assertThat(slow.timeouts)
        .hasSize(3)
        .isSortedAccordingTo(Comparator.reverseOrder())
        .doesNotHaveDuplicates();
    assertThat(slow.errors).containsOnlyKeys(2);
    assertThat(slow.errors.get(2))
        .isInstanceOf(UnavailableException.class)
        .hasMessageContaining("points did not answer a query of m within PT0.000000001S");
  }

  private static FetchRequest within(Duration limit) {
    TimeSeriesQuery query = hour("m", Aggregate.SUM, 0);
    return new FetchRequest(query, "tenant", T1, List.of(), false, limit);
  }

  private static TimeSeriesQuery query(RandomGenerator random) {
    Aggregate[] aggregates = Aggregate.values();
    int from = -random.nextInt(7_200);
    TimeSeriesQuery.Builder query =
        TimeSeriesQuery.builder("m")
            .select(aggregates[random.nextInt(3)], "value")
            .every(Duration.ofSeconds(random.nextBoolean() ? 60 : 300))
            .range(
                Schedule.NOON.plusSeconds(from),
                Schedule.NOON.plusSeconds(from + 1 + random.nextInt(3_600)));
    return random.nextBoolean() ? query.groupBy("d").build() : query.build();
  }

  private static void points(PointsBackend to) {
    for (int i = -7_300; i < 0; i += 10) {
      Instant time = Schedule.NOON.plusSeconds(i);
      to.add("t1", Nanos.of(time), Map.of("d", "d" + Math.floorMod(i / 10, 3)), i);
    }
  }

  /** As many queries of settled windows, all different. */
  private static List<TimeSeriesQuery> panels(int count) {
    List<TimeSeriesQuery> panels = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      panels.add(hour("m", FOUR.get(i % 4), i / 4 * 10));
    }
    return panels;
  }

  /** The hour that ended so many minutes ago. */
  private static TimeSeriesQuery hour(String measurement, Aggregate aggregate, int minutes) {
    Instant end = Schedule.NOON.minus(Duration.ofMinutes(minutes));
    return TimeSeriesQuery.builder(measurement)
        .select(aggregate, "value")
        .every(Duration.ofMinutes(1))
        .range(end.minus(Duration.ofHours(1)), end)
        .build();
  }

  /** Answers without rows, each request when some time has passed. */
  private static final class Consuming implements Backend, BatchSink {
    private final List<Duration> timeouts = new ArrayList<>();
    private final List<Integer> answered = new ArrayList<>();
    private final Map<Integer, AquiferException> errors = new HashMap<>();

    @Override
    public String name() {
      return "points";
    }

    @Override
    public void check(TimeSeriesQuery query) {}

    @Override
    public List<StatementText> render(FetchRequest request) {
      return List.of();
    }

    @Override
    public void fetch(FetchRequest request, RowSink sink) {
      timeouts.add(request.timeout());
      passed(Duration.ofNanos(1_000));
    }

    @Override
    public RowSink rows(int request) {
      return new IgnoringSink();
    }

    @Override
    public void answered(int request) {
      answered.add(request);
    }

    @Override
    public void failed(int request, AquiferException error) {
      errors.put(request, error);
    }
  }

  /** Takes eight queries as one request; one that fails breaks off the whole. */
  private static final class Joined extends PointsBackend {
    private final AtomicInteger joint = new AtomicInteger();
    private final AtomicInteger alone = new AtomicInteger();
    private final List<Duration> timeouts = new CopyOnWriteArrayList<>();
    private volatile Predicate<TimeSeriesQuery> failing = query -> false;
    private volatile boolean gone;
    private volatile boolean halfway;

    @Override
    public int queriesInRequest() {
      return 8;
    }

    @Override
    public void fetch(FetchRequest request, RowSink sink) {
      alone.incrementAndGet();
      one(request, sink);
    }

    @Override
    public void fetchAll(List<FetchRequest> requests, BatchSink sink) {
      joint.incrementAndGet();
      requests.forEach(each -> timeouts.add(each.timeout()));
      for (int i = 0; i < requests.size(); i++) {
        one(requests.get(i), sink.rows(i));
        if (halfway) {
          sink.answered(i);
        }
      }
      for (int i = 0; !halfway && i < requests.size(); i++) {
        sink.answered(i);
      }
    }

    private void one(FetchRequest request, RowSink sink) {
      boolean fails = failing.test(request.query());
      if (!fails || !gone) {
        super.fetch(request, sink);
      }
      if (fails) {
        throw gone
            ? new UnavailableException("gone")
            : new AquiferException(request.query().measurement() + " failed");
      }
    }
  }
}
