package dev.aquifer.pool;

import com.zaxxer.hikari.HikariConfig;
import com.zaxxer.hikari.HikariDataSource;
import com.zaxxer.hikari.HikariPoolMXBean;
import com.zaxxer.hikari.metrics.MetricsTrackerFactory;
import dev.aquifer.AquiferException;
import dev.aquifer.ConfigurationException;
import dev.aquifer.UnavailableException;
import java.io.PrintWriter;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.SQLFeatureNotSupportedException;
import java.time.Duration;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import java.util.logging.Logger;
import javax.sql.DataSource;

/**
 * The connection pool of one database node: HikariCP with settings that survive a failover.
 *
 * <p>Callers wait {@link PoolSettings#connectionTimeout} at most. A connection that turns out to
 * lead to a standby where a primary was (25006) is evicted, and {@link #abort} cuts off every
 * connection at once when the node is known to be gone. Thread-safe.
 */
public final class AdaptivePool implements DataSource, AutoCloseable {
  private static final long RETRY_NANOS = Duration.ofMillis(100).toNanos();

  private final PoolSettings settings;
  private final NodeConnections connections;
  private final HikariDataSource pool;

  private AdaptivePool(PoolSettings settings) {
    this.settings = settings;
    this.connections = new NodeConnections(settings);
    if (!settings.startupTimeout().isZero()) {
      verify(settings.startupTimeout());
    }
    this.pool = new HikariDataSource(config());
  }

  /**
   * Opens a pool. Tries to reach the node first, unless {@link PoolSettings#startupTimeout} is
   * zero.
   *
   * @throws ConfigurationException when the node refuses user, password or database
   * @throws UnavailableException when the node cannot be reached within the limit
   */
  public static AdaptivePool open(PoolSettings settings) {
    return new AdaptivePool(settings);
  }

  /** The settings it was opened with. */
  public PoolSettings settings() {
    return settings;
  }

  @Override
  public Connection getConnection() throws SQLException {
    return pool.getConnection();
  }

  /**
   * Opens one connection beside the pool and closes it, trying again while the node cannot be
   * reached.
   *
   * @throws ConfigurationException when the node refuses user, password or database
   * @throws UnavailableException when the node cannot be reached within the limit
   */
  public void verify(Duration limit) {
    long deadline = System.nanoTime() + limit.toNanos();
    while (true) {
      long left = Math.max(RETRY_NANOS, deadline - System.nanoTime());
      try {
        connections.open(Duration.ofNanos(left)).close();
        return;
      } catch (SQLException e) {
        AquiferException failure = explain(e, limit);
        if (failure instanceof ConfigurationException
            || deadline - System.nanoTime() < RETRY_NANOS
            || Thread.currentThread().isInterrupted()) {
          throw failure;
        }
        LockSupport.parkNanos(RETRY_NANOS);
      }
    }
  }

  /** Counts of connections and waiting callers; costs some volatile reads. */
  public PoolStats stats() {
    HikariPoolMXBean bean = pool.getHikariPoolMXBean();
    return bean == null
        ? new PoolStats(0, 0, 0, pool.getMaximumPoolSize())
        : new PoolStats(
            bean.getActiveConnections(),
            bean.getIdleConnections(),
            bean.getThreadsAwaitingConnection(),
            pool.getMaximumPoolSize());
  }

  /** How long callers wait for a connection from now on, 250 ms or more. */
  public void connectionTimeout(Duration limit) {
    pool.setConnectionTimeout(limit.toMillis());
  }

  /**
   * Takes the connection, one of this pool, out of it: when it is closed, it is closed for good.
   */
  public void evict(Connection connection) {
    pool.evictConnection(connection);
  }

  /** Replaces all connections: idle ones now, those in use when they come back. */
  public void evictAll() {
    HikariPoolMXBean bean = pool.getHikariPoolMXBean();
    if (bean != null && !pool.isClosed()) {
      bean.softEvictConnections();
    }
  }

  /**
   * Cuts off all connections, also those in use: whoever waits on one gets an {@code SQLException}
   * of class 08 at once.
   */
  public void abort() {
    connections.abort();
    evictAll();
  }

  /** Closes all connections, those in use too. Further calls do nothing. */
  @Override
  public void close() {
    pool.close();
  }

  private AquiferException explain(SQLException error, Duration limit) {
    String state = error.getSQLState() == null ? "" : error.getSQLState();
    String where = "%s as user '%s'".formatted(settings.target(), settings.user());
    if (state.startsWith("28")) {
      return new ConfigurationException(
          "PostgreSQL refuses to let us in at %s (SQLSTATE %s): check user, password and pg_hba.conf"
              .formatted(where, state),
          error);
    }
    if (state.equals("3D000")) {
      return new ConfigurationException(
          "There is no such database at %s: create it, or correct the url".formatted(where), error);
    }
    if (state.equals("08001")
        && String.valueOf(error.getMessage()).contains("No suitable driver")) {
      return new ConfigurationException(
          "No JDBC driver takes the url of %s: add it to the class path".formatted(where), error);
    }
    Throwable root = error;
    while (root.getCause() != null) {
      root = root.getCause();
    }
    String detail =
        root instanceof java.net.UnknownHostException
            ? "the host is unknown; check the url"
            : String.valueOf(root.getMessage());
    return new UnavailableException(
        "Cannot connect to %s within %s: %s".formatted(where, limit, detail), error);
  }

  private HikariConfig config() {
    HikariConfig config = new HikariConfig();
    AtomicInteger threads = new AtomicInteger();
    config.setPoolName(settings.name());
    config.setDataSource(connections);
    config.setMinimumIdle(settings.minimumIdle());
    config.setMaximumPoolSize(settings.maximumSize());
    config.setConnectionTimeout(settings.connectionTimeout().toMillis());
    config.setValidationTimeout(settings.validationTimeout().toMillis());
    config.setIdleTimeout(
        settings.minimumIdle() < settings.maximumSize() ? settings.idleTimeout().toMillis() : 0);
    config.setMaxLifetime(settings.maxLifetime().toMillis());
    config.setLeakDetectionThreshold(settings.leakThreshold().toMillis());
    // Whether the node answers was asked already, or is another's business.
    config.setInitializationFailTimeout(-1);
    config.setExceptionOverride(new StandbyEviction());
    config.setThreadFactory(
        work -> {
          Thread thread =
              new Thread(work, "aquifer-pool-" + settings.name() + "-" + threads.incrementAndGet());
          thread.setDaemon(true);
          return thread;
        });
    Object registry = settings.metricRegistry();
    if (registry instanceof MetricsTrackerFactory factory) {
      config.setMetricsTrackerFactory(factory);
    } else if (registry != null) {
      config.setMetricRegistry(registry);
    }
    return config;
  }

  @Override
  public Connection getConnection(String user, String password) throws SQLException {
    throw new SQLFeatureNotSupportedException(
        "The pool of %s has its credentials from its settings: call getConnection()"
            .formatted(settings.target()));
  }

  @Override
  public PrintWriter getLogWriter() throws SQLException {
    return pool.getLogWriter();
  }

  @Override
  public void setLogWriter(PrintWriter out) throws SQLException {
    pool.setLogWriter(out);
  }

  @Override
  public void setLoginTimeout(int seconds) throws SQLException {
    throw new SQLFeatureNotSupportedException("Set PoolSettings.connectTimeout instead");
  }

  @Override
  public int getLoginTimeout() {
    return (int) settings.connectTimeout().toSeconds();
  }

  @Override
  public Logger getParentLogger() throws SQLFeatureNotSupportedException {
    throw new SQLFeatureNotSupportedException("Logging goes to SLF4J");
  }

  @Override
  public <T> T unwrap(Class<T> type) throws SQLException {
    return type.isInstance(this) ? type.cast(this) : pool.unwrap(type);
  }

  @Override
  public boolean isWrapperFor(Class<?> type) throws SQLException {
    return type.isInstance(this) || pool.isWrapperFor(type);
  }

  @Override
  public String toString() {
    return "AdaptivePool[" + settings.target() + "]";
  }
}
