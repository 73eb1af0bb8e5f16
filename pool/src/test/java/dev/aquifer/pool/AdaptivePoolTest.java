package dev.aquifer.pool;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.aquifer.ConfigurationException;
import dev.aquifer.UnavailableException;
import dev.aquifer.testkit.Eventually;
import dev.aquifer.testkit.LeakCheck;
import dev.aquifer.testkit.PostgresTest;
import dev.aquifer.testkit.TestDatabase;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

@PostgresTest
class AdaptivePoolTest {
  @RegisterExtension final LeakCheck leaks = LeakCheck.of().threads("aquifer-");

  private TestDatabase database;

  @BeforeEach
  void take(TestDatabase database) {
    this.database = database;
  }

  private PoolSettings.Builder settings() {
    return PoolSettings.builder()
        .url(database.url())
        .credentials(database.user(), database.password());
  }

  private static int backend(Connection connection) throws SQLException {
    try (Statement statement = connection.createStatement();
        ResultSet row = statement.executeQuery("SELECT pg_backend_pid()")) {
      row.next();
      return row.getInt(1);
    }
  }

  @Test
  void connection_isReusedAndCounted() throws SQLException {
    try (AdaptivePool pool = AdaptivePool.open(settings().maximumSize(1).build())) {
      int first;
      try (Connection connection = pool.getConnection()) {
        first = backend(connection);
        assertThat(pool.stats()).isEqualTo(new PoolStats(1, 0, 0, 1));
      }
      try (Connection connection = pool.getConnection()) {
        assertThat(backend(connection)).isEqualTo(first);
      }
    }
  }

  @Test
  void exhaustedPool_givesUpWithinItsLimit() throws SQLException {
    PoolSettings one =
        settings()
            .maximumSize(1)
            .validationTimeout(Duration.ofMillis(250))
            .connectionTimeout(Duration.ofMillis(300))
            .build();
    try (AdaptivePool pool = AdaptivePool.open(one);
        Connection held = pool.getConnection()) {
      assertThat(held.isClosed()).isFalse();
      assertThatThrownBy(pool::getConnection)
          .isInstanceOfSatisfying(
              SQLException.class, e -> assertThat(e.getSQLState()).isEqualTo("53300"))
          .hasMessageContaining(one.target());
    }
  }

  @Test
  void changedWait_holdsFromTheNextCallOn() throws SQLException {
    PoolSettings one = settings().maximumSize(1).connectionTimeout(Duration.ofSeconds(20)).build();
    try (AdaptivePool pool = AdaptivePool.open(one);
        Connection held = pool.getConnection()) {
      assertThat(held).isNotNull();
      // Whatever looks for changed settings when it begins has looked by the second wait.
      for (int millis : new int[] {400, 250, 500}) {
        pool.connectionTimeout(Duration.ofMillis(millis));
        long begun = System.nanoTime();
        assertThatThrownBy(pool::getConnection).isInstanceOf(SQLException.class);
        assertThat(Duration.ofNanos(System.nanoTime() - begun))
            .isBetween(Duration.ofMillis(millis - 5), Duration.ofSeconds(15));
      }
    }
  }

  @Test
  void connectionRefusedAsReadOnly_isNotReused() throws SQLException {
    try (AdaptivePool pool = AdaptivePool.open(settings().maximumSize(1).build())) {
      int before;
      try (Connection connection = pool.getConnection();
          Statement statement = connection.createStatement()) {
        before = backend(connection);
        statement.execute("SET default_transaction_read_only = on");
        assertThatThrownBy(() -> statement.execute("CREATE TABLE refused (id int)"))
            .isInstanceOfSatisfying(
                SQLException.class, e -> assertThat(e.getSQLState()).isEqualTo("25006"));
      }
      try (Connection connection = pool.getConnection()) {
        assertThat(backend(connection)).isNotEqualTo(before);
      }
    }
  }

  @Test
  void abort_freesWhoeverWaits() throws Exception {
    try (AdaptivePool pool = AdaptivePool.open(settings().build())) {
      CompletableFuture<SQLException> failed = new CompletableFuture<>();
      Thread waiting =
          new Thread(
              () -> {
                try (Connection connection = pool.getConnection();
                    Statement statement = connection.createStatement()) {
                  statement.execute("SELECT pg_sleep(60)");
                } catch (SQLException e) {
                  failed.complete(e);
                }
              },
              "waiting");
      waiting.start();
      Eventually.within(Duration.ofSeconds(10)).until("it waits", () -> asleep() == 1);
      pool.abort();
      assertThat(failed.get(5, TimeUnit.SECONDS).getSQLState()).startsWith("08");
      try (Connection connection = pool.getConnection()) {
        assertThat(backend(connection)).isPositive();
      }
    }
  }

  private int asleep() throws SQLException {
    try (Connection connection = database.dataSource().getConnection();
        Statement statement = connection.createStatement();
        ResultSet row =
            statement.executeQuery(
                "SELECT count(*) FROM pg_stat_activity WHERE query = 'SELECT pg_sleep(60)' AND wait_event = 'PgSleep'")) {
      row.next();
      return row.getInt(1);
    }
  }

  @Test
  void statementTimeout_isTheServers() throws SQLException {
    try (AdaptivePool pool =
            AdaptivePool.open(settings().statementTimeout(Duration.ofMillis(50)).build());
        Connection connection = pool.getConnection();
        Statement statement = connection.createStatement()) {
      assertThatThrownBy(() -> statement.execute("SELECT pg_sleep(60)"))
          .isInstanceOfSatisfying(
              SQLException.class, e -> assertThat(e.getSQLState()).isEqualTo("57014"));
    }
  }

  @Test
  void wrongPasswordDatabaseOrHost_areNamedWithoutSecrets() {
    assertThatThrownBy(
            () -> AdaptivePool.open(settings().credentials(database.user(), "hush-hush").build()))
        .isInstanceOf(ConfigurationException.class)
        .hasMessageContaining(database.name())
        .hasMessageContaining(database.user())
        .hasMessageNotContaining("hush-hush");
    assertThatThrownBy(() -> AdaptivePool.open(settings().url(database.url() + "_missing").build()))
        .isInstanceOf(ConfigurationException.class)
        .hasMessageContaining(database.name() + "_missing");
    assertThatThrownBy(
            () ->
                AdaptivePool.open(
                    settings()
                        .url("jdbc:postgresql://127.0.0.1:1/app?password=hush-hush")
                        .startupTimeout(Duration.ofMillis(300))
                        .build()))
        .isInstanceOf(UnavailableException.class)
        .hasMessageContaining("127.0.0.1:1/app")
        .hasMessageNotContaining("hush-hush");
  }

  @Test
  void contradictions_nameBothValues() {
    assertThatThrownBy(() -> settings().maximumSize(2).minimumIdle(3).build())
        .isInstanceOf(ConfigurationException.class)
        .hasMessageContaining("3")
        .hasMessageContaining("2");
    assertThatThrownBy(
            () ->
                settings()
                    .statementTimeout(Duration.ofSeconds(5))
                    .socketTimeout(Duration.ofSeconds(1))
                    .build())
        .isInstanceOf(ConfigurationException.class)
        .hasMessageContaining("PT5S")
        .hasMessageContaining("PT1S");
    assertThat(settings().build().toString()).doesNotContain(database.password());
  }
}
