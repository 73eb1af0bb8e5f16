package dev.aquifer.replica;

import dev.aquifer.Position;
import dev.aquifer.pool.AdaptivePool;
import dev.aquifer.spi.Observer.NodeState;
import dev.aquifer.spi.Observer.Role;
import dev.aquifer.spi.Observer.RouteReason;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.EnumMap;
import java.util.Objects;
import java.util.concurrent.Semaphore;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;

/**
 * One server: its pool, and what is known of it. The node's monitor writes what is known; routing
 * reads it, without locks.
 *
 * <p>The load of a node is its peak-sensitive average response time, and up to three times that as
 * its pool fills: a slow answer raises the average at once, faster ones lower it over {@link
 * #DECAY}. Leases count by the size of the pool, since a server that may run many at a time is not
 * slower for a few: else one that is ten times as slow would look as good as its busy peers.
 */
final class Node {
  private static final double DECAY = Duration.ofSeconds(1).toNanos();

  /** How long it takes to forget that a node was slow, while nobody asks it. */
  private static final double FORGET = Duration.ofSeconds(2).toNanos();

  /** It is forgotten altogether when nobody has asked it for that long, however slow it was. */
  private static final long FORGOTTEN = Duration.ofSeconds(5).toNanos();

  /** What a pool that is all in use adds to the load, in response times. */
  private static final double FULL = 2;

  final String name;
  final ReplicaSetSettings.NodeSettings settings;
  final boolean givenAsPrimary;
  final AdaptivePool pool;
  final AtomicInteger inFlight = new AtomicInteger();

  /** Grows with each failure that a caller met; a probe begun before does not clear it. */
  final AtomicLong accusations = new AtomicLong();

  /** Reads that it may run at a time, as the primary, in the place of replicas. */
  final Semaphore relief;

  final NodeMonitor monitor;

  /**
   * Stands for the node for as long as it answers without a break: one that was restarted may show
   * less than before.
   */
  volatile Object incarnation = new Object();

  volatile double weight;
  volatile NodeState state = NodeState.PROBING;
  volatile Role role = Role.UNKNOWN;
  volatile @Nullable Position position;
  volatile long positionBegun;
  volatile long lagNanos = -1;
  volatile long lagBytes = -1;
  volatile boolean lagging;
  volatile long rampFrom;
  volatile @Nullable String lastError;

  /** Whether the role was given up to a newer primary, or the cluster is another one. */
  volatile boolean fenced;

  /** Whether it gets no new reads. */
  volatile boolean draining;

  /** Whether nothing may be leased any more. */
  volatile boolean removed;

  private final Duration replicaWait;
  private final Duration primaryWait;
  private final EnumMap<RouteReason, Route> routes = new EnumMap<>(RouteReason.class);
  private volatile boolean usable;
  private volatile double responseNanos;
  private volatile long respondedAt;

  @SuppressWarnings("this-escape") // the monitor is started later
  Node(ReplicaSetSettings.NodeSettings settings, Topology topology, ReplicaSetSettings ofSet) {
    this.settings = settings;
    this.replicaWait = ofSet.replicaWait();
    this.primaryWait = settings.pool().connectionTimeout();
    this.name = settings.pool().target();
    this.weight = settings.weight();
    this.givenAsPrimary = settings.primary();
    this.relief = new Semaphore(ofSet.relief(settings.pool()));
    this.pool = AdaptivePool.open(settings.pool());
    this.monitor = new NodeMonitor(this, settings, topology, ofSet);
    for (RouteReason reason : RouteReason.values()) {
      routes.put(reason, new Route(this, reason));
    }
  }

  Route route(RouteReason reason) {
    return Objects.requireNonNull(routes.get(reason));
  }

  /** A replica's callers can go elsewhere, and wait less for a connection. */
  void role(Role now) {
    role = now;
    boolean shorter = now == Role.REPLICA && replicaWait.compareTo(primaryWait) < 0;
    pool.connectionTimeout(shorter ? replicaWait : primaryWait);
  }

  /** Whether statements may be sent to it, as far as its health goes; fenced it never is. */
  boolean isUsable() {
    // Another node's monitor fences it, while its own may just be saying that it answers.
    return usable && !fenced;
  }

  /** A caller met a failure: out of use until a probe begun after now succeeds. */
  void accuse() {
    accusations.incrementAndGet();
    usable = false;
  }

  /** In or out of use, unless a caller met a failure since {@code knownAccusations}. */
  void usable(boolean now, long knownAccusations) {
    usable = now;
    // Read after the write: an accusation in between must win.
    if (accusations.get() != knownAccusations) {
      usable = false;
    }
  }

  /** A connection for what was routed here; a read that could go elsewhere waits less for one. */
  Connection connection(RouteReason reason) throws SQLException {
    return reason == RouteReason.REPLICAS_BUSY && replicaWait.compareTo(primaryWait) < 0
        ? pool.getConnection(replicaWait)
        : pool.getConnection();
  }

  /** Whether callers wait for a connection of it, as far as there are no others than these. */
  boolean isBusy() {
    return inFlight.get() > pool.limit();
  }

  /** Whether a connection can be had without a wait. */
  boolean hasRoom() {
    return inFlight.get() < pool.limit();
  }

  /**
   * Load by which two nodes are compared; smaller is better. Weights count where they are drawn.
   */
  double load(long now) {
    int leases = inFlight.get();
    // A slow node that nobody asks any more is tried again, by one caller at a time.
    long idle = leases > 0 ? 0 : Math.max(0, now - respondedAt);
    double response = idle > FORGOTTEN ? 0 : responseNanos * Math.exp(-idle / FORGET);
    return (response + 1) * (1 + leases * FULL / settings.pool().maximumSize());
  }

  /** Takes a response time into account. A lost update by a race is of no consequence. */
  void responded(long nanos, long now) {
    double average = responseNanos;
    if (nanos >= average) {
      responseNanos = nanos;
    } else {
      double kept = Math.exp(-Math.max(0, now - respondedAt) / DECAY);
      responseNanos = average * kept + nanos * (1 - kept);
    }
    respondedAt = now;
  }

  /** Reads come back to it from now on. How fast it was before says nothing of it. */
  void ramps(long now) {
    rampFrom = now;
    responseNanos = 0;
  }

  /** All reads are back. What it took so far was with cold caches. */
  void ramped() {
    responseNanos = 0;
  }

  NodeHealth health() {
    long lag = lagNanos;
    return new NodeHealth(
        name,
        role,
        draining
            ? NodeState.DRAINING
            : lagging && state == NodeState.HEALTHY ? NodeState.LAGGING : state,
        isUsable(),
        weight,
        inFlight.get(),
        position,
        lag < 0 ? null : Duration.ofNanos(lag),
        lagBytes,
        pool.stats(),
        lastError);
  }

  @Override
  public String toString() {
    return name;
  }
}
