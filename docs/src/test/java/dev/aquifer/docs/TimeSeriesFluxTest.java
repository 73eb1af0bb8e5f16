package dev.aquifer.docs;

import static org.assertj.core.api.Assertions.assertThat;

import dev.aquifer.Tenant;
import dev.aquifer.tsquery.Aggregate;
import dev.aquifer.tsquery.Backend;
import dev.aquifer.tsquery.Explanation;
import dev.aquifer.tsquery.FluxBackend;
import dev.aquifer.tsquery.TagPredicate;
import dev.aquifer.tsquery.TimeSeries;
import dev.aquifer.tsquery.TimeSeriesQuery;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class TimeSeriesFluxTest {
  @Test
  void influx() throws Exception {
    String token = "t0ken";

    // snippet: time-series-flux
    Backend influx =
        FluxBackend.builder("http://influx:8086", "clinic", "vitals")
            .token(token)
            .tags("vitals", "device", "ward") // all of them but the tenant's; optional
            .integers("vitals", "spo2") // optional
            .build();
    TimeSeries series = TimeSeries.builder().backend(influx).build();

    TimeSeriesQuery pulse =
        TimeSeriesQuery.builder("vitals")
            .select(Aggregate.MEAN, "heart_rate")
            .where(TagPredicate.in("ward", List.of("icu", "er")))
            .last(Duration.ofHours(24))
            .every(Duration.ofMinutes(1))
            .groupBy("device", "ward")
            .build();
    Explanation explained = Tenant.of("t1").call(() -> series.explain(pulse));
    // end

    assertThat(explained.statements()).hasSize(1);
    Map<String, Object> params = new LinkedHashMap<>();
    explained.statements().get(0).values().forEach(v -> params.put("p" + params.size(), v));
    EmittedFlux.accepted("time-series-flux", explained.statements().get(0).text(), params);
    assertThat(explained.statements().get(0).text())
        .contains("from(bucket: params.p0)", "r[\"ward\"] == params.", "fn: mean")
        .doesNotContain("t1", "icu", "group(");
    assertThat(explained.remarks()).isEmpty();
    TimeSeriesQuery gaps = pulse.toBuilder().period(Duration.ofSeconds(20)).build();
    assertThat(Tenant.of("t1").call(() -> series.explain(gaps)).remarks())
        .containsExactly(
            "InfluxDB's storage hands over points before 'aggregateWindow': storage makes windows"
                + " only where the period is every");
    series.close();
  }
}
