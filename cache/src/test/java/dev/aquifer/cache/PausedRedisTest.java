package dev.aquifer.cache;

import static dev.aquifer.cache.TestNode.DFW;
import static dev.aquifer.cache.TestNode.FLIGHT;
import static org.assertj.core.api.Assertions.assertThat;

import dev.aquifer.cache.TestNode.Flight;
import dev.aquifer.testkit.Eventually;
import dev.aquifer.testkit.FaultProxy;
import dev.aquifer.testkit.RedisExtension;
import dev.aquifer.testkit.RedisServer;
import java.time.Duration;
import java.util.Arrays;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** A Redis that halts, or falls silent, and comes back. */
class PausedRedisTest {
  @RegisterExtension static final RedisExtension REDIS = RedisExtension.own(RedisServer.builder());

  private static final Duration SOON = Duration.ofSeconds(20);
  private static final Duration BACKLOG_LIMIT = Duration.ofSeconds(5);
  private static final int KEYS = 1000;

  private final AtomicInteger delay = new AtomicInteger();
  private FaultProxy proxy;
  private TestNode one;
  private TestNode two;

  @BeforeEach
  void open() {
    REDIS.database().flush();
    proxy = FaultProxy.to(REDIS.server().host(), REDIS.server().port());
    one = TestNode.open(REDIS.database().uri().toString());
    two = TestNode.open(TestNode.through(proxy, REDIS.database()));
  }

  @AfterEach
  void close() {
    REDIS.server().resume();
    one.close();
    two.close();
    proxy.close();
  }

  private Flight load(Long id) {
    return new Flight(id, "HNL", delay.get());
  }

  private long stale(TestNode node) {
    long stale = 0;
    for (long id = 1; id <= KEYS; id++) {
      stale += node.read(id, this::load).delay() == delay.get() ? 0 : 1;
    }
    return stale;
  }

  @Test
  void pause_thousandKeysVoided_addsNoMoreThanTheTimeoutAndIsToldInTime() {
    assertThat(stale(one)).isZero();
    assertThat(stale(two)).isZero();
    Duration timeout = Duration.ofMillis(400); // of TestNode
    REDIS.server().pause();
    long[] took = new long[KEYS];
    try {
      delay.set(1);
      for (int i = 0; i < KEYS; i++) {
        long id = 1L + i;
        DFW.run(() -> one.flights().invalidate(id));
        long begun = System.nanoTime();
        assertThat(one.read(id, this::load).delay()).isEqualTo(1);
        took[i] = System.nanoTime() - begun;
      }
      Eventually.within(SOON).until("it shows", () -> !one.caches().health().usable());
      assertThat(one.caches().health().pending()).isEqualTo(KEYS);
    } finally {
      REDIS.server().resume();
    }
    long back = System.nanoTime();
    Eventually.within(SOON).until("told", () -> one.caches().health().pending() == 0);
    assertThat(Duration.ofNanos(System.nanoTime() - back)).isLessThan(BACKLOG_LIMIT);
    Arrays.sort(took);
    // What a read costs without Redis is the load, which costs nothing here.
    assertThat(Duration.ofNanos(took[KEYS * 99 / 100])).isLessThanOrEqualTo(timeout);
    Eventually.within(SOON).until("two is proven", () -> two.caches().health().proven());
    Eventually.within(SOON)
        .until("two has heard", () -> two.partition().applied() >= one.partition().applied());
    assertThat(stale(two)).isZero();
  }

  @Test
  void subscription_cutWhileThousandKeysAreVoided_servesNothingOld() {
    assertThat(stale(two)).isZero();
    proxy.refuse();
    proxy.reset();
    Eventually.within(SOON).until("cut", () -> !two.caches().health().proven());
    delay.set(2);
    for (long id = 1; id <= KEYS; id++) {
      long key = id;
      DFW.run(() -> one.flights().invalidate(key));
    }
    Eventually.within(SOON).until("told", () -> one.caches().health().pending() == 0);
    proxy.heal();
    Eventually.within(SOON).until("proven", () -> two.caches().health().proven());
    assertThat(stale(two)).isZero();
  }

  @Test
  void silence_withoutAWord_endsWithAnotherConnection() {
    two.read(1, this::load);
    proxy.drop();
    Eventually.within(SOON).until("silent", () -> !two.caches().health().proven());
    delay.set(3);
    one.invalidate(FLIGHT);
    assertThat(two.read(1, this::load).delay()).isEqualTo(3);
    // What is connected stays silent for good; connections that are made from now on are not.
    proxy.heal();
    Eventually.within(SOON).until("proven again", () -> two.caches().health().proven());
    assertThat(two.read(1, this::load).delay()).isEqualTo(3);
  }

  @Test
  void load_whileRedisDoesNotAnswer_isVoidedOnceItDoes() {
    REDIS.server().pause();
    try {
      assertThat(two.read(1, this::load).delay()).isZero();
      assertThat(two.partition().incarnation()).isZero();
    } finally {
      REDIS.server().resume();
    }
    Eventually.within(SOON).until("proven", () -> two.caches().health().proven());
    Eventually.within(SOON).until("one's link", () -> one.caches().health().usable());
    delay.set(4);
    one.invalidate(FLIGHT);
    Eventually.within(SOON).until("told", () -> one.caches().health().pending() == 0);
    Eventually.within(SOON).until("two", () -> two.read(1, this::load).delay() == 4);
  }
}
