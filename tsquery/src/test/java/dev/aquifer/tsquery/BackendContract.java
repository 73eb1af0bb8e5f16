package dev.aquifer.tsquery;

import static org.assertj.core.api.Assertions.assertThat;

import dev.aquifer.Tenant;
import java.time.Duration;
import java.time.Instant;
import java.util.List;

/**
 * What is so on every server.
 *
 * @param series in front of it
 * @param measurement without points
 * @param writer writes to it
 */
record BackendContract(TimeSeries series, String measurement, Schedule.Writer writer) {
  private static final Instant START = Instant.parse("2026-03-01T00:00:00Z");

  /** All that are asked for, of two windows with points. */
  void aggregates(List<Selection> selections) throws Exception {
    writer.write("t1", START.plusSeconds(10), "d1", "icu", 4.0);
    writer.write("t1", START.plusSeconds(20), "d1", "icu", -2.5);
    writer.write("t1", START.plusSeconds(60), "d1", "icu", 7.0);
    TimeSeriesQuery.Builder query = minutes(3);
    selections.forEach(query::select);

    Series answer = only(query.build());

    assertThat(answer.start(1)).isEqualTo(START.plusSeconds(60));
    EveryAggregate.assertComputed(answer);
  }

  /** Windows are counted from the epoch, backwards too. */
  void windowsBeforeTheEpoch() throws Exception {
    writer.write("t1", Instant.parse("1969-12-31T23:59:59.5Z"), "d1", "", 1);
    writer.write("t1", Instant.EPOCH, "d1", "", 2);
    TimeSeriesQuery query =
        TimeSeriesQuery.builder(measurement)
            .select(Aggregate.COUNT, "value")
            .every(Duration.ofSeconds(10))
            .offset(Duration.ofSeconds(3))
            .range(Instant.ofEpochSecond(-60), Instant.ofEpochSecond(60))
            .build();

    Series answer = only(query);

    assertThat(answer.size()).isEqualTo(1);
    assertThat(answer.start(0)).isEqualTo(Instant.ofEpochSecond(-7));
    assertThat(answer.columns().get(0).longAt(0)).isEqualTo(2);
  }

  /** Each value finds the point that has it as its device, and no other. */
  void hostileTagValues(List<String> values) throws Exception {
    for (int i = 0; i < values.size(); i++) {
      writer.write("t1", START.plusSeconds(i), values.get(i), "icu", i + 1);
    }
    for (int i = 0; i < values.size(); i++) {
      String value = values.get(i);
      for (PointPredicate predicate :
          List.of(
              TagPredicate.eq("device", value),
              TagPredicate.in("device", List.of(value, value)),
              PointPredicate.not(TagPredicate.ne("device", value)),
              TagPredicate.matches("device", "^" + Lines.regex(value) + "$"))) {
        TimeSeriesQuery query =
            minutes(60).select(Aggregate.SUM, "value").where(predicate).groupBy("device").build();
        Series found = only(query);
        assertThat(found.group()).containsEntry("device", value);
        assertThat(found.columns().get(0).doubleAt(0)).as(value).isEqualTo(i + 1);
      }
    }
  }

  private TimeSeriesQuery.Builder minutes(int minutes) {
    return TimeSeriesQuery.builder(measurement)
        .every(Duration.ofMinutes(1))
        .range(START, START.plus(Duration.ofMinutes(minutes)));
  }

  private Series only(TimeSeriesQuery query) throws Exception {
    List<Series> all = Tenant.of("t1").call(() -> series.query(query)).series();
    assertThat(all).as("%s", query).hasSize(1);
    return all.get(0);
  }
}
