package dev.aquifer.tsquery;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.aquifer.RefusedQueryException;
import dev.aquifer.Tenant;
import dev.aquifer.UnavailableException;
import dev.aquifer.testkit.Eventually;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class ConcurrencyTest {
  private static final Tenant T1 = Tenant.of("t1");
  private static final Instant DAY = Instant.EPOCH.plus(Duration.ofDays(1));

  private final ExecutorService threads = Executors.newCachedThreadPool();

  @AfterEach
  void end() {
    threads.shutdownNow();
  }

  /** A fetch that has read is held back, the window changes and is voided, the fetch goes on. */
  @Test
  void query_invalidatedBetweenReadAndKeep_isNotKept() throws Exception {
    Gate gate = new Gate();
    GatedBackend backend = new GatedBackend(request -> gate.pass());
    try (TimeSeries series = series(backend, Duration.ofSeconds(30))) {
      Future<TimeSeriesResult> early = threads.submit(asking(series, 0, 100));
      gate.awaitArrival();
      backend.add("t1", 55 * Nanos.PER_SECOND, Map.of(), 1);
      T1.run(() -> series.invalidate("m", at(55), at(56)));
      gate.open();
      early.get(10, TimeUnit.SECONDS);

      TimeSeriesResult late = asking(series, 0, 100).call();
      assertThat(late.fetched()).isEqualTo(1);
      assertThat(late.series()).isEqualTo(uncached(series, 0, 100).series());
      assertThat(late.series()).hasSize(1);
    }
  }

  /** Who asks after an invalidation must not be handed what was read before it. */
  @Test
  void query_afterAnInvalidation_doesNotJoinTheFetchBefore() throws Exception {
    Gate gate = new Gate();
    AtomicInteger calls = new AtomicInteger();
    GatedBackend backend =
        new GatedBackend(
            request -> {
              if (calls.getAndIncrement() == 0) {
                gate.pass();
              }
            });
    try (TimeSeries series = series(backend, Duration.ofSeconds(30))) {
      Future<TimeSeriesResult> early = threads.submit(asking(series, 0, 100));
      gate.awaitArrival();
      backend.add("t1", 55 * Nanos.PER_SECOND, Map.of(), 1);
      T1.run(() -> series.invalidate("m", at(55), at(56)));

      assertThat(threads.submit(asking(series, 0, 100)).get(10, TimeUnit.SECONDS).series())
          .hasSize(1);
      gate.open();
      early.get(10, TimeUnit.SECONDS);
      assertThat(asking(series, 0, 100).call().series()).hasSize(1);
    }
  }

  @Test
  void query_bySixteenThreadsOverOverlappingRanges_fetchesEachWindowOnce() throws Exception {
    for (int round = 0; round < 20; round++) {
      PointsBackend backend = new PointsBackend();
      for (int i = 0; i < 3_000; i++) {
        backend.add("t1", i * Nanos.PER_SECOND, Map.of("d", "d" + i % 3), i);
      }
      try (TimeSeries series = series(backend, Duration.ofSeconds(30))) {
        CyclicBarrier start = new CyclicBarrier(16);
        List<Future<TimeSeriesResult>> answers = new ArrayList<>();
        for (int i = 0; i < 16; i++) {
          int from = i * 7 % 13 * 10;
          int to = 200 + i * 11 % 17 * 10;
          answers.add(
              threads.submit(
                  () -> {
                    start.await(10, TimeUnit.SECONDS);
                    return asking(series, from, to).call();
                  }));
        }
        for (Future<TimeSeriesResult> answer : answers) {
          answer.get(30, TimeUnit.SECONDS);
        }
        for (int bucket = 0; bucket < 36; bucket++) {
          assertThat(backend.asked(bucket)).as("window %d", bucket).isEqualTo(1);
        }
        assertThat(asking(series, 0, 360).call().series())
            .isEqualTo(uncached(series, 0, 360).series());
      }
    }
  }

  @Test
  void query_waitingForAFetchThatFails_fetchesItself() throws Exception {
    Gate gate = new Gate();
    AtomicInteger calls = new AtomicInteger();
    GatedBackend backend =
        new GatedBackend(
            request -> {
              if (calls.getAndIncrement() == 0) {
                gate.pass();
                throw new UnavailableException("gone");
              }
            });
    backend.add("t1", 55 * Nanos.PER_SECOND, Map.of(), 1);
    try (TimeSeries series = series(backend, Duration.ofSeconds(30))) {
      Future<TimeSeriesResult> first = threads.submit(asking(series, 0, 100));
      gate.awaitArrival();
      Future<TimeSeriesResult> second = threads.submit(asking(series, 0, 100));
      gate.open();

      assertThatThrownBy(() -> first.get(10, TimeUnit.SECONDS))
          .isInstanceOf(ExecutionException.class)
          .hasCauseInstanceOf(UnavailableException.class);
      assertThat(second.get(10, TimeUnit.SECONDS).series()).hasSize(1);
    }
  }

  /** The second may fail for reasons of its own, too, and takes its time for that. */
  @Test
  void query_waitedForAFetchThatFailed_waitsForNoOther() throws Exception {
    Gate first = new Gate();
    Gate second = new Gate();
    AtomicInteger calls = new AtomicInteger();
    GatedBackend backend =
        new GatedBackend(
            request -> {
              int call = calls.getAndIncrement();
              if (call < 2) {
                (call == 0 ? first : second).pass();
                throw new RefusedQueryException("too much for this one alone");
              }
            });
    backend.add("t1", 55 * Nanos.PER_SECOND, Map.of(), 1);
    try (TimeSeries series = series(backend, Duration.ofSeconds(30))) {
      Future<TimeSeriesResult> leader = threads.submit(asking(series, 0, 100));
      first.awaitArrival();
      List<Future<TimeSeriesResult>> others = new ArrayList<>();
      Set<Thread> waiting = ConcurrentHashMap.newKeySet();
      for (int i = 0; i < 2; i++) {
        others.add(
            threads.submit(
                () -> {
                  waiting.add(Thread.currentThread());
                  return asking(series, 0, 100).call();
                }));
      }
      Eventually.within(Duration.ofSeconds(10))
          .until(
              "both wait",
              () ->
                  waiting.size() == 2
                      && waiting.stream()
                          .allMatch(each -> each.getState() == Thread.State.TIMED_WAITING));
      first.open();
      second.awaitArrival();
      Eventually.within(Duration.ofSeconds(10))
          .until("one is answered", () -> others.stream().filter(Future::isDone).count() == 1);
      second.open();
      for (Future<TimeSeriesResult> each : List.of(leader, others.get(0), others.get(1))) {
        try {
          assertThat(each.get(10, TimeUnit.SECONDS).series()).hasSize(1);
        } catch (ExecutionException e) {
          assertThat(e).hasCauseInstanceOf(RefusedQueryException.class);
        }
      }
      assertThat(calls).hasValue(3);
    }
  }

  @Test
  void query_waitingLongerThanItsTimeout_endsWithTheLimitNamed() throws Exception {
    Gate gate = new Gate();
    AtomicInteger calls = new AtomicInteger();
    GatedBackend backend =
        new GatedBackend(
            request -> {
              if (calls.getAndIncrement() == 0) {
                gate.pass();
              }
            });
    try (TimeSeries series = series(backend, Duration.ofMillis(200))) {
      Future<TimeSeriesResult> first = threads.submit(asking(series, 0, 100));
      gate.awaitArrival();
      assertThatThrownBy(() -> asking(series, 0, 100).call())
          .isInstanceOf(UnavailableException.class)
          .hasMessageContaining("PT0.2S");
      gate.open();
      first.get(10, TimeUnit.SECONDS);
    }
  }

  @Test
  void query_interruptedWhileWaiting_restoresTheInterrupt() throws Exception {
    Gate gate = new Gate();
    GatedBackend backend = new GatedBackend(request -> gate.pass());
    try (TimeSeries series = series(backend, Duration.ofSeconds(30))) {
      Future<TimeSeriesResult> first = threads.submit(asking(series, 0, 100));
      gate.awaitArrival();
      boolean interrupted =
          threads
              .submit(
                  () -> {
                    Thread.currentThread().interrupt();
                    assertThatThrownBy(() -> asking(series, 0, 100).call())
                        .isInstanceOf(UnavailableException.class);
                    return Thread.interrupted();
                  })
              .get(10, TimeUnit.SECONDS);
      assertThat(interrupted).isTrue();
      gate.open();
      first.get(10, TimeUnit.SECONDS);
    }
  }

  /** Windows of 10 s, long settled. */
  private static Callable<TimeSeriesResult> asking(TimeSeries series, long from, long to) {
    return () -> T1.call(() -> series.query(query(from, to)));
  }

  private static TimeSeriesResult uncached(TimeSeries series, long from, long to) throws Exception {
    return T1.call(() -> series.queryUncached(query(from, to)));
  }

  private static TimeSeriesQuery query(long from, long to) {
    return TimeSeriesQuery.builder("m")
        .select(Aggregate.SUM, "value")
        .every(Duration.ofSeconds(10))
        .range(at(from), at(to))
        .build();
  }

  private static Instant at(long seconds) {
    return Instant.EPOCH.plusSeconds(seconds);
  }

  private static TimeSeries series(Backend backend, Duration timeout) {
    return TimeSeries.builder()
        .backend(backend)
        .timeout(timeout)
        .clock(new SteppingClock(DAY))
        .lateness(Duration.ofMinutes(1))
        .build();
  }

  /** Lets a fetch wait after it has read. */
  private static final class GatedBackend extends PointsBackend {
    private final Consumer<FetchRequest> afterRead;

    GatedBackend(Consumer<FetchRequest> afterRead) {
      this.afterRead = afterRead;
    }

    @Override
    public void fetch(FetchRequest request, RowSink sink) {
      super.fetch(request, sink);
      afterRead.accept(request);
    }
  }

  private static final class Gate {
    private final CountDownLatch arrived = new CountDownLatch(1);
    private final CountDownLatch opened = new CountDownLatch(1);

    void pass() {
      arrived.countDown();
      await(opened);
    }

    void awaitArrival() {
      await(arrived);
    }

    void open() {
      opened.countDown();
    }

    private static void await(CountDownLatch latch) {
      try {
        assertThat(latch.await(10, TimeUnit.SECONDS)).isTrue();
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        throw new IllegalStateException(e);
      }
    }
  }
}
