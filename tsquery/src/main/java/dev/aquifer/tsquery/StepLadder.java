package dev.aquifer.tsquery;

import dev.aquifer.RefusedQueryException;
import java.time.Duration;
import java.time.Period;
import java.time.ZoneId;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The steps that people read: parts of a second, a minute, an hour or a day that divide it, then
 * weeks, months, quarters, halves of a year and years.
 */
final class StepLadder {
  private static final List<Step> STEPS = steps();

  private StepLadder() {}

  /**
   * The shortest of them with which a range has at most so many windows. A relative range has them
   * wherever it lies, so that the step stays the same as it moves on.
   *
   * @throws RefusedQueryException there is none
   */
  static Step shortest(QueryRange range, int most, Step offset, ZoneId zone) {
    for (Step step : STEPS) {
      // Those of an offset that they cannot have are not for it.
      if (fits(step, offset) && windows(range, new Window(step, step, offset, zone)) <= most) {
        return step;
      }
    }
    throw new RefusedQueryException(
        "No step has at most %,d windows in %s; ask for more points, or a shorter range."
            .formatted(most, range));
  }

  /**
   * The longest of them, up to a limit, of which a fixed time is made up; null if there is none.
   */
  static @Nullable Step part(Step whole, long most) {
    Step longest = null;
    for (Step step : STEPS) {
      if (!step.calendar() && step.nanos() <= most && whole.nanos() % step.nanos() == 0) {
        longest = step;
      }
    }
    return longest;
  }

  private static boolean fits(Step step, Step offset) {
    return step.calendar()
        ? offset.calendar() || offset.shortest() < Step.of(Period.ofMonths(1)).shortest()
        : !offset.calendar();
  }

  private static long windows(QueryRange range, Window window) {
    if (range instanceof TimeRange fixed) {
      try {
        Edges edges = new Edges(window);
        return edges.last(fixed.stopNanos() - 1) + 1 - edges.firstOpen(fixed.startNanos());
      } catch (ArithmeticException e) {
        return Long.MAX_VALUE;
      }
    }
    long length = Nanos.of("last(…)", ((LastRange) range).duration());
    return (length - 1) / window.every().shortest() + 2;
  }

  private static List<Step> steps() {
    List<Step> steps = new ArrayList<>();
    for (int millis : new int[] {1, 2, 5, 10, 20, 50, 100, 200, 500}) {
      steps.add(Step.of(Duration.ofMillis(millis)));
    }
    int[] ofSixty = {1, 2, 5, 10, 15, 30};
    for (int seconds : ofSixty) {
      steps.add(Step.of(Duration.ofSeconds(seconds)));
    }
    for (int minutes : ofSixty) {
      steps.add(Step.of(Duration.ofMinutes(minutes)));
    }
    for (int hours : new int[] {1, 2, 3, 4, 6, 12}) {
      steps.add(Step.of(Duration.ofHours(hours)));
    }
    for (int days : new int[] {1, 7}) {
      steps.add(Step.of(Period.ofDays(days)));
    }
    for (int months : new int[] {1, 3, 6, 12, 24, 60, 120}) {
      steps.add(Step.of(Period.ofMonths(months)));
    }
    return List.copyOf(steps);
  }
}
