package dev.aquifer.tsquery;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.aquifer.ConfigurationException;
import dev.aquifer.Tenant;
import dev.aquifer.TenantLimitException;
import dev.aquifer.UnavailableException;
import dev.aquifer.spi.Observer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class RequestQueueTest {
  private static final Tenant A = Tenant.of("a");
  private static final Tenant B = Tenant.of("b");
  private static final Duration LONG = Duration.ofSeconds(30);

  private final ExecutorService threads = Executors.newCachedThreadPool();
  private final List<String> observed = Collections.synchronizedList(new ArrayList<>());
  private final AtomicLong nanos = new AtomicLong();

  @AfterEach
  void end() {
    threads.shutdownNow();
  }

  @Test
  void take_moreThanRunAndWait_isRefusedAtOnce() throws Exception {
    RequestQueue queue = queue(2, new RequestLimits(1, 1, 0, 0));
    RequestQueue.Turn first = queue.take(A, "m", LONG);
    Future<RequestQueue.Turn> second = threads.submit(() -> queue.take(A, "m", LONG));
    awaitWaiting(queue, A, 1);

    assertThatThrownBy(() -> queue.take(A, "m", LONG))
        .isInstanceOf(TenantLimitException.class)
        .hasMessageContaining("Tenant a ")
        .hasMessageContaining("1 requests at a time and 1 that wait")
        .hasMessageContaining("raise the limit");
    queue.take(B, "m", LONG).close();

    first.close();
    second.get(10, TimeUnit.SECONDS).close();
    assertThat(queue.running()).isZero();
    assertThat(observed).contains("refused a QUEUE");
  }

  @Test
  void take_turnDoesNotCome_endsWithTheLimitsNamed() {
    RequestQueue queue = queue(1, RequestLimits.concurrent(1));
    RequestQueue.Turn turn = queue.take(A, "m", LONG);
    assertThatThrownBy(() -> queue.take(B, "m", Duration.ofMillis(20)))
        .isInstanceOf(UnavailableException.class)
        .hasMessageContaining("tenant b")
        .hasMessageContaining("PT0.02S")
        .hasMessageContaining("1 requests run");
    assertThat(queue.waiting(B)).isZero();
    turn.close();
    turn.close();
    queue.take(B, "m", LONG).close();
    assertThat(queue.running()).isZero();
  }

  @Test
  void take_interrupted_leavesTheQueue() throws Exception {
    RequestQueue queue = queue(1, RequestLimits.concurrent(1));
    RequestQueue.Turn turn = queue.take(A, "m", LONG);
    CountDownLatch ended = new CountDownLatch(1);
    AtomicInteger kept = new AtomicInteger();
    Thread waiting =
        new Thread(
            () -> {
              assertThatThrownBy(() -> queue.take(A, "m", LONG))
                  .isInstanceOf(UnavailableException.class)
                  .hasMessageContaining("Interrupted");
              kept.set(Thread.currentThread().isInterrupted() ? 1 : 0);
              ended.countDown();
            });
    waiting.start();
    awaitWaiting(queue, A, 1);
    waiting.interrupt();
    assertThat(ended.await(10, TimeUnit.SECONDS)).isTrue();
    assertThat(kept).hasValue(1);
    assertThat(queue.waiting(A)).isZero();
    turn.close();
  }

  @Test
  void close_endsAllThatWait_andLetsRunningOnesEnd() throws Exception {
    RequestQueue queue = queue(1, RequestLimits.concurrent(1));
    RequestQueue.Turn turn = queue.take(A, "m", LONG);
    List<Future<RequestQueue.Turn>> waiting = new ArrayList<>();
    for (Tenant tenant : List.of(A, A, B)) {
      waiting.add(threads.submit(() -> queue.take(tenant, "m", LONG)));
    }
    awaitWaiting(queue, A, 2);
    awaitWaiting(queue, B, 1);
    queue.close();
    for (Future<RequestQueue.Turn> each : waiting) {
      assertThatThrownBy(() -> each.get(10, TimeUnit.SECONDS))
          .isInstanceOf(ExecutionException.class)
          .cause()
          .isInstanceOf(IllegalStateException.class)
          .hasMessageContaining("closed");
    }
    turn.close();
    assertThat(queue.running()).isZero();
    assertThatThrownBy(() -> queue.take(A, "m", LONG)).isInstanceOf(IllegalStateException.class);
  }

  @Test
  void take_overTheRate_isRefusedUntilThereIsAToken() {
    RequestQueue queue = queue(2, RequestLimits.concurrent(1).withRate(10, 2));
    queue.take(A, "m", LONG).close();
    queue.take(A, "m", LONG).close();
    assertThatThrownBy(() -> queue.take(A, "m", LONG))
        .isInstanceOf(TenantLimitException.class)
        .hasMessageContaining("10 requests per second (burst 2)")
        .satisfies(
            e ->
                assertThat(((TenantLimitException) e).retryAfter())
                    .isEqualTo(Duration.ofMillis(100)));
    queue.take(B, "m", LONG).close();
    nanos.addAndGet(TimeUnit.MILLISECONDS.toNanos(100));
    queue.take(A, "m", LONG).close();
    assertThat(observed).contains("refused a RATE", "queued a 0");
  }

  @Test
  void limit_raised_runsWhatWaits() throws Exception {
    RequestQueue queue = queue(2, RequestLimits.concurrent(1));
    RequestQueue.Turn turn = queue.take(A, "m", LONG);
    Future<RequestQueue.Turn> second = threads.submit(() -> queue.take(A, "m", LONG));
    awaitWaiting(queue, A, 1);
    queue.limit(A, RequestLimits.concurrent(2));
    second.get(10, TimeUnit.SECONDS).close();
    turn.close();
    assertThatThrownBy(() -> queue.limit(A, RequestLimits.concurrent(3)))
        .isInstanceOf(ConfigurationException.class)
        .hasMessageContaining("3 requests")
        .hasMessageContaining("together 2");
    queue.limit(A, null);
    assertThat(queue.limits(A).concurrent()).isEqualTo(1);
  }

  /** Whoever is interrupted in the moment of its turn hands it on: no turn is ever lost. */
  @Test
  void take_byManyThreadsThatGiveUp_losesNoTurn() throws Exception {
    RequestQueue queue = queue(3, RequestLimits.concurrent(2).withQueued(1_000));
    AtomicInteger running = new AtomicInteger();
    AtomicInteger most = new AtomicInteger();
    List<Future<Integer>> all = new ArrayList<>();
    for (int i = 0; i < 16; i++) {
      Tenant tenant = i % 3 == 0 ? B : A;
      int patience = i % 2 == 0 ? 30_000_000 : 20;
      all.add(
          threads.submit(
              (Callable<Integer>)
                  () -> {
                    int turns = 0;
                    // Others may be first each time; in the end nobody is.
                    for (int j = 0; j < 500 || turns == 0; j++) {
                      try {
                        RequestQueue.Turn turn =
                            queue.take(tenant, "m", Duration.ofNanos(1_000L * patience));
                        most.accumulateAndGet(running.incrementAndGet(), Math::max);
                        Thread.onSpinWait();
                        running.decrementAndGet();
                        turn.close();
                        turns++;
                      } catch (UnavailableException e) {
                        Thread.onSpinWait();
                      }
                    }
                    return turns;
                  }));
    }
    for (int i = 0; i < 16; i++) {
      int turns = all.get(i).get(60, TimeUnit.SECONDS);
      assertThat(turns).isPositive();
      if (i % 2 == 0) {
        assertThat(turns).isEqualTo(500);
      }
    }
    assertThat(most.get()).isLessThanOrEqualTo(3);
    assertThat(queue.running()).isZero();
    assertThat(queue.waiting(A) + queue.waiting(B)).isZero();
  }

  @Test
  void limits_thatContradict_areRefused() {
    assertThatThrownBy(() -> new RequestLimits(0, 1, 0, 0))
        .isInstanceOf(ConfigurationException.class);
    assertThatThrownBy(() -> RequestLimits.concurrent(1).withQueued(-1))
        .isInstanceOf(ConfigurationException.class);
    assertThatThrownBy(() -> RequestLimits.concurrent(1).withRate(0, 5))
        .isInstanceOf(ConfigurationException.class);
    assertThatThrownBy(() -> RequestLimits.concurrent(1).withRate(1, 601))
        .isInstanceOf(ConfigurationException.class);
    TimeSeriesBuilder builder = TimeSeries.builder().backend(new PointsBackend());
    assertThatThrownBy(() -> builder.concurrency(0)).isInstanceOf(ConfigurationException.class);
    assertThatThrownBy(
            () -> builder.concurrency(2).requestLimits(RequestLimits.concurrent(3)).build())
        .isInstanceOf(ConfigurationException.class);
  }

  private RequestQueue queue(int concurrency, RequestLimits limits) {
    Observer observer =
        new Observer() {
          @Override
          public void windowQueued(String measurement, Tenant tenant, long waited) {
            observed.add("queued " + tenant + " " + waited);
          }

          @Override
          public void windowRefused(String measurement, Tenant tenant, WindowRefusal why) {
            observed.add("refused " + tenant + " " + why);
          }
        };
    return new RequestQueue(new RequestQueue.Setting(concurrency, limits, observer, nanos::get));
  }

  private static void awaitWaiting(RequestQueue queue, Tenant tenant, int count) {
    long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(10);
    while (queue.waiting(tenant) < count) {
      assertThat(System.nanoTime()).isLessThan(end);
      Thread.onSpinWait();
    }
  }
}
