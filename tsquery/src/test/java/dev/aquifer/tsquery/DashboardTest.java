package dev.aquifer.tsquery;

import static org.assertj.core.api.Assertions.assertThat;

import dev.aquifer.Tenant;
import java.time.Duration;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** What a dashboard that slides costs. */
class DashboardTest {
  private static final Tenant T1 = Tenant.of("t1");

  /** A day by minutes, refreshed every 10 s for an hour. */
  @Test
  void query_slidingForAnHour_fetchesAtMostOnePercent() throws Exception {
    SteppingClock clock = new SteppingClock(Schedule.NOON);
    PointsBackend backend = points(-90_000, 3_700, 5);
    TimeSeriesQuery query = minutes(Duration.ofDays(1)).select(Aggregate.MEAN, "value").build();
    try (TimeSeries series = TimeSeries.builder().backend(backend).clock(clock).build()) {
      T1.call(() -> series.query(query));
      long fetched = 0;
      long shown = 0;
      for (int i = 0; i < 360; i++) {
        clock.advance(Duration.ofSeconds(10));
        TimeSeriesResult result = T1.call(() -> series.query(query));
        assertThat(result.requests()).isLessThanOrEqualTo(1);
        fetched += result.fetched();
        shown += result.shown();
      }
      assertThat(fetched).isLessThanOrEqualTo(shown / 100);
    }
  }

  /** The two that the range cuts, the one that has become whole, and one that points may miss. */
  @Test
  void query_slidingByTenSeconds_fetchesFourWindowsInOneRequestAtMost() throws Exception {
    SteppingClock clock = new SteppingClock(Schedule.NOON);
    PointsBackend backend = points(-90_000, 3_700, 5);
    TimeSeriesQuery query = minutes(Duration.ofDays(1)).select(Aggregate.MEAN, "value").build();
    Duration late = Duration.ofMinutes(1);
    try (TimeSeries series =
        TimeSeries.builder().backend(backend).clock(clock).lateness(late).build()) {
      T1.call(() -> series.query(query));
      for (int i = 0; i < 360; i++) {
        clock.advance(Duration.ofSeconds(10));
        TimeSeriesResult result = T1.call(() -> series.query(query));
        assertThat(result.requests()).isEqualTo(1);
        assertThat(result.fetched()).isBetween(1L, 4L);
      }
    }
  }

  @Test
  void query_slidingByOneSettledWindow_fetchesTheTailAlone() throws Exception {
    SteppingClock clock = new SteppingClock(Schedule.NOON);
    PointsBackend backend = points(-7_200, 7_200, 30);
    TimeSeriesQuery query = minutes(Duration.ofHours(1)).select(Aggregate.COUNT, "value").build();
    try (TimeSeries series =
        TimeSeries.builder().backend(backend).clock(clock).lateness(Duration.ZERO).build()) {
      assertThat(T1.call(() -> series.query(query)).fetched()).isEqualTo(60);
      for (int i = 0; i < 100; i++) {
        clock.advance(Duration.ofMinutes(1));
        TimeSeriesResult result = T1.call(() -> series.query(query));
        assertThat(result.fetched()).isEqualTo(1);
        assertThat(result.requests()).isEqualTo(1);
        assertThat(result.shown()).isEqualTo(60);
      }
    }
  }

  private static PointsBackend points(int from, int to, int every) {
    PointsBackend backend = new PointsBackend();
    for (int i = from; i < to; i += every) {
      backend.add("t1", Nanos.of(Schedule.NOON.plusSeconds(i)), Map.of(), i);
    }
    return backend;
  }

  private static TimeSeriesQuery.Builder minutes(Duration last) {
    return TimeSeriesQuery.builder("vitals").every(Duration.ofMinutes(1)).last(last);
  }
}
