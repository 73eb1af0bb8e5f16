package dev.aquifer.replica;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.aquifer.Tenant;
import dev.aquifer.testkit.LeakCheck;
import dev.aquifer.testkit.PostgresTest;
import dev.aquifer.testkit.TestDatabase;
import java.io.StringReader;
import java.sql.CallableStatement;
import java.sql.Connection;
import java.sql.DatabaseMetaData;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.postgresql.PGConnection;
import org.postgresql.PGStatement;
import org.postgresql.jdbc.PgConnection;
import org.postgresql.largeobject.LargeObject;
import org.postgresql.largeobject.LargeObjectManager;

/** Writes that no statement of the router's shows are told all the same. */
@PostgresTest(
    standbys = 2,
    schema = {
      "CREATE TABLE a (id int PRIMARY KEY, label text)",
      "CREATE FUNCTION pages() RETURNS refcursor LANGUAGE plpgsql AS 'DECLARE c refcursor; BEGIN OPEN c FOR SELECT 1; RETURN c; END'"
    })
class UnseenWritesTest {
  private static final String ANYTHING = "[]+?";

  private final Sets.Listener listener = new Sets.Listener();
  private final Sets.Routes routes = new Sets.Routes();
  private ReplicaSet set;
  private LeakCheck.Watch leaks;

  @BeforeEach
  void open(TestDatabase database) throws SQLException {
    leaks = LeakCheck.of().threads("aquifer-").database(database).start();
    set = Sets.of(database).observer(routes).commitListener(listener).build();
    Sets.awaitReplicas(set, 2);
    Sets.execute(set, "TRUNCATE a");
    listener.take();
  }

  @AfterEach
  void close() {
    set.close();
    leaks.close();
  }

  private static void copy(PGConnection raw, String rows) throws Exception {
    raw.getCopyAPI().copyIn("COPY a FROM STDIN", new StringReader(rows));
  }

  private String count() throws SQLException {
    return Sets.query(set, "SELECT count(*) FROM a");
  }

  @Test
  void copyOutsideATransaction_isToldWithTheNextCallAndAtTheClose() throws Exception {
    try (Connection connection = set.getConnection()) {
      PGConnection raw = connection.unwrap(PGConnection.class);
      assertThat(listener.take()).containsExactly("committing " + ANYTHING);
      copy(raw, "1\tone\n");
      Sets.query(connection, "SELECT 1");
      assertThat(listener.take())
          .containsExactly("committed " + ANYTHING, "committing " + ANYTHING);
      assertThat(routes.last()).isEqualTo("PRIMARY PINNED");
      copy(raw, "2\ttwo\n");
    }
    assertThat(listener.take()).containsExactly("committed " + ANYTHING);
    assertThat(count()).isEqualTo("2");
    Sets.query(set, "SELECT 1 FROM a");
    assertThat(listener.take()).isEmpty();
  }

  @Test
  void copyInATransaction_isToldAtItsCommitOnly() throws Exception {
    try (Connection connection = set.getConnection()) {
      connection.setAutoCommit(false);
      PGConnection raw = connection.unwrap(PGConnection.class);
      copy(raw, "1\tone\n");
      connection.rollback();
      assertThat(listener.take()).isEmpty();
      copy(raw, "2\ttwo\n");
      // Nothing but the driver's own connection was used, and yet this commits.
      connection.commit();
      assertThat(listener.take())
          .containsExactly("committing " + ANYTHING, "committed " + ANYTHING);
      copy(raw, "3\tthree\n");
      connection.rollback();
    }
    assertThat(listener.take()).isEmpty();
    assertThat(count()).isEqualTo("1");
  }

  @Test
  void autocommitOffAfterUnwrap_holdsForTheDriversConnectionToo() throws Exception {
    try (Connection connection = set.getConnection()) {
      PGConnection raw = connection.unwrap(PgConnection.class);
      connection.setAutoCommit(false);
      listener.take();
      copy(raw, "1\tone\n");
      connection.rollback();
      assertThat(listener.take()).isEmpty();
      copy(raw, "2\ttwo\n");
      connection.setAutoCommit(true);
      assertThat(listener.take())
          .containsExactly(
              "committing " + ANYTHING, "committed " + ANYTHING, "committing " + ANYTHING);
    }
    assertThat(count()).isEqualTo("1");
  }

  @Test
  void transactionInSqlAfterUnwrap_isToldAtItsCommitOnly() throws Exception {
    try (Connection connection = set.getConnection();
        Statement statement = connection.createStatement()) {
      PGConnection raw = connection.unwrap(PGConnection.class);
      statement.execute("BEGIN");
      listener.take();
      copy(raw, "1\tone\n");
      statement.execute("ROLLBACK");
      assertThat(listener.take()).containsExactly("committing " + ANYTHING);
      statement.execute("BEGIN");
      listener.take();
      copy(raw, "1\tone\n");
      statement.execute("COMMIT");
      assertThat(listener.take()).startsWith("committing " + ANYTHING, "committed " + ANYTHING);
    }
    assertThat(count()).isEqualTo("1");
  }

  @Test
  void commitOnTheDriversConnection_isToldAtTheClose() throws Exception {
    try (Connection connection = set.getConnection()) {
      connection.setAutoCommit(false);
      PgConnection raw = connection.unwrap(PgConnection.class);
      copy(raw, "1\tone\n");
      raw.commit();
      assertThat(listener.take()).isEmpty();
    }
    assertThat(listener.take()).containsExactly("committing " + ANYTHING, "committed " + ANYTHING);
    assertThat(count()).isEqualTo("1");
  }

  @Test
  void lostConnection_leavesWhatWasUnseenUnknown() throws Exception {
    try (Connection connection = set.getConnection()) {
      connection.unwrap(PgConnection.class).abort(Runnable::run);
    }
    assertThat(listener.take())
        .hasSize(2)
        .contains("committing " + ANYTHING)
        .anyMatch(told -> told.equals("unknown " + ANYTHING) || told.startsWith("committed"));
  }

  @Test
  void unseenWriteOfOneTenantClosedByAnother_isEverybodys() throws Exception {
    Connection connection =
        Tenant.of("DFW")
            .call(
                () -> {
                  Connection opened = set.getConnection();
                  copy(opened.unwrap(PGConnection.class), "1\tone\n");
                  return opened;
                });
    listener.take();
    connection.close();
    assertThat(listener.tenants).containsSequence("DFW", "everybody");
  }

  @Test
  void largeObject_isToldAtTheCommit() throws SQLException {
    try (Connection connection = set.getConnection()) {
      connection.setAutoCommit(false);
      LargeObjectManager objects = connection.unwrap(PGConnection.class).getLargeObjectAPI();
      long oid = objects.createLO(LargeObjectManager.READWRITE);
      try (LargeObject object = objects.open(oid, LargeObjectManager.WRITE)) {
        object.write(new byte[] {1, 2, 3});
      }
      connection.commit();
      assertThat(listener.take())
          .containsExactly("committing " + ANYTHING, "committed " + ANYTHING);
    }
    String oid = Sets.query(set, "SELECT lo_create(0)");
    try (Connection connection = set.getConnection();
        Statement statement = connection.createStatement()) {
      connection.setAutoCommit(false);
      ResultSet rows = statement.executeQuery("SELECT %s::oid FROM lo_get(%s)".formatted(oid, oid));
      rows.next();
      assertThat(rows.getBlob(1).length()).isZero();
      connection.commit();
      assertThat(listener.take()).isEmpty();
      rows = statement.executeQuery("SELECT %s::oid FROM lo_get(%s)".formatted(oid, oid));
      rows.next();
      rows.getBlob(1).setBytes(1, new byte[] {1});
      connection.commit();
      assertThat(listener.take())
          .containsExactly("committing " + ANYTHING, "committed " + ANYTHING);
    }
    Sets.query(set, "SELECT lo_put(%s, 0, 'abc')".formatted(oid));
    assertThat(listener.take()).containsExactly("committing " + ANYTHING, "committed " + ANYTHING);
  }

  @Test
  void driversOwnStatementOfThePrimary_countsAsItsConnection() throws SQLException {
    try (Connection connection = set.getConnection();
        PreparedStatement statement = connection.prepareStatement("SELECT id FROM a FOR UPDATE")) {
      statement.executeQuery().close();
      assertThat(listener.take()).isEmpty();
      statement.unwrap(PGStatement.class).setPrepareThreshold(1);
    }
    assertThat(listener.take()).containsExactly("committing " + ANYTHING, "committed " + ANYTHING);
  }

  @Test
  void results_leadBackToTheRouter() throws SQLException {
    try (Connection connection = set.getConnection();
        Statement statement = connection.createStatement();
        PreparedStatement prepared = connection.prepareStatement("SELECT 1");
        CallableStatement call = connection.prepareCall("{? = call pages()}")) {
      try (ResultSet rows = statement.executeQuery("SELECT 1")) {
        assertThat(rows.getStatement()).isSameAs(statement);
        assertThat(statement.getResultSet().getStatement()).isSameAs(statement);
      }
      try (ResultSet rows = prepared.executeQuery()) {
        assertThat(rows.getStatement()).isSameAs(prepared);
        assertThat(rows.getStatement().getConnection()).isSameAs(connection);
      }
      connection.setAutoCommit(false);
      call.registerOutParameter(1, java.sql.Types.REF_CURSOR);
      call.execute();
      try (ResultSet rows = (ResultSet) call.getObject(1)) {
        assertThat(rows.next()).isTrue();
        assertThat(rows.getStatement()).isSameAs(call);
      }
      try (ResultSet cursors = statement.executeQuery("SELECT pages()")) {
        cursors.next();
        try (ResultSet rows = (ResultSet) cursors.getObject(1)) {
          assertThat(rows.getStatement()).isSameAs(statement);
        }
      }
      DatabaseMetaData data = connection.getMetaData();
      try (ResultSet tables = data.getTables(null, null, "a", null)) {
        assertThat(tables.next()).isTrue();
        assertThat(tables.getStatement().getConnection()).isSameAs(connection);
      }
      connection.rollback();
    }
    listener.take();
  }

  @Test
  void rowsOfAnUpdatableResult_areToldAsWrites() throws SQLException {
    Sets.execute(set, "INSERT INTO a VALUES (1, 'one'), (2, 'two')");
    listener.take();
    try (Connection connection = set.getConnection();
        Statement statement =
            connection.createStatement(
                ResultSet.TYPE_SCROLL_INSENSITIVE, ResultSet.CONCUR_UPDATABLE)) {
      ResultSet rows = statement.executeQuery("SELECT id, label FROM a ORDER BY id");
      assertThat(routes.last()).startsWith("PRIMARY");
      rows.next();
      rows.updateString("label", "uno");
      assertThat(listener.take()).isEmpty();
      rows.updateRow();
      assertThat(listener.take()).containsExactly("committing [a]", "committed [a]");
      rows.moveToInsertRow();
      rows.updateInt(1, 2);
      rows.updateString(2, "twice");
      assertThatThrownBy(rows::insertRow)
          .isInstanceOfSatisfying(
              SQLException.class, e -> assertThat(e.getSQLState()).isEqualTo("23505"));
      assertThat(listener.take()).containsExactly("committing [a]", "rolledBack [a]");
      rows.moveToCurrentRow();
      rows.next();
      rows.deleteRow();
      assertThat(listener.take()).containsExactly("committing [a]", "committed [a]");
      connection.setAutoCommit(false);
      rows = statement.executeQuery("SELECT id, label FROM a");
      rows.next();
      rows.deleteRow();
      connection.rollback();
      assertThat(listener.take()).isEmpty();
      rows = statement.executeQuery("SELECT id, label FROM a");
      rows.next();
      rows.deleteRow();
      connection.commit();
      assertThat(listener.take()).containsExactly("committing [a]", "committed [a]");
    }
    assertThat(count()).isEqualTo("0");
  }
}
