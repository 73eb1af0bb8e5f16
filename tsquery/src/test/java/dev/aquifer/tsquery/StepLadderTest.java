package dev.aquifer.tsquery;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.aquifer.RefusedQueryException;
import dev.aquifer.testkit.Proof;
import java.time.Duration;
import java.time.Instant;
import java.time.Period;
import java.time.ZoneId;
import org.junit.jupiter.api.Test;

class StepLadderTest {
  private static final Instant START = Instant.parse("2026-03-01T00:00:00Z");

  @Test
  void maxPoints_ofAnAlignedDay_areItsMinutes() {
    TimeSeriesQuery day = query().range(START, START.plus(Duration.ofDays(1))).build();

    assertThat(day.window().every()).isEqualTo(Step.of(Duration.ofMinutes(1)));
    // A nanosecond more, and it touches one window more.
    assertThat(day.withRange(START, START.plus(Duration.ofDays(1)).plusNanos(1)).window().every())
        .isEqualTo(Step.of(Duration.ofMinutes(2)));
    assertThat(day.fingerprint())
        .isEqualTo(
            TimeSeriesQuery.builder("m")
                .select(Aggregate.SUM, "v")
                .every(Duration.ofMinutes(1))
                .last(Duration.ofDays(1))
                .build()
                .fingerprint());
  }

  @Test
  void maxPoints_ofARelativeRange_areEnoughWhereverItLies() {
    TimeSeriesQuery day = query().last(Duration.ofDays(1)).build();

    assertThat(day.window().every()).isEqualTo(Step.of(Duration.ofMinutes(2)));
  }

  @Test
  void maxPoints_ofYears_areCalendarMonthsOfTheZone() {
    TimeSeriesQuery years =
        query(30).last(Duration.ofDays(700)).zone(ZoneId.of("Europe/Berlin")).build();

    assertThat(years.window().every()).isEqualTo(Step.of(Period.ofMonths(1)));
    assertThat(years.window().zone()).isEqualTo(ZoneId.of("Europe/Berlin"));
  }

  @Test
  void maxPoints_ofAnyRange_areNeverMore() {
    Proof.of("step-ladder")
        .tries(2_000, 200_000)
        .each(
            random -> {
              int most = random.nextInt(2, 2_000);
              long length = 1 + (long) Math.exp(random.nextDouble(Math.log(3e17)));
              ZoneId zone = ZoneId.of(random.nextBoolean() ? "Europe/Berlin" : "Z");
              TimeSeriesQuery query =
                  query(most)
                      .last(Duration.ofNanos(length))
                      .offset(Duration.ofMinutes(random.nextInt(2_000)))
                      .zone(zone)
                      .build();
              Instant stop = START.plusNanos(random.nextLong(100_000_000_000_000_000L));
              TimeRange range = new TimeRange(stop.minusNanos(length), stop);
              QueryLimits limits = new QueryLimits(10_000, Duration.ofDays(40_000), 10_000);
              WindowGrid grid = WindowGrid.of(query.window(), range, limits, 1);
              // Windows of an hour that a clock leaves out have numbers, and are not there.
              assertThat(grid.count(grid.first(), grid.end()))
                  .as("%s in %s", query.window(), range)
                  .isLessThanOrEqualTo(most);
            });
  }

  @Test
  void maxPoints_contradictions_areRefused() {
    assertThatThrownBy(() -> query(1)).isInstanceOf(RefusedQueryException.class);
    assertThatThrownBy(() -> query().every(Duration.ofMinutes(1)))
        .isInstanceOf(RefusedQueryException.class)
        .hasMessageContaining("maxPoints(1440)");
    assertThatThrownBy(() -> TimeSeriesQuery.builder("m").every(Period.ofDays(1)).maxPoints(9))
        .isInstanceOf(RefusedQueryException.class)
        .hasMessageContaining("PT24H");
    assertThatThrownBy(() -> query().last(Duration.ofDays(1)).period(Duration.ofMinutes(5)).build())
        .isInstanceOf(RefusedQueryException.class)
        .hasMessageContaining("PT5M");
    assertThatThrownBy(() -> query(2).last(Duration.ofDays(36_500)).build())
        .isInstanceOf(RefusedQueryException.class)
        .hasMessageContaining("at most 2 windows");
  }

  private static TimeSeriesQuery.Builder query() {
    return query(1_440);
  }

  private static TimeSeriesQuery.Builder query(int most) {
    return TimeSeriesQuery.builder("m").select(Aggregate.SUM, "v").maxPoints(most);
  }
}
