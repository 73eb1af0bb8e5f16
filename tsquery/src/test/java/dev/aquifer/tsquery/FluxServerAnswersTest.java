package dev.aquifer.tsquery;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.aquifer.AquiferException;
import dev.aquifer.Tenant;
import dev.aquifer.testkit.Proof;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Locale;
import java.util.SplittableRandom;
import java.util.random.RandomGenerator;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Answers of a real InfluxDB 2.x against those of a reference, and cached ones against uncached
 * ones; where the test kit finds none there are no such tests.
 */
@ParameterizedClass(name = "{0}", allowZeroInvocations = true)
@MethodSource("forms")
class FluxServerAnswersTest extends FluxServer {
  FluxServerAnswersTest(Form form) {
    super(form);
  }

  /**
   * More series than the storage sorts in a stable way, others in a part of the range than in the
   * whole: what is added up in the order in which the server comes by it differs here.
   */
  @Test
  void query_floatsOfManySeriesInOneWindow_areTheSameHoweverTheyWereFetched() throws Exception {
    String own = measurement;
    RandomGenerator random = new SplittableRandom(7);
    StringBuilder lines = new StringBuilder();
    for (int device = 0; device < 40; device++) {
      for (int i = 0; i < 120; i++) {
        if (device % 4 == i / 36) {
          continue; // So that not all windows are of the same series.
        }
        lines.append(Lines.key(own, "t1", "d" + device, device % 3 == 0 ? "icu" : ""));
        lines.append(" value=").append(random.nextGaussian() * 1e3).append(' ');
        lines.append(Nanos.of(START.plusMillis(i * 5_000L + device))).append('\n');
      }
    }
    database.write(lines.toString());
    TimeSeriesQuery query =
        minutes(10)
            .select(Aggregate.MEAN, "value")
            .select(Aggregate.SUM, "value")
            .select(Aggregate.MIN, "value")
            .select(Aggregate.FIRST, "value")
            .select(Aggregate.LAST, "value")
            .select(Aggregate.STDDEV, "value")
            .select(Aggregate.MEDIAN, "value")
            .every(Duration.ofMinutes(3))
            .groupBy("ward")
            .build();

    TimeSeriesResult whole = uncached(query);
    for (int from = 0; from < 9; from += 3) {
      TimeSeriesResult part =
          uncached(
              query.withRange(
                  START.plus(Duration.ofMinutes(from)), START.plus(Duration.ofMinutes(from + 3))));
      int index = from / 3;
      for (int ward = 0; ward < 2; ward++) {
        for (int column = 0; column < query.selections().size(); column++) {
          assertThat(part.series().get(ward).columns().get(column).doubleAt(0))
              .as("%s of window %d", query.selections().get(column), index)
              .isEqualTo(whole.series().get(ward).columns().get(column).doubleAt(index));
        }
      }
    }
  }

  @Test
  void query_groupsThatAreTheSeries_sameAnswerFromTheServerAlone() throws Exception {
    for (int i = 0; i < 200; i++) {
      write("t1", START.plusSeconds(i), "d" + i % 5, i % 5 < 2 ? "icu" : "", i / 7.0);
    }
    try (TimeSeries alone =
        TimeSeries.builder()
            .backend(builder().tags(measurement, "device", "ward").build())
            .build()) {
      TimeSeriesQuery.Builder query = minutes(4).groupBy("device", "ward");
      EveryAggregate.of("value").forEach(query::select);
      assertThat(Tenant.of("t1").call(() -> alone.query(query.build())).series())
          .hasSize(5)
          .isEqualTo(answer("t1", query.build()).series());
      TimeSeriesQuery ward =
          minutes(4)
              .select(Aggregate.MEAN, "value")
              .groupBy("device")
              .where(TagPredicate.eq("ward", "icu"))
              .build();
      assertThat(Tenant.of("t1").call(() -> alone.query(ward)).series())
          .hasSize(2)
          .isEqualTo(answer("t1", ward).series());
    }
    try (TimeSeries wrong =
        TimeSeries.builder().backend(builder().tags(measurement, "ward").build()).build()) {
      TimeSeriesQuery ward = minutes(4).select(Aggregate.SUM, "value").groupBy("ward").build();
      assertThatThrownBy(() -> Tenant.of("t1").call(() -> wrong.query(ward)))
          .isInstanceOf(AquiferException.class)
          .hasMessageContaining("tell of all its tags");
    }
  }

  @Test
  void query_sumsOfIntegers_areThoseThatAreAddedUpInOrder() throws Exception {
    String own = measurement;
    RandomGenerator random = new SplittableRandom(11);
    StringBuilder lines = new StringBuilder();
    for (int device = 0; device < 40; device++) {
      for (int i = 0; i < 120; i++) {
        lines.append(Lines.key(own, "t1", "d" + device, device % 3 == 0 ? "icu" : ""));
        lines.append(" value=").append(random.nextInt(-1_000_000, 1_000_000)).append("i,real=0.5 ");
        lines.append(Nanos.of(START.plusMillis(i * 5_000L + device))).append('\n');
      }
    }
    database.write(lines.toString());
    TimeSeriesQuery query =
        minutes(10)
            .select(Aggregate.MEAN, "value")
            .select(Aggregate.SUM, "value")
            .every(Duration.ofMinutes(3))
            .groupBy("ward")
            .build();
    try (TimeSeries told =
        TimeSeries.builder().backend(builder().integers(own, "value").build()).build()) {
      assertThat(Tenant.of("t1").call(() -> told.query(query)).series())
          .hasSize(2)
          .isEqualTo(answer("t1", query).series());
      // In one window, and the sum alone.
      TimeSeriesQuery.Builder one = query.toBuilder().every(Duration.ofMinutes(10));
      TimeSeriesQuery sum = minutes(10).select(Aggregate.SUM, "value").build();
      for (TimeSeriesQuery each :
          List.of(one.build(), sum, sum.toBuilder().every(Duration.ofMinutes(10)).build())) {
        assertThat(Tenant.of("t1").call(() -> told.query(each)).series())
            .isEqualTo(answer("t1", each).series());
      }
    }
    try (TimeSeries wrong =
        TimeSeries.builder().backend(builder().integers(own, "real").build()).build()) {
      for (Aggregate aggregate : List.of(Aggregate.MEAN, Aggregate.SUM)) {
        TimeSeriesQuery real = minutes(10).select(aggregate, "real").build();
        assertThatThrownBy(() -> Tenant.of("t1").call(() -> wrong.query(real)))
            .isInstanceOf(AquiferException.class)
            .hasMessageContaining("told to be of integers");
      }
    }
  }

  @Test
  void query_anyShape_equalsTheReference() {
    Proof.of("flux-reference-" + form.name().toLowerCase(Locale.ROOT))
        .tries(25, 2_000)
        .each(this::equalsTheReference);
  }

  private void equalsTheReference(RandomGenerator random) throws Exception {
    String own = "ref" + COUNT.incrementAndGet();
    PointsBackend points = new PointsBackend();
    StringBuilder lines = new StringBuilder();
    for (int i = 0; i < 300; i++) {
      String tenant = random.nextInt(4) == 0 ? "t2" : "t1";
      String device = "d" + random.nextInt(20) + "'\\x";
      String ward = random.nextBoolean() ? "" : random.nextBoolean() ? "icu" : "er";
      // Times differ, so that no point takes another's place.
      long time = Nanos.of(START) + random.nextInt(600) * 1_000_000_000L + i;
      double value = random.nextInt(-1000, 1000) / 10.0;
      points.add(tenant, time, Schedule.tags(device, ward), value);
      lines.append(Lines.key(own, tenant, device, ward)).append(" value=").append(value);
      lines.append(' ').append(time).append('\n');
    }
    database.write(lines.toString());
    try (TimeSeries reference = TimeSeries.builder().backend(points).build()) {
      for (int i = 0; i < 8; i++) {
        Instant start = START.plusMillis(random.nextInt(-60_000, 600_000));
        TimeSeriesQuery query =
            Schedule.shape(random, own)
                .withRange(start, start.plusNanos(1 + random.nextLong(600_000_000_000L)));
        TimeSeriesResult expected = Tenant.of("t1").call(() -> reference.queryUncached(query));
        TimeSeriesResult answered = Tenant.of("t1").call(() -> series.query(query));
        assertThat(answered.series()).as("%s", query).isEqualTo(expected.series());
      }
    }
  }

  @Test
  void query_randomSchedules_equalTheUncachedAnswer() {
    Proof.of("window-schedules-flux-" + form.name().toLowerCase(Locale.ROOT))
        .tries(10, 1_000)
        .each(
            random -> {
              String own = "vitals" + COUNT.incrementAndGet();
              int scale = Schedule.scale(random);
              boolean whole = random.nextBoolean();
              SteppingClock clock = new SteppingClock(Schedule.NOON);
              FluxBackend.Builder backend = builder();
              if (random.nextBoolean()) {
                backend.tags(own, "device", "ward");
              }
              if (whole) {
                backend.integers(own, "value");
              }
              try (TimeSeries series =
                  TimeSeries.builder()
                      .backend(backend.build())
                      .clock(clock)
                      .ageing(Schedule.exact(random, scale))
                      .build()) {
                List<TimeSeriesQuery> shapes =
                    IntStream.range(0, 3)
                        .mapToObj(i -> Schedule.scaled(Schedule.shape(random, own), scale))
                        .toList();
                Schedule.Writer writer =
                    (tenant, time, device, ward, value) ->
                        database.write(
                            Lines.key(own, tenant, device, ward)
                                + (" value=" + (whole ? (long) value + "i" : "" + value))
                                + (" " + Nanos.of(time)));
                new Schedule(random, clock, series, writer, shapes)
                    .scaledBy(scale)
                    .ofWholeNumbers(whole)
                    .run(40);
              }
            });
  }

  @Test
  void query_randomSchedulesByTheCalendar_areWhatTheCalendarSays() {
    Proof.of("calendar-schedules-flux-" + form.name().toLowerCase(Locale.ROOT))
        .tries(6, 500)
        .each(
            random -> {
              String own = "vitals" + COUNT.incrementAndGet();
              FluxBackend.Builder backend = builder();
              if (random.nextBoolean()) {
                backend.tags(own, "device", "ward");
              }
              Schedule.Writer writer =
                  (tenant, time, device, ward, value) ->
                      database.write(
                          Lines.key(own, tenant, device, ward)
                              + (" value=" + value + " " + Nanos.of(time)));
              try (FluxBackend mapped = backend.build()) {
                new CalendarSchedule(random, writer, own, window -> true).run(mapped, 15);
              }
            });
  }
}
