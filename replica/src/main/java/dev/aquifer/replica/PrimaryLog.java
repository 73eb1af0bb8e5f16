package dev.aquifer.replica;

import dev.aquifer.Position;
import dev.aquifer.ReadFloor;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/**
 * The primary's log position over the last minutes: a ring of samples (when it was begun,
 * position).
 *
 * <p>It answers two questions without asking the primary. <em>What bounds a commit?</em> A commit
 * acknowledged before a sample was begun is at or below that sample's position, so the first such
 * sample replaces the commit's unknown position. <em>How far behind is a replica?</em> As long ago
 * as the oldest sample above what it has replayed; zero when there is none, however long the
 * primary has been idle; unknown when the newest sample is old, since then anything may have
 * happened.
 *
 * <p>After a promotion the log starts anew. Positions of an older timeline above the first sample
 * of the new one were lost with the old primary; they become that first sample. Thread-safe.
 */
final class PrimaryLog {
  private static final int CAPACITY = 4096;

  private final long staleAfter;
  private final ReentrantLock lock = new ReentrantLock();
  private final long[] begun = new long[CAPACITY];
  private final long[] lsn = new long[CAPACITY];
  private int first;
  private int size;
  private volatile @Nullable Position start;
  private volatile @Nullable Position newest;
  private volatile long newestBegun;

  /**
   * An empty log.
   *
   * @param staleAfter nanoseconds after which the newest sample says nothing about now
   */
  PrimaryLog(long staleAfter) {
    this.staleAfter = staleAfter;
  }

  /** Adds a sample; one of another cluster or timeline starts the log anew. */
  void add(long sampleBegun, Position position) {
    lock.lock();
    try {
      Position before = start;
      if (before == null
          || before.systemId() != position.systemId()
          || before.timeline() != position.timeline()) {
        start = position;
        size = 0;
      }
      int slot = (first + size) % CAPACITY;
      if (size == CAPACITY) {
        first = (first + 1) % CAPACITY;
      } else {
        size++;
      }
      begun[slot] = sampleBegun;
      lsn[slot] = position.lsn();
      newestBegun = sampleBegun;
      newest = position;
    } finally {
      lock.unlock();
    }
  }

  /** The newest position sampled; null before the first. */
  @Nullable Position newest() {
    return newest;
  }

  /** Whether the newest sample says something about now. */
  boolean isFresh(long now) {
    return newest != null && now - newestBegun <= staleAfter;
  }

  /** Whether a sample was begun after the moment. Takes no lock. */
  boolean hasSampleAfter(long moment) {
    return newest != null && newestBegun - moment > 0;
  }

  /**
   * One position that satisfies the floor, or null when no sample bounds its moment yet. The floor
   * demands something.
   */
  @Nullable Position bound(ReadFloor floor) {
    Position known = floor.position();
    if (!floor.timed()) {
      return known == null ? null : onThisTimeline(known);
    }
    if (!hasSampleAfter(floor.after())) {
      return null;
    }
    lock.lock();
    try {
      Position latest = newest;
      int index = firstAfter(floor.after());
      if (latest == null || index == size) {
        return null;
      }
      long bounding = lsn[(first + index) % CAPACITY];
      Position bound = new Position(latest.systemId(), latest.timeline(), bounding);
      return known == null ? bound : bound.max(onThisTimeline(known));
    } finally {
      lock.unlock();
    }
  }

  /**
   * Nanoseconds since the primary was first seen past what the replica has replayed; 0 when it was
   * not; -1 when unknown.
   */
  long lagNanos(Position replayed, long now) {
    lock.lock();
    try {
      Position latest = newest;
      if (latest == null
          || !isFresh(now)
          || latest.systemId() != replayed.systemId()
          || replayed.timeline() > latest.timeline()) {
        return -1;
      }
      Position begin = start;
      long shown = replayed.lsn();
      if (begin != null
          && replayed.timeline() < begin.timeline()
          && Long.compareUnsigned(shown, begin.lsn()) >= 0) {
        // It goes on where another primary left off: it shows nothing of this timeline, however
        // high its own positions rise.
        shown = begin.lsn() - 1;
      }
      int index = firstAbove(shown);
      return index == size ? 0 : Math.max(1, now - begun[(first + index) % CAPACITY]);
    } finally {
      lock.unlock();
    }
  }

  /** What was written on an older timeline past the point where this one began, is no more. */
  private Position onThisTimeline(Position known) {
    Position begin = start;
    if (begin == null
        || begin.systemId() != known.systemId()
        || known.timeline() >= begin.timeline()
        || Long.compareUnsigned(known.lsn(), begin.lsn()) <= 0) {
      return known;
    }
    return begin;
  }

  private int firstAfter(long moment) {
    int low = 0;
    int high = size;
    while (low < high) {
      int middle = (low + high) >>> 1;
      if (begun[(first + middle) % CAPACITY] - moment > 0) {
        high = middle;
      } else {
        low = middle + 1;
      }
    }
    return low;
  }

  private int firstAbove(long replayed) {
    int low = 0;
    int high = size;
    while (low < high) {
      int middle = (low + high) >>> 1;
      if (Long.compareUnsigned(lsn[(first + middle) % CAPACITY], replayed) > 0) {
        high = middle;
      } else {
        low = middle + 1;
      }
    }
    return low;
  }
}
