package dev.aquifer.tsquery;

import dev.aquifer.ConfigurationException;
import java.time.Duration;

/**
 * How long a cached window is good for. It depends on how old the window was <em>when it was
 * fetched</em>, never on how old it is now: a window fetched while open stays a few seconds'
 * answer.
 *
 * <p>These times bound how late a change shows that nobody told of; what is told of by {@link
 * TimeSeries#invalidate} shows at once. A window fetched when its end was {@code lateness} ago or
 * more stays until it is voided or evicted.
 *
 * @param open a window whose end was not yet reached, and the empty windows at the end of the data;
 *     zero: always fetched
 * @param hot a window that ended less than {@code hotAge} before it was fetched
 * @param hotAge the end of hot
 * @param warm a window that ended less than {@code warmAge} before it was fetched
 * @param warmAge the end of warm
 * @param cold an older window
 * @param lateness points later than this do not come, or are told of
 */
public record Ageing(
    Duration open,
    Duration hot,
    Duration hotAge,
    Duration warm,
    Duration warmAge,
    Duration cold,
    Duration lateness) {
  private static final Duration LONGEST = Duration.ofDays(36_500);

  /**
   * Checks the order.
   *
   * @throws ConfigurationException when a duration is negative or over 36,500 days, or hot is not
   *     younger than warm
   */
  public Ageing {
    for (Duration each : new Duration[] {open, hot, hotAge, warm, warmAge, cold, lateness}) {
      if (each.isNegative() || each.compareTo(LONGEST) > 0) {
        throw new ConfigurationException(
            "A duration of ageing is %s; it must be 0 to %s.".formatted(each, LONGEST));
      }
    }
    if (hotAge.compareTo(warmAge) > 0) {
      throw new ConfigurationException(
          "Ageing: hot ends at age %s, which is after warm's end %s.".formatted(hotAge, warmAge));
    }
  }

  /**
   * 5 s while open; 5 min when fetched within the hour after its end; 30 min within the day; 2 h
   * later; for good after two days.
   */
  public static Ageing defaults() {
    return new Ageing(
        Duration.ofSeconds(5),
        Duration.ofMinutes(5),
        Duration.ofHours(1),
        Duration.ofMinutes(30),
        Duration.ofDays(1),
        Duration.ofHours(2),
        Duration.ofDays(2));
  }

  /**
   * Until when a window is good.
   *
   * @param end when it ends
   * @param now when it is fetched, by which it is {@code now} where it is not to be kept
   * @param trailing whether no window from it on has points
   */
  long until(long end, long now, boolean trailing) {
    // 292 years at most.
    long age = end < now - Long.MAX_VALUE ? Long.MAX_VALUE : now - end;
    if (age >= lateness.toNanos()) {
      return Segment.FOR_GOOD;
    }
    Duration time;
    if (age < 0 || (trailing && age < hotAge.toNanos())) {
      time = open;
    } else if (age < hotAge.toNanos()) {
      time = hot;
    } else {
      time = age < warmAge.toNanos() ? warm : cold;
    }
    return now + time.toNanos();
  }

  /** The same, with another time for windows that are still open. */
  public Ageing withOpen(Duration time) {
    return new Ageing(time, hot, hotAge, warm, warmAge, cold, lateness);
  }

  /** The same, with points that may come this late. */
  public Ageing withLateness(Duration time) {
    return new Ageing(open, hot, hotAge, warm, warmAge, cold, time);
  }
}
