package dev.aquifer.metrics;

import dev.aquifer.spi.Observer.NodeState;
import dev.aquifer.spi.Observer.Role;
import dev.aquifer.spi.Observer.RouteReason;
import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.Tags;
import java.time.Duration;
import java.util.concurrent.atomic.AtomicBoolean;
import org.jspecify.annotations.Nullable;

/**
 * The meters of one database node. Its gauges appear when first told of: a primary has no lag. The
 * nodes that share {@value BoundedNames#OTHER} have counters only, since one gauge cannot speak for
 * several.
 */
final class NodeMeters {
  private static final Role[] ROLES = Role.values();
  private static final RouteReason[] REASONS = RouteReason.values();

  private final Tags tags;
  private final OwnMeters meters;
  private final boolean gauges;
  private final MeterGrid<Counter> routes;
  private final MeterGrid<Counter> changes;
  private final AtomicBoolean lagShown = new AtomicBoolean();
  private final AtomicBoolean stateShown = new AtomicBoolean();
  private final AtomicBoolean roleShown = new AtomicBoolean();
  private volatile double lagSeconds = Double.NaN;
  private volatile double lagBytes = Double.NaN;
  private volatile @Nullable NodeState state;
  private volatile @Nullable Role role;

  NodeMeters(String node, OwnMeters meters) {
    this.tags = Tags.of("node", node);
    this.meters = meters;
    this.gauges = !node.equals(BoundedNames.OTHER);
    routes =
        new MeterGrid<>(
            ROLES.length * REASONS.length,
            cell ->
                meters.counter(
                    "aquifer.routes",
                    "Statements sent to a node, and why there",
                    tags.and(
                        "role", CacheMeters.word(ROLES[cell / REASONS.length]),
                        "reason", CacheMeters.word(REASONS[cell % REASONS.length]))));
    changes =
        new MeterGrid<>(
            1, cell -> meters.counter("aquifer.node.changes", "Changes of a node's state", tags));
  }

  void routed(Role as, RouteReason reason) {
    int row = MeterGrid.cell(0, ROLES.length, as);
    routes.get(MeterGrid.cell(row, REASONS.length, reason)).increment();
  }

  void lag(@Nullable Duration lag, long bytes) {
    lagSeconds = lag == null ? Double.NaN : lag.getSeconds() + lag.getNano() / 1e9;
    lagBytes = bytes < 0 ? Double.NaN : (double) bytes;
    if (first(lagShown)) {
      meters.gauge(
          "aquifer.replica.lag",
          "seconds",
          "How far a replica is behind, NaN when it cannot be known",
          tags,
          this,
          node -> node.lagSeconds);
      meters.gauge(
          "aquifer.replica.lag.bytes",
          "bytes",
          "Log that a replica has not replayed yet, NaN when unknown",
          tags,
          this,
          node -> node.lagBytes);
    }
  }

  void state(NodeState now) {
    state = now;
    changes.get(0).increment();
    if (first(stateShown)) {
      for (NodeState each : NodeState.values()) {
        meters.gauge(
            "aquifer.node.state",
            "",
            "1 for the state that a node is in, else 0",
            tags.and("state", CacheMeters.word(each)),
            this,
            node -> node.state == each ? 1 : 0);
      }
    }
  }

  void role(Role now) {
    role = now;
    if (first(roleShown)) {
      for (Role each : ROLES) {
        meters.gauge(
            "aquifer.node.role",
            "",
            "1 for the role that a node has, else 0",
            tags.and("role", CacheMeters.word(each)),
            this,
            node -> node.role == each ? 1 : 0);
      }
    }
  }

  private boolean first(AtomicBoolean shown) {
    return gauges && shown.compareAndSet(false, true);
  }
}
