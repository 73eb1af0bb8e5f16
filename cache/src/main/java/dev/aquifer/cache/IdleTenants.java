package dev.aquifer.cache;

import java.time.Duration;

/**
 * Forgets what is kept for tenants that have not been seen for long and have nothing in memory:
 * views, partitions and cells, share.
 *
 * <p>No void is missed by that. The partition is closed first, and a closed one serves nothing from
 * memory and takes no fills, whoever still works with it. What its voids demand of later loads is
 * folded in the same step into a floor that every later partition begins with; so is its sequence,
 * where no Redis knows it. A void that meets a closed partition is made again in the one that took
 * its place.
 */
final class IdleTenants {
  private static final long IDLE = Duration.ofMinutes(10).toNanos();

  private final Node node;
  private final Fairness fairness;

  IdleTenants(Node node, Fairness fairness) {
    this.node = node;
    this.fairness = fairness;
  }

  void sweep() {
    long now = node.nanos.getAsLong();
    for (Partitions partitions : node.tenants()) {
      Share share = fairness.share(partitions.tenant);
      if (share.busy) {
        share.busy = false;
        share.idleSince = now;
      } else if (now - share.idleSince > IDLE
          && partitions.all.stream().allMatch(node::told)
          && partitions.all.stream().noneMatch(Partition::watched)
          && fairness.forget(share)) {
        // The share first: whoever makes a view of the next partition finds the next share.
        node.close(partitions.first());
        share.views.forEach(view -> view.cache.forget(view));
      }
    }
  }
}
