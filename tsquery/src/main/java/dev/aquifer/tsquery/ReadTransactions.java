package dev.aquifer.tsquery;

import java.sql.Connection;
import java.sql.SQLException;
import javax.sql.DataSource;

/**
 * Read-only transactions on connections of a pool, each of which is given back as it was taken.
 * Thread-safe.
 */
record ReadTransactions(DataSource dataSource) {
  @FunctionalInterface
  interface Reading {
    void on(Connection connection) throws SQLException;
  }

  void run(Reading reading) throws SQLException {
    try (Connection connection = dataSource.getConnection()) {
      boolean autoCommit = connection.getAutoCommit();
      boolean readOnly = connection.isReadOnly();
      try {
        connection.setReadOnly(true);
        // Without a transaction the driver would read the whole answer into memory.
        connection.setAutoCommit(false);
        reading.on(connection);
      } catch (SQLException | RuntimeException | Error e) {
        try {
          giveBack(connection, autoCommit, readOnly);
        } catch (SQLException second) {
          e.addSuppressed(second);
        }
        throw e;
      }
      giveBack(connection, autoCommit, readOnly);
    }
  }

  private static void giveBack(Connection connection, boolean autoCommit, boolean readOnly)
      throws SQLException {
    if (!connection.getAutoCommit()) {
      connection.rollback();
    }
    connection.setAutoCommit(autoCommit);
    connection.setReadOnly(readOnly);
  }
}
