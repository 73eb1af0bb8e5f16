package dev.aquifer.docs;

import static org.assertj.core.api.Assertions.assertThat;

import dev.aquifer.Tenant;
import dev.aquifer.testkit.PostgresExtension;
import dev.aquifer.tsquery.Aggregate;
import dev.aquifer.tsquery.ColumnExpression;
import dev.aquifer.tsquery.FieldPredicate;
import dev.aquifer.tsquery.Fill;
import dev.aquifer.tsquery.PointPredicate;
import dev.aquifer.tsquery.PostgresBackend;
import dev.aquifer.tsquery.Selection;
import dev.aquifer.tsquery.Series;
import dev.aquifer.tsquery.SeriesTable;
import dev.aquifer.tsquery.Stage;
import dev.aquifer.tsquery.TagPredicate;
import dev.aquifer.tsquery.TimeSeries;
import dev.aquifer.tsquery.TimeSeriesQuery;
import dev.aquifer.tsquery.TimeSeriesResult;
import dev.aquifer.tsquery.ValueKind;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

class TimeSeriesQueriesTest {
  @RegisterExtension
  static final PostgresExtension POSTGRES =
      PostgresExtension.shared()
          .schema(
              "create table departure (tenant text, time timestamptz, destination text, delay int)",
              "insert into departure select 'DFW', timestamptz '2001-01-01 00:30Z' + i * interval"
                  + " '1 hour', case when i % 3 = 0 then 'LAX' else 'ORD' end, i % 30 - 5 from"
                  + " generate_series(0, 47) i where i not between 20 and 22");

  @Test
  void model() throws Exception {
    SeriesTable departures =
        SeriesTable.builder("departure").tag("destination").field("delay", ValueKind.LONG).build();
    TimeSeries series =
        TimeSeries.builder()
            .backend(PostgresBackend.of(POSTGRES.database().dataSource(), departures))
            .build();

    // snippet: time-series-model
    Instant start = Instant.parse("2001-01-01T00:00:00Z");
    TimeSeriesQuery late =
        TimeSeriesQuery.builder("departure")
            .select(Aggregate.MEDIAN, "delay")
            .select(Selection.quantile(0.95, "delay"))
            .select(Aggregate.COUNT, "delay")
            .where(TagPredicate.in("destination", List.of("LAX", "ORD")))
            .where(
                PointPredicate.or(
                    FieldPredicate.gt("delay", 0), TagPredicate.eq("destination", "LAX")))
            .range(start, start.plus(Duration.ofDays(2)))
            .every(Duration.ofHours(6))
            .build();
    Series found = Tenant.of("DFW").call(() -> series.query(late)).series().get(0);
    double median = found.column(Aggregate.MEDIAN, "delay").doubleAt(0);
    long high = found.column(Selection.quantile(0.95, "delay")).longAt(0);
    // end
    assertThat(median).isEqualTo(-3.5);
    assertThat(high).isEqualTo(-2);
    assertThat(found.size()).isEqualTo(8);

    // snippet: time-series-stages
    TimeSeriesQuery rising =
        TimeSeriesQuery.builder("departure")
            .select(Aggregate.MEAN, "delay")
            .select(Aggregate.COUNT, "delay")
            .range(start, start.plus(Duration.ofDays(2)))
            .every(Duration.ofHours(1))
            .fill(Fill.linear())
            .then(
                Stage.map(
                    "lost hours",
                    ColumnExpression.of(Aggregate.MEAN, "delay")
                        .times(ColumnExpression.of(Aggregate.COUNT, "delay"))
                        .dividedBy(ColumnExpression.constant(60))))
            .then(Stage.movingAverage(3))
            .then(Stage.top(5, "lost hours"))
            .build();
    TimeSeriesResult worst = Tenant.of("DFW").call(() -> series.query(rising));
    // end
    Series top = worst.series().get(0);
    assertThat(top.size()).isEqualTo(5);
    assertThat(top.column("lost hours").doubleAt(0))
        .isGreaterThanOrEqualTo(top.column("lost hours").doubleAt(4));
    TimeSeriesQuery others = rising.toBuilder().then(Stage.limit(1)).fill(Fill.none()).build();
    assertThat(Tenant.of("DFW").call(() -> series.query(others)).fetched()).isZero();
    series.close();
  }
}
