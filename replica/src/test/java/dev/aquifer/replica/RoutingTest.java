package dev.aquifer.replica;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.aquifer.Consistency;
import dev.aquifer.testkit.Eventually;
import dev.aquifer.testkit.LeakCheck;
import dev.aquifer.testkit.PostgresNode;
import dev.aquifer.testkit.PostgresTest;
import dev.aquifer.testkit.TestDatabase;
import java.sql.CallableStatement;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.postgresql.PGConnection;

@PostgresTest(
    standbys = 2,
    schema = {
      "CREATE TABLE item (id int PRIMARY KEY, label text)",
      "INSERT INTO item SELECT i, 'label ' || i FROM generate_series(1, 100) i",
      "CREATE FUNCTION touch() RETURNS int LANGUAGE sql AS 'UPDATE item SET label = label WHERE id = 1 RETURNING 1'",
      "CREATE PROCEDURE noop() LANGUAGE sql AS 'SELECT 1'"
    })
class RoutingTest {
  private static final Sets.Routes ROUTES = new Sets.Routes();
  private static LeakCheck.Watch leaks;
  private static ReplicaSet set;

  @BeforeAll
  static void open(TestDatabase database) {
    leaks = LeakCheck.of().threads("aquifer-").database(database).start();
    set = Sets.of(database).observer(ROUTES).consistency(Consistency.eventual()).build();
    Sets.awaitReplicas(set, 2);
  }

  @AfterAll
  static void close() {
    set.close();
    set.close();
    leaks.close();
  }

  @BeforeEach
  void forget() {
    ROUTES.seen.clear();
    ROUTES.nodes.clear();
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      textBlock =
          """
          SELECT label FROM item WHERE id = 1                    | REPLICA READ
          VALUES (1)                                             | REPLICA READ
          WITH a AS (SELECT 1) SELECT * FROM a                   | REPLICA READ
          SELECT id FROM item WHERE id = 1 FOR UPDATE            | PRIMARY WRITE
          UPDATE item SET label = 'x' WHERE id = 2               | PRIMARY WRITE
          WITH u AS (UPDATE item SET id = id WHERE id = 3 RETURNING id) SELECT * FROM u | PRIMARY WRITE
          SELECT touch()                                         | PRIMARY WRITE
          SELECT pg_advisory_xact_lock(1)                        | PRIMARY WRITE
          SELECT 1; SELECT 2                                     | PRIMARY WRITE
          SHOW work_mem                                          | PRIMARY WRITE
          SET work_mem = '5MB'                                   | PRIMARY WRITE
          """)
  void autocommitStatement_goesWhereItMay(String sql, String route) throws SQLException {
    try (Connection connection = set.getConnection();
        Statement statement = connection.createStatement()) {
      statement.execute(sql);
    }
    assertThat(ROUTES.seen).containsExactly(route);
  }

  @Test
  void connection_leasesNothingBeforeAStatement() throws SQLException {
    try (Connection connection = set.getConnection()) {
      connection.setReadOnly(true);
      connection.setTransactionIsolation(Connection.TRANSACTION_REPEATABLE_READ);
      connection.setAutoCommit(false);
      connection.prepareStatement("SELECT 1");
      assertThat(set.health().nodes()).allMatch(node -> node.inFlight() == 0);
      connection.rollback();
    }
  }

  @Test
  void readOnlyTransaction_staysOnOneReplicaWithItsSettings() throws SQLException {
    try (Connection connection = set.getConnection()) {
      connection.setReadOnly(true);
      connection.setTransactionIsolation(Connection.TRANSACTION_REPEATABLE_READ);
      connection.setAutoCommit(false);
      for (int i = 0; i < 20; i++) {
        Sets.query(connection, "SELECT label FROM item WHERE id = " + i);
      }
      assertThat(ROUTES.nodes).hasSize(20);
      assertThat(ROUTES.nodes.stream().distinct()).hasSize(1);
      assertThat(ROUTES.seen).containsOnly("REPLICA READ");
      assertThat(Sets.query(connection, "SHOW transaction_isolation")).isEqualTo("repeatable read");
      assertThatThrownBy(() -> Sets.query(connection, "SELECT pg_try_advisory_lock(5)"))
          .isInstanceOf(SQLException.class)
          .hasMessageContaining("primary");
      connection.rollback();
    }
    assertThat(set.health().nodes()).allMatch(node -> node.inFlight() == 0);
  }

  @Test
  void writingTransaction_readsOnThePrimary() throws SQLException {
    try (Connection connection = set.getConnection()) {
      connection.setAutoCommit(false);
      Sets.query(connection, "SELECT 1");
      connection.commit();
      connection.setAutoCommit(true);
      Sets.query(connection, "SELECT 1");
    }
    assertThat(ROUTES.seen).containsExactly("PRIMARY TRANSACTION", "REPLICA READ");
  }

  @Test
  void serializableReadOnlyTransaction_isOnThePrimary() throws SQLException {
    try (Connection connection = set.getConnection()) {
      connection.setReadOnly(true);
      connection.setTransactionIsolation(Connection.TRANSACTION_SERIALIZABLE);
      connection.setAutoCommit(false);
      Sets.query(connection, "SELECT 1");
      connection.rollback();
    }
    assertThat(ROUTES.seen).containsExactly("PRIMARY TRANSACTION");
  }

  @Test
  void sessionState_pinsAndIsGoneForTheNext() throws SQLException {
    try (Connection connection = set.getConnection()) {
      Sets.query(connection, "SELECT set_config('aquifer.mark', 'mine', false)");
      assertThat(Sets.query(connection, "SELECT current_setting('aquifer.mark')"))
          .isEqualTo("mine");
      Sets.query(connection, "SELECT label FROM item WHERE id = 1");
      assertThat(ROUTES.last()).isEqualTo("PRIMARY PINNED");
    }
    for (int i = 0; i < 20; i++) {
      try (Connection connection = set.getConnection()) {
        connection.setAutoCommit(false);
        assertThat(Sets.query(connection, "SELECT current_setting('aquifer.mark', true)"))
            .isNotEqualTo("mine");
        connection.rollback();
      }
    }
  }

  @Test
  void transactionBegunBySql_staysOnThePrimaryUntilItsEnd() throws SQLException {
    try (Connection connection = set.getConnection();
        Statement statement = connection.createStatement()) {
      statement.execute("BEGIN");
      statement.execute("UPDATE item SET label = 'begun' WHERE id = 50");
      assertThat(Sets.query(connection, "SELECT label FROM item WHERE id = 50")).isEqualTo("begun");
      statement.execute("ROLLBACK");
      assertThat(Sets.query(connection, "SELECT label FROM item WHERE id = 50"))
          .isEqualTo("label 50");
    }
  }

  @Test
  void preparedStatement_isBoundAnewOnEachNode() throws SQLException {
    try (Connection connection = set.getConnection();
        PreparedStatement prepared =
            connection.prepareStatement("SELECT label FROM item WHERE id = ?")) {
      prepared.setFetchSize(10);
      Eventually.within(Duration.ofSeconds(10))
          .until(
              "both replicas have answered",
              () -> {
                for (int i = 10; i < 50; i++) {
                  prepared.setInt(1, i);
                  try (ResultSet rows = prepared.executeQuery()) {
                    assertThat(rows.next()).isTrue();
                    assertThat(rows.getString(1)).isEqualTo("label " + i);
                  }
                }
                return ROUTES.nodes.stream().distinct().count() == 2;
              });
      assertThat(prepared.getMetaData().getColumnName(1)).isEqualTo("label");
      assertThat(prepared.getParameterMetaData().getParameterCount()).isEqualTo(1);
    }
    assertThat(ROUTES.seen).containsOnly("REPLICA READ");
    assertThat(set.health().nodes()).allMatch(node -> node.inFlight() == 0);
  }

  @Test
  void twoOpenResults_shareOneConnection() throws SQLException {
    try (Connection connection = set.getConnection();
        Statement one = connection.createStatement();
        Statement two = connection.createStatement();
        ResultSet first = one.executeQuery("SELECT id FROM item ORDER BY id");
        ResultSet second = two.executeQuery("SELECT id FROM item ORDER BY id DESC")) {
      assertThat(first.next() && second.next()).isTrue();
      assertThat(first.getInt(1)).isEqualTo(1);
      assertThat(second.getInt(1)).isEqualTo(100);
      assertThat(set.health().nodes().stream().mapToInt(NodeHealth::inFlight).sum()).isEqualTo(1);
    }
  }

  @Test
  void batchesKeysCallsAndUpdatableResults_goToThePrimary() throws SQLException {
    try (Connection connection = set.getConnection()) {
      try (PreparedStatement insert =
          connection.prepareStatement("INSERT INTO item VALUES (?, ?)")) {
        for (int i = 1000; i < 1003; i++) {
          insert.setInt(1, i);
          insert.setString(2, "batch");
          insert.addBatch();
        }
        assertThat(insert.executeBatch()).containsExactly(1, 1, 1);
      }
      try (Statement batch = connection.createStatement()) {
        batch.addBatch("DELETE FROM item WHERE id = 1000");
        batch.addBatch("DELETE FROM item WHERE id IN (1001, 1002)");
        assertThat(batch.executeBatch()).containsExactly(1, 2);
      }
      try (PreparedStatement keyed =
          connection.prepareStatement(
              "INSERT INTO item VALUES (?, 'k')", Statement.RETURN_GENERATED_KEYS)) {
        keyed.setInt(1, 2000);
        assertThat(keyed.executeUpdate()).isEqualTo(1);
        try (ResultSet keys = keyed.getGeneratedKeys()) {
          assertThat(keys.next()).isTrue();
          assertThat(keys.getInt("id")).isEqualTo(2000);
        }
      }
      try (CallableStatement call = connection.prepareCall("CALL noop()")) {
        call.execute();
        assertThat(call.getConnection()).isSameAs(connection);
      }
      try (Statement updatable =
              connection.createStatement(
                  ResultSet.TYPE_SCROLL_SENSITIVE, ResultSet.CONCUR_UPDATABLE);
          ResultSet rows = updatable.executeQuery("SELECT id, label FROM item WHERE id = 2000")) {
        assertThat(rows.next()).isTrue();
        rows.deleteRow();
      }
    }
    assertThat(ROUTES.seen).hasSize(5).allMatch(route -> route.startsWith("PRIMARY"));
  }

  @Test
  void unwrap_pinsToThePrimary() throws SQLException {
    try (Connection connection = set.getConnection()) {
      assertThat(connection.isWrapperFor(PGConnection.class)).isTrue();
      assertThat(connection.unwrap(PGConnection.class).getBackendPID()).isPositive();
      Sets.query(connection, "SELECT 1");
      assertThat(connection.getMetaData().getConnection()).isSameAs(connection);
    }
    assertThat(ROUTES.seen).containsExactly("PRIMARY PINNED");
  }

  @Test
  void strongConsistency_readsThePrimary() throws Exception {
    set.read(Consistency.strong(), () -> Sets.query(set, "SELECT 1"));
    assertThat(ROUTES.seen).containsExactly("PRIMARY STRONG");
  }

  @Test
  void cancel_stopsAReadOnAReplica(TestDatabase database) throws Exception {
    AtomicReference<Statement> running = new AtomicReference<>();
    AtomicReference<SQLException> error = new AtomicReference<>();
    CountDownLatch ended = new CountDownLatch(1);
    Thread reader =
        new Thread(
            () -> {
              try (Connection connection = set.getConnection();
                  Statement statement = connection.createStatement()) {
                running.set(statement);
                statement.executeQuery("SELECT count(*) FROM generate_series(1, 2000000000) a");
              } catch (SQLException e) {
                error.set(e);
              } finally {
                ended.countDown();
              }
            },
            "reader");
    reader.start();
    // The driver cancels once: a server that has not begun the read ignores it.
    Eventually.within(Duration.ofSeconds(10))
        .until("a standby runs the read", () -> reading(database) == 1);
    running.get().cancel();
    assertThat(ended.await(10, TimeUnit.SECONDS)).isTrue();
    assertThat(error.get().getSQLState()).isEqualTo("57014");
  }

  private static int reading(TestDatabase database) throws SQLException {
    int reading = 0;
    for (PostgresNode node : database.cluster().nodes()) {
      if (node.isInRecovery()) {
        try (Connection connection = database.dataSource(node).getConnection()) {
          reading +=
              Integer.parseInt(
                  Sets.query(
                      connection,
                      "SELECT count(*) FROM pg_stat_activity WHERE datname = '%s' AND state = 'active' AND pid <> pg_backend_pid() AND query LIKE '%%generate_series%%'"
                          .formatted(database.name())));
        }
      }
    }
    return reading;
  }

  @Test
  void queryTimeout_isAppliedWhereTheReadRuns() throws SQLException {
    try (Connection connection = set.getConnection();
        Statement statement = connection.createStatement()) {
      statement.setQueryTimeout(1);
      assertThatThrownBy(
              () -> statement.executeQuery("SELECT count(*) FROM generate_series(1, 2000000000) a"))
          .isInstanceOfSatisfying(
              SQLException.class, e -> assertThat(e.getSQLState()).isEqualTo("57014"));
    }
  }

  @Test
  void optionsSetBack_holdForTheServersStatementThatHadThem() throws SQLException {
    try (Connection connection = set.getConnection();
        Statement statement = connection.createStatement()) {
      // In a transaction it is one and the same.
      connection.setAutoCommit(false);
      statement.setMaxRows(1);
      statement.setMaxFieldSize(1);
      statement.setEscapeProcessing(false);
      assertThat(rows(statement, "SELECT 'ab' FROM generate_series(1, 3)")).containsExactly("a");
      statement.setFetchDirection(ResultSet.FETCH_REVERSE);
      statement.setMaxRows(0);
      statement.setMaxFieldSize(0);
      statement.setFetchDirection(ResultSet.FETCH_FORWARD);
      statement.setEscapeProcessing(true);
      assertThat(rows(statement, "SELECT {fn lcase('AB')} FROM generate_series(1, 3)"))
          .containsExactly("ab", "ab", "ab");
      connection.rollback();
    }
  }

  private static List<String> rows(Statement statement, String sql) throws SQLException {
    List<String> all = new ArrayList<>();
    try (ResultSet rows = statement.executeQuery(sql)) {
      while (rows.next()) {
        all.add(rows.getString(1));
      }
    }
    return all;
  }

  @Test
  void textThatAStandbyRefuses_runsOnThePrimaryAndIsRememberedThere() throws SQLException {
    Sets.execute(set, "CREATE VIEW sly AS SELECT touch() AS touched");
    String sql = "SELECT touched FROM sly";
    Eventually.within(Duration.ofSeconds(10))
        .until("the view is there", () -> "1".equals(queried(sql)));
    ROUTES.seen.clear();
    assertThat(Sets.query(set, sql)).isEqualTo("1");
    assertThat(ROUTES.seen).containsExactly("PRIMARY WRITE");
  }

  @Test
  void terminatedConnections_costReadsNothingAndTransactionsAClearError(TestDatabase database)
      throws SQLException {
    for (int i = 0; i < 10; i++) {
      Sets.query(set, "SELECT 1");
    }
    try (Connection writing = set.getConnection();
        Statement statement = writing.createStatement()) {
      writing.setAutoCommit(false);
      statement.execute("INSERT INTO item VALUES (3000, 'lost')");
      for (PostgresNode node : database.cluster().nodes()) {
        node.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                + " WHERE application_name = 'aquifer' AND datname = '%s'"
                    .formatted(database.name()));
      }
      for (int i = 0; i < 20; i++) {
        assertThat(Sets.query(set, "SELECT 1")).isEqualTo("1");
      }
      assertThatThrownBy(() -> statement.execute("INSERT INTO item VALUES (3001, 'lost')"))
          .isInstanceOfSatisfying(
              SQLException.class, e -> assertThat(e.getSQLState()).isEqualTo("08006"));
      // The same connection begins anew.
      statement.execute("INSERT INTO item VALUES (3002, 'kept')");
      writing.rollback();
    }
    assertThat(set.health().nodes()).allMatch(node -> node.inFlight() == 0);
  }

  private static String queried(String sql) {
    try {
      return Sets.query(set, sql);
    } catch (SQLException e) {
      return e.getMessage();
    }
  }
}
