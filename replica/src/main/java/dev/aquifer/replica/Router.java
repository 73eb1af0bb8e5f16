package dev.aquifer.replica;

import dev.aquifer.CausalSession;
import dev.aquifer.CausalSession.Sighting;
import dev.aquifer.Consistency;
import dev.aquifer.Position;
import dev.aquifer.ReadFloor;
import dev.aquifer.spi.Observer.NodeState;
import dev.aquifer.spi.Observer.Role;
import dev.aquifer.spi.Observer.RouteReason;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/**
 * Chooses the node for a read.
 *
 * <p>A replica qualifies when it is in use and is known to have replayed what the reader must see.
 * Of those, two different ones are drawn, each with a chance in proportion to its weight, and the
 * first is taken unless it is clearly busier than the second ({@link Node#load}): so weights are
 * kept while nodes do equally well, and one that slows down is left aside at once. While fewer than
 * half of the replicas are in use the primary is drawn with them, for so many reads as it may run
 * in their place. Where callers wait for a connection, another replica that has one is taken
 * instead, and when they wait at all of them, the primary, for so many reads. With no replica that
 * qualifies the primary answers; with no primary either, a replica that has missed one probe.
 *
 * <p>In a session of its own the node that answered last qualifies as long as it answers without a
 * break; others once they have replayed where the primary was after that answer.
 *
 * <p>Thread-safe. A decision takes no lock and allocates nothing, except in such a session, and in
 * the moments after a write while its position is not bounded yet.
 */
final class Router {
  /** So much busier the first of two must be before the second is taken. */
  private static final double CLEARLY = 2;

  private static final double RAMP_START = 0.1;

  /** 2^64 over the golden ratio, odd. */
  private static final long GOLDEN = 0x9E3779B97F4A7C15L;

  private final AtomicLong drawn = new AtomicLong(ThreadLocalRandom.current().nextLong());
  private final Topology topology;
  private final ReplicaSetSettings settings;
  private final LongSupplier nanos;

  Router(Topology topology, ReplicaSetSettings settings, LongSupplier nanos) {
    this.topology = topology;
    this.settings = settings;
    this.nanos = nanos;
  }

  /** The primary for this reason; null when none is known. */
  @Nullable Route primary(RouteReason reason) {
    Node primary = topology.primary();
    return primary == null ? null : primary.route(reason);
  }

  /**
   * The node for a read of this thread's current session; null when there is none at all.
   *
   * @param failed a node not to be used, since it just failed; else null
   */
  @Nullable Route read(ReadScope scope, @Nullable Node failed) {
    Consistency consistency = consistency(scope);
    if (consistency.level() == Consistency.Level.STRONG) {
      return primary(RouteReason.STRONG);
    }
    Position required = null;
    Sighting seen = null;
    if (settings.positionGate()) {
      seen = sighting(consistency);
      ReadFloor floor = demanded(scope, consistency);
      if (!floor.isNone()) {
        required = topology.primaryLog.bound(floor);
        if (required == null) {
          return primary(RouteReason.FRESHNESS);
        }
      }
    }
    Route chosen = pick(scope, required, seen, failed);
    return chosen != null ? chosen : noReplica(required, seen, failed);
  }

  /** Whether a read may stay on this replica. */
  boolean qualifies(Node node, ReadScope scope) {
    Consistency consistency = consistency(scope);
    return consistency.level() != Consistency.Level.STRONG
        && isCandidate(node, null)
        && shows(node, scope);
  }

  /** Whether a node is known to show what a read must be shown. */
  boolean shows(Node node, ReadScope scope) {
    if (!settings.positionGate()) {
      return true;
    }
    Consistency consistency = consistency(scope);
    Sighting seen = sighting(consistency);
    if (seen != null && seen.node() != node.incarnation && !covers(node, shownBy(seen))) {
      return false;
    }
    ReadFloor floor = demanded(scope, consistency);
    return floor.isNone() || covers(node, topology.primaryLog.bound(floor));
  }

  /** Whether reads keep the session's order, so that what one has seen binds the next. */
  boolean isCausal(ReadScope scope) {
    return settings.positionGate() && consistency(scope).level() != Consistency.Level.EVENTUAL;
  }

  private Consistency consistency(ReadScope scope) {
    Consistency own = scope.consistency();
    return own == null ? settings.consistency() : own;
  }

  private ReadFloor demanded(ReadScope scope, Consistency consistency) {
    if (consistency.level() == Consistency.Level.EVENTUAL) {
      return scope.floor();
    }
    CausalSession session = settings.sessions().current();
    ReadFloor seen = session.floor();
    if (seen.timed()) {
      Position position = topology.primaryLog.bound(seen);
      if (position != null) {
        session.settle(seen, position);
        seen = ReadFloor.at(position);
      }
    }
    ReadFloor floor = seen.and(scope.floor());
    java.time.Duration bound = consistency.bound();
    return bound == null ? floor : floor.and(ReadFloor.after(nanos.getAsLong() - bound.toNanos()));
  }

  /** The answer that binds this read: null where reads need no order, or none was given yet. */
  private @Nullable Sighting sighting(Consistency consistency) {
    return consistency.level() == Consistency.Level.EVENTUAL
        ? null
        : settings.sessions().current().sighting();
  }

  /** What a node other than the one that was seen must have replayed; null while unknown. */
  private @Nullable Position shownBy(Sighting seen) {
    return topology.primaryLog.bound(ReadFloor.after(seen.ended()));
  }

  /**
   * One of the replicas that have replayed what is required, and what was seen. The node that was
   * seen itself always has; others once the primary's position after it is known.
   */
  private @Nullable Route pick(
      ReadScope scope,
      @Nullable Position required,
      @Nullable Sighting seen,
      @Nullable Node failed) {
    Position shown = seen == null ? null : shownBy(seen);
    Node[] nodes = topology.array;
    long qualified = 0;
    double total = 0;
    int replicas = 0;
    int used = 0;
    int primary = -1;
    for (int i = 0; i < nodes.length; i++) {
      Node node = nodes[i];
      if (node.role == Role.PRIMARY) {
        primary = i;
        continue;
      }
      if (node.draining) {
        continue;
      }
      replicas++;
      if (isCandidate(node, failed)) {
        used++;
        boolean ordered = seen == null || seen.node() == node.incarnation || covers(node, shown);
        if (ordered && (required == null || covers(node, required)) && ramped(node)) {
          qualified |= 1L << i;
          total += node.weight;
        }
      }
    }
    if (qualified == 0) {
      return null;
    }
    if (2 * used < replicas && primary >= 0 && helps(nodes[primary], failed)) {
      qualified |= 1L << primary;
      total += nodes[primary].weight;
    }
    Node chosen = drawn(nodes, qualified, total);
    if (!chosen.isBusy()) {
      return chosen(chosen);
    }
    Node spare = spare(nodes, qualified, chosen);
    if (spare != null) {
      return chosen(spare);
    }
    // Later reads of a session of its own would stay there, however many may.
    return primary >= 0
            && helps(nodes[primary], failed)
            && nodes[primary].hasRoom()
            && !(isCausal(scope) && settings.sessions().current().isOwn())
        ? nodes[primary].route(RouteReason.REPLICAS_BUSY)
        : chosen(chosen);
  }

  /** Two, of which the first is taken unless it is clearly busier. */
  private Node drawn(Node[] nodes, long qualified, double total) {
    int first = draw(nodes, qualified, total * spread());
    long others = qualified & ~(1L << first);
    if (others == 0) {
      return nodes[first];
    }
    double rest = total - nodes[first].weight;
    int second = draw(nodes, others, rest * ThreadLocalRandom.current().nextDouble());
    return nodes[isClearlyBusier(nodes[first], nodes[second]) ? second : first];
  }

  private boolean isClearlyBusier(Node one, Node other) {
    long now = nanos.getAsLong();
    // One that is coming back looks idle, and would be preferred for that beyond its share.
    return other.state != NodeState.RAMP && one.load(now) > CLEARLY * other.load(now);
  }

  /** Another that has a connection left, and is not so slow that the wait takes less; or null. */
  private @Nullable Node spare(Node[] nodes, long qualified, Node busy) {
    Node best = null;
    long now = nanos.getAsLong();
    for (int i = 0; i < nodes.length; i++) {
      Node node = nodes[i];
      if ((qualified & (1L << i)) != 0
          && node.hasRoom()
          && node.state != NodeState.RAMP
          && !isClearlyBusier(node, busy)
          && (best == null || node.load(now) < best.load(now))) {
        best = node;
      }
    }
    return best;
  }

  private static Route chosen(Node node) {
    return node.route(node.role == Role.PRIMARY ? RouteReason.NO_REPLICA : RouteReason.READ);
  }

  /** Whether the primary takes reads that replicas would, without one of them having to wait. */
  private static boolean helps(Node primary, @Nullable Node failed) {
    return primary != failed && primary.isUsable() && primary.relief.availablePermits() > 0;
  }

  /**
   * From 0 to below 1. Multiples of the golden ratio lie evenly however many there are, where
   * chance needs many draws to keep shares.
   */
  private double spread() {
    return (drawn.getAndAdd(GOLDEN) >>> 11) * 0x1.0p-53;
  }

  /** The node at that place, when each is as long as its weight. */
  private static int draw(Node[] nodes, long mask, double place) {
    double left = place;
    int last = -1;
    for (int i = 0; i < nodes.length; i++) {
      if ((mask & (1L << i)) != 0) {
        last = i;
        left -= nodes[i].weight;
        if (left < 0) {
          break;
        }
      }
    }
    return last;
  }

  private @Nullable Route noReplica(
      @Nullable Position required, @Nullable Sighting seen, @Nullable Node failed) {
    Node primary = topology.primary();
    if (primary != null && primary.isUsable()) {
      return primary.route(isBehind(failed) ? RouteReason.FRESHNESS : RouteReason.NO_REPLICA);
    }
    for (Node node : topology.array) {
      boolean maybe =
          node.role == Role.REPLICA
              && node.state == NodeState.SUSPECT
              && !node.removed
              && (seen == null || covers(node, shownBy(seen)));
      if (maybe && node != failed && (required == null || covers(node, required))) {
        return node.route(RouteReason.READ);
      }
    }
    return primary == null ? null : primary.route(RouteReason.NO_REPLICA);
  }

  /** Whether some replica is in use, so that only freshness can have kept it from qualifying. */
  private boolean isBehind(@Nullable Node failed) {
    for (Node node : topology.array) {
      if (isCandidate(node, failed)) {
        return true;
      }
    }
    return false;
  }

  private static boolean isCandidate(Node node, @Nullable Node failed) {
    return node != failed && node.role == Role.REPLICA && node.isUsable() && !node.draining;
  }

  private static boolean covers(Node node, @Nullable Position required) {
    Position replayed = node.position;
    return required != null && replayed != null && replayed.covers(required);
  }

  /** A node that is coming back takes part in a rising share of decisions. */
  private boolean ramped(Node node) {
    if (node.state != NodeState.RAMP) {
      return true;
    }
    double passed = (double) (nanos.getAsLong() - node.rampFrom) / NodeMonitor.RAMP_NANOS;
    return ThreadLocalRandom.current().nextDouble() < RAMP_START + (1 - RAMP_START) * passed;
  }
}
