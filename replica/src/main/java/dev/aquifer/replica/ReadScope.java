package dev.aquifer.replica;

import dev.aquifer.Consistency;
import dev.aquifer.ReadFloor;
import org.jspecify.annotations.Nullable;

/**
 * What the current thread demands of reads, beside what its session does: a floor, a consistency,
 * or both. Immutable; the inner scope adds to the outer one.
 *
 * @param floor what the node must have replayed
 * @param consistency null for that of the set
 */
record ReadScope(ReadFloor floor, @Nullable Consistency consistency) {
  static final ReadScope NONE = new ReadScope(ReadFloor.NONE, null);

  ReadScope with(ReadFloor demand) {
    return new ReadScope(floor.and(demand), consistency);
  }

  ReadScope with(Consistency demand) {
    return new ReadScope(floor, demand);
  }
}
