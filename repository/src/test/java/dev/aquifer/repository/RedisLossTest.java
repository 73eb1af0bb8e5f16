package dev.aquifer.repository;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.aquifer.Tenant;
import dev.aquifer.UnavailableException;
import dev.aquifer.spi.Observer.CacheFault;
import dev.aquifer.spi.Observer.Tier;
import dev.aquifer.testkit.Eventually;
import dev.aquifer.testkit.PostgresExtension;
import dev.aquifer.testkit.RedisServer;
import java.time.Duration;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;

/** Redis is only in the way: without it, answers are slower and as right as before. */
@Timeout(60)
class RedisLossTest {
  private static final Duration SOON = Duration.ofSeconds(20);

  @RegisterExtension
  static final PostgresExtension POSTGRES = PostgresExtension.shared().schema(Nodes.schema());

  private static RedisServer redis;

  @BeforeAll
  static void start() {
    redis = RedisServer.start();
  }

  @AfterAll
  static void close() {
    redis.close();
  }

  @BeforeEach
  void running() {
    if (!redis.isRunning()) {
      redis.restart();
    }
  }

  private static AquiferBuilder node() {
    return Nodes.on(POSTGRES.database()).redis(redis.uri().toString());
  }

  private static int delay(Book book) {
    return book.byId(1).orElseThrow().delay();
  }

  @Test
  void withoutRedis_memoryAloneAnswers() {
    Seen seen = new Seen();
    try (Aquifer aquifer = Nodes.on(POSTGRES.database()).observer(seen).build()) {
      Book book = aquifer.repository(Book.class);
      Nodes.tenant(book, 1, 7)
          .run(
              () -> {
                assertThat(delay(book)).isEqualTo(7);
                assertThat(seen.tier()).isEqualTo(Tier.SOURCE);
                assertThat(delay(book)).isEqualTo(7);
                assertThat(seen.tier()).isEqualTo(Tier.L1);
                book.delay(1, 8);
                assertThat(delay(book)).isEqualTo(8);
              });
      assertThat(aquifer.caches().health().usable()).isTrue();
    }
  }

  @Test
  void build_whileRedisIsAwayIsRefused() {
    redis.kill();
    assertThatThrownBy(() -> node().build())
        .isInstanceOf(UnavailableException.class)
        .hasMessageContaining(redis.host() + ":" + redis.port());
  }

  @Test
  void build_whileRedisIsAwayAndNotRequiredWorksAndFindsItLater() {
    redis.kill();
    Seen seen = new Seen();
    try (Aquifer aquifer =
        node().observer(seen).caches(settings -> settings.redisRequired(false)).build()) {
      Book book = aquifer.repository(Book.class);
      Tenant tenant = Nodes.tenant(book, 1, 7);
      tenant.run(
          () -> {
            assertThat(delay(book)).isEqualTo(7);
            book.delay(1, 8);
            assertThat(delay(book)).isEqualTo(8);
          });
      assertThat(aquifer.caches().health().usable()).isFalse();

      redis.restart();

      Eventually.within(SOON).until("Redis is used", () -> aquifer.caches().health().usable());
      Eventually.within(SOON)
          .until(
              "memory answers",
              () -> tenant.call(() -> delay(book)) == 8 && seen.tier() == Tier.L1);
    }
  }

  @Test
  void killedWhileRunning_readsAndWritesGoOnAndTheBacklogIsToldAfterwards() throws Exception {
    Seen seenA = new Seen();
    Seen seenB = new Seen();
    try (Aquifer a = node().observer(seenA).build();
        Aquifer b = node().observer(seenB).build()) {
      Book bookA = a.repository(Book.class);
      Book bookB = b.repository(Book.class);
      Tenant tenant = Nodes.tenant(bookA, 1, 7);
      tenant.run(
          () -> {
            assertThat(delay(bookA)).isEqualTo(7);
            assertThat(delay(bookB)).isEqualTo(7);
          });

      redis.kill();
      tenant.run(
          () -> {
            assertThat(bookA.delay(1, 8)).isEqualTo(1);
            assertThat(delay(bookA)).isEqualTo(8);
          });
      Eventually.within(SOON)
          .until(
              "memory of the other node answers no more",
              () -> tenant.call(() -> delay(bookB)) == 8);
      assertThat(a.caches().health().pending()).isPositive();
      assertThat(seenA.faults(CacheFault.REMOTE) + seenB.faults(CacheFault.REMOTE)).isPositive();

      redis.restart();
      Eventually.within(SOON)
          .until("the backlog is told", () -> a.caches().health().pending() == 0);
      Eventually.within(SOON)
          .until(
              "both use Redis", () -> b.caches().health().usable() && a.caches().health().usable());
      tenant.run(
          () -> {
            assertThat(delay(bookA)).isEqualTo(8);
            assertThat(delay(bookB)).isEqualTo(8);
            bookA.delay(1, 9);
            assertThat(delay(bookA)).isEqualTo(9);
          });
      Eventually.within(SOON)
          .until("voids arrive again", () -> tenant.call(() -> delay(bookB)) == 9);
    }
  }
}
