package dev.aquifer.replica;

import dev.aquifer.CausalSessions;
import dev.aquifer.Consistency;
import dev.aquifer.pool.PoolSettings;
import dev.aquifer.spi.CommitListener;
import dev.aquifer.spi.Observer;
import dev.aquifer.sql.SqlAnalyzer;
import java.time.Duration;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** What a {@link ReplicaSet} was built with; {@link ReplicaSet.Builder} documents each. */
record ReplicaSetSettings(
    List<NodeSettings> nodes,
    Consistency consistency,
    Duration maxLag,
    Duration sampleEvery,
    Duration probeTimeout,
    Duration primaryTimeout,
    Duration startupTimeout,
    Duration replicaWait,
    boolean positionGate,
    CausalSessions sessions,
    @Nullable SqlAnalyzer analyzer,
    Duration catalogEvery,
    Observer observer,
    List<CommitListener> listeners,
    int primaryReads,
    @Nullable NodeDirectory directory,
    Duration directoryEvery,
    Maker maker) {

  /** How many reads a node may run in the place of replicas; half of its connections by default. */
  int relief(PoolSettings pool) {
    return primaryReads > 0 ? primaryReads : Math.max(1, pool.maximumSize() / 2);
  }

  /** Makes settings of nodes that come later. */
  @FunctionalInterface
  interface Maker {
    NodeSettings make(String url, double weight, boolean primary);
  }

  /** One node: its pool, its weight, whether it was given as the primary, and the set's login. */
  record NodeSettings(PoolSettings pool, double weight, boolean primary, Login login) {}
}
