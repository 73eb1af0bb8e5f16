package dev.aquifer.replica;

import dev.aquifer.Position;
import dev.aquifer.ReadFloor;
import dev.aquifer.spi.Observer.Role;
import org.jspecify.annotations.Nullable;

/** What reading the catalogue needs to know of the nodes. Thread-safe. */
final class CatalogHost {
  private final Topology topology;

  CatalogHost(Topology topology) {
    this.topology = topology;
  }

  /**
   * The node to read from: the primary, or while it does not answer a replica, since what that has
   * replayed is what its reads would run; null when none answers.
   */
  ReplicaSetSettings.@Nullable NodeSettings node() {
    Node primary = topology.primary();
    if (primary != null && primary.isUsable()) {
      return primary.settings;
    }
    for (Node node : topology.nodes) {
      if (node.isUsable()) {
        return node.settings;
      }
    }
    return null;
  }

  /** Whether every replica is known to have replayed what the primary had at that time. */
  boolean replayedSince(long nanos) {
    Position made = topology.primaryLog.bound(ReadFloor.after(nanos));
    return made != null
        && topology.nodes.stream()
            .allMatch(node -> node.role != Role.REPLICA || covers(node, made));
  }

  private static boolean covers(Node node, Position made) {
    Position replayed = node.position;
    return replayed != null && replayed.covers(made);
  }
}
