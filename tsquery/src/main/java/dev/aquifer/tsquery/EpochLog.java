package dev.aquifer.tsquery;

import java.util.ArrayDeque;
import java.util.Deque;
import java.util.TreeMap;

/**
 * What was voided while fetches were under way. A fetch takes the epoch before it reads; when it
 * comes back, a window that a later entry intersects may hold what was true before the change, and
 * is not kept.
 *
 * <p>Entries that no fetch can be older than are dropped. When the rest passes the bound, the two
 * oldest become one that covers both and all between: some windows are fetched once more than
 * needed, none less.
 *
 * <p>Guarded by the {@link Ledger}'s lock.
 */
final class EpochLog {
  private record Entry(long epoch, long start, long stop) {}

  private final int bound;
  private final Deque<Entry> entries = new ArrayDeque<>();
  private final TreeMap<Long, Integer> underWay = new TreeMap<>();
  private long epoch;

  EpochLog(int bound) {
    this.bound = bound;
  }

  /** The epoch that a fetch which begins now belongs to; give it back by {@link #end}. */
  long begin() {
    underWay.merge(epoch, 1, Integer::sum);
    return epoch;
  }

  void end(long begun) {
    underWay.computeIfPresent(begun, (key, count) -> count == 1 ? null : count - 1);
    if (underWay.isEmpty()) {
      entries.clear();
      return;
    }
    long oldest = underWay.firstKey();
    while (!entries.isEmpty() && entries.getFirst().epoch <= oldest) {
      entries.removeFirst();
    }
  }

  void append(long start, long stop) {
    epoch++;
    if (underWay.isEmpty()) {
      return;
    }
    entries.addLast(new Entry(epoch, start, stop));
    if (entries.size() > bound) {
      Entry a = entries.removeFirst();
      Entry b = entries.removeFirst();
      entries.addFirst(new Entry(b.epoch, Math.min(a.start, b.start), Math.max(a.stop, b.stop)));
    }
  }

  /** How often something was voided. */
  long epoch() {
    return epoch;
  }

  /** Whether something in {@code [start, stop)} was voided after the epoch. */
  boolean voidedSince(long since, long start, long stop) {
    for (Entry entry : entries) {
      if (entry.epoch > since && entry.start < stop && start < entry.stop) {
        return true;
      }
    }
    return false;
  }

  int size() {
    return entries.size();
  }
}
