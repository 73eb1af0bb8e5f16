package dev.aquifer.cache;

import dev.aquifer.Tenant;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicLong;

/** What one tenant has of the memory. */
final class Share {
  final Tenant tenant;
  final AtomicLong bytes = new AtomicLong();
  final Set<TenantView> views = ConcurrentHashMap.newKeySet();

  /** Where its next entry goes; changed under the lock of {@link Fairness}. */
  volatile Pool pool;

  /** Changed under the lock of {@link Fairness}. */
  volatile double weight;

  /** Whether anything but hits happened since this was last taken back. */
  volatile boolean busy = true;

  /** Since when it was not busy; the sweep's alone. */
  long idleSince;

  Share(Tenant tenant, Pool pool, double weight) {
    this.tenant = tenant;
    this.pool = pool;
    this.weight = weight;
  }

  /** The tenant was seen. Not told of hits: whoever has those has something in memory. */
  void used() {
    if (!busy) {
      busy = true;
    }
  }
}
