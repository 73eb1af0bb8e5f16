package dev.aquifer.pool;

import java.io.PrintWriter;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.sql.SQLFeatureNotSupportedException;
import java.time.Duration;
import java.util.Properties;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.logging.Logger;
import javax.sql.DataSource;

/**
 * Opens the node's real connections for HikariCP and knows all that are open, so that they can be
 * cut off at once: a thread that waits on a halted server is freed by nothing else. Knowing them
 * here, where they are opened, costs nothing when one is leased.
 */
final class NodeConnections implements DataSource {
  private final PoolSettings settings;
  private final Properties properties;
  private final Set<Connection> open = ConcurrentHashMap.newKeySet();

  NodeConnections(PoolSettings settings) {
    this.settings = settings;
    this.properties = properties(settings);
  }

  @Override
  public Connection getConnection() throws SQLException {
    open.removeIf(NodeConnections::isClosed);
    Connection connection = DriverManager.getConnection(settings.url(), properties);
    open.add(connection);
    return connection;
  }

  /** A connection that the pool does not own, opened within the limit. */
  Connection open(Duration limit) throws SQLException {
    Properties limited = new Properties();
    limited.putAll(properties);
    limited.setProperty("loginTimeout", Double.toString(limit.toMillis() / 1000.0));
    return DriverManager.getConnection(settings.url(), limited);
  }

  /** Closes the sockets of all open connections; whoever waits on one gets an error. */
  void abort() {
    open.removeIf(
        connection -> {
          try {
            connection.abort(Runnable::run);
            return true;
          } catch (SQLException e) {
            // It is broken already, which is what was wanted.
            return true;
          }
        });
  }

  private static boolean isClosed(Connection connection) {
    try {
      return connection.isClosed();
    } catch (SQLException e) {
      return true;
    }
  }

  private static Properties properties(PoolSettings settings) {
    Properties properties = new Properties();
    if (settings.user() != null) {
      properties.setProperty("user", settings.user());
    }
    if (settings.password() != null) {
      properties.setProperty("password", settings.password());
    }
    properties.setProperty("connectTimeout", seconds(settings.connectTimeout()));
    properties.setProperty("loginTimeout", seconds(settings.connectTimeout()));
    properties.setProperty("socketTimeout", seconds(settings.socketTimeout()));
    properties.setProperty("tcpKeepAlive", "true");
    properties.setProperty("ApplicationName", "aquifer");
    if (!settings.statementTimeout().isZero()) {
      properties.setProperty(
          "options", "-c statement_timeout=" + settings.statementTimeout().toMillis());
    }
    properties.putAll(settings.driverProperties());
    return properties;
  }

  /** Whole seconds, rounded up: a limit is not to become zero, which would mean none. */
  private static String seconds(Duration limit) {
    return Long.toString((limit.toMillis() + 999) / 1000);
  }

  @Override
  public Connection getConnection(String user, String password) throws SQLException {
    throw new SQLFeatureNotSupportedException("The credentials are those of the pool's settings");
  }

  @Override
  public PrintWriter getLogWriter() throws SQLException {
    throw new SQLFeatureNotSupportedException("Logging goes to SLF4J");
  }

  @Override
  public void setLogWriter(PrintWriter out) {}

  @Override
  public void setLoginTimeout(int seconds) {}

  /** For so long HikariCP waits, when it is closed, for a connection that is being opened. */
  @Override
  public int getLoginTimeout() {
    return (int) Math.max(1, settings.connectTimeout().toSeconds());
  }

  @Override
  public Logger getParentLogger() throws SQLFeatureNotSupportedException {
    throw new SQLFeatureNotSupportedException("Logging goes to SLF4J");
  }

  @Override
  public <T> T unwrap(Class<T> type) throws SQLException {
    if (type.isInstance(this)) {
      return type.cast(this);
    }
    throw new SQLException("Not a wrapper for " + type.getName());
  }

  @Override
  public boolean isWrapperFor(Class<?> type) {
    return type.isInstance(this);
  }
}
