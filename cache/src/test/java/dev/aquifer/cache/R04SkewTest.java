package dev.aquifer.cache;

import static dev.aquifer.cache.TestNode.FLIGHT;
import static org.assertj.core.api.Assertions.assertThat;

import dev.aquifer.CausalSession;
import dev.aquifer.testkit.Eventually;
import dev.aquifer.testkit.RedisDatabase;
import dev.aquifer.testkit.RedisExtension;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * R4, clocks apart: a node whose clock is slow voids what a node whose clock is fast has stored. No
 * guard to take out: nothing compares clocks. The nodes' clocks and Redis' are minutes apart here,
 * and Redis' clock, from which a lost sequence starts anew, jumps back as well.
 */
class R04SkewTest extends TwoNodeRace {
  @RegisterExtension static final RedisExtension REDIS = RedisExtension.shared();

  private static final Duration APART = Duration.ofMinutes(5);

  @Override
  RedisDatabase redis() {
    return REDIS.database();
  }

  private TestNode skewed(Duration by) {
    long nanos = by.toNanos();
    return TestNode.open(uri(), caches -> caches.clock(() -> System.nanoTime() + nanos));
  }

  private static long redisMicros() {
    return Long.parseLong(((List<?>) REDIS.server().command("TIME")).get(0).toString()) * 1_000_000;
  }

  /** A state whose incarnation began when Redis' clock was that much ahead, or behind. */
  private static void seed(Duration ahead) {
    String at = Long.toString(redisMicros() + TimeUnit.MILLISECONDS.toMicros(ahead.toMillis()));
    REDIS.database().flush();
    REDIS.database().command("HSET", STATE, "i", "abc1", "n", at, "f", at);
  }

  @ParameterizedTest
  @ValueSource(ints = {-1, 0, 1})
  void nodesAndRedisMinutesApart_nothingIsStale(int redisAhead) {
    seed(APART.multipliedBy(redisAhead));
    try (TestNode slow = skewed(APART.negated());
        TestNode fast = skewed(APART)) {
      for (TestNode writer : List.of(slow, fast, slow)) {
        TestNode reader = writer.equals(slow) ? fast : slow;
        read(reader, 1);
        read(writer, 1);
        awaitStored(reader, 1);
        row.incrementAndGet();
        writer.invalidate(FLIGHT);
        assertThat(read(writer, 1)).isEqualTo(row.get());
        Eventually.within(SOON).until("reader", () -> read(reader, 1) == row.get());
      }
      assertThat(loads).hasValueGreaterThanOrEqualTo(4);
    }
  }

  /** By who knew the state that was lost, or by somebody who starts minutes lower. */
  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void sequenceStartsAnewFromAClockThatWentBack_nothingIsStale(boolean byStranger) {
    seed(APART);
    try (TestNode slow = skewed(APART.negated());
        TestNode fast = skewed(APART)) {
      read(slow, 1);
      read(fast, 1);
      CausalSession session = fast.sessions().open();
      session.observe("DFW:0", fast.partition().applied());
      // The state is lost with its markers.
      long before = fast.partition().applied();
      row.set(NEW);
      REDIS.database().command("DEL", STATE);
      if (byStranger) {
        try (TestNode stranger = skewed(Duration.ZERO)) {
          read(stranger, 1);
          assertThat(stranger.partition().applied()).isLessThan(before);
        }
      }
      slow.invalidate(FLIGHT);
      assertThat(slow.partition().applied()).isGreaterThan(before);
      assertThat(read(slow, 1)).isEqualTo(NEW);
      Eventually.within(SOON).until("fast", () -> read(fast, 1) == NEW);
      assertThat(fast.read(session, 1, this::load).delay()).isEqualTo(NEW);
      row.set(NEW + 1);
      fast.invalidate(FLIGHT);
      assertThat(read(fast, 1)).isEqualTo(NEW + 1);
      Eventually.within(SOON).until("slow", () -> read(slow, 1) == NEW + 1);
    }
  }
}
