package dev.aquifer.tsquery;

import static org.assertj.core.api.Assertions.assertThat;

import dev.aquifer.testkit.Proof;
import java.time.Duration;
import java.time.Instant;
import java.time.Period;
import java.time.ZoneId;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.atomic.LongAdder;
import java.util.random.RandomGenerator;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/** Whatever happened before, a cached answer is the reference's, and so is the uncached one. */
class WindowSchedulesTest {
  private static final int STEPS = 60;

  /** Close to moments at which clocks are set, or a day is left out. */
  private static final List<String> CHANGES =
      List.of("2026-03-29T06:00:00Z", "2026-10-25T12:00:00Z", "2011-12-30T09:00:00Z");

  private static final List<String> ZONES =
      List.of(
          "UTC",
          "Europe/Berlin",
          "America/New_York",
          "Asia/Kolkata",
          "Pacific/Apia",
          "Australia/Lord_Howe",
          "+05:30");

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

  /** Days, weeks and months, in zones whose clocks are set meanwhile, overlapping and with gaps. */
  @Test
  void query_afterRandomSchedulesOnTheClock_equalsTheReference() {
    Proof.of("window-schedules-clock").tries(300, 300_000).each(random -> calendarSchedule(random));
  }

  private static void calendarSchedule(RandomGenerator random) throws Exception {
    boolean whole = random.nextBoolean();
    OvertakenBackend backend = new OvertakenBackend(whole);
    SteppingClock clock = new SteppingClock(Instant.parse(one(random, CHANGES)));
    Ageing ageing = Schedule.exact(random, Schedule.DAYS);
    try (TimeSeries series = series(backend, clock, ageing, 1 << 26)) {
      List<TimeSeriesQuery> shapes =
          IntStream.range(0, 3).mapToObj(i -> onTheClock(random)).toList();
      new Schedule(random, clock, series, writer(backend), shapes)
          .scaledBy(Schedule.DAYS)
          .ofWholeNumbers(whole)
          .judgedBy(new ReferenceAnswer(whole))
          .overtaking(change -> backend.afterRead = change)
          .run(STEPS / 2);
    }
  }

  private static TimeSeriesQuery onTheClock(RandomGenerator random) {
    TimeSeriesQuery.Builder query =
        Schedule.shape(random, "vitals").toBuilder().zone(ZoneId.of(one(random, ZONES)));
    if (random.nextInt(4) == 0) {
      query.every(Period.ofMonths(random.nextInt(1, 4)));
      query.offset(Period.ofMonths(random.nextInt(3)));
      switch (random.nextInt(4)) {
        case 0 -> query.period(Period.ofMonths(random.nextInt(1, 6)));
        case 1 -> query.period(Duration.ofHours(random.nextInt(1, 1_500)));
        default -> {}
      }
    } else {
      Duration every = Duration.ofHours(random.nextInt(1, 60));
      if (random.nextInt(3) == 0) {
        every = Duration.ofDays(random.nextInt(1, 9));
      }
      query.every(every).offset(Duration.ofMinutes(30L * random.nextInt(-48, 48)));
      switch (random.nextInt(4)) {
        case 0 -> query.period(Duration.ofMinutes(random.nextLong(1, every.toMinutes() + 1)));
        case 1 -> query.period(every.multipliedBy(random.nextInt(1, 4)).plusMinutes(30));
        default -> {}
      }
    }
    return query.build();
  }

  private static String one(RandomGenerator random, List<String> of) {
    return of.get(random.nextInt(of.size()));
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
    OvertakenBackend backend = new OvertakenBackend(false);
    SteppingClock clock = new SteppingClock(Schedule.NOON);
    try (TimeSeries series = series(backend, clock, Schedule.exact(random), weight)) {
      List<TimeSeriesQuery> shapes =
          IntStream.range(0, 3).mapToObj(i -> Schedule.shape(random, "vitals")).toList();
      series.cache().checkEpochs(epochsChecked);
      Schedule schedule =
          new Schedule(random, clock, series, writer(backend), shapes)
              .judgedBy(new ReferenceAnswer())
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
    private final boolean whole;
    private Runnable afterRead = () -> {};

    OvertakenBackend(boolean whole) {
      this.whole = whole;
    }

    @Override
    boolean whole() {
      return whole;
    }

    /** What a query reads is read at one time, so that it is one answer that is overtaken. */
    @Override
    public int queriesInRequest() {
      return 2;
    }

    @Override
    public void fetchAll(List<FetchRequest> requests, BatchSink sink) {
      Runnable change = afterRead;
      afterRead = () -> {};
      super.fetchAll(requests, sink);
      change.run();
    }

    @Override
    public void fetch(FetchRequest request, RowSink sink) {
      super.fetch(request, sink);
      Runnable change = afterRead;
      afterRead = () -> {};
      change.run();
    }
  }
}
