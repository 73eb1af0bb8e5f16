package dev.aquifer.testkit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.time.Duration;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;

class EventuallyTest {
  @Test
  void until_conditionThatComesTrue_returns() {
    AtomicInteger looks = new AtomicInteger();
    Eventually.within(Duration.ofSeconds(10))
        .every(Duration.ofMillis(1))
        .until("third look", () -> looks.incrementAndGet() == 3);
    assertThat(looks).hasValue(3);
  }

  @Test
  void until_conditionThatNeverHolds_failsAndNamesIt() {
    assertThatThrownBy(() -> Eventually.within(Duration.ofMillis(20)).until("rain", () -> false))
        .isInstanceOf(AssertionError.class)
        .hasMessage("not within PT0.02S: rain");
  }

  @Test
  void asserts_thatFailAtFirst_passesWithTheLastAttempt() {
    AtomicInteger looks = new AtomicInteger();
    Eventually.within(Duration.ofSeconds(10))
        .asserts(() -> assertThat(looks.incrementAndGet()).isGreaterThan(2));
    assertThatThrownBy(
            () ->
                Eventually.within(Duration.ZERO)
                    .asserts(() -> assertThat("day").isEqualTo("night")))
        .hasRootCauseMessage("\nexpected: \"night\"\n but was: \"day\"");
  }

  @Test
  void get_ofAnInterruptedThread_endsAndLeavesItInterrupted() {
    Thread.currentThread().interrupt();
    assertThatThrownBy(() -> Eventually.within(Duration.ofMinutes(1)).get("nothing", () -> null))
        .isInstanceOf(TestkitException.class);
    assertThat(Thread.interrupted()).isTrue();
  }
}
