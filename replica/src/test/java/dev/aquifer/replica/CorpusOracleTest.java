package dev.aquifer.replica;

import static org.assertj.core.api.Assertions.assertThat;

import dev.aquifer.replica.StandbyOracle.Verdict;
import dev.aquifer.sql.CuratedFunctions;
import dev.aquifer.sql.SqlStatement;
import dev.aquifer.testkit.PostgresNode;
import dev.aquifer.testkit.PostgresTest;
import dev.aquifer.testkit.TestDatabase;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;

/**
 * Every statement of the analyser's corpus is run on a real standby. What the standby refuses, and
 * what leaves a trace there, must have been held back, by its label and by the analyser with the
 * catalogue that the server itself was asked for.
 */
@PostgresTest(standbys = 1)
class CorpusOracleTest {
  private static final Path CORPUS =
      Path.of("..", "core", "src", "test", "resources", "dev", "aquifer", "sql", "corpus.txt");

  /** The corpus's own tables; a column each of the types that it uses them with. */
  private static final String TABLE =
      "CREATE TABLE %s (id int, tenant text, a int, b int, c int, d int, e int, f int, g int, n int,"
          + " x int, y int, k text, v int, parent int, label text, delay int, update int, delete int,"
          + " insert int, nextval int, currval int)";

  /** A call of each volatile function of PostgreSQL's own that is said to be harmless. */
  private static final List<String> CURATED_CALLS =
      List.of(
          "array_sample(array[1, 2], 1)",
          "array_shuffle(array[1, 2])",
          "clock_timestamp()",
          "current_query()",
          "gen_random_uuid()",
          "pg_collation_actual_version(100)",
          "pg_database_size(current_database())",
          "pg_indexes_size('pg_class')",
          "pg_partition_ancestors('pg_class')",
          "pg_partition_tree('pg_class')",
          "pg_relation_size('pg_class')",
          "pg_table_size('pg_class')",
          "pg_tablespace_size('pg_default')",
          "pg_total_relation_size('pg_class')",
          "random()",
          "random(1, 6)",
          "random_normal()",
          "timeofday()",
          "uuidv4()",
          "uuidv7()");

  private record Entry(boolean replica, String sql) {}

  @Test
  void statementThatAStandbyRefusesOrThatLeavesATrace_isHeldBack(TestDatabase database)
      throws Exception {
    makeTables(database);
    CatalogSnapshot catalog = read(database);
    PostgresNode standby = database.cluster().nodes().get(1);
    standby.awaitReplay(database.cluster().primary().currentLsn());
    Map<Verdict, Integer> released = new EnumMap<>(Verdict.class);
    Map<Verdict, Integer> heldBack = new EnumMap<>(Verdict.class);
    List<String> unsafe = new ArrayList<>();
    try (StandbyOracle oracle = new StandbyOracle(database.dataSource(standby))) {
      for (Entry entry : corpus()) {
        Verdict verdict = oracle.judge(entry.sql());
        boolean byCatalog = SqlStatement.analyze(entry.sql(), catalog).mayUseReplica();
        (entry.replica() || byCatalog ? released : heldBack).merge(verdict, 1, Integer::sum);
        boolean bad = verdict == Verdict.REFUSED || verdict == Verdict.LEFT_A_TRACE;
        if (bad && (entry.replica() || byCatalog)) {
          unsafe.add(verdict + ": " + entry.sql());
        }
      }
    }
    System.out.println("Corpus on a standby: released " + released + ", held back " + heldBack);
    assertThat(unsafe).isEmpty();
    // Else the test would prove nothing.
    assertThat(released.getOrDefault(Verdict.HARMLESS, 0)).isGreaterThan(100);
    assertThat(heldBack.getOrDefault(Verdict.REFUSED, 0)).isGreaterThan(100);
    assertThat(heldBack.getOrDefault(Verdict.LEFT_A_TRACE, 0)).isGreaterThan(10);
  }

  @Test
  void curatedFunction_isVolatileAndRunsOnAStandbyWithoutATrace(TestDatabase database)
      throws Exception {
    PostgresNode standby = database.cluster().nodes().get(1);
    standby.awaitReplay(database.cluster().primary().currentLsn());
    Set<String> called = new TreeSet<>();
    try (Connection connection = database.dataSource().getConnection();
        Statement statement = connection.createStatement();
        StandbyOracle oracle = new StandbyOracle(database.dataSource(standby))) {
      for (String call : CURATED_CALLS) {
        String name = call.substring(0, call.indexOf('('));
        called.add(name);
        assertThat(oracle.judge("SELECT " + call)).as(call).isEqualTo(Verdict.HARMLESS);
        try (ResultSet row =
            statement.executeQuery(
                "SELECT bool_or(provolatile = 'v') FROM pg_proc WHERE proname = '" + name + "'")) {
          assertThat(row.next()).isTrue();
          assertThat(row.getBoolean(1)).as(name + " is volatile").isTrue();
        }
      }
    }
    assertThat(called).isEqualTo(new TreeSet<>(CuratedFunctions.builtIn()));
  }

  private static CatalogSnapshot read(TestDatabase database) throws SQLException {
    try (Connection connection = database.dataSource().getConnection();
        Statement statement = connection.createStatement()) {
      connection.setAutoCommit(false);
      statement.execute("SET LOCAL search_path = pg_catalog");
      return CatalogReader.read(connection);
    }
  }

  private static void makeTables(TestDatabase database) throws SQLException {
    try (Connection connection = database.dataSource().getConnection();
        Statement statement = connection.createStatement()) {
      statement.execute("CREATE SCHEMA app; CREATE SEQUENCE s; SELECT nextval('s')");
      for (String table :
          List.of(
              "t",
              "u",
              "v",
              "w",
              "a",
              "b",
              "node",
              "flight",
              "airport",
              "app.t",
              "app.x",
              "app.flight",
              "\"nextval\"",
              "rows",
              "\"values\"",
              "update")) {
        statement.execute(TABLE.formatted(table));
      }
      statement.execute("INSERT INTO t (id, a) VALUES (1, 1); INSERT INTO u (id, a) VALUES (1, 1)");
      statement.execute("CREATE MATERIALIZED VIEW app.v AS SELECT 1 AS a");
    }
  }

  private static List<Entry> corpus() throws IOException {
    List<Entry> entries = new ArrayList<>();
    for (String line : Files.readAllLines(CORPUS)) {
      int colon = line.indexOf(": ");
      if (!line.isBlank() && !line.startsWith("#") && !line.startsWith("  ")) {
        entries.add(
            new Entry(
                line.substring(0, colon).equals("replica"),
                line.substring(colon + 2).replace('␤', '\n')));
      }
    }
    assertThat(entries).hasSizeGreaterThan(600);
    return entries;
  }
}
