package dev.aquifer.pool;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.zaxxer.hikari.metrics.IMetricsTracker;
import com.zaxxer.hikari.metrics.MetricsTrackerFactory;
import dev.aquifer.ConfigurationException;
import dev.aquifer.spi.Observer.PoolReason;
import dev.aquifer.testkit.Eventually;
import dev.aquifer.testkit.LeakCheck;
import dev.aquifer.testkit.PostgresTest;
import dev.aquifer.testkit.TestDatabase;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.SQLTransientConnectionException;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

@PostgresTest
class PoolLifeTest {
  private static final Eventually SOON = Eventually.within(Duration.ofSeconds(30));

  @RegisterExtension final LeakCheck leaks = LeakCheck.of().threads("aquifer-");

  private final Callers.Told told = new Callers.Told();
  private TestDatabase database;

  @BeforeEach
  void take(TestDatabase database) {
    this.database = database;
  }

  private PoolSettings.Builder settings() {
    return PoolSettings.builder()
        .url(database.url())
        .credentials(database.user(), database.password())
        .observer(told);
  }

  private Set<Integer> backends() throws SQLException {
    Set<Integer> all = new HashSet<>();
    try (Connection connection = database.dataSource().getConnection();
        Statement statement = connection.createStatement();
        ResultSet rows =
            statement.executeQuery(
                "SELECT pid FROM pg_stat_activity WHERE application_name = 'aquifer' AND datname = current_database()")) {
      while (rows.next()) {
        all.add(rows.getInt(1));
      }
    }
    return all;
  }

  @Test
  void callersThatWait_getMoreConnections_whichAreClosedWhenNotNeeded() throws Exception {
    PoolSettings settings =
        settings()
            .maximumSize(40)
            .idleTimeout(Duration.ofSeconds(10))
            .connectionTimeout(Duration.ofSeconds(30))
            .build();
    LeakCheck.of()
        .database(database)
        .around(
            () -> {
              try (AdaptivePool pool = AdaptivePool.open(settings)) {
                try (Callers callers = Callers.of(30, pool, "SELECT pg_sleep(0.05)")) {
                  SOON.until("the pool has grown", () -> pool.stats().active() >= 25);
                  assertThat(callers.errors()).isEmpty();
                }
                SOON.until(
                    "they are closed", () -> pool.report().open() == 1 && backends().size() == 1);
                PoolReport report = pool.report();
                assertThat(report.decisions())
                    .containsKeys(PoolReason.EXPLORE, PoolReason.GAIN, PoolReason.IDLE);
                assertThat(told.reasons).contains(PoolReason.EXPLORE, PoolReason.IDLE);
                assertThat(report.decisions().values().stream().mapToLong(n -> n).sum())
                    .isEqualTo(told.reasons.size());
              }
            });
  }

  @Test
  void smallMaximum_isRecommendedToBeRaised() throws Exception {
    try (AdaptivePool pool = AdaptivePool.open(settings().maximumSize(2).build());
        Callers callers = Callers.of(12, pool, "SELECT pg_sleep(0.02)")) {
      SOON.until("the limit is told", () -> pool.report().last().reason() == PoolReason.LIMIT);
      PoolReport report = pool.report();
      assertThat(report.recommendations()).anySatisfy(r -> assertThat(r).contains("maximumSize 2"));
      assertThat(report.last().wanted()).isGreaterThanOrEqualTo(10);
      assertThat(callers.done()).isPositive();
      SOON.until("figures are known", () -> pool.report().execution().toMillis() >= 20);
      assertThat(pool.report().arrivalsPerSecond()).isPositive();
    }
  }

  @Test
  void fixedSize_staysAndSaysSo() throws Exception {
    PoolSettings three =
        settings().adaptive(false).maximumSize(3).connectionTimeout(Duration.ofSeconds(30)).build();
    try (AdaptivePool pool = AdaptivePool.open(three);
        Callers callers = Callers.of(12, pool, "SELECT pg_sleep(0.02)")) {
      SOON.until("the limit is told", () -> pool.report().last().reason() == PoolReason.LIMIT);
      assertThat(pool.stats().max()).isEqualTo(3);
      assertThat(callers.errors()).isEmpty();
    }
  }

  @Test
  void leak_isReportedWithTheStackThatTookIt() throws Exception {
    try (AdaptivePool pool =
        AdaptivePool.open(settings().leakThreshold(Duration.ofSeconds(2)).build())) {
      Connection leaked = forgetful(pool);
      try (Connection back = pool.getConnection()) {
        assertThat(back.isClosed()).isFalse();
      }
      SOON.until("it is told", () -> !told.leaks.isEmpty());
      assertThat(told.leaks).hasSize(1);
      assertThat(told.leaks.element().getStackTrace())
          .anySatisfy(frame -> assertThat(frame.getMethodName()).isEqualTo("forgetful"));
      LeakReport report = pool.report().leaks().get(0);
      assertThat(report.held()).isGreaterThanOrEqualTo(Duration.ofSeconds(2));
      assertThat(report.thread()).isEqualTo(Thread.currentThread().getName());
      assertThat(pool.report().recommendations())
          .anySatisfy(r -> assertThat(r).contains("leakThreshold"));
      leaked.close();
      assertThat(pool.report().leaks()).isEmpty();
    }
  }

  private static Connection forgetful(AdaptivePool pool) throws SQLException {
    return pool.getConnection();
  }

  @Test
  void recycle_replacesAllWithoutAnError() throws Exception {
    PoolSettings settings = settings().minimumIdle(6).warmUp(Duration.ofSeconds(20)).build();
    try (AdaptivePool pool = AdaptivePool.open(settings);
        Callers callers = Callers.of(3, pool, "SELECT pg_sleep(0.002)")) {
      Set<Integer> before = backends();
      assertThat(before).hasSizeGreaterThanOrEqualTo(6);
      pool.recycle(Duration.ofSeconds(2));
      SOON.until(
          "none of before is left",
          () -> backends().stream().noneMatch(before::contains) && backends().size() >= 6);
      assertThat(callers.errors()).isEmpty();
    }
  }

  @Test
  void recycle_ofAnIdlePool_isGradual() throws Exception {
    PoolSettings settings = settings().minimumIdle(5).warmUp(Duration.ofSeconds(20)).build();
    try (AdaptivePool pool = AdaptivePool.open(settings)) {
      Set<Integer> before = backends();
      pool.recycle(Duration.ofSeconds(1));
      List<Integer> left = new ArrayList<>();
      SOON.until(
          "none of before is left",
          () -> {
            Set<Integer> now = backends();
            now.retainAll(before);
            left.add(now.size());
            return now.isEmpty();
          });
      assertThat(left.stream().distinct().count()).isGreaterThan(2);
    }
  }

  @Test
  void recycle_withAChangedPassword_connectsWithIt() throws Exception {
    String role = "changing_" + ProcessHandle.current().pid();
    database.cluster().primary().execute("CREATE ROLE " + role + " LOGIN PASSWORD 'old'");
    try (AdaptivePool pool =
        AdaptivePool.open(settings().credentials(role, "old").minimumIdle(2).build())) {
      database.cluster().primary().execute("ALTER ROLE " + role + " PASSWORD 'new'");
      assertThatThrownBy(() -> pool.recycle(Duration.ZERO, role, "wrong"))
          .isInstanceOf(ConfigurationException.class)
          .hasMessageContaining(role)
          .hasMessageNotContaining("wrong'");
      Set<Integer> before = backends();
      pool.recycle(Duration.ZERO, role, "new");
      SOON.until(
          "all are new",
          () -> backends().stream().noneMatch(before::contains) && backends().size() == 2);
    } finally {
      database.cluster().primary().execute("DROP ROLE " + role);
    }
  }

  @Test
  void callerWithALimitOfItsOwn_waitsNoLonger() throws Exception {
    try (AdaptivePool pool =
            AdaptivePool.open(
                settings().maximumSize(1).connectionTimeout(Duration.ofSeconds(60)).build());
        Connection held = pool.getConnection()) {
      assertThat(held.isClosed()).isFalse();
      long begun = System.nanoTime();
      assertThatThrownBy(() -> pool.getConnection(Duration.ofMillis(300)))
          .isInstanceOf(SQLTransientConnectionException.class);
      assertThat(Duration.ofNanos(System.nanoTime() - begun)).isLessThan(Duration.ofSeconds(30));
    }
  }

  @Test
  void warmUp_opensWhatIsKept() throws Exception {
    PoolSettings settings = settings().minimumIdle(5).warmUp(Duration.ofSeconds(20)).build();
    try (AdaptivePool pool = AdaptivePool.open(settings)) {
      assertThat(pool.stats().idle()).isGreaterThanOrEqualTo(5);
    }
  }

  @Test
  void connectionsThatBrokeInUse_areNotCountedAsUsedForever() throws Exception {
    try (AdaptivePool pool = AdaptivePool.open(settings().build())) {
      for (int i = 0; i < 4; i++) {
        Connection connection = pool.getConnection();
        try (Statement statement = connection.createStatement()) {
          assertThatThrownBy(
                  () -> statement.execute("SELECT pg_terminate_backend(pg_backend_pid())"))
              .isInstanceOf(SQLException.class);
        }
        connection.close();
      }
      Connection evicted = pool.getConnection();
      evicted.setAutoCommit(false);
      pool.evict(evicted);
      assertThat(evicted.isClosed()).isTrue();
      // Four that are counted as used would be kept for: 4 + 2 × √4.
      SOON.until(
          "nothing is counted as used",
          () -> pool.report().last().explanation().contains(" 0.0 in use"));
    }
  }

  @Test
  void otherMetrics_areTold() throws Exception {
    AtomicInteger acquired = new AtomicInteger();
    AtomicInteger closed = new AtomicInteger();
    MetricsTrackerFactory factory =
        (name, stats) ->
            new IMetricsTracker() {
              @Override
              public void recordConnectionAcquiredNanos(long nanos) {
                acquired.incrementAndGet();
              }

              @Override
              public void close() {
                closed.incrementAndGet();
              }
            };
    try (AdaptivePool pool = AdaptivePool.open(settings().metricRegistry(factory).build());
        Connection connection = pool.getConnection()) {
      assertThat(connection.isClosed()).isFalse();
      assertThat(acquired).hasPositiveValue();
    }
    assertThat(closed).hasValue(1);
    assertThatThrownBy(() -> AdaptivePool.open(settings().metricRegistry("nonsense").build()))
        .isInstanceOf(ConfigurationException.class)
        .hasMessageContaining("metricRegistry");
  }

  @Test
  void contradictions_nameBothSettings() {
    assertThatThrownBy(() -> settings().budget(ServerBudget.of(20, 2)).maximumSize(11).build())
        .isInstanceOf(ConfigurationException.class)
        .hasMessageContaining("maximumSize 11")
        .hasMessageContaining("budget")
        .hasMessageContaining("10");
    assertThatThrownBy(
            () ->
                settings()
                    .statementTimeout(Duration.ofSeconds(1))
                    .driverProperty("options", "-c geqo=off")
                    .build())
        .isInstanceOf(ConfigurationException.class)
        .hasMessageContaining("statementTimeout")
        .hasMessageContaining("options");
    String url = "jdbc:postgresql://db/shop";
    for (PoolSettings.Builder named :
        List.of(
            settings().driverProperty("ApplicationName", "shop"),
            settings().driverProperty("options", "-c application_name=shop"),
            settings().url(url + "?ApplicationName=shop"),
            settings().url(url + "?ssl=true&options=-c%20application_name=shop"))) {
      assertThat(named.build().budget()).isNull();
      assertThatThrownBy(() -> named.budget(ServerBudget.discovered(10)).build())
          .isInstanceOf(ConfigurationException.class)
          .hasMessageContaining("budget")
          .hasMessageMatching(".*'(ApplicationName|options)=.*shop'.*");
    }
    assertThatThrownBy(() -> ServerBudget.of(2, 3))
        .isInstanceOf(ConfigurationException.class)
        .hasMessageContaining("2")
        .hasMessageContaining("3");
    assertThatThrownBy(
            () ->
                AdaptivePool.open(
                    settings().budget(ServerBudget.of(4)).maximumSize(4).minimumIdle(5).build()))
        .isInstanceOf(ConfigurationException.class)
        .hasMessageContaining("minimumIdle");
    assertThat(settings().budget(ServerBudget.of(30, 2)).build().maximumSize()).isEqualTo(15);
  }
}
