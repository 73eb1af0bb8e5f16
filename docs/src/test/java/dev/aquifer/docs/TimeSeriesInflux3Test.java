package dev.aquifer.docs;

import static org.assertj.core.api.Assertions.assertThat;

import dev.aquifer.Tenant;
import dev.aquifer.tsquery.Aggregate;
import dev.aquifer.tsquery.Explanation;
import dev.aquifer.tsquery.Influx3Backend;
import dev.aquifer.tsquery.TagPredicate;
import dev.aquifer.tsquery.TimeSeries;
import dev.aquifer.tsquery.TimeSeriesQuery;
import java.time.Duration;
import org.junit.jupiter.api.Test;

class TimeSeriesInflux3Test {
  @Test
  void influx3() throws Exception {
    String token = "t0ken";

    // snippet: time-series-influx3
    Influx3Backend influx =
        Influx3Backend.builder("https://influx:8181", "clinic").token(token).build();
    TimeSeries series = TimeSeries.builder().backend(influx).build();

    TimeSeriesQuery pulse =
        TimeSeriesQuery.builder("vitals")
            .select(Aggregate.MEAN, "heart_rate")
            .where(TagPredicate.eq("ward", "icu"))
            .last(Duration.ofHours(24))
            .every(Duration.ofMinutes(1))
            .groupBy("device")
            .build();
    Explanation explained = Tenant.of("t1").call(() -> series.explain(pulse));
    // end

    assertThat(explained.statements().get(0).text())
        .contains("\"tenant\" = $tenant AND", "\"ward\" IN ($p1)")
        .doesNotContain("t1", "icu");
    series.close();
  }
}
