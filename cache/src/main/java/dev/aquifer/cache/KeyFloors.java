package dev.aquifer.cache;

import dev.aquifer.ReadFloor;
import java.util.concurrent.atomic.AtomicReferenceArray;

/**
 * What voids of keys demand of later loads. Keys leave no markers, so some share one demand: it is
 * never less than that of each. Raised under its partition's lock, read without.
 */
final class KeyFloors {
  private static final int STRIPES = 64;

  private final AtomicReferenceArray<ReadFloor> floors = new AtomicReferenceArray<>(STRIPES);

  KeyFloors() {
    start(ReadFloor.NONE);
  }

  /** Before anybody else knows of it. */
  void start(ReadFloor floor) {
    for (int i = 0; i < STRIPES; i++) {
      floors.set(i, floor);
    }
  }

  ReadFloor of(String key) {
    return floors.get(stripe(key));
  }

  void raise(String key, ReadFloor floor) {
    raise(stripe(key), floor);
  }

  void raiseAll(ReadFloor floor) {
    for (int i = 0; i < STRIPES; i++) {
      raise(i, floor);
    }
  }

  private void raise(int stripe, ReadFloor floor) {
    floors.set(stripe, floors.get(stripe).and(floor));
  }

  private static int stripe(String key) {
    int hash = key.hashCode();
    return (hash ^ (hash >>> 16)) & (STRIPES - 1);
  }
}
