package dev.aquifer.tsquery.flux;

import java.time.Instant;
import java.time.LocalDateTime;
import java.time.ZoneId;
import java.time.ZoneOffset;
import java.time.temporal.ChronoUnit;
import java.time.zone.ZoneOffsetTransition;
import java.util.ArrayList;
import java.util.List;

/**
 * The windows of a range, one by one, on the clock of a zone: what the library's own arithmetic is
 * judged by. It counts from 1970-01-01T00:00 of the zone's clock, shares no code with the library,
 * and takes its time.
 *
 * @param step from the start of a window to that of the next
 * @param period from a window's start to its end
 * @param offset moves the starts
 */
public record ReferenceWindows(Length step, Length period, Length offset, ZoneId zone) {
  /** So many months or nanoseconds. */
  public record Length(long count, ChronoUnit unit) {
    /** In nanoseconds. */
    public static Length nanos(long count) {
      return new Length(count, ChronoUnit.NANOS);
    }

    /** In months. */
    public static Length months(long count) {
      return new Length(count, ChronoUnit.MONTHS);
    }
  }

  /** One of them, cut to the range; in nanoseconds since the epoch. */
  public record Bounds(long start, long stop, long wholeStart) {
    /** Whether a time is in it. */
    public boolean contains(long time) {
      return start <= time && time < stop;
    }
  }

  /** Those that have a part in the range, in order; of several with one start, the last. */
  public List<Bounds> within(long start, long stop) {
    boolean fixed = step.unit == ChronoUnit.NANOS && offset.unit == ChronoUnit.NANOS;
    return fixed && zone.equals(ZoneOffset.UTC) ? fixed(start, stop) : onTheClock(start, stop);
  }

  private List<Bounds> fixed(long start, long stop) {
    List<Bounds> windows = new ArrayList<>();
    long every = step.count;
    long first = Math.floorDiv(start - period.count - offset.count, every) * every + offset.count;
    for (long begin = first; begin < stop; begin += every) {
      long end = begin + period.count;
      if (end > start) {
        windows.add(new Bounds(Math.max(start, begin), Math.min(stop, end), begin));
      }
    }
    return windows;
  }

  /** The same for any, slower by far. */
  List<Bounds> onTheClock(long start, long stop) {
    LocalDateTime zero = LocalDateTime.of(1970, 1, 1, 0, 0).plus(offset.count, offset.unit);
    LocalDateTime from = instant(start).atZone(zone).toLocalDateTime();
    LocalDateTime first = from.minus(period.count, period.unit).minus(step.count, step.unit);
    if (changesNear(instant(start))) {
      first = first.minusDays(2);
    }
    List<Bounds> windows = new ArrayList<>();
    for (long i = Math.floorDiv(step.unit.between(zero, first), step.count); ; i++) {
      LocalDateTime begin = zero.plus(Math.multiplyExact(i, step.count), step.unit);
      long wholeStart = nanos(begin);
      long wholeStop = nanos(begin.plus(period.count, period.unit));
      if (wholeStart >= stop) {
        return windows;
      }
      boolean again = wholeStart == nanos(begin.plus(step.count, step.unit));
      if (wholeStop > start && wholeStart < wholeStop && !again) {
        windows.add(new Bounds(Math.max(start, wholeStart), Math.min(stop, wholeStop), wholeStart));
      }
    }
  }

  /** Whether the clock is set within three days. */
  private boolean changesNear(Instant time) {
    ZoneOffsetTransition next = zone.getRules().nextTransition(time.minus(3, ChronoUnit.DAYS));
    return next != null && next.getInstant().isBefore(time.plus(3, ChronoUnit.DAYS));
  }

  /** The earliest moment at which the zone's clock shows a time, or first shows a later one. */
  private long nanos(LocalDateTime clock) {
    List<ZoneOffset> offsets = zone.getRules().getValidOffsets(clock);
    Instant moment =
        offsets.isEmpty()
            ? zone.getRules().getTransition(clock).getInstant()
            : clock.toInstant(offsets.get(0));
    return Math.addExact(
        Math.multiplyExact(moment.getEpochSecond(), 1_000_000_000L), moment.getNano());
  }

  private static Instant instant(long nanos) {
    return Instant.ofEpochSecond(
        Math.floorDiv(nanos, 1_000_000_000L), Math.floorMod(nanos, 1_000_000_000L));
  }
}
