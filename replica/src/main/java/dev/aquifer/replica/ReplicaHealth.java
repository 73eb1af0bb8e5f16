package dev.aquifer.replica;

import dev.aquifer.spi.Observer.Role;
import java.util.List;
import java.util.Optional;

/**
 * All nodes of a set at one moment.
 *
 * @param nodes in the order in which they were given
 */
public record ReplicaHealth(List<NodeHealth> nodes) {
  /** Copies the list. */
  public ReplicaHealth {
    nodes = List.copyOf(nodes);
  }

  /** The primary, if one is known. */
  public Optional<NodeHealth> primary() {
    return nodes.stream().filter(node -> node.role() == Role.PRIMARY).findFirst();
  }

  /** The node of that name: {@code host:port/database}. */
  public Optional<NodeHealth> node(String name) {
    return nodes.stream().filter(node -> node.name().equals(name)).findFirst();
  }

  /** Whether statements that write find a primary that answers. */
  public boolean writable() {
    return primary().map(NodeHealth::usable).orElse(false);
  }

  /** How many replicas reads are sent to. */
  public long usableReplicas() {
    return nodes.stream().filter(node -> node.role() == Role.REPLICA && node.usable()).count();
  }
}
