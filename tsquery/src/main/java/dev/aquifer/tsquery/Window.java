package dev.aquifer.tsquery;

import dev.aquifer.RefusedQueryException;
import java.time.Duration;
import java.time.ZoneId;
import java.time.ZoneOffset;

/**
 * Windows that begin every so often: window {@code i} begins {@code i} steps after the offset from
 * 1970-01-01T00:00 on the zone's clock, and lasts for the period. So windows of weeks begin on
 * Thursdays, windows of months on the first. A point on an edge belongs to the window that starts
 * there.
 *
 * <p>In a zone, edges are times of its clock, hours and minutes as well as days. An edge that the
 * clock shows twice is the first of both; one that it skips is the moment at which it skips. So a
 * window holds the repeated hour along with the hour before, and one that begins and ends in
 * skipped time, as 30 December 2011 does in Samoa, does not exist, nor do overlapping ones that
 * would begin at the moment at which a later one does.
 *
 * @param every from the start of one window to the start of the next; positive
 * @param period how long each lasts: longer than every, and windows overlap; shorter, and there are
 *     gaps between them
 * @param offset moves the starts. Kept as the equal one that is not negative and less than every
 * @param zone whose clock they go by
 */
public record Window(Step every, Step period, Step offset, ZoneId zone) {
  /** How many windows a moment may be in. */
  static final int MAX_OVERLAP = 100;

  /** Every month has that many days. */
  private static final Duration LEAST_MONTH = Duration.ofDays(28);

  /**
   * Checks the lengths and reduces the offset.
   *
   * @throws RefusedQueryException every or the period is zero, negative or longer than 146 years; a
   *     period of months is given for windows that are not; more than 100 windows would overlap; or
   *     an offset does not fit the step: months for fixed times, or for months a fixed time that is
   *     negative, or longer than the shortest month
   */
  public Window {
    requirePositive("every", every);
    requirePositive("period", period);
    if (period.calendar() && !every.calendar()) {
      throw new RefusedQueryException(
          "Windows of %s every %s: a period of months needs windows every so many months."
              .formatted(period, every));
    }
    if (overlap(every, period) > MAX_OVERLAP) {
      throw new RefusedQueryException(
          "Windows of %s every %s: %,d would overlap; at most %d may. Take a longer every."
              .formatted(period, every, overlap(every, period), MAX_OVERLAP));
    }
    zone = zone.normalized();
    if (every.calendar()) {
      offset = calendarOffset(every, offset);
    } else {
      if (offset.calendar()) {
        throw new RefusedQueryException(
            "An offset of %s does not fit windows every %s; take days or hours."
                .formatted(offset, every));
      }
      long shift = 0;
      if (zone instanceof ZoneOffset fixed) {
        shift = fixed.getTotalSeconds() * Nanos.PER_SECOND % every.nanos();
        zone = ZoneOffset.UTC;
      }
      long reduced = Math.floorMod(offset.nanos(), every.nanos());
      offset = Step.of(Duration.ofNanos(Math.floorMod(reduced - shift, every.nanos())));
    }
  }

  /** Side by side, on UTC's clock. */
  public Window(Duration every, Duration offset) {
    this(Step.of(every), Step.of(every), Step.of(offset), ZoneOffset.UTC);
  }

  /** Whether each begins where the one before ends. */
  boolean tiles() {
    return period.equals(every);
  }

  /** Whether all are equally long and equally far apart. */
  boolean even() {
    return !every.calendar() && zone.equals(ZoneOffset.UTC);
  }

  /** Whether some time is left out between every so many of them. */
  boolean gapped() {
    return !every.calendar() && period.nanos() % every.nanos() != 0;
  }

  /** The least number of windows after which one begins that does not overlap the first. */
  int overlap() {
    return (int) overlap(every, period);
  }

  void encode(Canonical out) {
    for (Step step : new Step[] {every, period, offset}) {
      out.number(step.months()).number(step.nanos());
    }
    out.text(zone.getId());
  }

  private static long overlap(Step every, Step period) {
    return every.calendar() && period.calendar()
        ? ceilDiv(period.months(), every.months())
        : ceilDiv(period.nanos(), every.shortest());
  }

  private static long ceilDiv(long dividend, long divisor) {
    return -Math.floorDiv(-dividend, divisor);
  }

  private static void requirePositive(String what, Step step) {
    if (!step.positive()) {
      throw new RefusedQueryException(
          "A window of %s %s is none: it must be positive.".formatted(what, step));
    }
    if (step.shortest() > Long.MAX_VALUE / 2) {
      throw new RefusedQueryException(
          "A window of %s %s is out of range: 146 years at most.".formatted(what, step));
    }
  }

  private static Step calendarOffset(Step every, Step offset) {
    if (offset.calendar()) {
      return new Step(Math.floorMod(offset.months(), every.months()), Duration.ZERO);
    }
    if (offset.duration().isNegative() || offset.duration().compareTo(LEAST_MONTH) >= 0) {
      throw new RefusedQueryException(
          ("An offset of %s does not fit windows every %s: it must not be negative, and less than"
                  + " %s, the shortest month.")
              .formatted(offset, every, LEAST_MONTH));
    }
    return offset;
  }
}
