package dev.aquifer.replica;

import dev.aquifer.Position;
import dev.aquifer.ReadFloor;
import dev.aquifer.UnavailableException;
import java.time.Duration;

/** Finds what log position a floor stands for. Thread-safe. */
final class Positions {
  private final Topology topology;
  private final Duration limit;

  Positions(Topology topology, Duration limit) {
    this.topology = topology;
    this.limit = limit;
  }

  /** See {@link ReplicaSet#resolve}. */
  Position of(ReadFloor floor) {
    Position bound = topology.primaryLog.bound(floor);
    if (bound != null) {
      return bound;
    }
    // The next probe of the primary is the round trip; callers that wait together share it.
    topology.await(
        () -> {
          boolean sampled = topology.primaryLog.hasSampleAfter(floor.after());
          if (!sampled) {
            wakePrimary();
          }
          return sampled;
        },
        limit);
    bound = topology.primaryLog.bound(floor);
    if (bound == null) {
      throw new UnavailableException(
          "The primary (%s) did not tell its log position within %s"
              .formatted(topology.primary(), limit));
    }
    return bound;
  }

  private void wakePrimary() {
    Node primary = topology.primary();
    if (primary != null) {
      primary.monitor.wake();
    }
  }
}
