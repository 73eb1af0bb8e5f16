package dev.aquifer.cache;

import static dev.aquifer.cache.TestNode.FLIGHT;
import static org.assertj.core.api.Assertions.assertThat;

import dev.aquifer.cache.TestNode.Flight;
import dev.aquifer.testkit.Eventually;
import dev.aquifer.testkit.RedisSentinels;
import dev.aquifer.testkit.RedisServer;
import java.time.Duration;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;

/** A primary that sentinels name, and its successor. */
class SentinelTest {
  private static final Duration SOON = Duration.ofSeconds(60);

  private final AtomicInteger delay = new AtomicInteger();

  private Flight load(Long id) {
    return new Flight(id, "HNL", delay.get());
  }

  @Test
  void primary_killed_itsSuccessorIsUsedAndNothingOldServed() {
    try (RedisSentinels redis = RedisSentinels.start();
        TestNode one = TestNode.open(redis.uri());
        TestNode two = TestNode.open(redis.uri())) {
      assertThat(one.caches().health().kind()).isEqualTo(CacheHealth.Kind.SENTINEL);
      assertThat(one.read(1, this::load).delay()).isZero();
      assertThat(two.read(1, this::load).delay()).isZero();
      delay.set(1);
      one.invalidate(FLIGHT);
      Eventually.within(SOON).until("two", () -> two.read(1, this::load).delay() == 1);
      RedisServer replica = redis.replica();
      redis.primary().kill();
      delay.set(2);
      one.invalidate(FLIGHT);
      assertThat(one.read(1, this::load).delay()).isEqualTo(2);
      redis.awaitPrimary(replica);
      Eventually.within(SOON).until("told", () -> one.caches().health().pending() == 0);
      Eventually.within(SOON).until("proven", () -> two.caches().health().proven());
      assertThat(two.read(1, this::load).delay()).isEqualTo(2);
    }
  }
}
