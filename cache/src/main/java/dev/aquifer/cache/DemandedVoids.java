package dev.aquifer.cache;

import dev.aquifer.CausalSession;
import dev.aquifer.UnavailableException;
import java.time.Duration;

/** What a token that leaves this node demands of one partition. */
final class DemandedVoids {
  private DemandedVoids() {}

  /** See {@link Caches#demandVoids}. */
  static void of(Node node, Partition partition, CausalSession session, Duration limit) {
    Remote remote = node.remote();
    try {
      if (remote != null && !remote.awaitTold(partition, limit)) {
        throw new UnavailableException(
            "Redis could not be told within %s of what was voided in partition %s, so other nodes may still serve it. It stays queued; ask for the token again later."
                .formatted(limit, partition.name));
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new UnavailableException(
          "Interrupted while Redis was told of what was voided in partition %s."
              .formatted(partition.name),
          e);
    }
    if (remote != null && partition.applied() > 0) {
      session.observe(partition.name, partition.applied());
    }
  }
}
