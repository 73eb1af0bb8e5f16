package dev.aquifer.tsquery;

import java.time.Instant;
import java.time.LocalDateTime;
import java.time.ZoneOffset;
import java.time.zone.ZoneOffsetTransition;
import java.time.zone.ZoneRules;

/**
 * What the clock of a zone shows, as nanoseconds since it showed 1970-01-01T00:00. Both directions
 * are monotone: a clock that is set back is taken to stand still until it has caught up, and a time
 * that it skips is the moment at which it skips.
 */
record LocalClock(ZoneRules rules) {
  /** The latest that the clock has shown at a moment. */
  long local(long nanos) {
    long second = Math.floorDiv(nanos, Nanos.PER_SECOND);
    long shown = second + rules.getOffset(Instant.ofEpochSecond(second)).getTotalSeconds();
    ZoneOffsetTransition change = rules.getTransition(clock(shown));
    if (change != null && change.isOverlap() && second >= change.toEpochSecond()) {
      long setBack = change.toEpochSecond() + change.getOffsetBefore().getTotalSeconds();
      return Math.multiplyExact(setBack, Nanos.PER_SECOND) - 1;
    }
    return Math.addExact(nanos, Math.multiplyExact(shown - second, Nanos.PER_SECOND));
  }

  /** When the clock first shows a time, or a later one. */
  long instant(long local) {
    LocalDateTime clock = clock(Math.floorDiv(local, Nanos.PER_SECOND));
    ZoneOffsetTransition change = rules.getTransition(clock);
    if (change != null && change.isGap()) {
      return Math.multiplyExact(change.toEpochSecond(), Nanos.PER_SECOND);
    }
    ZoneOffset offset = change == null ? rules.getOffset(clock) : change.getOffsetBefore();
    return Math.subtractExact(local, offset.getTotalSeconds() * Nanos.PER_SECOND);
  }

  /** The moments of times that are equally far apart. */
  void instants(long first, long every, long[] into) {
    long local = first;
    long ahead = 0;
    // Times whose moment lies from here until then are that much ahead of it.
    long from = Long.MAX_VALUE;
    long until = Long.MIN_VALUE;
    for (int i = 0; i < into.length; i++) {
      if (i > 0) {
        local = Math.addExact(local, every);
      }
      if (from <= until && local - ahead >= from && local - ahead < until) {
        into[i] = local - ahead;
        continue;
      }
      into[i] = instant(local);
      from = into[i];
      Instant at = Nanos.instant(into[i]);
      ahead = rules.getOffset(at).getTotalSeconds() * Nanos.PER_SECOND;
      ZoneOffsetTransition next = rules.nextTransition(at);
      until = next == null ? Long.MAX_VALUE : saturated(next.toEpochSecond());
    }
  }

  private static long saturated(long second) {
    return second > Long.MAX_VALUE / Nanos.PER_SECOND ? Long.MAX_VALUE : second * Nanos.PER_SECOND;
  }

  private static LocalDateTime clock(long second) {
    return LocalDateTime.ofEpochSecond(second, 0, ZoneOffset.UTC);
  }
}
