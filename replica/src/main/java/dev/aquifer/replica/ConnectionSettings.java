package dev.aquifer.replica;

import dev.aquifer.pool.AdaptivePool;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.HashMap;
import java.util.Map;
import java.util.Properties;
import java.util.concurrent.Executor;
import org.jspecify.annotations.Nullable;

/**
 * What the application set on a connection that may have no server behind it yet: kept, and applied
 * to whatever is leased. The pool restores its own settings when the lease ends. Confined to the
 * connection's thread.
 */
final class ConnectionSettings {
  /** What there is of client info. */
  static final String APPLICATION_NAME = "ApplicationName";

  boolean autoCommit = true;
  boolean readOnly;
  int isolation = Connection.TRANSACTION_NONE;
  int holdability;
  @Nullable String schema;
  @Nullable Executor timeoutExecutor;
  int networkTimeout;
  @Nullable Map<String, Class<?>> types;

  /** Null until one is set: making them costs more than all else of a connection. */
  @Nullable Properties clientProperties;

  private int version;

  /** The client's properties, to be changed. */
  Properties clientProperties() {
    Properties known = clientProperties;
    if (known == null) {
      known = new Properties();
      clientProperties = known;
    }
    return known;
  }

  /** 0 while nothing was ever set; changes with each {@link #changed()}. */
  int version() {
    return version;
  }

  void changed() {
    version++;
  }

  /** All but isolation and schema, which the lease keeps track of. */
  void apply(Connection connection, AdaptivePool pool) throws SQLException {
    // What may not change within a transaction comes before autocommit goes off.
    if (readOnly != connection.isReadOnly()) {
      connection.setReadOnly(readOnly);
    }
    if (holdability != 0) {
      connection.setHoldability(holdability);
    }
    if (timeoutExecutor != null) {
      connection.setNetworkTimeout(timeoutExecutor, networkTimeout);
    }
    if (types != null) {
      connection.setTypeMap(types);
    }
    Properties client = clientProperties;
    String name = client == null ? null : client.getProperty(APPLICATION_NAME);
    if (name != null) {
      connection.setClientInfo(APPLICATION_NAME, pool.sessionName(name));
    }
    if (autoCommit != connection.getAutoCommit()) {
      connection.setAutoCommit(autoCommit);
    }
  }

  /** Undoes what neither the pool does nor the server is asked for. */
  void restore(Connection connection) throws SQLException {
    if (holdability != 0) {
      connection.setHoldability(ResultSet.CLOSE_CURSORS_AT_COMMIT);
    }
    if (types != null) {
      connection.setTypeMap(new HashMap<>());
    }
  }
}
