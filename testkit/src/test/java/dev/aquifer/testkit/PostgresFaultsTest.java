package dev.aquifer.testkit;

import static dev.aquifer.testkit.PostgresClusterTest.execute;
import static dev.aquifer.testkit.PostgresClusterTest.query;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.postgresql.ds.PGSimpleDataSource;

class PostgresFaultsTest {
  private static final Duration SOON = Duration.ofSeconds(10);

  @RegisterExtension
  static final PostgresExtension POSTGRES =
      PostgresExtension.own(PostgresCluster.builder().standbys(2))
          .schema("CREATE TABLE t (n int)", "INSERT INTO t VALUES (1)");

  private final TestDatabase database = POSTGRES.database();
  private final PostgresCluster cluster = POSTGRES.cluster();

  @BeforeEach
  void allUp() {
    for (PostgresNode node : cluster.nodes()) {
      if (!node.isRunning()) {
        node.restart();
      }
    }
    cluster.awaitCaughtUp(SOON);
  }

  @Test
  void kill_ofAStandby_endsAllItsProcessesAndBreaksConnections() throws SQLException {
    PostgresNode standby = cluster.standby(0);
    try (Connection connection = database.dataSource(standby).getConnection();
        Statement statement = connection.createStatement()) {
      List<ProcessHandle> processes = family(standby);
      assertThat(processes).hasSizeGreaterThan(3);

      standby.kill();

      assertThat(processes).allMatch(Processes::isGone);
      assertThat(standby.isRunning()).isFalse();
      assertThatThrownBy(() -> statement.executeQuery("SELECT 1")).isInstanceOf(SQLException.class);
    }
    assertThatThrownBy(() -> database.dataSource(standby).getConnection())
        .isInstanceOf(SQLException.class);

    int port = standby.port();
    standby.restart();
    cluster.awaitCaughtUp(SOON);
    assertThat(standby.port()).isEqualTo(port);
    assertThat(query(database.dataSource(standby), "SELECT max(n) FROM t")).isNotNull();
  }

  @Test
  void kill_ofThePrimary_losesNothingCommitted() throws SQLException {
    execute(database.dataSource(), "INSERT INTO t VALUES (2)");
    cluster.primary().kill();
    cluster.primary().restart();
    assertThat(query(database.dataSource(), "SELECT count(*) FROM t WHERE n = 2")).isEqualTo("1");
    execute(database.dataSource(), "INSERT INTO t VALUES (3)");
    cluster.awaitCaughtUp(SOON);
    assertThat(query(database.dataSource(cluster.standby(1)), "SELECT count(*) FROM t WHERE n = 3"))
        .isEqualTo("1");
  }

  @Test
  void pause_holdsRunningQueriesUntilResume() throws Exception {
    PostgresNode standby = cluster.standby(0);
    try (Connection connection = database.dataSource(standby).getConnection();
        Statement statement = connection.createStatement()) {
      standby.pause();
      assertThat(standby.isPaused()).isTrue();
      assertThat(family(standby))
          .allSatisfy(
              process ->
                  Eventually.within(SOON).until("stopped", () -> Processes.isStopped(process)));
      CompletableFuture<String> answer =
          CompletableFuture.supplyAsync(
              () -> {
                try (ResultSet rows = statement.executeQuery("SELECT 7")) {
                  rows.next();
                  return rows.getString(1);
                } catch (SQLException e) {
                  throw new IllegalStateException(e);
                }
              });
      assertThatThrownBy(() -> answer.get(200, TimeUnit.MILLISECONDS))
          .isInstanceOf(java.util.concurrent.TimeoutException.class);

      standby.resume();

      assertThat(answer.get(10, TimeUnit.SECONDS)).isEqualTo("7");
      assertThat(standby.isPaused()).isFalse();
    }
  }

  @Test
  void pauseReplay_keepsTheOldStateUntilResumeReplay() throws SQLException {
    PostgresNode standby = cluster.standby(0);
    standby.pauseReplay();
    execute(database.dataSource(), "INSERT INTO t VALUES (100)");
    String written = cluster.primary().currentLsn();
    cluster.standby(1).awaitReplay(written, SOON);

    assertThat(query(database.dataSource(standby), "SELECT count(*) FROM t WHERE n = 100"))
        .isEqualTo("0");
    assertThatThrownBy(() -> standby.awaitReplay(written, Duration.ofMillis(50)))
        .isInstanceOf(TestkitException.class)
        .hasMessageContaining(written);
    cluster.awaitCaughtUp(SOON);

    standby.resumeReplay();
    standby.awaitReplay(written, SOON);
    assertThat(query(database.dataSource(standby), "SELECT count(*) FROM t WHERE n = 100"))
        .isEqualTo("1");
  }

  @Test
  void promote_afterThePrimaryDied_takesWritesThatOthersFollow() throws SQLException {
    try (PostgresCluster own = PostgresCluster.builder().standbys(2).start()) {
      TestDatabase shop = own.createDatabase("shop");
      own.primary().kill();
      PostgresNode promoted = own.standby(0);

      promoted.promote();

      assertThat(promoted.isInRecovery()).isFalse();
      execute(shop.dataSource(promoted), "CREATE TABLE after AS SELECT 1 AS n");
      own.standby(1).follow(promoted);
      own.standby(1).awaitReplay(promoted.currentLsn(), SOON);
      assertThat(query(shop.dataSource(own.standby(1)), "SELECT n FROM after")).isEqualTo("1");
    }
  }

  @Test
  void stop_thenRestart_servesAgain() throws SQLException {
    PostgresNode standby = cluster.standby(1);
    standby.stop();
    assertThat(standby.isRunning()).isFalse();
    standby.restart();
    assertThat(standby.isInRecovery()).isTrue();
    assertThat(query(database.dataSource(standby), "SELECT 1")).isEqualTo("1");
  }

  @Test
  void restart_ofAPausedNode_servesAgain() throws SQLException {
    PostgresNode standby = cluster.standby(1);
    standby.pause();
    standby.restart();
    assertThat(query(database.dataSource(standby), "SELECT 1")).isEqualTo("1");
  }

  @Test
  void connect_withAWrongPassword_isRefused() {
    PGSimpleDataSource source = new PGSimpleDataSource();
    source.setUrl(database.url());
    source.setUser(database.user());
    source.setPassword("wrong");
    assertThatThrownBy(source::getConnection)
        .isInstanceOf(SQLException.class)
        .hasMessageContaining("password authentication failed");
  }

  @Test
  void addStandby_whileWritesRun_hasThemAll() throws Exception {
    try (PostgresCluster own = PostgresCluster.builder().start()) {
      TestDatabase shop = own.createDatabase("shop");
      execute(shop.dataSource(), "CREATE TABLE n (i int)");
      CompletableFuture<Void> writes =
          CompletableFuture.runAsync(
              () -> {
                try (Connection connection = shop.dataSource().getConnection();
                    Statement statement = connection.createStatement()) {
                  for (int i = 0; i < 2000; i++) {
                    statement.execute("INSERT INTO n VALUES (" + i + ")");
                  }
                } catch (SQLException e) {
                  throw new IllegalStateException(e);
                }
              });
      PostgresNode standby = own.addStandby();
      writes.get(60, TimeUnit.SECONDS);
      own.awaitCaughtUp(SOON);
      assertThat(query(shop.dataSource(standby), "SELECT count(*) FROM n")).isEqualTo("2000");
    }
  }

  private static List<ProcessHandle> family(PostgresNode node) {
    ProcessHandle postmaster = ProcessHandle.of(node.pid()).orElseThrow();
    return Stream.concat(Stream.of(postmaster), postmaster.children()).toList();
  }
}
