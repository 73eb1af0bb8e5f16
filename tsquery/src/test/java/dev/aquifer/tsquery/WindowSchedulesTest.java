package dev.aquifer.tsquery;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowable;

import dev.aquifer.Tenant;
import dev.aquifer.testkit.Proof;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.LongAdder;
import java.util.random.RandomGenerator;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/** Whatever happened before, a cached answer is the uncached one. */
class WindowSchedulesTest {
  private static final int STEPS = 60;

  @Test
  void query_afterRandomSchedules_equalsTheUncachedAnswer() {
    LongAdder shown = new LongAdder();
    LongAdder fetched = new LongAdder();
    Proof.of("window-schedules")
        .tries(3_000, 1_000_000)
        .each(
            random -> {
              Schedule schedule = schedule(random, 1 << 26);
              shown.add(schedule.shown());
              fetched.add(schedule.fetched());
            });
    // Equality would mean little if hardly anything came from the cache.
    assertThat(fetched.sum()).isLessThan(shown.sum() * 3 / 4);
  }

  @Test
  void query_afterRandomSchedulesWithLittleMemory_equalsTheUncachedAnswer() {
    Proof.of("window-schedules-evicting")
        .tries(500, 50_000)
        .each(random -> schedule(random, 20_000));
  }

  /** The epoch check is what keeps a fetch that an invalidation overtook from being kept. */
  @Test
  void query_afterAnOvertakenFetch_isStaleWithoutTheEpochCheckAlone() {
    assertThat(overtaken(true)).isNull();
    assertThat(overtaken(false)).isInstanceOf(AssertionError.class);
  }

  private static Schedule schedule(RandomGenerator random, long weight) throws Exception {
    PointsBackend backend = new PointsBackend();
    SteppingClock clock = new SteppingClock(Schedule.NOON);
    try (TimeSeries series = series(backend, clock, Schedule.exact(random), weight)) {
      List<TimeSeriesQuery> shapes =
          IntStream.range(0, 3).mapToObj(i -> Schedule.shape(random, "vitals")).toList();
      Schedule schedule = new Schedule(random, clock, series, writer(backend), shapes);
      schedule.run(STEPS);
      return schedule;
    }
  }

  /** While a fetch is under way, a point of its range is written and told of. */
  private static Throwable overtaken(boolean checked) {
    SteppingClock clock = new SteppingClock(Schedule.NOON);
    Instant late = Schedule.NOON.minusSeconds(95);
    TimeSeries[] holder = new TimeSeries[1];
    PointsBackend backend =
        new PointsBackend() {
          private boolean done;

          @Override
          public void fetch(FetchRequest request, RowSink sink) {
            super.fetch(request, sink);
            if (!done) {
              done = true;
              add("t1", Nanos.of(late), Map.of("device", "d1"), 5);
              holder[0].invalidate("vitals", late, late.plusNanos(1));
            }
          }
        };
    try (TimeSeries series = series(backend, clock, Ageing.defaults(), 1 << 26)) {
      holder[0] = series;
      series.cache().checkEpochs(checked);
      TimeSeriesQuery query =
          TimeSeriesQuery.builder("vitals")
              .select(Aggregate.COUNT, "value")
              .every(Duration.ofSeconds(10))
              .range(Schedule.NOON.minusSeconds(200), Schedule.NOON)
              .build();
      return catchThrowable(
          () -> {
            Tenant tenant = Tenant.of("t1");
            tenant.call(() -> series.query(query));
            TimeSeriesResult cached = tenant.call(() -> series.query(query));
            assertThat(cached.series())
                .isEqualTo(tenant.call(() -> series.queryUncached(query)).series());
          });
    }
  }

  private static Schedule.Writer writer(PointsBackend backend) {
    return (tenant, time, device, ward, value) ->
        backend.add(tenant, Nanos.of(time), Schedule.tags(device, ward), value);
  }

  private static TimeSeries series(
      Backend backend, SteppingClock clock, Ageing ageing, long weight) {
    return TimeSeries.builder()
        .backend(backend)
        .clock(clock)
        .ageing(ageing)
        .maximumWeight(weight)
        .build();
  }
}
