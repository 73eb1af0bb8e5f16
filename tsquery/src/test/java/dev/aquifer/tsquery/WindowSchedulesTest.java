package dev.aquifer.tsquery;

import static org.assertj.core.api.Assertions.assertThat;

import dev.aquifer.testkit.Proof;
import java.util.List;
import java.util.SplittableRandom;
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
        .tries(2_000, 1_000_000)
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
        .tries(300, 50_000)
        .each(random -> schedule(random, 20_000));
  }

  /** The epoch check is what keeps a fetch that an invalidation overtook from being kept. */
  @Test
  void query_afterRandomSchedulesWithoutTheEpochCheck_isStaleSometimes() throws Exception {
    int stale = 0;
    for (long seed = 0; seed < 100; seed++) {
      try {
        schedule(new SplittableRandom(seed), 1 << 26, false);
      } catch (AssertionError e) {
        stale++;
      }
    }
    assertThat(stale).isPositive();
  }

  private static Schedule schedule(RandomGenerator random, long weight) throws Exception {
    return schedule(random, weight, true);
  }

  private static Schedule schedule(RandomGenerator random, long weight, boolean epochsChecked)
      throws Exception {
    OvertakenBackend backend = new OvertakenBackend();
    SteppingClock clock = new SteppingClock(Schedule.NOON);
    try (TimeSeries series = series(backend, clock, Schedule.exact(random), weight)) {
      List<TimeSeriesQuery> shapes =
          IntStream.range(0, 3).mapToObj(i -> Schedule.shape(random, "vitals")).toList();
      series.cache().checkEpochs(epochsChecked);
      Schedule schedule =
          new Schedule(random, clock, series, writer(backend), shapes)
              .overtaking(change -> backend.afterRead = change);
      schedule.run(STEPS);
      return schedule;
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

  /** Does what it is told between a read and the keeping of what was read, once. */
  private static final class OvertakenBackend extends PointsBackend {
    private Runnable afterRead = () -> {};

    @Override
    public void fetch(FetchRequest request, RowSink sink) {
      super.fetch(request, sink);
      Runnable change = afterRead;
      afterRead = () -> {};
      change.run();
    }
  }
}
