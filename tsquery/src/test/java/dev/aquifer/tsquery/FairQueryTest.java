package dev.aquifer.tsquery;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.aquifer.RefusedQueryException;
import dev.aquifer.Tenant;
import dev.aquifer.TenantLimitException;
import dev.aquifer.spi.Observer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Queries that meet the limits of their tenant. */
class FairQueryTest {
  private static final Tenant FLOOD = Tenant.of("flood");
  private static final Tenant QUIET = Tenant.of("quiet");

  private final ExecutorService threads = Executors.newCachedThreadPool();
  private final CountDownLatch held = new CountDownLatch(1);
  private final List<String> observed = Collections.synchronizedList(new ArrayList<>());
  private final PointsBackend backend =
      new PointsBackend() {
        @Override
        public void fetch(FetchRequest request, RowSink sink) {
          super.fetch(request, sink);
          if (request.query().measurement().equals("held")) {
            try {
              assertThat(held.await(20, TimeUnit.SECONDS)).isTrue();
            } catch (InterruptedException e) {
              throw new IllegalStateException(e);
            }
          }
        }
      };
  private final TimeSeries series =
      TimeSeries.builder()
          .backend(backend)
          .clock(new SteppingClock(Schedule.NOON))
          .concurrency(2)
          .requestLimits(RequestLimits.concurrent(1).withQueued(1))
          .observer(
              new Observer() {
                @Override
                public void windowRefused(String measurement, Tenant tenant, WindowRefusal why) {
                  observed.add(measurement + " " + tenant + " " + why);
                }

                @Override
                public void windowFetched(
                    String measurement,
                    Tenant tenant,
                    long nanos,
                    long bytes,
                    @org.jspecify.annotations.Nullable Throwable error) {
                  observed.add(measurement + " " + tenant + " fetched");
                }
              })
          .build();

  @AfterEach
  void end() {
    held.countDown();
    threads.shutdownNow();
    series.close();
  }

  @Test
  void query_besideATenantThatFloods_runsAtOnce_andCachedAnswersNeverQueue() throws Exception {
    FLOOD.call(() -> series.query(hour("known", 1)));
    Future<TimeSeriesResult> runs = threads.submit(() -> ask(FLOOD, hour("held", 1)));
    awaitRunning(1);
    Future<TimeSeriesResult> waits = threads.submit(() -> ask(FLOOD, hour("held", 2)));
    awaitWaiting(1);

    assertThatThrownBy(() -> ask(FLOOD, hour("held", 3)))
        .isInstanceOf(TenantLimitException.class)
        .hasMessageContaining("Tenant flood")
        .hasMessageContaining("1 requests at a time and 1 that wait");
    assertThat(observed).contains("held flood QUEUE");
    assertThat(ask(QUIET, hour("free", 1)).requests()).isEqualTo(1);
    assertThat(ask(FLOOD, hour("known", 1)).requests()).isZero();

    // Coalesced: who waits for a fetch that waits takes no place of its own.
    Future<TimeSeriesResult> same = threads.submit(() -> ask(FLOOD, hour("held", 2)));
    held.countDown();
    assertThat(runs.get(10, TimeUnit.SECONDS).requests()).isEqualTo(1);
    assertThat(waits.get(10, TimeUnit.SECONDS).requests()).isEqualTo(1);
    assertThat(same.get(10, TimeUnit.SECONDS).requests()).isZero();
    assertThat(series.queue().running()).isZero();
  }

  @Test
  void close_whileQueriesWait_endsThem() throws Exception {
    Future<TimeSeriesResult> runs = threads.submit(() -> ask(FLOOD, hour("held", 1)));
    awaitRunning(1);
    Future<TimeSeriesResult> waits = threads.submit(() -> ask(FLOOD, hour("held", 2)));
    awaitWaiting(1);
    series.close();
    assertThatThrownBy(() -> waits.get(10, TimeUnit.SECONDS))
        .isInstanceOf(ExecutionException.class)
        .cause()
        .isInstanceOf(IllegalStateException.class)
        .hasMessageContaining("closed");
    held.countDown();
    runs.get(10, TimeUnit.SECONDS);
  }

  @Test
  void limits_ofOneTenant_holdForItAlone() throws Exception {
    series.limits(FLOOD, new QueryLimits(30, Duration.ofDays(1), 1_000));
    assertThatThrownBy(() -> ask(FLOOD, hour("free", 1)))
        .isInstanceOf(RefusedQueryException.class)
        .hasMessageContaining("Tenant flood")
        .hasMessageContaining("60 windows")
        .hasMessageContaining("30 are allowed");
    assertThat(observed).containsExactly("free flood QUERY");
    ask(QUIET, hour("free", 1));
    series.limits(FLOOD, null);
    ask(FLOOD, hour("free", 1));
  }

  /** 90 days by milliseconds are 7.8 billion windows. */
  @Test
  void query_windowBomb_isRefusedInLessThanAMillisecondWithoutIo() {
    TimeSeriesQuery bomb =
        TimeSeriesQuery.builder("m")
            .select(Aggregate.MEAN, "value")
            .every(Duration.ofMillis(1))
            .last(Duration.ofDays(90))
            .build();
    long[] took = new long[2_000];
    for (int i = 0; i < took.length; i++) {
      long began = System.nanoTime();
      assertThatThrownBy(() -> ask(QUIET, bomb)).isInstanceOf(RefusedQueryException.class);
      took[i] = System.nanoTime() - began;
    }
    Arrays.sort(took);
    assertThat(took[took.length / 2]).isLessThan(1_000_000);
    assertThat(backend.requests()).isZero();
  }

  private TimeSeriesResult ask(Tenant tenant, TimeSeriesQuery query) throws Exception {
    return tenant.call(() -> series.query(query));
  }

  /** The hour that ended so many days ago. */
  private static TimeSeriesQuery hour(String measurement, int days) {
    return TimeSeriesQuery.builder(measurement)
        .select(Aggregate.SUM, "value")
        .every(Duration.ofMinutes(1))
        .range(
            Schedule.NOON.minus(Duration.ofDays(days)).minus(Duration.ofHours(1)),
            Schedule.NOON.minus(Duration.ofDays(days)))
        .build();
  }

  private void awaitRunning(int count) {
    await(() -> series.queue().running() >= count);
  }

  private void awaitWaiting(int count) {
    await(() -> series.queue().waiting(FLOOD) >= count);
  }

  private static void await(java.util.function.BooleanSupplier condition) {
    long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(10);
    while (!condition.getAsBoolean()) {
      assertThat(System.nanoTime()).isLessThan(end);
      Thread.onSpinWait();
    }
  }
}
