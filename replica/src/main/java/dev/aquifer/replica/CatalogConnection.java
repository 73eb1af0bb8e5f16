package dev.aquifer.replica;

import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.Properties;
import org.jspecify.annotations.Nullable;

/**
 * A connection beside the pools for reading the catalogue, kept from one reading to the next while
 * the node stays the same. Each reading is a transaction that sees one state, writes nothing and is
 * bounded in time. Confined to one thread, but for {@link #abort}.
 */
final class CatalogConnection {
  /** For one statement; what waits longer for a lock or an answer fails. */
  static final Duration LIMIT = Duration.ofSeconds(5);

  private static final String BEGIN =
      "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY;"
          + " SET LOCAL search_path = pg_catalog; SET LOCAL jit = off;"
          + " SET LOCAL lock_timeout = '1s'; SET LOCAL statement_timeout = "
          + LIMIT.toMillis();

  /** What is done in a reading. */
  interface Reading<T> {
    T from(Connection connection) throws SQLException;
  }

  private volatile @Nullable Connection connection;
  private ReplicaSetSettings.@Nullable NodeSettings node;

  /** Reads from that node; a failure costs the connection. */
  <T> T read(ReplicaSetSettings.NodeSettings from, Reading<T> reading) throws SQLException {
    Connection open = connection;
    if (open == null || !from.equals(node)) {
      abort();
      open = open(from);
      connection = open;
      node = from;
    }
    try {
      try (Statement statement = open.createStatement()) {
        statement.execute(BEGIN);
      }
      T result = reading.from(open);
      open.rollback();
      return result;
    } catch (SQLException | RuntimeException e) {
      abort();
      throw e;
    }
  }

  private static Connection open(ReplicaSetSettings.NodeSettings node) throws SQLException {
    Properties properties = node.login().properties(node.pool(), "aquifer-catalog");
    properties.setProperty("connectTimeout", "2");
    properties.setProperty("loginTimeout", "3");
    properties.setProperty("cancelSignalTimeout", "1");
    Connection opened = DriverManager.getConnection(node.pool().url(), properties);
    try {
      opened.setNetworkTimeout(Runnable::run, (int) LIMIT.plusSeconds(1).toMillis());
      opened.setAutoCommit(false);
      return opened;
    } catch (SQLException e) {
      opened.abort(Runnable::run);
      throw e;
    }
  }

  /** Drops the connection without asking the server; a reading in progress fails. */
  void abort() {
    Connection current = connection;
    connection = null;
    if (current != null) {
      try {
        current.abort(Runnable::run);
      } catch (SQLException e) {
        // Nothing is left to be closed.
        return;
      }
    }
  }
}
