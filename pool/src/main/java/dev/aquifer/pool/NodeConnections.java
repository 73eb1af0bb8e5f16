package dev.aquifer.pool;

import java.io.PrintWriter;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.sql.SQLFeatureNotSupportedException;
import java.sql.SQLTransientConnectionException;
import java.time.Duration;
import java.util.Map;
import java.util.Properties;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.IntPredicate;
import java.util.logging.Logger;
import javax.sql.DataSource;
import org.jspecify.annotations.Nullable;

/**
 * Opens the node's real connections for HikariCP and knows all that are open, so that they can be
 * counted and cut off at once: a thread that waits on a halted server is freed by nothing else.
 * Knowing them here, where they are opened, costs nothing when one is leased.
 *
 * <p>The budget is kept here: what it does not allow is not opened, whatever HikariCP wants.
 */
final class NodeConnections implements DataSource {
  private static final String SERVER_FULL = "53300";

  private final PoolSettings settings;
  private final Breaker breaker;
  private final Map<Connection, Long> open = new ConcurrentHashMap<>();
  private final AtomicInteger opening = new AtomicInteger();
  private final AtomicInteger refusals = new AtomicInteger();
  private volatile long newest = System.nanoTime();
  private volatile IntPredicate allowed = already -> true;
  private volatile Properties properties;

  NodeConnections(PoolSettings settings, Breaker breaker) {
    this.settings = settings;
    this.breaker = breaker;
    this.properties = properties(settings, settings.user(), settings.password());
  }

  /** From now on opens only while this allows one more than those that are open. */
  void limit(IntPredicate allowed) {
    this.allowed = allowed;
  }

  /** From now on opens as this user. */
  void credentials(String user, @Nullable String password) {
    properties = properties(settings, user, password);
  }

  @Override
  public Connection getConnection() throws SQLException {
    if (breaker.isOpen()) {
      throw breaker.refusal(settings.target());
    }
    return connect();
  }

  /** The same, also when the server was not reachable lately. */
  private Connection connect() throws SQLException {
    if (!allowed.test(open() + opening.getAndIncrement())) {
      opening.decrementAndGet();
      throw new SQLTransientConnectionException(
          "The budget leaves no further connection to %s now".formatted(settings.target()));
    }
    try {
      Connection connection = DriverManager.getConnection(settings.url(), properties);
      confirm(connection);
      long now = System.nanoTime();
      open.put(connection, now);
      newest = now;
      breaker.succeeded();
      return connection;
    } catch (SQLException e) {
      if (SERVER_FULL.equals(e.getSQLState())) {
        refusals.incrementAndGet();
        breaker.succeeded();
      } else {
        breaker.failed(e);
      }
      throw e;
    } finally {
      opening.decrementAndGet();
    }
  }

  /** Tries whether the server can be connected to; the breaker is told. */
  void probe() {
    try {
      Connection connection = connect();
      open.remove(connection);
      connection.close();
    } catch (SQLException e) {
      // The breaker was told, and tries again later.
      return;
    }
  }

  private void confirm(Connection connection) throws SQLException {
    ServerBudget budget = settings.budget();
    String id = budget == null ? null : budget.id();
    if (id != null && !BudgetBoard.stands(connection, id)) {
      connection.close();
      throw new SQLTransientConnectionException(
          "This process has no part of the budget of %s now".formatted(settings.target()));
    }
  }

  /** How many real connections are open. */
  int open() {
    open.keySet().removeIf(NodeConnections::isClosed);
    return open.size();
  }

  /** Whether all are open since before that time, as far as opening them has ended. */
  boolean allOlder(long nanos) {
    return newest - nanos < 0;
  }

  /** Whether the connection is open since before that time. */
  boolean isOlder(Connection connection, long nanos) {
    Long at = open.get(connection);
    return at != null && at - nanos < 0;
  }

  /** Whether any is open since before that time. */
  boolean anyOlder(long nanos) {
    open.keySet().removeIf(NodeConnections::isClosed);
    return open.values().stream().anyMatch(at -> at - nanos < 0);
  }

  /** How often the server was full since the last call. */
  int takeRefusals() {
    return refusals.getAndSet(0);
  }

  /** A connection that the pool does not own, opened within the limit. */
  Connection open(Duration limit) throws SQLException {
    return DriverManager.getConnection(settings.url(), limited(limit));
  }

  /** The same as another user. */
  Connection open(Duration limit, String user, @Nullable String password) throws SQLException {
    Properties other = properties(settings, user, password);
    other.setProperty("loginTimeout", Double.toString(limit.toMillis() / 1000.0));
    return DriverManager.getConnection(settings.url(), other);
  }

  /** The same for another purpose, by which the server names the session. */
  Connection open(Duration limit, String sessionName) throws SQLException {
    Properties named = limited(limit);
    named.setProperty("ApplicationName", sessionName);
    return DriverManager.getConnection(settings.url(), named);
  }

  private Properties limited(Duration limit) {
    Properties limited = new Properties();
    limited.putAll(properties);
    limited.setProperty("loginTimeout", Double.toString(limit.toMillis() / 1000.0));
    return limited;
  }

  /** Closes the sockets of all open connections; whoever waits on one gets an error. */
  void abort() {
    open.keySet()
        .removeIf(
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

  private static Properties properties(
      PoolSettings settings, @Nullable String user, @Nullable String password) {
    Properties properties = new Properties();
    if (user != null) {
      properties.setProperty("user", user);
    }
    if (password != null) {
      properties.setProperty("password", password);
    }
    properties.setProperty("connectTimeout", seconds(settings.connectTimeout()));
    properties.setProperty("loginTimeout", seconds(settings.connectTimeout()));
    properties.setProperty("socketTimeout", seconds(settings.socketTimeout()));
    properties.setProperty("tcpKeepAlive", "true");
    ServerBudget budget = settings.budget();
    String id = budget == null ? null : budget.id();
    properties.setProperty("ApplicationName", id == null ? "aquifer" : BudgetBoard.sessionName(id));
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
