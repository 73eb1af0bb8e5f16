package dev.aquifer.cache;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/**
 * Voids that Redis could not be told of yet. Bounded by names; a partition that would pass the
 * bound is voided as a whole in their place, so none is ever dropped.
 */
final class PendingVoids {
  private final int limit;
  private final ReentrantLock lock = new ReentrantLock();
  private final Condition told = lock.newCondition();
  private final Map<Partition, Map<String, Remote.Stored>> waiting = new LinkedHashMap<>();

  // What readers ask: whether anything of the partition waits or is being sent.
  private final ConcurrentHashMap<Partition, Integer> open = new ConcurrentHashMap<>();
  private static final Remote.Stored NOTHING = new Remote.Stored(new byte[0], new byte[0]);
  private int count;
  private int sending;

  PendingVoids(int limit) {
    this.limit = limit;
  }

  /** Whether Redis knows of all voids of the partition. */
  boolean none(Partition partition) {
    return !open.containsKey(partition);
  }

  /** How many names Redis does not know of, those that are being sent included. */
  int size() {
    lock.lock();
    try {
      return count + sending;
    } finally {
      lock.unlock();
    }
  }

  /** Returns false where the bound was passed. */
  boolean add(Partition partition, List<String> names, List<Remote.Stored> stored) {
    lock.lock();
    try {
      if (!waiting.containsKey(partition)) {
        open.merge(partition, 1, Integer::sum);
      }
      Map<String, Remote.Stored> mine =
          waiting.computeIfAbsent(partition, p -> new LinkedHashMap<>());
      if (mine.containsKey(Partition.ALL)) {
        return true;
      }
      int before = mine.size();
      for (int i = 0; i < names.size(); i++) {
        mine.put(names.get(i), i < stored.size() ? stored.get(i) : NOTHING);
      }
      count += mine.size() - before;
      if (count <= limit) {
        return true;
      }
      count -= mine.size() - 1;
      mine.clear();
      mine.put(Partition.ALL, NOTHING);
      return false;
    } finally {
      lock.unlock();
    }
  }

  /** All is void in it, if anything waits of a closed one of its tenant. */
  void follow(Partition partition) {
    lock.lock();
    try {
      boolean waits =
          open.keySet().stream()
              .anyMatch(other -> other.closed() && Objects.equals(other.tenant, partition.tenant));
      if (waits) {
        add(partition, List.of(Partition.ALL), List.of());
      }
    } finally {
      lock.unlock();
    }
  }

  /** Takes what waits of some partition; {@link #sent} or {@link #back} must follow. */
  @Nullable Taken take() {
    lock.lock();
    try {
      var partitions = waiting.keySet().iterator();
      return partitions.hasNext() ? take(partitions.next()) : null;
    } finally {
      lock.unlock();
    }
  }

  /** Takes what waits of this partition; null if nothing does. */
  @Nullable Taken take(Partition partition) {
    lock.lock();
    try {
      Map<String, Remote.Stored> mine = waiting.remove(partition);
      if (mine == null) {
        return null;
      }
      count -= mine.size();
      sending += mine.size();
      List<Remote.Stored> stored =
          mine.values().stream().filter(place -> place.entry().length > 0).toList();
      return new Taken(partition, List.copyOf(mine.keySet()), stored);
    } finally {
      lock.unlock();
    }
  }

  void sent(Taken taken) {
    lock.lock();
    try {
      sending -= taken.names().size();
      open.computeIfPresent(taken.partition(), (p, users) -> users == 1 ? null : users - 1);
      told.signalAll();
    } finally {
      lock.unlock();
    }
  }

  /** Waits until {@link #none}; false when that takes longer than this many nanoseconds. */
  boolean awaitNone(Partition partition, long nanos) throws InterruptedException {
    lock.lock();
    try {
      long left = nanos;
      while (!none(partition)) {
        if (left <= 0) {
          return false;
        }
        left = told.awaitNanos(left);
      }
      return true;
    } finally {
      lock.unlock();
    }
  }

  /** They wait again. Keys that wait again are voided by name; their place follows from a whole. */
  void back(Taken taken) {
    lock.lock();
    try {
      boolean keys = !taken.stored().isEmpty();
      boolean paired = taken.stored().size() == taken.names().size();
      add(
          taken.partition(),
          keys && !paired ? List.of(Partition.ALL) : taken.names(),
          keys && paired ? taken.stored() : List.of());
    } finally {
      lock.unlock();
    }
    sent(taken);
  }

  record Taken(Partition partition, List<String> names, List<Remote.Stored> stored) {}
}
