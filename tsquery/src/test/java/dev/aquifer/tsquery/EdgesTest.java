package dev.aquifer.tsquery;

import static org.assertj.core.api.Assertions.assertThat;

import dev.aquifer.testkit.Proof;
import java.time.Duration;
import java.time.Instant;
import java.time.LocalDate;
import java.time.LocalDateTime;
import java.time.Period;
import java.time.ZoneId;
import java.time.ZoneOffset;
import java.time.zone.ZoneOffsetTransition;
import java.util.ArrayList;
import java.util.List;
import java.util.TreeMap;
import java.util.random.RandomGenerator;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;

/** Edges of windows, against a clock that is watched tick by tick, around changes of all zones. */
class EdgesTest {
  private static final long TICK = 30;
  private static final long WATCHED = Duration.ofDays(5).toSeconds();
  private static final List<ZoneId> ZONES =
      ZoneId.getAvailableZoneIds().stream().sorted().map(ZoneId::of).toList();

  @Test
  void edges_aroundChangesOfAnyZone_areWhereAWatchedClockFirstShowsThem() {
    Proof.of("window-edges").tries(100, 20_000).each(EdgesTest::edgesAgree);
  }

  @Test
  void edges_ofMonthsAndYears_areThoseOfTheCalendar() {
    for (Period period : List.of(Period.ofMonths(1), Period.ofMonths(3), Period.ofYears(1))) {
      Edges edges = new Edges(window(Step.of(period), ZoneOffset.UTC));
      for (long i = -290 / period.toTotalMonths() * 12; i < 290; i++) {
        LocalDate first = LocalDate.EPOCH.plusMonths(i * period.toTotalMonths());
        if (Math.abs(first.getYear() - 1970) > 290) {
          continue;
        }
        long start = Nanos.of(first.atStartOfDay().toInstant(ZoneOffset.UTC));
        assertThat(edges.start(i)).isEqualTo(start);
        assertThat(edges.stop(i - 1)).isEqualTo(start);
        assertThat(edges.last(start)).isEqualTo(i);
        assertThat(edges.last(start - 1)).isEqualTo(i - 1);
        assertThat(edges.firstOpen(start)).isEqualTo(i);
        assertThat(edges.firstOpen(start - 1)).isEqualTo(i - 1);
      }
    }
  }

  @Test
  void edges_ofWeeks_areThursdays() {
    Edges weeks = new Edges(window(Step.of(Period.ofWeeks(1)), ZoneOffset.UTC));

    assertThat(Nanos.instant(weeks.start(weeks.last(nanos("2026-03-04T12:00:00Z")))))
        .isEqualTo("2026-02-26T00:00:00Z");
  }

  @Test
  void edges_ofTheDayThatSamoaSkipped_areOneMoment() {
    Edges days = new Edges(window(Step.of(Period.ofDays(1)), ZoneId.of("Pacific/Apia")));
    long skipped = LocalDate.of(2011, 12, 30).toEpochDay();

    assertThat(Nanos.instant(days.start(skipped))).isEqualTo("2011-12-30T10:00:00Z");
    assertThat(days.stop(skipped)).isEqualTo(days.start(skipped));
    assertThat(days.last(days.start(skipped))).isEqualTo(skipped + 1);
  }

  @Test
  void edges_ofARepeatedHour_holdItAlongWithTheFirst() {
    Edges hours = new Edges(window(Step.of(Duration.ofHours(1)), ZoneId.of("Europe/Berlin")));
    long twice = hours.last(nanos("2026-10-25T00:30:00Z"));

    assertThat(Nanos.instant(hours.start(twice))).isEqualTo("2026-10-25T00:00:00Z");
    assertThat(Nanos.instant(hours.stop(twice))).isEqualTo("2026-10-25T02:00:00Z");
    assertThat(hours.last(nanos("2026-10-25T01:59:59Z"))).isEqualTo(twice);
  }

  @Test
  void edges_ofAFixedZone_areThoseOfAnOffset() {
    Window india = window(Step.of(Duration.ofDays(1)), ZoneId.of("UTC+05:30"));

    assertThat(india)
        .isEqualTo(new Window(Duration.ofDays(1), Duration.ofHours(-5).minusMinutes(30)));
    assertThat(india.even()).isTrue();
    Edges months = new Edges(window(Step.of(Period.ofMonths(1)), ZoneOffset.ofHours(9)));
    assertThat(Nanos.instant(months.start(0))).isEqualTo("1969-12-31T15:00:00Z");
    assertThat(months.rules()).isEmpty();
  }

  @Test
  void startsAndStops_ofManyWindows_areThoseOfEach() {
    for (int every : new int[] {7, 45}) {
      Window window =
          new Window(
              Step.of(Duration.ofMinutes(every)),
              Step.of(Duration.ofMinutes(100)),
              Step.of(Duration.ofMinutes(3)),
              ZoneId.of("Australia/Lord_Howe"));
      Edges edges = new Edges(window);
      long first = edges.last(nanos("2026-03-01T00:00:00Z"));

      long[] starts = edges.starts(first, 50_000);
      long[] stops = edges.stops(first, 50_000);

      for (int i = 0; i < starts.length; i++) {
        assertThat(starts[i]).isEqualTo(edges.start(first + i));
        assertThat(stops[i]).isEqualTo(edges.stop(first + i));
      }
    }
  }

  private static void edgesAgree(RandomGenerator random) {
    ZoneId zone = ZONES.get(random.nextInt(ZONES.size()));
    Instant around = change(random, zone);
    Window window = Calendars.window(random, zone);
    Edges edges = new Edges(window);
    long from = Math.floorDiv(around.getEpochSecond() - WATCHED / 2, TICK) * TICK;
    Watched watched = new Watched(window.zone(), from, from + WATCHED);

    TreeMap<Long, Long> locals = new TreeMap<>();
    long lowest = edges.last((from - TICK) * Nanos.PER_SECOND) - Window.MAX_OVERLAP - 1;
    for (long i = lowest; ; i++) {
      long local = localStart(window, i);
      if (local > watched.last()) {
        break;
      }
      locals.put(i, local);
      // What had begun before the clock was watched is of no use.
      if (local > watched.first()) {
        assertThat(edges.start(i)).as("start of %d of %s", i, window).isEqualTo(watched.at(local));
      }
      long stop = localStop(window, i);
      if (stop > watched.first() && stop <= watched.last()) {
        assertThat(edges.stop(i)).as("stop of %d of %s", i, window).isEqualTo(watched.at(stop));
      }
    }
    for (int j = 0; j < 200; j++) {
      int tick = random.nextInt(1, watched.locals.length);
      long time = (from + tick * TICK) * Nanos.PER_SECOND;
      long shown = watched.locals[tick];
      long last =
          locals.entrySet().stream()
              .filter(each -> each.getValue() <= shown)
              .mapToLong(each -> each.getKey())
              .max()
              .orElseThrow();
      assertThat(edges.last(time)).as("%s at %s", window, Nanos.instant(time)).isEqualTo(last);
      long open = last;
      while (localStop(window, open) <= shown) {
        open++;
      }
      while (localStop(window, open - 1) > shown) {
        open--;
      }
      assertThat(edges.firstOpen(time)).as("%s at %s", window, Nanos.instant(time)).isEqualTo(open);
    }
  }

  /** When something happens to the clock, or some time where nothing ever does. */
  private static Instant change(RandomGenerator random, ZoneId zone) {
    List<ZoneOffsetTransition> changes = new ArrayList<>();
    for (ZoneOffsetTransition each : zone.getRules().getTransitions()) {
      if (each.getInstant().isAfter(Instant.parse("1850-01-01T00:00:00Z"))
          && each.getOffsetBefore().getTotalSeconds() % TICK == 0
          && each.getOffsetAfter().getTotalSeconds() % TICK == 0
          && each.toEpochSecond() % TICK == 0) {
        changes.add(each);
      }
    }
    for (ZoneOffsetTransition next =
            zone.getRules().nextTransition(Instant.parse("2024-01-01T00:00:00Z"));
        next != null && changes.size() < 200 && next.getInstant().isBefore(Instant.MAX);
        next = zone.getRules().nextTransition(next.getInstant())) {
      changes.add(next);
      if (next.getInstant().isAfter(Instant.parse("2040-01-01T00:00:00Z"))) {
        break;
      }
    }
    return changes.isEmpty()
        ? Instant.ofEpochSecond(random.nextLong(0, 3_000_000_000L))
        : changes.get(random.nextInt(changes.size())).getInstant();
  }

  private static long localStart(Window window, long i) {
    return local(
        LocalDateTime.ofEpochSecond(0, 0, ZoneOffset.UTC)
            .plusMonths(window.offset().months() + i * window.every().months())
            .plus(window.offset().duration())
            .plus(window.every().duration().multipliedBy(i)));
  }

  private static long localStop(Window window, long i) {
    return local(
        LocalDateTime.ofEpochSecond(0, 0, ZoneOffset.UTC)
            .plusMonths(
                window.offset().months() + i * window.every().months() + window.period().months())
            .plus(window.offset().duration())
            .plus(window.every().duration().multipliedBy(i))
            .plus(window.period().duration()));
  }

  private static long local(LocalDateTime time) {
    return time.toEpochSecond(ZoneOffset.UTC);
  }

  private static Window window(Step every, ZoneId zone) {
    return new Window(every, every, Step.ZERO, zone);
  }

  private static long nanos(String time) {
    return Nanos.of(Instant.parse(time));
  }

  /** The latest that a clock has shown, tick by tick. */
  private static final class Watched {
    private final long from;
    private final long[] locals;

    Watched(ZoneId zone, long from, long to) {
      this.from = from;
      this.locals = new long[(int) ((to - from) / TICK)];
      long latest =
          LongStream.iterate(from - 2 * 86_400, at -> at <= from, at -> at + TICK)
              .map(at -> shown(zone, at))
              .max()
              .orElseThrow();
      for (int i = 0; i < locals.length; i++) {
        latest = Math.max(latest, shown(zone, from + i * TICK));
        locals[i] = latest;
      }
    }

    private static long shown(ZoneId zone, long at) {
      return at + zone.getRules().getOffset(Instant.ofEpochSecond(at)).getTotalSeconds();
    }

    long first() {
      return locals[0];
    }

    long last() {
      return locals[locals.length - 1];
    }

    /** When it first showed a time or a later one, in nanoseconds. */
    long at(long local) {
      int low = 0;
      int high = locals.length - 1;
      while (low < high) {
        int middle = (low + high) / 2;
        if (locals[middle] >= local) {
          high = middle;
        } else {
          low = middle + 1;
        }
      }
      return (from + low * TICK) * Nanos.PER_SECOND;
    }
  }
}
