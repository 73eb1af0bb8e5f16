package dev.aquifer.replica;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.aquifer.testkit.LeakCheck;
import dev.aquifer.testkit.PostgresTest;
import dev.aquifer.testkit.TestDatabase;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.SQLFeatureNotSupportedException;
import java.sql.Statement;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** What one user of a connection does wrong, or leaves behind, is not the next one's. */
@PostgresTest(schema = {"CREATE TABLE a (id int PRIMARY KEY)", "CREATE SCHEMA other"})
class FaultyProgramTest {
  private final Sets.Listener listener = new Sets.Listener();
  private ReplicaSet set;
  private LeakCheck.Watch leaks;

  /** One server connection, so that the next user gets that of the one before. */
  @BeforeEach
  void open(TestDatabase database) throws SQLException {
    leaks = LeakCheck.of().threads("aquifer-").database(database).start();
    set =
        ReplicaSet.builder()
            .primary(database.url())
            .credentials(database.user(), database.password())
            .pool(pool -> pool.maximumSize(1))
            .commitListener(listener)
            .build();
    Sets.execute(set, "TRUNCATE a");
    listener.take();
  }

  @AfterEach
  void close() {
    set.close();
    leaks.close();
  }

  private String session() throws SQLException {
    return Sets.query(set, "SELECT pg_backend_pid()");
  }

  @Test
  void whatWasSet_isGoneForTheNext() throws SQLException {
    String session = session();
    String path = Sets.query(set, "SHOW search_path");
    String name = Sets.query(set, "SHOW application_name");
    try (Connection connection = set.getConnection()) {
      connection.setSchema("other");
      connection.setClientInfo("ApplicationName", "somebody");
      connection.setHoldability(ResultSet.HOLD_CURSORS_OVER_COMMIT);
      connection.setTypeMap(Map.of("a", String.class));
      connection.setTransactionIsolation(Connection.TRANSACTION_SERIALIZABLE);
      connection.setAutoCommit(false);
      assertThat(Sets.query(connection, "SHOW search_path")).isEqualTo("other");
      assertThat(Sets.query(connection, "SHOW application_name")).isEqualTo("somebody");
    }
    try (Connection connection = set.getConnection()) {
      assertThat(Sets.query(connection, "SHOW search_path")).isEqualTo(path);
      assertThat(Sets.query(connection, "SHOW application_name")).isEqualTo(name);
      assertThat(Sets.query(connection, "SHOW transaction_isolation")).isEqualTo("read committed");
      assertThat(connection.getTypeMap()).isEmpty();
    }
    assertThat(session()).isEqualTo(session);
  }

  @Test
  void whatTheDriverDoesNotHave_costsNoTransaction() throws SQLException {
    try (Connection connection = set.getConnection();
        Statement statement = connection.createStatement()) {
      connection.setAutoCommit(false);
      statement.execute("INSERT INTO a VALUES (1)");
      assertThatThrownBy(connection::createClob)
          .isInstanceOf(SQLFeatureNotSupportedException.class);
      connection.commit();
    }
    assertThat(Sets.query(set, "SELECT count(*) FROM a")).isEqualTo("1");
  }

  @Test
  void writeInAReadOnlyTransaction_isNotThePrimarysFault() throws SQLException {
    try (Connection connection = set.getConnection();
        Statement statement = connection.createStatement()) {
      connection.setReadOnly(true);
      connection.setAutoCommit(false);
      assertThatThrownBy(() -> statement.execute("INSERT INTO a VALUES (1)"))
          .isInstanceOfSatisfying(
              SQLException.class, e -> assertThat(e.getSQLState()).isEqualTo("25006"));
      connection.rollback();
      assertThat(set.health().writable()).isTrue();
      assertThatThrownBy(() -> statement.execute("INSERT INTO a VALUES (1)"))
          .isInstanceOf(SQLException.class);
      // Nothing is sent any more, so that nothing is uncertain.
      assertThatThrownBy(connection::commit)
          .isInstanceOfSatisfying(
              SQLException.class, e -> assertThat(e.getSQLState()).isEqualTo("08006"));
      assertThat(set.health().writable()).isTrue();
    }
    assertThat(listener.take()).noneMatch(told -> told.startsWith("unknown"));
  }

  @Test
  void textThatTheServerCannotRead_isNotThePrimarysFault() throws SQLException {
    assertThatThrownBy(() -> Sets.execute(set, "INSERT INTO a SELECT '\0'::int"))
        .isInstanceOf(SQLException.class);
    assertThat(set.health().writable()).isTrue();
    assertThat(listener.take()).containsExactly("committing [a]+?", "committed [a]+?");
  }

  @Test
  void sessionStateInATransactionLeftOpen_endsWithTheConnection() throws SQLException {
    String session = session();
    try (Connection connection = set.getConnection()) {
      connection.setAutoCommit(false);
      connection.setReadOnly(true);
      try (Statement statement = connection.createStatement()) {
        statement.execute("SET work_mem = '5MB'");
      }
    }
    assertThat(session()).isNotEqualTo(session);
  }
}
