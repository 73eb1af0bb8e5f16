package dev.aquifer.replica;

import dev.aquifer.AquiferException;
import dev.aquifer.CausalSession;
import dev.aquifer.CausalSessions;
import dev.aquifer.CausalToken;
import dev.aquifer.ConfigurationException;
import dev.aquifer.Consistency;
import dev.aquifer.Position;
import dev.aquifer.ReadFloor;
import dev.aquifer.UnavailableException;
import dev.aquifer.pool.PoolReport;
import dev.aquifer.spi.Observer.RouteReason;
import dev.aquifer.spi.PositionSource;
import dev.aquifer.sql.SqlAnalyzer;
import dev.aquifer.sql.SqlStatement;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.SQLTransientConnectionException;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.atomic.AtomicBoolean;
import org.jspecify.annotations.Nullable;

/**
 * A {@link javax.sql.DataSource} over a PostgreSQL primary and its streaming replicas. Reads go to
 * replicas that are known to show what the reader has written and seen; everything else goes to the
 * primary.
 *
 * <p><em>Read-your-writes</em> costs the writer nothing. A commit stamps the session with the time
 * of its acknowledgement. Each node is probed for its log position on a connection of its own; the
 * first sample of the primary begun after the commit bounds the commit's position. From then on a
 * replica qualifies once it is known to have replayed that; until then the primary answers. The
 * session is the current one of {@link CausalSessions}: that of the tenant, unless another was
 * opened. {@link #token} carries it to another process.
 *
 * <p><em>Failure.</em> A node that misses two probes, or refuses one, is out of use, and its
 * connections are cut off. A read outside a transaction that it had not answered yet is run again,
 * elsewhere if that can be. A promoted replica becomes the primary when it shows the higher
 * timeline, and the old one is fenced. A transaction whose connection is lost fails with SQLSTATE
 * 08006; if that happens during its commit, with 08007: the outcome is unknown.
 *
 * <p>Thread-safe; a connection is for one thread at a time, as JDBC has it. {@link #getConnection}
 * costs no server connection; one is leased with the first statement.
 */
public final class ReplicaSet extends PlainDataSource implements PositionSource, AutoCloseable {
  /** Most nodes of a set. */
  public static final int MAX_NODES = 64;

  final Commits commits;
  private final ReplicaSetSettings settings;
  private final Topology topology;
  private final Router router;
  private final SqlAnalyzer analyzer;
  private final @Nullable ServerCatalog catalog;
  private final Members members;
  private final Positions positions;
  private final @Nullable DirectoryWatch watch;
  private final AtomicBoolean closed = new AtomicBoolean();

  // An instance's, not static: two sets in one process have demands of their own.
  @SuppressWarnings("ThreadLocalUsage")
  private final ThreadLocal<ReadScope> scope = ThreadLocal.withInitial(() -> ReadScope.NONE);

  ReplicaSet(ReplicaSetSettings settings) {
    this.settings = settings;
    this.commits = new Commits(settings, System::nanoTime);
    long staleAfter =
        Math.max(Duration.ofSeconds(1).toNanos(), settings.sampleEvery().toNanos() * 10);
    this.topology = new Topology(new PrimaryLog(staleAfter), settings.observer());
    this.members = new Members(topology, settings);
    this.positions = new Positions(topology, limit());
    this.router = new Router(topology, settings, System::nanoTime);
    SqlAnalyzer given = settings.analyzer();
    if (given != null || settings.catalogEvery().isZero()) {
      this.catalog = null;
      this.analyzer = given != null ? given : SqlAnalyzer.create();
    } else {
      this.catalog =
          new ServerCatalog(new CatalogHost(topology), settings.catalogEvery(), settings.maxLag());
      this.analyzer = SqlAnalyzer.builder().catalog(catalog).build();
      catalog.onChange(analyzer::clear);
    }
    NodeDirectory directory = settings.directory();
    this.watch =
        directory == null ? null : new DirectoryWatch(directory, settings, topology, members);
  }

  /** Begins with no nodes. */
  public static ReplicaSetBuilder builder() {
    return new ReplicaSetBuilder();
  }

  /** Starts the monitors and waits until a primary answers and each other node did or failed to. */
  void start() {
    members.start();
    if (catalog != null) {
      catalog.start();
    }
    Startup.await(topology, settings);
    if (watch != null) {
      watch.start();
    }
  }

  @Override
  public Connection getConnection() throws SQLException {
    if (closed.get()) {
      throw new SQLException("The replica set is closed", "08003");
    }
    return new RoutedConnection(this);
  }

  /**
   * Runs the body; reads on this thread, until it returns, are this consistent instead of what the
   * set was built with. The innermost call decides.
   *
   * @throws Exception what the body throws, unchanged
   */
  @Override
  public <T extends @Nullable Object> T read(Consistency consistency, Callable<T> body)
      throws Exception {
    return within(scope.get().with(consistency), body);
  }

  @Override
  public @Nullable Consistency asked() {
    return scope.get().consistency();
  }

  @Override
  public ReadFloor now() {
    return ReadFloor.after(System.nanoTime());
  }

  @Override
  public <T> T call(ReadFloor floor, Callable<T> body) throws Exception {
    return floor.isNone() ? body.call() : within(scope.get().with(floor), body);
  }

  private <T extends @Nullable Object> T within(ReadScope inner, Callable<T> body)
      throws Exception {
    ReadScope before = scope.get();
    scope.set(inner);
    try {
      return body.call();
    } finally {
      if (before.equals(ReadScope.NONE)) {
        scope.remove();
      } else {
        scope.set(before);
      }
    }
  }

  @Override
  public @Nullable Position resolve(ReadFloor floor) {
    return floor.isNone() ? null : positions.of(floor);
  }

  /**
   * What the session has written and seen, for a session of another process to {@link
   * CausalSession#accept accept}. Costs at most one round trip to the primary.
   *
   * @throws UnavailableException when the primary does not answer within its limit
   */
  public CausalToken token(CausalSession session) {
    CausalSession.Sighting seen = session.sighting();
    ReadFloor floor = session.floor();
    return CausalToken.of(
        resolve(seen == null ? floor : floor.and(ReadFloor.after(seen.ended()))),
        session.sequences());
  }

  /** The causal sessions that reads and writes of this set work in. */
  public CausalSessions sessions() {
    return settings.sessions();
  }

  /**
   * Adds a replica while traffic runs. It gets reads once it has answered and is known to be one;
   * one of another cluster never does, and {@link #health} says why.
   *
   * @param url as for {@link ReplicaSetBuilder#replica}
   * @param weight its share of reads in proportion to those of others, above 0
   * @return its name, {@code host:port/database}
   * @throws ConfigurationException when the set has it already, or has {@value #MAX_NODES}
   */
  public String add(String url, double weight) {
    return members.add(url, weight).name;
  }

  /**
   * Sends no more reads to a replica, until {@link #resume}; what runs there goes on.
   *
   * @throws ConfigurationException when there is no node of that name
   */
  public void drain(String name) {
    members.drain(name, true);
  }

  /**
   * Sends reads to a drained replica again.
   *
   * @throws ConfigurationException when there is no node of that name
   */
  public void resume(String name) {
    members.drain(name, false);
  }

  /**
   * Takes a replica out of the set: drains it, waits until nothing runs there any more, and closes
   * its connections.
   *
   * @param limit after which what still runs there is cut off
   * @return whether nothing had to be cut off
   * @throws ConfigurationException when there is no node of that name, or it is the primary, or was
   *     given as that
   */
  public boolean remove(String name, Duration limit) {
    return members.remove(name, limit);
  }

  /**
   * Changes a replica's share of reads, from the next read on.
   *
   * @param weight in proportion to those of others, above 0
   * @throws ConfigurationException when there is no node of that name, or the weight is none
   */
  public void weight(String name, double weight) {
    members.weight(name, weight);
  }

  /** All nodes as they are now. */
  public ReplicaHealth health() {
    return new ReplicaHealth(topology.nodes.stream().map(Node::health).toList());
  }

  /** How each node's pool is, why its size is what it is, and what would be better. */
  public List<PoolReport> pools() {
    return topology.nodes.stream().map(node -> node.pool.report()).toList();
  }

  /**
   * Replaces all connections that are open now, gradually, while traffic runs.
   *
   * @param within over which time, zero or more
   */
  public void recycle(Duration within) {
    topology.nodes.forEach(node -> node.pool.recycle(within));
  }

  /**
   * The same as another user, or with a changed password: tries them at one node, the primary if it
   * answers, and from then on opens all connections with them, the monitors' and those of nodes
   * that come later included.
   *
   * @throws ConfigurationException when the node refuses them; then nothing has changed
   * @throws UnavailableException when no node can be reached; then nothing has changed
   */
  public void recycle(Duration within, String user, @Nullable String password) {
    members.recycle(within, user, password);
  }

  /** Ends the monitors and closes all connections. Further calls do nothing. */
  @Override
  public void close() {
    if (closed.compareAndSet(false, true)) {
      if (catalog != null) {
        catalog.stop(Duration.ofSeconds(4));
      }
      if (watch != null) {
        watch.stop(Duration.ofSeconds(2));
      }
      members.close();
    }
  }

  SqlStatement analyze(String sql) {
    return analyzer.analyze(sql);
  }

  /** What a standby refused is known as such from now on. */
  SqlStatement refused(SqlStatement parsed) {
    return analyzer.refusedByStandby(parsed.sql());
  }

  /** A statement changes, or has just changed, what the server's catalogue tells. */
  void schemaChanged() {
    if (catalog != null) {
      catalog.changed();
    }
  }

  /** Something ran that may have. */
  void schemaMayHaveChanged() {
    if (catalog != null) {
      catalog.maybeChanged();
    }
  }

  /** Whether the server's catalogue is known as it is now, so that all it releases is released. */
  boolean knowsCatalog() {
    return catalog != null && catalog.isCurrent();
  }

  /** The primary, waited for while there is none that answers. */
  Route primary(RouteReason reason) throws SQLException {
    Node primary = topology.primary();
    if (primary == null || !primary.isUsable()) {
      topology.await(this::isAnswering, limit());
      primary = topology.primary();
    }
    if (primary == null || !primary.isUsable()) {
      throw new SQLTransientConnectionException(
          "No primary among %s answers; waited %s. Last error of %s: %s"
              .formatted(
                  topology.nodes,
                  limit(),
                  primary == null ? "none" : primary,
                  primary == null ? "none" : primary.lastError),
          "08001");
    }
    return primary.route(reason);
  }

  Route read() throws SQLException {
    Route route = router.read(scope.get(), null);
    return route == null || (route.node() == topology.primary() && !route.node().isUsable())
        ? primary(RouteReason.NO_REPLICA)
        : route;
  }

  /** Another route for the same reason: the node went away before anything was sent to it. */
  Route again(Route gone) throws SQLException {
    return switch (gone.reason()) {
      case READ, RETRY, REPLICAS_BUSY -> read();
      default -> primary(gone.reason());
    };
  }

  /** Whether reads may go on at this node. */
  boolean mayRead(Node node) {
    return router.qualifies(node, scope.get());
  }

  /** Whether the node is known to show what reads must be shown now. */
  boolean shows(Node node) {
    return router.shows(node, scope.get());
  }

  /** How often a read that delivered nothing is tried elsewhere: every node may fail it once. */
  int retries() {
    return topology.nodes.size();
  }

  /**
   * Where a read that failed at the node is run again; null if it is not. The last try is the
   * primary's: replicas that are all too busy would pass a read to and fro.
   */
  @Nullable Route elsewhere(Node failed, SqlStatement parsed, SQLException error, boolean last)
      throws SQLException {
    if (Failures.isRefusedByStandby(error)) {
      return primary(RouteReason.RETRY);
    }
    if (!Failures.isConnectionLost(error)
        && !Failures.isPoolTimeout(error)
        && !Failures.isRecoveryConflict(error)) {
      return null;
    }
    Route route = last ? null : router.read(scope.get(), failed);
    if (route != null && route.node() != topology.primary()) {
      return route.node().route(RouteReason.RETRY);
    }
    // Who has waited at the primary in vain does not wait there again.
    return failed == topology.primary() && Failures.isPoolTimeout(error)
        ? null
        : primary(RouteReason.RETRY);
  }

  /** A caller lost its connection to the node: it gets nothing until a probe says otherwise. */
  void accuse(Node node) {
    if (node.isUsable()) {
      // Where one connection was lost, the idle ones often were too.
      node.pool.evictAll();
    }
    node.accuse();
    node.monitor.wake();
  }

  /** Whether the primary answers in the place of replicas that there are. */
  boolean relieves(Route route) {
    return route.reason() == RouteReason.REPLICAS_BUSY
        || (route.reason() == RouteReason.NO_REPLICA && topology.array.length > 1);
  }

  void routed(Route route) {
    settings.observer().routed(route.node().name, route.node().role, route.reason());
  }

  /**
   * A node has answered: the session's later reads show no less.
   *
   * @param known what a replica had replayed before, at least; null of the primary
   */
  void seen(@Nullable Position known, Object incarnation, long ended) {
    if (!router.isCausal(scope.get())) {
      return;
    }
    CausalSession session = settings.sessions().current();
    session.sighted(incarnation, ended);
    Position floor = session.floor().position();
    if (known != null && (floor == null || !floor.covers(known))) {
      session.raise(ReadFloor.at(known));
    }
  }

  boolean isAnswering() {
    return topology.isAnswering();
  }

  private Duration limit() {
    return settings.nodes().get(0).pool().connectionTimeout();
  }

  /** Closes the set when it could not be started, and hands on why. */
  static ReplicaSet started(ReplicaSet set) {
    try {
      set.start();
      return set;
    } catch (AquiferException e) {
      set.close();
      throw e;
    }
  }
}
