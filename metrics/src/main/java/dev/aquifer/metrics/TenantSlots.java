package dev.aquifer.metrics;

import dev.aquifer.Tenant;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicReferenceArray;
import java.util.concurrent.locks.ReentrantLock;

/**
 * The tenants that have a tag of their own: the first so many that were seen. Each has a number
 * below {@link #count}; the last number is everybody else's. A known tenant's number is found
 * without a lock or an allocation, and so is the last one once all places are taken.
 */
final class TenantSlots {
  private final int named;
  private final Map<Tenant, Integer> slots = new ConcurrentHashMap<>();
  private final AtomicReferenceArray<String> ids;
  private final ReentrantLock adding = new ReentrantLock();

  /**
   * @param named tenants with a tag of their own, 0 for no tenant tag at all
   */
  TenantSlots(int named) {
    this.named = named;
    this.ids = new AtomicReferenceArray<>(named);
  }

  boolean tagged() {
    return named > 0;
  }

  int count() {
    return named + 1;
  }

  int of(Tenant tenant) {
    Integer slot = slots.get(tenant);
    if (slot != null) {
      return slot;
    }
    return slots.size() < named ? add(tenant) : named;
  }

  /** The tag of a number that {@link #of} gave. */
  String id(int slot) {
    return slot < named ? ids.get(slot) : BoundedNames.OTHER;
  }

  private int add(Tenant tenant) {
    adding.lock();
    try {
      Integer slot = slots.get(tenant);
      if (slot != null) {
        return slot;
      }
      int next = slots.size();
      if (next == named) {
        return named;
      }
      // The id first: whoever sees the number finds its tag.
      ids.set(next, tenant.id());
      slots.put(tenant, next);
      return next;
    } finally {
      adding.unlock();
    }
  }
}
