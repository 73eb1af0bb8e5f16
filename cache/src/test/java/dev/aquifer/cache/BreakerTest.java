package dev.aquifer.cache;

import static org.assertj.core.api.Assertions.assertThat;

import dev.aquifer.spi.Observer;
import dev.aquifer.testkit.FakeTicker;
import io.lettuce.core.RedisCommandExecutionException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeoutException;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class BreakerTest {
  private static final Duration TIMEOUT = Duration.ofMillis(100);
  private static final Duration WINDOW = TIMEOUT.multipliedBy(3);

  private final FakeTicker ticker = new FakeTicker();
  private final List<Boolean> told = new ArrayList<>();
  private final Breaker breaker =
      new Breaker(
          new Observer() {
            @Override
            public void remoteChanged(boolean usable, String reason) {
              told.add(usable);
            }
          },
          TIMEOUT.toNanos(),
          ticker);

  @BeforeEach
  void start() {
    breaker.started(true);
  }

  private void fail(int times) {
    for (int i = 0; i < times; i++) {
      breaker.failed(new TimeoutException());
    }
  }

  @Test
  void failures_atOneMoment_doNotOpen() {
    fail(1000);
    assertThat(breaker.closed()).isTrue();
    breaker.succeeded();
    ticker.advance(WINDOW);
    fail(1);
    assertThat(breaker.closed()).isTrue();
    assertThat(told).isEmpty();
  }

  @Test
  void failures_allTheTime_openUntilAHeartbeat() {
    fail(2);
    ticker.advance(WINDOW);
    fail(1);
    assertThat(breaker.closed()).isFalse();
    breaker.succeeded();
    assertThat(breaker.closed()).isFalse();
    breaker.answered();
    assertThat(breaker.closed()).isTrue();
    assertThat(told).containsExactly(false, true);
  }

  @Test
  void failures_tooFew_doNotOpen() {
    fail(1);
    ticker.advance(WINDOW);
    fail(1);
    assertThat(breaker.closed()).isTrue();
  }

  @Test
  void answer_inBetween_beginsAnew() {
    fail(2);
    ticker.advance(WINDOW);
    breaker.succeeded();
    fail(2);
    assertThat(breaker.closed()).isTrue();
  }

  @Test
  void errors_thatRedisAnswers_areAnswers() {
    fail(2);
    ticker.advance(WINDOW);
    breaker.failed(new RedisCommandExecutionException("TRYAGAIN"));
    fail(1);
    assertThat(breaker.closed()).isTrue();
  }

  @Test
  void heartbeat_notAnswered_opens() {
    breaker.silent(WINDOW.toNanos() - 1);
    assertThat(breaker.closed()).isTrue();
    breaker.silent(WINDOW.toNanos());
    breaker.silent(WINDOW.toNanos());
    assertThat(breaker.closed()).isFalse();
    assertThat(told).containsExactly(false);
  }
}
