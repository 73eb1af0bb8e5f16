package dev.aquifer.tsquery;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.aquifer.Tenant;
import dev.aquifer.UnavailableException;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;

/**
 * What is said of queries whose windows InfluxDB 2.x does not compute where it stores the points.
 */
class FluxRemarksTest {
  private static final Duration MINUTE = Duration.ofMinutes(1);
  private static final String GROUPED =
      "InfluxDB groups the points before it computes windows, as ";

  private final FluxBackend.Builder influx =
      FluxBackend.builder("http://influx:8086", "clinic", "vitals").token("t0ken");

  private List<String> remarks(TimeSeriesQuery.Builder query) throws Exception {
    try (TimeSeries series = TimeSeries.builder().backend(influx.build()).build()) {
      TimeSeriesQuery built = query.build();
      return Tenant.of("t1").call(() -> series.explain(built)).remarks();
    }
  }

  private static TimeSeriesQuery.Builder hourly(Aggregate aggregate) {
    return TimeSeriesQuery.builder("vitals")
        .select(aggregate, "pulse")
        .range(Schedule.NOON.minusSeconds(3_600), Schedule.NOON)
        .every(MINUTE);
  }

  @Test
  void remarks_ofWindowsThatTheStorageComputes_areNone() throws Exception {
    influx.tags("vitals", "device", "ward");
    for (Aggregate each : List.of(Aggregate.MEAN, Aggregate.COUNT, Aggregate.FIRST)) {
      assertThat(remarks(hourly(each).groupBy("device", "ward"))).isEmpty();
    }
  }

  /** In words of the query where it can be asked otherwise. */
  @Test
  void remarks_ofSharedWindows_sayWhatToDo() throws Exception {
    assertThat(remarks(hourly(Aggregate.MEAN).groupBy("device", "ward")))
        .containsExactly(
            GROUPED + "the tags of vitals are not known; tell of all of them by tags(…)");
    influx.tags("vitals", "device", "ward");
    for (Aggregate each : List.of(Aggregate.MEAN, Aggregate.COUNT, Aggregate.MEDIAN)) {
      assertThat(remarks(hourly(each).groupBy("ward")))
          .singleElement()
          .asString()
          .startsWith(GROUPED + "series that differ in [device] share them; group by these tags");
    }
  }

  @Test
  void remarks_ofWhatTheStorageCannotDo_sayWhy() throws Exception {
    influx.tags("vitals", "device", "ward");
    assertThat(remarks(hourly(Aggregate.STDDEV).groupBy("device", "ward")))
        .containsExactly("InfluxDB's storage has no standard deviations; it hands out the points");
    assertThat(
            remarks(
                hourly(Aggregate.MEAN).period(Duration.ofSeconds(20)).groupBy("device", "ward")))
        .containsExactly(
            "InfluxDB's storage hands over points before 'aggregateWindow': storage makes windows"
                + " only where the period is every");
    assertThat(remarks(hourly(Aggregate.MEDIAN).groupBy("device", "ward")))
        .singleElement()
        .asString()
        .contains("before 'map'");
  }

  /** A profile has the same. */
  @Test
  void profile_hasTheRemarksOfItsQuery() throws Exception {
    try (TimeSeries series = TimeSeries.builder().backend(refusing()).build()) {
      TimeSeriesQuery query = hourly(Aggregate.MEAN).groupBy("ward").build();
      Tenant t1 = Tenant.of("t1");
      List<String> said = t1.call(() -> series.explain(query)).remarks();
      assertThatThrownBy(() -> t1.call(() -> series.query(query)))
          .isInstanceOf(UnavailableException.class);
      assertThat(t1.call(series::profile))
          .singleElement()
          .satisfies(profile -> assertThat(profile.remarks()).isEqualTo(said).isNotEmpty());
    }
  }

  private Backend refusing() {
    return FluxBackend.builder("http://127.0.0.1:1", "clinic", "vitals").token("t0ken").build();
  }
}
