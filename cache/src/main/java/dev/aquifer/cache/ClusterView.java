package dev.aquifer.cache;

import io.lettuce.core.cluster.models.partitions.ClusterPartitionParser;
import io.lettuce.core.cluster.models.partitions.RedisClusterNode;
import io.lettuce.core.cluster.models.partitions.RedisClusterNode.NodeFlag;
import java.util.Set;
import java.util.TreeSet;

/**
 * Who may run scripts in a cluster, as its nodes say.
 *
 * @param masters the ids of all masters: those with slots, and those without that are not known to
 *     have failed, since slots may move to them
 * @param epoch the latest of which any of those that were asked has heard; it rises with every vote
 *     for a new master, at the voters, before that one runs anything
 * @param claimed the latest under which a node holds its slots; below {@code epoch} while a vote is
 *     under way, or was in vain
 * @param failing whether a master with slots is thought to have failed
 */
record ClusterView(Set<String> masters, long epoch, long claimed, boolean failing) {

  static final ClusterView NOTHING = new ClusterView(Set.of(), 0, 0, false);

  ClusterView {
    masters = Set.copyOf(masters);
  }

  /** What one node answers to {@code CLUSTER INFO} and {@code CLUSTER NODES}. */
  static ClusterView read(String info, String nodes) {
    Set<String> masters = new TreeSet<>();
    long claimed = 0;
    boolean failing = false;
    for (RedisClusterNode node : ClusterPartitionParser.parse(nodes)) {
      if (!node.getRole().isUpstream()) {
        continue;
      }
      claimed = Math.max(claimed, node.getConfigEpoch());
      boolean unused = node.hasNoSlots() && unreachable(node);
      if (!unused) {
        masters.add(node.getNodeId());
        failing |= node.is(NodeFlag.FAIL) || node.is(NodeFlag.EVENTUAL_FAIL);
      }
    }
    long epoch =
        info.lines()
            .filter(line -> line.startsWith("cluster_current_epoch:"))
            .mapToLong(line -> Long.parseLong(line.substring(line.indexOf(':') + 1).strip()))
            .findFirst()
            .orElseThrow(() -> new IllegalArgumentException("CLUSTER INFO names no epoch"));
    return new ClusterView(masters, epoch, claimed, failing);
  }

  private static boolean unreachable(RedisClusterNode node) {
    return node.is(NodeFlag.FAIL) || node.is(NodeFlag.NOADDR) || node.is(NodeFlag.HANDSHAKE);
  }

  /** What two nodes say, taken together. */
  ClusterView and(ClusterView other) {
    Set<String> all = new TreeSet<>(masters);
    all.addAll(other.masters);
    return new ClusterView(
        all,
        Math.max(epoch, other.epoch),
        Math.max(claimed, other.claimed),
        failing || other.failing);
  }

  /** Whether somebody may have been voted for of whom these nodes do not know yet. */
  boolean voting() {
    return claimed < epoch;
  }

  /** Whether the same nodes may run scripts, and none was voted for in between. */
  boolean sameAs(ClusterView later) {
    return masters.equals(later.masters) && epoch == later.epoch;
  }
}
