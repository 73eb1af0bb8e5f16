package dev.aquifer.cache;

import dev.aquifer.ReadFloor;

/**
 * What one process knows of one tag (or key, or cache) of a partition: the sequence of its newest
 * marker, which entries of Redis are judged by, and this process's tick at which it was last
 * voided, which entries in memory are judged by.
 *
 * <p>Written under the partition's lock, read without one.
 */
final class TagCell {
  private volatile long sequence;
  private volatile long tick;
  private volatile ReadFloor floor;
  private volatile long seen;
  private volatile int poisons;

  TagCell(long sequence, long tick, ReadFloor floor) {
    this.sequence = sequence;
    this.tick = tick;
    this.floor = floor;
  }

  long sequence() {
    return sequence;
  }

  long tick() {
    return tick;
  }

  /** What a load of a value with this tag must be shown. */
  ReadFloor floor() {
    return floor;
  }

  /** When the floor was raised, in nanoseconds. */
  long seen() {
    return seen;
  }

  /** Whether a write that will void it is about to be committed. */
  boolean poisoned() {
    return poisons > 0;
  }

  static boolean anyPoisoned(TagCell[] cells) {
    for (TagCell cell : cells) {
      if (cell.poisoned()) {
        return true;
      }
    }
    return false;
  }

  @SuppressWarnings("NonAtomicVolatileUpdate") // under the partition's lock
  void poison(int more) {
    poisons += more;
  }

  void mark(long at, ReadFloor demand, long now) {
    if (at > sequence) {
      sequence = at;
    }
    floor = floor.and(demand);
    seen = now;
  }

  void settle(ReadFloor from, ReadFloor to) {
    if (floor.equals(from)) {
      floor = to;
    }
  }

  void tick(long at) {
    tick = at;
  }

  void forget() {
    sequence = 0;
  }
}
