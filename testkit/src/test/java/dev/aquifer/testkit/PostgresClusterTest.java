package dev.aquifer.testkit;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.List;
import javax.sql.DataSource;
import org.junit.jupiter.api.Test;

class PostgresClusterTest {
  @Test
  void start_withStandbys_replicates() throws SQLException {
    Path data;
    List<ProcessHandle> processes;
    try (PostgresCluster cluster = PostgresCluster.builder().standbys(2).start()) {
      TestDatabase shop = cluster.createDatabase("shop");
      execute(shop.dataSource(), "CREATE TABLE t AS SELECT 42 AS n");
      cluster.awaitCaughtUp(Duration.ofSeconds(5));

      assertThat(query(shop.dataSource(cluster.standby(0)), "SELECT n FROM t")).isEqualTo("42");
      assertThat(query(shop.dataSource(cluster.standby(1)), "SELECT n FROM t")).isEqualTo("42");
      assertThat(cluster.primary().isInRecovery()).isFalse();
      assertThat(cluster.standby(1).isInRecovery()).isTrue();
      data = cluster.primary().data();
      processes =
          cluster.nodes().stream()
              .flatMap(
                  node ->
                      ProcessHandle.of(node.pid()).stream()
                          .flatMap(
                              p ->
                                  java.util.stream.Stream.concat(
                                      p.descendants(), java.util.stream.Stream.of(p))))
              .toList();
      assertThat(processes).hasSizeGreaterThan(9);
    }
    assertThat(processes).allMatch(Processes::isGone);
    assertThat(Files.exists(data)).isFalse();
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
