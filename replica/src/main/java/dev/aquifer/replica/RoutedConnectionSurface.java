package dev.aquifer.replica;

import java.sql.Array;
import java.sql.Blob;
import java.sql.ClientInfoStatus;
import java.sql.Clob;
import java.sql.Connection;
import java.sql.DatabaseMetaData;
import java.sql.NClob;
import java.sql.ResultSet;
import java.sql.SQLClientInfoException;
import java.sql.SQLException;
import java.sql.SQLWarning;
import java.sql.SQLXML;
import java.sql.Savepoint;
import java.sql.Struct;
import java.util.HashMap;
import java.util.Map;
import java.util.Properties;
import java.util.concurrent.Executor;
import org.jspecify.annotations.Nullable;

/**
 * The parts of {@link Connection} that need no routing: settings that are remembered, and calls
 * that go to whatever server connection there is.
 */
abstract class RoutedConnectionSurface extends StatementFactory {
  /** What is done with a server connection. */
  @FunctionalInterface
  interface Call0<T> {
    T on(Connection connection) throws SQLException;
  }

  final ConnectionSettings settings = new ConnectionSettings();

  /** The lease of the open transaction; begins one on the primary. */
  abstract Lease transactionLease() throws SQLException;

  /** Some lease held now, or null. */
  abstract @Nullable Lease heldLease();

  /** The lease that all statements must use now, by transaction or pin, or null. */
  abstract @Nullable Lease boundLease();

  /** A lease that stays until the connection is closed; on the primary, if there was none. */
  abstract Lease pinnedLease() throws SQLException;

  /** The application holds the driver's own object of that lease, and may do anything with it. */
  abstract void unwrapped(Lease lease) throws SQLException;

  /** Calls a server connection, leased for the call only if none is held. */
  abstract <T> T briefly(Call0<T> call) throws SQLException;

  /** A setting that is about to change takes effect, or is refused, where a transaction is open. */
  private void changed() throws SQLException {
    settings.changed();
    Lease bound = boundLease();
    if (bound != null) {
      bound.prepare(settings);
    }
  }

  @Override
  public String nativeSQL(String sql) throws SQLException {
    return briefly(connection -> connection.nativeSQL(sql));
  }

  @Override
  public boolean getAutoCommit() throws SQLException {
    checkOpen();
    return settings.autoCommit;
  }

  @Override
  public DatabaseMetaData getMetaData() throws SQLException {
    return Facade.metaData(pinnedLease().connection.getMetaData(), self());
  }

  @Override
  public void setReadOnly(boolean readOnly) throws SQLException {
    checkOpen();
    if (settings.readOnly != readOnly) {
      settings.readOnly = readOnly;
      try {
        changed();
      } catch (SQLException e) {
        settings.readOnly = !readOnly;
        throw e;
      }
    }
  }

  @Override
  public boolean isReadOnly() throws SQLException {
    checkOpen();
    return settings.readOnly;
  }

  /** All nodes hold the same database; the driver ignores another one too. */
  @Override
  public void setCatalog(String catalog) throws SQLException {
    checkOpen();
  }

  @Override
  public String getCatalog() throws SQLException {
    return briefly(Connection::getCatalog);
  }

  @Override
  public void setTransactionIsolation(int level) throws SQLException {
    checkOpen();
    switch (level) {
      case TRANSACTION_READ_UNCOMMITTED,
          TRANSACTION_READ_COMMITTED,
          TRANSACTION_REPEATABLE_READ,
          TRANSACTION_SERIALIZABLE -> {
        int before = settings.isolation;
        settings.isolation = level;
        try {
          changed();
        } catch (SQLException e) {
          settings.isolation = before;
          throw e;
        }
      }
      default ->
          throw new SQLException(
              "Isolation level %d is not one of JDBC's".formatted(level), "0A000");
    }
  }

  @Override
  public int getTransactionIsolation() throws SQLException {
    return settings.isolation != TRANSACTION_NONE
        ? settings.isolation
        : briefly(Connection::getTransactionIsolation);
  }

  @Override
  public @Nullable SQLWarning getWarnings() throws SQLException {
    checkOpen();
    Lease held = heldLease();
    return held == null ? null : held.connection.getWarnings();
  }

  @Override
  public void clearWarnings() throws SQLException {
    checkOpen();
    Lease held = heldLease();
    if (held != null) {
      held.connection.clearWarnings();
    }
  }

  @Override
  public Map<String, Class<?>> getTypeMap() throws SQLException {
    Map<String, Class<?>> types = settings.types;
    return types != null ? types : briefly(Connection::getTypeMap);
  }

  @Override
  public void setTypeMap(Map<String, Class<?>> types) throws SQLException {
    checkOpen();
    settings.types = types;
    changed();
  }

  @Override
  public void setHoldability(int holdability) throws SQLException {
    checkOpen();
    if (holdability != ResultSet.HOLD_CURSORS_OVER_COMMIT
        && holdability != ResultSet.CLOSE_CURSORS_AT_COMMIT) {
      throw new SQLException("Holdability %d is not one of JDBC's".formatted(holdability), "22023");
    }
    settings.holdability = holdability;
    changed();
  }

  @Override
  public int getHoldability() throws SQLException {
    checkOpen();
    return settings.holdability != 0 ? settings.holdability : ResultSet.CLOSE_CURSORS_AT_COMMIT;
  }

  @Override
  public Savepoint setSavepoint() throws SQLException {
    checkOpen();
    return transactionLease().connection.setSavepoint();
  }

  @Override
  public Savepoint setSavepoint(String name) throws SQLException {
    checkOpen();
    return transactionLease().connection.setSavepoint(name);
  }

  @Override
  public void rollback(Savepoint savepoint) throws SQLException {
    checkOpen();
    transactionLease().connection.rollback(savepoint);
  }

  @Override
  public void releaseSavepoint(Savepoint savepoint) throws SQLException {
    checkOpen();
    transactionLease().connection.releaseSavepoint(savepoint);
  }

  @Override
  public Clob createClob() throws SQLException {
    return briefly(Connection::createClob);
  }

  @Override
  public Blob createBlob() throws SQLException {
    return briefly(Connection::createBlob);
  }

  @Override
  public NClob createNClob() throws SQLException {
    return briefly(Connection::createNClob);
  }

  @Override
  public SQLXML createSQLXML() throws SQLException {
    return briefly(Connection::createSQLXML);
  }

  /**
   * Of what JDBC calls client info the server keeps the application's name; the rest is ignored.
   */
  @Override
  public void setClientInfo(String name, @Nullable String value) throws SQLClientInfoException {
    Properties one = new Properties();
    one.setProperty(name, value == null ? "" : value);
    setClientInfo(one);
  }

  @Override
  public void setClientInfo(Properties properties) throws SQLClientInfoException {
    try {
      checkOpen();
      String name = properties.getProperty(ConnectionSettings.APPLICATION_NAME);
      if (name != null) {
        settings.clientProperties().setProperty(ConnectionSettings.APPLICATION_NAME, name);
        changed();
      }
    } catch (SQLException e) {
      Map<String, ClientInfoStatus> failed = new HashMap<>();
      properties
          .stringPropertyNames()
          .forEach(name -> failed.put(name, ClientInfoStatus.REASON_UNKNOWN));
      throw new SQLClientInfoException(e.getMessage(), e.getSQLState(), failed, e);
    }
  }

  @Override
  public @Nullable String getClientInfo(String name) throws SQLException {
    checkOpen();
    return settings.clientProperties().getProperty(name);
  }

  @Override
  public Properties getClientInfo() throws SQLException {
    checkOpen();
    Properties copy = new Properties();
    copy.putAll(settings.clientProperties());
    return copy;
  }

  @Override
  public Array createArrayOf(String typeName, Object[] elements) throws SQLException {
    return briefly(connection -> connection.createArrayOf(typeName, elements));
  }

  @Override
  public Struct createStruct(String typeName, Object[] attributes) throws SQLException {
    return briefly(connection -> connection.createStruct(typeName, attributes));
  }

  @Override
  public void setSchema(@Nullable String schema) throws SQLException {
    checkOpen();
    settings.schema = schema;
    changed();
  }

  @Override
  public @Nullable String getSchema() throws SQLException {
    return briefly(Connection::getSchema);
  }

  @Override
  public void abort(Executor executor) throws SQLException {
    Lease held = heldLease();
    if (held != null) {
      held.connection.abort(executor);
    }
    close();
  }

  @Override
  public void setNetworkTimeout(Executor executor, int milliseconds) throws SQLException {
    checkOpen();
    if (milliseconds < 0) {
      throw new SQLException(
          "networkTimeout is %d ms: give 0 or more".formatted(milliseconds), "22023");
    }
    settings.timeoutExecutor = executor;
    settings.networkTimeout = milliseconds;
    changed();
  }

  @Override
  public int getNetworkTimeout() throws SQLException {
    return settings.timeoutExecutor != null
        ? settings.networkTimeout
        : briefly(Connection::getNetworkTimeout);
  }

  /** What the driver has and this has not pins the connection to the primary. */
  @Override
  public <T> T unwrap(Class<T> type) throws SQLException {
    if (type.isInstance(this)) {
      return type.cast(this);
    }
    Lease lease = pinnedLease();
    T found = lease.connection.unwrap(type);
    unwrapped(lease);
    return found;
  }

  @Override
  public boolean isWrapperFor(Class<?> type) throws SQLException {
    return type.isInstance(this) || type.isAssignableFrom(org.postgresql.core.BaseConnection.class);
  }
}
