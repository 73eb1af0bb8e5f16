package dev.aquifer.tsquery;

import java.time.Duration;
import java.time.Period;
import java.time.ZoneId;
import java.util.random.RandomGenerator;

/** Random windows by the calendar and by clocks of zones, with edges on half minutes. */
final class Calendars {
  private static final int[] MINUTES = {1, 5, 7, 15, 20, 30, 45, 60, 90, 120, 180, 360, 720, 1440};

  private Calendars() {}

  static Window window(RandomGenerator random, ZoneId zone) {
    if (random.nextInt(4) == 0) {
      Step every = Step.of(Period.ofMonths(random.nextInt(1, 25)));
      Step period =
          switch (random.nextInt(4)) {
            case 0 -> Step.of(Period.ofMonths(random.nextInt(1, 40)));
            case 1 -> Step.of(Duration.ofHours(random.nextInt(1, 2_000)));
            default -> every;
          };
      Step offset =
          random.nextBoolean()
              ? Step.of(Period.ofMonths(random.nextInt(-12, 12)))
              : Step.of(Duration.ofMinutes(random.nextInt(28 * 1440)));
      return new Window(every, period, offset, zone);
    }
    Step every = Step.of(Duration.ofMinutes(MINUTES[random.nextInt(MINUTES.length)]));
    if (random.nextInt(4) == 0) {
      every = Step.of(Period.ofDays(random.nextInt(1, 15)));
    }
    long seconds = every.duration().toSeconds();
    Step period =
        switch (random.nextInt(4)) {
          case 0 -> Step.of(Duration.ofSeconds(30 * random.nextLong(1, seconds / 10 + 2)));
          case 1 -> Step.of(every.duration().multipliedBy(random.nextInt(1, 5)));
          default -> every;
        };
    Step offset = Step.of(Duration.ofSeconds(30L * random.nextInt(-3_000, 3_000)));
    return new Window(every, period, random.nextBoolean() ? Step.ZERO : offset, zone);
  }
}
