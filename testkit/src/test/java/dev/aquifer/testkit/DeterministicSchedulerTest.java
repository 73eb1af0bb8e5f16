package dev.aquifer.testkit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

class DeterministicSchedulerTest {
  // So late that the time overflows on the way: comparisons must be by difference.
  private final FakeTicker ticker = new FakeTicker(Long.MAX_VALUE - 3_000_000_000L);
  private final long start = ticker.getAsLong();
  private final DeterministicScheduler scheduler = new DeterministicScheduler(ticker);
  private final List<String> ran = new ArrayList<>();

  @Test
  void advance_runsInDueOrderEachAtItsTime() {
    schedule(() -> note("late"), 5, TimeUnit.SECONDS);
    schedule(() -> note("early"), 1, TimeUnit.SECONDS);
    schedule(() -> note("early, second"), 1, TimeUnit.SECONDS);
    schedule(() -> note("never"), 11, TimeUnit.SECONDS);

    assertThat(scheduler.advance(Duration.ofSeconds(10))).isEqualTo(3);

    assertThat(ran).containsExactly("early@PT1S", "early, second@PT1S", "late@PT5S");
    assertThat(ticker.getAsLong() - start).isEqualTo(Duration.ofSeconds(10).toNanos());
    assertThat(scheduler.pending()).isEqualTo(1);
  }

  @Test
  void advance_fixedRate_runsOnceAPeriodUntilCancelled() {
    ScheduledFuture<?> future =
        scheduler.scheduleAtFixedRate(() -> note("tick"), 1, 2, TimeUnit.SECONDS);
    scheduler.advance(Duration.ofSeconds(5));
    assertThat(ran).containsExactly("tick@PT1S", "tick@PT3S", "tick@PT5S");
    future.cancel(false);
    scheduler.advance(Duration.ofMinutes(1));
    assertThat(ran).hasSize(3);
    assertThat(scheduler.pending()).isZero();
  }

  @Test
  void advance_fixedDelay_countsFromTheEndOfTheTask() {
    var unused =
        scheduler.scheduleWithFixedDelay(
            () -> {
              ticker.advance(Duration.ofSeconds(1));
              note("worked");
            },
            0,
            2,
            TimeUnit.SECONDS);
    scheduler.advance(Duration.ofSeconds(7));
    assertThat(ran).containsExactly("worked@PT1S", "worked@PT4S", "worked@PT7S");
  }

  @Test
  void advance_taskThatSchedules_runsTheNewOneInTheSameCall() {
    schedule(() -> schedule(() -> note("child"), 1, TimeUnit.SECONDS), 1, TimeUnit.SECONDS);
    scheduler.advance(Duration.ofSeconds(2));
    assertThat(ran).containsExactly("child@PT2S");
  }

  @Test
  void runDue_taskThatThrows_tellsItsFutureAndEndsThePeriod() {
    ScheduledFuture<?> future =
        scheduler.scheduleAtFixedRate(
            () -> {
              throw new IllegalStateException("boom");
            },
            0,
            1,
            TimeUnit.SECONDS);
    scheduler.runDue();
    assertThatThrownBy(future::get)
        .isInstanceOf(ExecutionException.class)
        .hasRootCauseMessage("boom");
    assertThat(scheduler.pending()).isZero();
  }

  @Test
  void execute_waitsForRunDue() throws Exception {
    Future<Integer> future = scheduler.submit(() -> 42);
    assertThat(future.isDone()).isFalse();
    scheduler.runDue();
    assertThat(future.get()).isEqualTo(42);
  }

  @Test
  void shutdown_refusesNewTasksAndRunsThoseDelayed() {
    schedule(() -> note("delayed"), 1, TimeUnit.SECONDS);
    var unused = scheduler.scheduleAtFixedRate(() -> note("periodic"), 1, 1, TimeUnit.SECONDS);
    scheduler.shutdown();
    assertThatThrownBy(() -> scheduler.execute(() -> {}))
        .isInstanceOf(RejectedExecutionException.class);
    assertThat(scheduler.isTerminated()).isFalse();
    scheduler.advance(Duration.ofSeconds(1));
    assertThat(ran).containsExactly("delayed@PT1S");
    assertThat(scheduler.isTerminated()).isTrue();
  }

  private void schedule(Runnable task, long delay, TimeUnit unit) {
    var unused = scheduler.schedule(task, delay, unit);
  }

  private void note(String what) {
    ran.add(what + "@" + Duration.ofNanos(ticker.getAsLong() - start));
  }
}
