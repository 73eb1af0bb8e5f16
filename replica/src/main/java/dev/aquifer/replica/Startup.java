package dev.aquifer.replica;

import dev.aquifer.ConfigurationException;
import dev.aquifer.UnavailableException;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/** Waits until the nodes are known, and says what is wrong with them. */
final class Startup {
  private Startup() {}

  /** Until a primary answers, and each other node did or failed to. */
  static void await(Topology topology, ReplicaSetSettings settings) {
    boolean found =
        topology.await(
            () ->
                (topology.isAnswering()
                        && topology.nodes.stream().allMatch(node -> node.monitor.isJudged()))
                    || refusedLogin(topology) != null,
            settings.startupTimeout());
    Node refused = refusedLogin(topology);
    if (refused != null) {
      refused.pool.verify(settings.startupTimeout());
    }
    for (Node node : topology.nodes) {
      if (node.fenced && node.lastError != null && node.lastError.contains("another cluster")) {
        throw new ConfigurationException(
            "%s cannot be used: %s. Give nodes of one cluster only."
                .formatted(node, node.lastError));
      }
    }
    if (!found && !topology.isAnswering()) {
      for (Node node : topology.nodes) {
        if (node.givenAsPrimary) {
          node.pool.verify(Duration.ofMillis(250));
        }
      }
      throw new UnavailableException(
          "None of %s was found to be a primary within %s"
              .formatted(topology.nodes, settings.startupTimeout()));
    }
  }

  private static @Nullable Node refusedLogin(Topology topology) {
    return topology.nodes.stream()
        .filter(node -> Failures.isRefusedLogin(node.monitor.lastFailure()))
        .findFirst()
        .orElse(null);
  }
}
