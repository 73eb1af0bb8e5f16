package dev.aquifer.replica;

import java.sql.Connection;
import java.sql.SQLException;
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
  boolean autoCommit = true;
  boolean readOnly;
  int isolation = Connection.TRANSACTION_NONE;
  int holdability;
  @Nullable String schema;
  @Nullable Executor timeoutExecutor;
  int networkTimeout;
  @Nullable Map<String, Class<?>> types;
  final Properties clientProperties = new Properties();

  private int version;

  /** 0 while nothing was ever set; changes with each {@link #changed()}. */
  int version() {
    return version;
  }

  void changed() {
    version++;
  }

  /** All but isolation and schema, which the lease keeps track of. */
  void apply(Connection connection) throws SQLException {
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
    for (String name : clientProperties.stringPropertyNames()) {
      connection.setClientInfo(name, clientProperties.getProperty(name));
    }
    if (autoCommit != connection.getAutoCommit()) {
      connection.setAutoCommit(autoCommit);
    }
  }
}
