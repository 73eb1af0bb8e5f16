package dev.aquifer.replica;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.aquifer.ReadFloor;
import dev.aquifer.spi.WriteSet;
import dev.aquifer.testkit.LeakCheck;
import dev.aquifer.testkit.PostgresTest;
import dev.aquifer.testkit.TestDatabase;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.sql.Savepoint;
import java.sql.Statement;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

@PostgresTest(
    schema = {
      "CREATE TABLE a (id int PRIMARY KEY)",
      "CREATE TABLE b (id int PRIMARY KEY)",
      "CREATE TABLE late (id int REFERENCES a DEFERRABLE INITIALLY DEFERRED)",
      "CREATE FUNCTION fill() RETURNS int LANGUAGE sql AS 'INSERT INTO b VALUES (99) RETURNING id'"
    })
class ListenerTest {
  private final Sets.Listener listener = new Sets.Listener();
  private final Sets.Routes routes = new Sets.Routes();
  private ReplicaSet set;
  private LeakCheck.Watch leaks;

  @BeforeEach
  void open(TestDatabase database) throws SQLException {
    leaks = LeakCheck.of().threads("aquifer-").database(database).start();
    set =
        Sets.of(database)
            .observer(routes)
            .commitListener(
                (WriteSet writes, ReadFloor floor) -> {
                  throw new IllegalStateException("a faulty listener");
                })
            .commitListener(listener)
            .build();
    Sets.execute(set, "TRUNCATE a, b, late");
    listener.take();
  }

  @AfterEach
  void close() {
    set.close();
    leaks.close();
  }

  @Test
  void autocommitWrite_isAnnouncedAndCommitted() throws SQLException {
    Sets.execute(set, "INSERT INTO a VALUES (1)");
    assertThat(listener.take()).containsExactly("committing [a]", "committed [a]");
    assertThat(routes.failures).contains("a faulty listener");
  }

  @Test
  void failedAutocommitWrite_isRolledBack() throws SQLException {
    Sets.execute(set, "INSERT INTO a VALUES (1)");
    listener.take();
    assertThatThrownBy(() -> Sets.execute(set, "INSERT INTO a VALUES (1)"))
        .isInstanceOf(SQLException.class);
    assertThat(listener.take()).containsExactly("committing [a]", "rolledBack [a]");
  }

  @Test
  void transaction_tellsAllTablesAtItsCommitOnly() throws SQLException {
    try (Connection connection = set.getConnection();
        Statement statement = connection.createStatement()) {
      connection.setAutoCommit(false);
      statement.execute("INSERT INTO a VALUES (1)");
      Savepoint savepoint = connection.setSavepoint();
      statement.execute("INSERT INTO b VALUES (1)");
      connection.rollback(savepoint);
      assertThat(listener.take()).isEmpty();
      connection.commit();
      assertThat(listener.take()).containsExactly("committing [a, b]", "committed [a, b]");
      statement.execute("INSERT INTO a VALUES (2)");
      connection.rollback();
      connection.commit();
      assertThat(listener.take()).isEmpty();
      statement.execute("INSERT INTO a VALUES (3)");
    }
    assertThat(listener.take()).isEmpty();
  }

  @Test
  void refusedCommit_isRolledBack() throws SQLException {
    try (Connection connection = set.getConnection();
        Statement statement = connection.createStatement()) {
      connection.setAutoCommit(false);
      statement.execute("INSERT INTO late VALUES (5)");
      assertThatThrownBy(connection::commit).isInstanceOf(SQLException.class);
      assertThat(listener.take()).containsExactly("committing [late]", "rolledBack [late]");
    }
  }

  @Test
  void commitBySql_isACommit() throws SQLException {
    try (Connection connection = set.getConnection();
        Statement statement = connection.createStatement()) {
      statement.execute("BEGIN");
      statement.execute("INSERT INTO a VALUES (1)");
      assertThat(listener.take()).isEmpty();
      statement.execute("COMMIT");
      assertThat(listener.take()).containsExactly("committing [a]", "committed [a]");
      statement.execute("BEGIN");
      statement.execute("INSERT INTO a VALUES (2)");
      statement.execute("ROLLBACK");
      assertThat(listener.take()).isEmpty();
    }
  }

  @Test
  void batch_tellsAllItsTables() throws SQLException {
    try (Connection connection = set.getConnection();
        Statement batch = connection.createStatement();
        PreparedStatement prepared = connection.prepareStatement("INSERT INTO a VALUES (?)")) {
      batch.addBatch("INSERT INTO a VALUES (1)");
      batch.addBatch("INSERT INTO b VALUES (1)");
      batch.executeBatch();
      assertThat(listener.take()).containsExactly("committing [a, b]", "committed [a, b]");
      prepared.setInt(1, 2);
      prepared.addBatch();
      prepared.executeBatch();
      assertThat(listener.take()).containsExactly("committing [a]", "committed [a]");
    }
  }

  @Test
  void unknownFunction_mayHaveWrittenAnything() throws SQLException {
    Sets.execute(set, "SELECT fill()");
    assertThat(listener.take()).containsExactly("committing []+?", "committed []+?");
  }

  @Test
  void statementsThatChangeNothing_areNotTold() throws SQLException {
    Sets.execute(set, "SELECT id FROM a FOR UPDATE");
    Sets.execute(set, "SHOW work_mem");
    Sets.execute(set, "SET work_mem = '5MB'");
    Sets.execute(set, "SELECT 1");
    assertThat(listener.take()).isEmpty();
  }

  @Test
  void textThatLeavesATransactionOpen_isToldAgainAtItsCommit() throws SQLException {
    try (Connection connection = set.getConnection();
        Statement statement = connection.createStatement()) {
      statement.execute("BEGIN; INSERT INTO a VALUES (1)");
      listener.take();
      statement.execute("INSERT INTO b VALUES (1)");
      assertThat(listener.take()).isEmpty();
      statement.execute("COMMIT");
      assertThat(listener.take()).hasSize(2).allMatch(told -> told.contains("[a, b]"));
      statement.execute("SELECT 1");
      assertThat(listener.take()).isEmpty();
    }
  }

  @Test
  void commitAndChain_tellsEachCommit() throws SQLException {
    try (Connection connection = set.getConnection();
        Statement statement = connection.createStatement()) {
      statement.execute("BEGIN");
      statement.execute("INSERT INTO a VALUES (1)");
      statement.execute("COMMIT AND CHAIN");
      assertThat(listener.take()).containsExactly("committing [a]", "committed [a]");
      statement.execute("INSERT INTO b VALUES (1)");
      statement.execute("COMMIT");
      assertThat(listener.take())
          .hasSize(2)
          .allMatch(told -> told.contains("b]"))
          .anyMatch(told -> told.startsWith("committed "));
    }
  }

  @Test
  void connectionLostInCommit_isUnknown(TestDatabase database) throws SQLException {
    try (Connection connection = set.getConnection();
        Statement statement = connection.createStatement()) {
      connection.setAutoCommit(false);
      String backend = Sets.query(connection, "SELECT pg_backend_pid()");
      statement.execute("INSERT INTO a VALUES (1)");
      listener.take();
      Sets.query(set, "SELECT pg_terminate_backend(" + backend + ", 10000)");
      listener.take();
      assertThatThrownBy(connection::commit)
          .isInstanceOfSatisfying(
              SQLException.class, e -> assertThat(e.getSQLState()).isEqualTo("08007"));
      assertThat(listener.take()).containsExactly("committing [a]", "unknown [a]");
    }
  }

  @Test
  void connectionLostInAutocommitWrite_isUnknown() throws SQLException {
    assertThatThrownBy(
            () ->
                Sets.execute(
                    set, "INSERT INTO a SELECT 1 FROM pg_terminate_backend(pg_backend_pid())"))
        .isInstanceOf(SQLException.class);
    assertThat(listener.take()).hasSize(2).first().asString().startsWith("committing [a]");
  }

  @Test
  void twoPhaseCommit_tellsTablesWhenPreparedAndAnyTableWhenCommitted() throws SQLException {
    try (Connection connection = set.getConnection();
        Statement statement = connection.createStatement()) {
      statement.execute("BEGIN");
      statement.execute("INSERT INTO a VALUES (1)");
      // Refused by a server that has no room for prepared transactions; announced all the same.
      assertThatThrownBy(() -> statement.execute("PREPARE TRANSACTION 'x'"))
          .isInstanceOf(SQLException.class);
      assertThat(listener.take()).first().isEqualTo("committing [a]");
    }
    listener.take();
    assertThatThrownBy(() -> Sets.execute(set, "COMMIT PREPARED 'x'"))
        .isInstanceOf(SQLException.class);
    assertThat(listener.take()).containsExactly("committing []+?", "committed []+?");
  }
}
