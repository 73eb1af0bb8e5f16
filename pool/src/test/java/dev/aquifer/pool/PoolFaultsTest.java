package dev.aquifer.pool;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.aquifer.spi.Observer.PoolReason;
import dev.aquifer.testkit.Eventually;
import dev.aquifer.testkit.FaultProxy;
import dev.aquifer.testkit.LeakCheck;
import dev.aquifer.testkit.PostgresCluster;
import dev.aquifer.testkit.PostgresExtension;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

class PoolFaultsTest {
  private static final Eventually SOON = Eventually.within(Duration.ofSeconds(40));

  @RegisterExtension
  static final PostgresExtension POSTGRES =
      PostgresExtension.own(
          PostgresCluster.builder()
              .setting("max_connections", "16")
              .setting("superuser_reserved_connections", "0"));

  @RegisterExtension final LeakCheck leaks = LeakCheck.of().threads("aquifer-pool");

  private final Callers.Told told = new Callers.Told();

  private PoolSettings.Builder settings() {
    return PoolSettings.builder()
        .url(POSTGRES.database().url())
        .credentials(POSTGRES.database().user(), POSTGRES.database().password())
        .connectTimeout(Duration.ofSeconds(1))
        .observer(told);
  }

  private PoolSettings.Builder settings(FaultProxy proxy) {
    return settings()
        .url(
            "jdbc:postgresql://%s:%d/%s"
                .formatted(proxy.host(), proxy.port(), POSTGRES.database().name()));
  }

  private static FaultProxy proxy() {
    return FaultProxy.to(POSTGRES.cluster().primary().host(), POSTGRES.cluster().primary().port());
  }

  @Test
  void fullServer_isLeftRoom() throws Exception {
    try (AdaptivePool pool = AdaptivePool.open(settings().maximumSize(40).build());
        Callers callers = Callers.of(30, pool, "SELECT pg_sleep(0.02)")) {
      SOON.until("it is told", () -> told.reasons.contains(PoolReason.SERVER_FULL));
      SOON.until("the pool has shrunk", () -> pool.report().open() < 14);
      // Others get in again.
      SOON.until(
          "another gets in",
          () -> {
            try (Connection other = POSTGRES.database().dataSource().getConnection()) {
              return !other.isClosed();
            }
          });
      long before = callers.done();
      SOON.until("callers are served", () -> callers.done() > before + 100);
      assertThat(pool.report().reachable()).isTrue();
      assertThat(pool.report().recommendations()).anySatisfy(r -> assertThat(r).contains("53300"));
    }
  }

  @Test
  void slowServer_makesThePoolNoLarger() throws Exception {
    try (AdaptivePool pool = AdaptivePool.open(settings().maximumSize(12).minimumIdle(2).build());
        Statement lock = POSTGRES.database().dataSource().getConnection().createStatement()) {
      int size;
      try (Callers quick = Callers.of(2, pool, "SELECT pg_sleep(0.01)")) {
        SOON.until("figures are known", () -> told.reasons.size() > 12);
        size = pool.stats().max();
        assertThat(quick.errors()).isEmpty();
      }
      try (Callers slow = Callers.of(30, pool, "SELECT pg_sleep(0.4)")) {
        SOON.until("it is told", () -> told.reasons.contains(PoolReason.SLOWER));
        assertThat(pool.report().last().maximum()).isLessThanOrEqualTo(Math.max(size, 10));
        assertThat(slow.errors()).isEmpty();
      }
      lock.getConnection().close();
    }
  }

  @Test
  void lostServer_failsCallersAtOnce_andComesBack() throws Exception {
    try (FaultProxy proxy = proxy();
        AdaptivePool pool = AdaptivePool.open(settings(proxy).build())) {
      try (Connection connection = pool.getConnection()) {
        assertThat(connection.isValid(1)).isTrue();
      }
      proxy.refuse();
      proxy.reset();
      SOON.until(
          "the breaker is open",
          () -> {
            try (Connection connection = pool.getConnection()) {
              connection.createStatement().execute("SELECT 1");
              return false;
            } catch (SQLException e) {
              return !pool.report().reachable();
            }
          });
      long begun = System.nanoTime();
      assertThatThrownBy(pool::getConnection)
          .isInstanceOfSatisfying(
              SQLException.class, e -> assertThat(e.getSQLState()).isEqualTo("08001"));
      // Far less than connectionTimeout.
      assertThat(Duration.ofNanos(System.nanoTime() - begun)).isLessThan(Duration.ofSeconds(1));
      assertThat(pool.report().lastFailure()).isNotNull();
      SOON.until("it is told", () -> told.reasons.contains(PoolReason.UNREACHABLE));

      proxy.heal();
      SOON.until(
          "callers are served",
          () -> {
            try (Connection connection = pool.getConnection()) {
              return connection.isValid(1);
            }
          });
      assertThat(pool.report().reachable()).isTrue();
      assertThat(told.reachable).containsExactly(false, true);
    }
  }

  @Test
  void failingStatements_doNotOpenTheBreaker() throws Exception {
    try (AdaptivePool pool = AdaptivePool.open(settings().build())) {
      for (int i = 0; i < 20; i++) {
        try (Connection connection = pool.getConnection();
            Statement statement = connection.createStatement()) {
          assertThatThrownBy(() -> statement.execute("SELECT 1/0"))
              .isInstanceOf(SQLException.class);
        }
      }
      assertThat(pool.report().reachable()).isTrue();
      assertThat(told.reachable).isEmpty();
    }
  }

  @Test
  void pausedLink_opensTheBreaker_andCloseEnds() throws Exception {
    try (FaultProxy proxy = proxy()) {
      AdaptivePool pool =
          AdaptivePool.open(
              settings(proxy)
                  .minimumIdle(0)
                  .connectionTimeout(Duration.ofMillis(500))
                  .validationTimeout(Duration.ofMillis(300))
                  .socketTimeout(Duration.ofSeconds(1))
                  .build());
      try (pool) {
        proxy.drop();
        SOON.until(
            "the breaker is open",
            () -> {
              try {
                pool.getConnection().close();
                return false;
              } catch (SQLException e) {
                return !pool.report().reachable();
              }
            });
        long begun = System.nanoTime();
        assertThatThrownBy(pool::getConnection).isInstanceOf(SQLException.class);
        assertThat(Duration.ofNanos(System.nanoTime() - begun)).isLessThan(Duration.ofMillis(450));
      }
    }
  }

  @Test
  void killedServer_isFoundAgain() throws Exception {
    try (AdaptivePool pool = AdaptivePool.open(settings().minimumIdle(3).build());
        Callers callers = Callers.of(4, pool, "SELECT 1")) {
      SOON.until("callers are served", () -> callers.done() > 100);
      POSTGRES.cluster().primary().kill();
      SOON.until("it is known", () -> !pool.report().reachable());
      POSTGRES.cluster().primary().restart();
      long before = callers.done();
      SOON.until("callers are served again", () -> callers.done() > before + 100);
    }
  }
}
