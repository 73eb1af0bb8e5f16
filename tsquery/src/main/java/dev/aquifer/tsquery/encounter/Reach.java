package dev.aquifer.tsquery.encounter;

import dev.aquifer.tsquery.Encounter;

/**
 * Encounters by how long they are, in powers of two of nanoseconds. Those of one length that
 * overlap a range begin in it or shortly before it, so that an index by length and start finds
 * them; by start alone, every earlier one would have to be looked at, and by end every later one.
 */
final class Reach {
  /** Of those that go on: they may have begun at any time. */
  static final int OPEN = 64;

  /** About a second; all that are shorter are told as this long. */
  private static final int SHORTEST = 30;

  private Reach() {}

  /** The encounter is shorter than two to this power. */
  static int of(Encounter encounter) {
    if (encounter.end() == null) {
      return OPEN;
    }
    long length = EncounterOrder.nanos(encounter.end()) - EncounterOrder.nanos(encounter.start());
    // Below 0: more than 64 bits can say.
    return length < 0 ? OPEN : Math.max(SHORTEST, Long.SIZE - Long.numberOfLeadingZeros(length));
  }

  /** All that there are. */
  static Integer[] all() {
    Integer[] all = new Integer[OPEN - SHORTEST + 1];
    for (int i = 0; i < all.length; i++) {
      all[i] = SHORTEST + i;
    }
    return all;
  }

  /** For each of {@link #all}, after when those begin that have not ended by this time. */
  static Long[] since(long time) {
    Integer[] all = all();
    Long[] since = new Long[all.length];
    for (int i = 0; i < all.length; i++) {
      long before = all[i] < Long.SIZE - 1 ? time - (1L << all[i]) : Long.MIN_VALUE;
      since[i] = before > time ? Long.MIN_VALUE : before;
    }
    return since;
  }
}
