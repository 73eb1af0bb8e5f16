package dev.aquifer.tsquery;

import java.time.LocalDate;
import java.time.ZoneOffset;
import java.time.zone.ZoneRulesProvider;
import org.jspecify.annotations.Nullable;

/**
 * When the windows of a {@link Window} begin and end, in nanoseconds since the epoch, and which of
 * them a time is in. Exact: what does not fit in 64 bits is an {@link ArithmeticException}, never
 * another time. Starts and ends grow with the window's number, or stay as they are where a clock
 * skips. Immutable.
 */
final class Edges {
  private static final long DAY = 86_400 * Nanos.PER_SECOND;
  private static final long MAX_MONTHS = 12_000;

  private final Window window;
  private final int hash;
  private final boolean calendar;
  private final long every;
  private final long offset;
  private final long offsetNanos;
  private final Step period;
  private final @Nullable LocalClock clock;

  Edges(Window window) {
    this.window = window;
    this.hash = window.hashCode();
    this.calendar = window.every().calendar();
    this.every = calendar ? window.every().months() : window.every().nanos();
    this.offset = calendar ? window.offset().months() : window.offset().nanos();
    this.offsetNanos = calendar ? window.offset().nanos() : 0;
    this.period = window.period();
    this.clock =
        window.zone().equals(ZoneOffset.UTC) ? null : new LocalClock(window.zone().getRules());
  }

  /** When a window begins. */
  long start(long bucket) {
    return instant(localStart(bucket));
  }

  /** When a window ends. */
  long stop(long bucket) {
    return instant(localStop(bucket));
  }

  /** The last window that has begun at a time. */
  long last(long nanos) {
    return bucketOf(local(nanos));
  }

  /** The first window that has not ended at a time. */
  long firstOpen(long nanos) {
    long local = local(nanos);
    if (!period.calendar()) {
      return bucketOf(Math.subtractExact(local, period.nanos())) + 1;
    }
    long months = monthOf(Math.subtractExact(local, offsetNanos)) - offset - period.months();
    return Math.floorDiv(months, every) + 1;
  }

  /** Which rules of zones they go by, as processes may have different ones; empty: by none. */
  String rules() {
    if (clock == null || window.zone() instanceof ZoneOffset) {
      return "";
    }
    var versions = ZoneRulesProvider.getVersions(window.zone().getId());
    return versions.lastKey();
  }

  /** The starts of windows side by side. */
  long[] starts(long first, int count) {
    return instants(first, count, false);
  }

  /** The ends of windows side by side. */
  long[] stops(long first, int count) {
    return instants(first, count, true);
  }

  /** Equal where the windows are. */
  @Override
  public boolean equals(Object other) {
    return other instanceof Edges edges && window.equals(edges.window);
  }

  @Override
  public int hashCode() {
    return hash;
  }

  private long[] instants(long first, int count, boolean stops) {
    long[] instants = new long[count];
    if (clock != null && !calendar && count > 0) {
      clock.instants(stops ? localStop(first) : localStart(first), every, instants);
      return instants;
    }
    for (int i = 0; i < count; i++) {
      instants[i] = stops ? stop(first + i) : start(first + i);
    }
    return instants;
  }

  private long localStart(long bucket) {
    long steps = Math.addExact(Math.multiplyExact(bucket, every), offset);
    return calendar ? Math.addExact(monthStart(steps), offsetNanos) : steps;
  }

  private long localStop(long bucket) {
    if (!period.calendar()) {
      return Math.addExact(localStart(bucket), period.nanos());
    }
    long months = Math.addExact(Math.multiplyExact(bucket, every), offset);
    return Math.addExact(monthStart(Math.addExact(months, period.months())), offsetNanos);
  }

  private long bucketOf(long local) {
    long steps = calendar ? monthOf(Math.subtractExact(local, offsetNanos)) : local;
    return Math.floorDiv(Math.subtractExact(steps, offset), every);
  }

  private long local(long nanos) {
    return clock == null ? nanos : clock.local(nanos);
  }

  private long instant(long local) {
    return clock == null ? local : clock.instant(local);
  }

  private static long monthStart(long month) {
    if (month > MAX_MONTHS || month < -MAX_MONTHS) {
      throw new ArithmeticException("month " + month);
    }
    int year = (int) (1970 + Math.floorDiv(month, 12L));
    return Math.multiplyExact(
        LocalDate.of(year, (int) Math.floorMod(month, 12L) + 1, 1).toEpochDay(), DAY);
  }

  private static long monthOf(long local) {
    LocalDate day = LocalDate.ofEpochDay(Math.floorDiv(local, DAY));
    return (day.getYear() - 1970L) * 12 + day.getMonthValue() - 1;
  }
}
