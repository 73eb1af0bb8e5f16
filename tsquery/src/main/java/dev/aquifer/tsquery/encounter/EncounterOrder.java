package dev.aquifer.tsquery.encounter;

import dev.aquifer.RefusedQueryException;
import dev.aquifer.tsquery.Encounter;
import dev.aquifer.tsquery.TimeRange;
import java.time.Instant;
import java.util.Comparator;
import org.jspecify.annotations.Nullable;

/** Times of encounters as numbers, their order, and the limits that any store holds them to. */
final class EncounterOrder {
  /** In order of start, then of id. */
  static final Comparator<Encounter> BY_START =
      Comparator.comparing(Encounter::start)
          .thenComparing(Encounter::id, EncounterOrder::compareCodePoints);

  /** The first whole second of 64-bit nanoseconds: no time is before it. */
  static final Instant EARLIEST = Instant.ofEpochSecond(Long.MIN_VALUE / 1_000_000_000);

  private static final long PER_SECOND = 1_000_000_000;

  private EncounterOrder() {}

  /** Nanoseconds since the epoch, of a time that an encounter or a range has, and so fits. */
  static long nanos(Instant time) {
    return Math.addExact(Math.multiplyExact(time.getEpochSecond(), PER_SECOND), time.getNano());
  }

  /** Refuses a time that does not fit. */
  static void requireTime(Instant time) {
    Encounter.open("time", time);
  }

  static Instant instant(long nanos) {
    return Instant.ofEpochSecond(
        Math.floorDiv(nanos, PER_SECOND), Math.floorMod(nanos, PER_SECOND));
  }

  static boolean overlaps(Encounter encounter, TimeRange range) {
    Instant end = encounter.end();
    return encounter.start().isBefore(range.stop()) && (end == null || end.isAfter(range.start()));
  }

  /** As bytes of UTF-8 are compared, which is how PostgreSQL's "C" compares texts. */
  static int compareCodePoints(String left, String right) {
    int length = Math.min(left.length(), right.length());
    for (int i = 0; i < length; i++) {
      char a = left.charAt(i);
      char b = right.charAt(i);
      if (a != b) {
        // A surrogate stands for a code point above all others.
        boolean above = Character.isSurrogate(a);
        return above == Character.isSurrogate(b) ? Character.compare(a, b) : above ? 1 : -1;
      }
    }
    return Integer.compare(left.length(), right.length());
  }

  /** Refuses a change after which there would be too many. */
  static void requireRoom(
      EncounterScope scope, EncounterLimits limits, EncounterChange change, long kept, long open) {
    if (added(change) > 0 && kept + 1 > limits.kept()) {
      throw new RefusedQueryException(
          "There are %,d encounters of kind %s, as many as there may be; remove some, or raise the limit."
              .formatted(kept, scope));
    }
    if (opened(change) > 0 && open + 1 > limits.open()) {
      throw new RefusedQueryException(
          "There are %,d open encounters of kind %s, as many as there may be; close some, or raise the limit."
              .formatted(open, scope));
    }
  }

  /** How many more there are after a change: one, none or one less. */
  static int added(EncounterChange change) {
    return (change.after() == null ? 0 : 1) - (change.before() == null ? 0 : 1);
  }

  /** How many more are open. */
  static int opened(EncounterChange change) {
    return open(change.after()) - open(change.before());
  }

  private static int open(@Nullable Encounter encounter) {
    return encounter != null && encounter.open() ? 1 : 0;
  }
}
