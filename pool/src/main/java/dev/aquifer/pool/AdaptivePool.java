package dev.aquifer.pool;

import com.zaxxer.hikari.HikariConfig;
import com.zaxxer.hikari.HikariDataSource;
import com.zaxxer.hikari.HikariPoolMXBean;
import com.zaxxer.hikari.metrics.MetricsTrackerFactory;
import com.zaxxer.hikari.pool.HikariPool;
import dev.aquifer.AquiferException;
import dev.aquifer.ConfigurationException;
import dev.aquifer.UnavailableException;
import dev.aquifer.spi.Observer.PoolReason;
import java.io.PrintWriter;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.SQLFeatureNotSupportedException;
import java.sql.SQLTransientConnectionException;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import javax.sql.DataSource;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The connection pool of one database node: HikariCP with settings that survive a failover, and a
 * size that follows need and what the server bears.
 *
 * <p>Once a second the size is decided ({@link #report} tells it, why, and what to change): enough
 * for the callers there are and, by Little's law, for those that arrive; never more than {@link
 * PoolSettings#maximumSize} or what a {@link ServerBudget} leaves. Beyond a size that is known to
 * be good a larger one is tried while callers wait, and kept if the server answers more. What was
 * not needed for {@link PoolSettings#idleTimeout} is closed.
 *
 * <p>Callers wait {@link PoolSettings#connectionTimeout} at most. A connection that turns out to
 * lead to a standby where a primary was (25006) is evicted, and {@link #abort} cuts off every
 * connection at once when the node is known to be gone. While the node cannot be connected to,
 * callers that find no connection fail at once, with SQLSTATE 08001; one that waited in vain fails
 * with 53300, or what the server said. Thread-safe.
 */
public final class AdaptivePool implements DataSource, AutoCloseable {
  private static final long RETRY_NANOS = Duration.ofMillis(100).toNanos();
  private static final long WARM_NANOS = Duration.ofMillis(10).toNanos();
  private static final String NONE_FREE = "53300";

  private static final Logger log = LoggerFactory.getLogger(AdaptivePool.class);

  private final PoolSettings settings;
  private final Breaker breaker;
  private final NodeConnections connections;
  private final LoadMeter meter;
  private final LeakWatch leaks;
  private final Recycling recycling;
  private final ServerBudget.@Nullable Member member;
  private final HikariDataSource pool;
  private final PoolKeeper keeper;
  private final AtomicBoolean closed = new AtomicBoolean();
  private volatile long waitMillis;

  private AdaptivePool(PoolSettings settings) {
    this.settings = settings;
    this.waitMillis = settings.connectionTimeout().toMillis();
    this.breaker = new Breaker(System::nanoTime, this::reachable);
    this.connections = new NodeConnections(settings, breaker);
    MetricsTrackerFactory registry = Trackers.of(settings.metricRegistry());
    if (!settings.startupTimeout().isZero()) {
      verify(settings.startupTimeout());
    }
    ServerBudget budget = settings.budget();
    this.member = budget == null ? null : budget.join(settings, this::boardLink, connections::open);
    if (member != null) {
      connections.limit(member::mayOpen);
    }
    LoadMeter[] made = new LoadMeter[1];
    this.pool =
        new HikariDataSource(
            config(
                (name, stats) -> {
                  made[0] = new LoadMeter(registry == null ? null : registry.create(name, stats));
                  return made[0];
                }));
    this.meter = made[0];
    this.leaks =
        new LeakWatch(
            settings.name(), settings.leakThreshold(), settings.observer(), System::nanoTime);
    this.recycling = new Recycling(connections, System::nanoTime);
    this.keeper =
        new PoolKeeper(settings, pool, connections, meter, breaker, leaks, recycling, member);
    keeper.start();
    warmUp();
  }

  private Connection boardLink(String sessionName) throws SQLException {
    return connections.open(settings.connectTimeout(), sessionName);
  }

  private void warmUp() {
    long deadline = System.nanoTime() + settings.warmUp().toNanos();
    while (stats().active() + stats().idle() < settings.minimumIdle()
        && deadline - System.nanoTime() > 0
        && !Thread.currentThread().isInterrupted()) {
      if (pool.getHikariPoolMXBean() instanceof HikariPool running) {
        running.addBagItem(settings.minimumIdle());
      }
      LockSupport.parkNanos(WARM_NANOS);
    }
  }

  private void reachable(boolean now, String reason) {
    if (now) {
      log.info("{} can be connected to again", settings.target());
    } else {
      log.warn("{} cannot be connected to: {}", settings.target(), reason);
    }
    settings.observer().poolReachable(settings.name(), now, reason);
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
    return taken(waitMillis);
  }

  /**
   * The same for a caller who can do without: it waits this long at most.
   *
   * @param limit above zero
   */
  public Connection getConnection(Duration limit) throws SQLException {
    return taken(Math.max(1, limit.toMillis()));
  }

  private Connection taken(long limitMillis) throws SQLException {
    if (breaker.isOpen() && stats().idle() == 0) {
      throw breaker.refusal(settings.target());
    }
    Connection connection;
    try {
      connection = waited(limitMillis);
    } catch (SQLTransientConnectionException e) {
      if (e.getSQLState() != null) {
        throw e;
      }
      // HikariCP has no state for a wait in vain, unless the server gave one.
      throw new SQLTransientConnectionException(e.getMessage(), NONE_FREE, e);
    }
    if (leaks.isOn()) {
      leaks.taken(connection);
    }
    return connection;
  }

  private Connection waited(long limitMillis) throws SQLException {
    if (!keeper.hasSurplus() && !recycling.isRunning()) {
      return within(limitMillis);
    }
    long begun = System.nanoTime();
    Connection connection = within(limitMillis);
    if (keeper.takeSurplus() || (recycling.isRunning() && recycling.isDue(connection))) {
      // It is closed, and the next one waited for.
      evict(connection);
      return within(limitMillis - (System.nanoTime() - begun) / 1_000_000);
    }
    return connection;
  }

  /** HikariCP's own limit, once changed, may go on as it was for 30 s. */
  private Connection within(long limitMillis) throws SQLException {
    return !pool.isClosed() && pool.getHikariPoolMXBean() instanceof HikariPool running
        ? running.getConnection(Math.max(1, limitMillis))
        : pool.getConnection();
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
        AquiferException failure = Refusals.explain(e, settings.target(), settings.user(), limit);
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

  /**
   * What a session of this pool is to be called where the application calls it so: a discovered
   * budget knows sessions by the beginning of their names.
   */
  public String sessionName(String name) {
    ServerBudget budget = settings.budget();
    String id = budget == null ? null : budget.id();
    return id == null ? name : BudgetBoard.sessionName(id) + " " + name;
  }

  /** The most connections that it may have now; one volatile read. */
  public int limit() {
    return pool.getMaximumPoolSize();
  }

  /**
   * How it is, why its size is what it is, and what would be better. For people and dashboards, not
   * for every call.
   */
  public PoolReport report() {
    SQLException failure = breaker.last();
    List<LeakReport> out = leaks.reports();
    Map<PoolReason, Long> decisions = keeper.decisions();
    return new PoolReport(
        settings.name(),
        !breaker.isOpen(),
        failure == null ? null : failure.getMessage(),
        stats(),
        connections.open(),
        keeper.arrivalRate(),
        Duration.ofNanos((long) (keeper.executionSeconds() * 1e9)),
        keeper.last(),
        decisions,
        out,
        Recommendations.of(settings, keeper.last(), decisions, out));
  }

  /**
   * Replaces all connections that are open now, one after the other at even times, so that callers
   * notice nothing: idle ones by and by, those in use when they are taken the next time. What is
   * left after the limit is replaced as soon as it is met. Returns at once.
   *
   * @param within over which time, zero or more
   */
  public void recycle(Duration within) {
    recycling.start(within);
  }

  /**
   * The same as another user, or with a changed password: tries them first, and from then on opens
   * connections with them.
   *
   * @throws ConfigurationException when the node refuses them; then nothing has changed
   * @throws UnavailableException when the node cannot be reached; then nothing has changed
   */
  public void recycle(Duration within, String user, @Nullable String password) {
    Duration limit = settings.connectTimeout();
    try {
      connections.open(limit, user, password).close();
    } catch (SQLException e) {
      throw Refusals.explain(e, settings.target(), user, limit);
    }
    credentials(user, password);
    recycle(within);
  }

  /** From now on opens connections as this user, untried; those that are open stay. */
  public void credentials(String user, @Nullable String password) {
    connections.credentials(user, password);
  }

  /** The node was reached by other means: callers are no longer refused for it. */
  public void answered() {
    if (breaker.isOpen()) {
      breaker.succeeded();
    }
  }

  /** How long callers wait for a connection from now on, 1 ms or more. */
  public void connectionTimeout(Duration limit) {
    waitMillis = limit.toMillis();
  }

  /**
   * Whether the connection, one of this pool, was opened before that moment: then it leads to the
   * server that was there at the moment, if it still leads anywhere.
   *
   * @param nanos of {@link System#nanoTime}
   */
  public boolean isOlder(Connection connection, long nanos) throws SQLException {
    return connections.allOlder(nanos)
        || connections.isOlder(connection.unwrap(Connection.class), nanos);
  }

  /** Takes the connection, one of this pool, out of it and closes it for good. */
  public void evict(Connection connection) throws SQLException {
    meter.returned();
    pool.evictConnection(connection);
    try {
      connection.close();
    } catch (NullPointerException e) {
      // HikariCP resets what was set on a connection, also where that is gone by now.
      log.trace("{}: closed with settings that were not reset", settings.target(), e);
    }
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
    if (closed.compareAndSet(false, true)) {
      keeper.stop(settings.connectTimeout().plusSeconds(1));
      pool.close();
      if (member != null) {
        member.leave();
      }
    }
  }

  private HikariConfig config(MetricsTrackerFactory trackers) {
    HikariConfig config = new HikariConfig();
    AtomicInteger threads = new AtomicInteger();
    config.setPoolName(settings.name());
    config.setDataSource(connections);
    config.setMinimumIdle(settings.minimumIdle());
    config.setMaximumPoolSize(settings.maximumSize());
    config.setConnectionTimeout(settings.connectionTimeout().toMillis());
    config.setValidationTimeout(settings.validationTimeout().toMillis());
    boolean shrinks = !settings.adaptive() && settings.minimumIdle() < settings.maximumSize();
    config.setIdleTimeout(shrinks ? settings.idleTimeout().toMillis() : 0);
    config.setMaxLifetime(settings.maxLifetime().toMillis());
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
    config.setMetricsTrackerFactory(trackers);
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
  public java.util.logging.Logger getParentLogger() throws SQLFeatureNotSupportedException {
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
