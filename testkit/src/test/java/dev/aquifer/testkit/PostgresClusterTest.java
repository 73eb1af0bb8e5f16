package dev.aquifer.testkit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.List;
import java.util.stream.Stream;
import javax.sql.DataSource;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

class PostgresClusterTest {
  private static final Logger LOG = LoggerFactory.getLogger(PostgresClusterTest.class);

  @RegisterExtension
  static final PostgresExtension POSTGRES =
      PostgresExtension.own(
          PostgresCluster.builder()
              .standbys(2)
              .setting("work_mem", "7MB")
              .setting("autovacuum", "off"));

  private final PostgresCluster cluster = POSTGRES.cluster();

  @Test
  void start_withStandbys_replicates() throws SQLException {
    TestDatabase shop = cluster.createDatabase("shop");
    execute(shop.dataSource(), "CREATE TABLE t AS SELECT 42 AS n");
    cluster.awaitCaughtUp(Duration.ofSeconds(5));

    assertThat(query(shop.dataSource(cluster.standby(0)), "SELECT n FROM t")).isEqualTo("42");
    assertThat(query(shop.dataSource(cluster.standby(1)), "SELECT n FROM t")).isEqualTo("42");
    assertThat(cluster.primary().isInRecovery()).isFalse();
    assertThat(cluster.standby(1).isInRecovery()).isTrue();
    assertThat(shop.standbyUrls())
        .containsExactly(cluster.standby(0).url("shop"), cluster.standby(1).url("shop"));
    assertThatThrownBy(() -> cluster.standby(2)).isInstanceOf(IndexOutOfBoundsException.class);
  }

  @Test
  void start_thenClose_isFastAndLeavesNothing() throws SQLException {
    long start = System.nanoTime();
    Duration firstQuery;
    Duration standbyQuery;
    Path data;
    List<ProcessHandle> processes;
    try (PostgresCluster own = PostgresCluster.builder().start()) {
      assertThat(query(own.dataSource("postgres"), "SELECT 1")).isEqualTo("1");
      firstQuery = since(start);
      start = System.nanoTime();
      PostgresNode standby = own.addStandby();
      assertThat(query(standby.dataSource("postgres"), "SELECT 1")).isEqualTo("1");
      standbyQuery = since(start);
      data = own.primary().data();
      processes =
          own.nodes().stream()
              .map(node -> ProcessHandle.of(node.pid()).orElseThrow())
              .flatMap(process -> Stream.concat(process.descendants(), Stream.of(process)))
              .toList();
      assertThat(processes).hasSizeGreaterThan(6);
      start = System.nanoTime();
    }
    LOG.info(
        "first query after {} ms, standby {} ms later, closed in {} ms",
        firstQuery.toMillis(),
        standbyQuery.toMillis(),
        since(start).toMillis());
    assertThat(processes).allMatch(Processes::isGone);
    assertThat(Files.exists(data)).isFalse();
    assertThat(firstQuery).isLessThan(Duration.ofSeconds(6));
    // Two seconds on a machine that does nothing else.
    assertThat(standbyQuery).isLessThan(Duration.ofSeconds(6));
  }

  @Test
  void start_withSettings_appliesThemToEveryNode() throws SQLException {
    for (PostgresNode node : cluster.nodes()) {
      DataSource source = node.dataSource("postgres");
      assertThat(query(source, "SHOW work_mem")).isEqualTo("7MB");
      assertThat(query(source, "SHOW autovacuum")).isEqualTo("off");
      assertThat(query(source, "SHOW max_connections")).isEqualTo("200");
      assertThat(query(source, "SHOW listen_addresses")).isEqualTo("127.0.0.1");
    }
    assertThat(cluster.toString() + cluster.nodes()).doesNotContain(cluster.password());
  }

  @Test
  void start_withASettingThatIsNone_showsTheServersLogAndLeavesNothing() {
    Path run = Workspace.get().runFolder();
    LeakedFolders before = LeakedFolders.of(run);
    assertThatThrownBy(() -> PostgresCluster.builder().setting("no_such_setting", "1").start())
        .isInstanceOf(TestkitException.class)
        .hasMessageContaining("unrecognized configuration parameter \"no_such_setting\"");
    assertThat(LeakedFolders.of(run)).isEqualTo(before);
  }

  @Test
  void builder_ofContradictions_refusesThem() {
    PostgresCluster.Builder builder = PostgresCluster.builder();
    assertThatThrownBy(() -> builder.standbys(4)).hasMessageContaining("4");
    assertThatThrownBy(() -> builder.setting("port", "5432"))
        .hasMessageContaining("port")
        .hasMessageContaining("5432");
    assertThatThrownBy(() -> builder.setting("work_mem", "1MB\nport = 1"))
        .hasMessageContaining("work_mem");
    assertThatThrownBy(() -> builder.limit(Duration.ZERO)).hasMessageContaining("PT0S");
  }

  @Test
  void createDatabase_ofATemplate_hasItsTables() throws SQLException {
    TestDatabase template = cluster.createDatabase("template");
    execute(template.dataSource(), "CREATE TABLE t AS SELECT 1 AS n");
    TestDatabase copy = cluster.createDatabase("copy", "template");
    assertThat(query(copy.dataSource(), "SELECT n FROM t")).isEqualTo("1");
    try (Connection open = copy.dataSource().getConnection()) {
      cluster.dropDatabase("copy");
      assertThat(open.isValid(1)).isFalse();
    }
    assertThatThrownBy(() -> cluster.createDatabase("x; DROP DATABASE template"))
        .isInstanceOf(IllegalArgumentException.class);
  }

  private static Duration since(long start) {
    return Duration.ofNanos(System.nanoTime() - start);
  }

  /** What is in a folder, without the notes of processes that may just be ending. */
  private record LeakedFolders(List<Path> folders) {
    static LeakedFolders of(Path run) {
      try (Stream<Path> files = Files.list(run)) {
        return new LeakedFolders(files.sorted().toList());
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
    }
  }

  static void execute(DataSource source, String sql) throws SQLException {
    try (Connection connection = source.getConnection();
        Statement statement = connection.createStatement()) {
      statement.execute(sql);
    }
  }

  static String query(DataSource source, String sql) throws SQLException {
    try (Connection connection = source.getConnection();
        Statement statement = connection.createStatement();
        ResultSet rows = statement.executeQuery(sql)) {
      assertThat(rows.next()).isTrue();
      return rows.getString(1);
    }
  }
}
