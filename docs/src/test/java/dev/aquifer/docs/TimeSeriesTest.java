package dev.aquifer.docs;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.aquifer.RefusedQueryException;
import dev.aquifer.Tenant;
import dev.aquifer.testkit.PostgresExtension;
import dev.aquifer.tsquery.Aggregate;
import dev.aquifer.tsquery.PostgresBackend;
import dev.aquifer.tsquery.SeriesTable;
import dev.aquifer.tsquery.TimeSeries;
import dev.aquifer.tsquery.TimeSeriesQuery;
import dev.aquifer.tsquery.TimeSeriesResult;
import dev.aquifer.tsquery.ValueKind;
import java.time.Duration;
import java.time.Instant;
import javax.sql.DataSource;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

class TimeSeriesTest {
  @RegisterExtension
  static final PostgresExtension POSTGRES =
      PostgresExtension.shared()
          .schema(
              "create table flight (tenant text, departed_at timestamptz, destination text, delay_minutes int)",
              "insert into flight select 'DFW', timestamptz '2001-01-01 00:30Z' + i * interval '1 hour', 'LAX', i"
                  + " from generate_series(0, 199) i");

  @Test
  void dashboard() throws Exception {
    DataSource dataSource = POSTGRES.database().dataSource();

    // snippet: time-series
    SeriesTable departures =
        SeriesTable.builder("departure")
            .table("flight")
            .time("departed_at")
            .tenant("tenant")
            .tag("destination")
            .field("delay", "delay_minutes", ValueKind.LONG)
            .build();
    TimeSeries series =
        TimeSeries.builder().backend(PostgresBackend.of(dataSource, departures)).build();

    Instant start = Instant.parse("2001-01-02T00:00:00Z");
    TimeSeriesQuery week =
        TimeSeriesQuery.builder("departure")
            .select(Aggregate.MEAN, "delay")
            .range(start, start.plus(Duration.ofDays(7)))
            .every(Duration.ofHours(1))
            .groupBy("destination")
            .build();
    TimeSeriesResult first = Tenant.of("DFW").call(() -> series.query(week));

    // An hour later: the window has moved on, one bucket is new.
    Instant later = start.plus(Duration.ofHours(1));
    TimeSeriesResult next =
        Tenant.of("DFW")
            .call(() -> series.query(week.withRange(later, later.plus(Duration.ofDays(7)))));
    // end
    assertThat(first.fetched()).isEqualTo(168);
    assertThat(next.shown()).isEqualTo(168);
    assertThat(next.fetched()).isEqualTo(1);

    // snippet: time-series-late
    // After a late write: the buckets that it touches are fetched anew, no others.
    Instant departed = Instant.parse("2001-01-04T10:30:00Z");
    Tenant.of("DFW").run(() -> series.invalidate("departure", departed, departed.plusNanos(1)));
    // end
    assertThat(Tenant.of("DFW").call(() -> series.query(week)).fetched()).isEqualTo(1);

    // snippet: time-series-limits
    TimeSeriesQuery bomb = week.toBuilder().every(Duration.ofMillis(1)).build();
    assertThatThrownBy(() -> Tenant.of("DFW").call(() -> series.query(bomb)))
        .isInstanceOf(RefusedQueryException.class); // nothing was sent
    // end
    series.close();
  }
}
