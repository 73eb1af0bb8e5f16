package dev.aquifer.docs;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.aquifer.RefusedQueryException;
import dev.aquifer.Tag;
import dev.aquifer.Tenant;
import dev.aquifer.cache.Caches;
import dev.aquifer.metrics.MetricsPage;
import dev.aquifer.repository.Aquifer;
import dev.aquifer.testkit.Eventually;
import dev.aquifer.testkit.PostgresExtension;
import dev.aquifer.testkit.RedisExtension;
import dev.aquifer.testkit.TestDatabase;
import dev.aquifer.tsquery.Aggregate;
import dev.aquifer.tsquery.AuditListener;
import dev.aquifer.tsquery.BatchAnswer;
import dev.aquifer.tsquery.Encounter;
import dev.aquifer.tsquery.PostgresBackend;
import dev.aquifer.tsquery.QueryLimits;
import dev.aquifer.tsquery.QueryProfile;
import dev.aquifer.tsquery.RequestLimits;
import dev.aquifer.tsquery.Series;
import dev.aquifer.tsquery.SeriesTable;
import dev.aquifer.tsquery.Step;
import dev.aquifer.tsquery.TimeSeries;
import dev.aquifer.tsquery.TimeSeriesQuery;
import dev.aquifer.tsquery.TimeSeriesResult;
import dev.aquifer.tsquery.ValueKind;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse.BodyHandlers;
import java.time.Duration;
import java.time.Instant;
import java.time.Period;
import java.time.ZoneId;
import java.time.temporal.ChronoUnit;
import java.util.List;
import javax.sql.DataSource;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

class TimeSeriesTest {
  private static final Logger log = LoggerFactory.getLogger(TimeSeriesTest.class);

  @RegisterExtension
  static final PostgresExtension POSTGRES =
      PostgresExtension.shared()
          .schema(
              "create table flight (tenant text, departed_at timestamptz, destination text,"
                  + " delay_minutes int)",
              "insert into flight select 'DFW', timestamptz '2001-01-01 00:30Z' + i * interval '1"
                  + " hour', 'LAX', i from generate_series(0, 199) i",
              "insert into flight select 'DFW', timestamptz '2001-04-01 06:30Z' + i * interval '1"
                  + " hour', 'LAX', i from generate_series(0, 46) i");

  @RegisterExtension static final RedisExtension REDIS = RedisExtension.shared();

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

    // snippet: time-series-calendar
    TimeSeriesQuery days =
        TimeSeriesQuery.builder("departure")
            .select(Aggregate.COUNT, "delay")
            .range(Instant.parse("2001-04-01T06:00:00Z"), Instant.parse("2001-04-03T05:00:00Z"))
            .every(Period.ofDays(1))
            .zone(ZoneId.of("America/Chicago"))
            .build();
    Series flown = Tenant.of("DFW").call(() -> series.query(days)).series().get(0);
    // The clock was set forth: the first day has 23 hours.
    assertThat(flown.start(1)).isEqualTo("2001-04-02T05:00:00Z");

    // The last hour, anew every ten minutes: each departure is in six windows.
    TimeSeriesQuery moving =
        week.toBuilder().every(Duration.ofMinutes(10)).period(Duration.ofHours(1)).build();

    // At most 800 points: half an hour each. The step stays the same as the range moves on.
    TimeSeriesQuery chart =
        TimeSeriesQuery.builder("departure")
            .select(Aggregate.MEAN, "delay")
            .last(Duration.ofDays(14))
            .maxPoints(800)
            .build();
    assertThat(chart.window().every()).isEqualTo(Step.of(Duration.ofMinutes(30)));
    // end
    assertThat(flown.columns().get(0).longAt(0)).isEqualTo(23);
    assertThat(flown.columns().get(0).longAt(1)).isEqualTo(24);
    Series hours = Tenant.of("DFW").call(() -> series.query(moving)).series().get(0);
    assertThat(hours.startNanos(1) - hours.startNanos(0))
        .isEqualTo(Duration.ofMinutes(10).toNanos());

    Tenant dfw = Tenant.of("DFW");
    // snippet: time-series-written
    dfw.run(() -> series.written("departure", List.of(departed)));
    // As they were sent to InfluxDB, of any measurements:
    dfw.run(() -> series.written("departure delay=7i 978604200", ChronoUnit.SECONDS));
    // end
    assertThat(dfw.call(() -> series.query(week)).fetched()).isEqualTo(1);

    // snippet: time-series-encounter
    Instant off = Instant.now().minus(Duration.ofHours(3));
    Encounter flight = Encounter.open("AA 100", off); // until now, whenever it is asked for
    TimeSeriesResult soFar = dfw.call(() -> series.query(flight, week));

    Encounter landed = flight.close(off.plus(Duration.ofHours(1)));
    dfw.run(() -> series.changed("departure", flight, landed)); // on all nodes
    TimeSeriesResult whole = dfw.call(() -> series.query(landed, week));
    // end
    assertThat(soFar.shown()).isBetween(3L, 4L);
    assertThat(whole.shown()).isBetween(1L, 2L);

    // snippet: time-series-limits
    TimeSeriesQuery bomb = week.toBuilder().every(Duration.ofMillis(1)).build();
    assertThatThrownBy(() -> Tenant.of("DFW").call(() -> series.query(bomb)))
        .isInstanceOf(RefusedQueryException.class); // nothing was sent
    // end

    // snippet: time-series-fairness
    TimeSeries fair =
        TimeSeries.builder()
            .backend(PostgresBackend.of(dataSource, departures))
            .concurrency(8) // requests at the backend at a time, of all tenants
            .requestLimits(RequestLimits.concurrent(4).withRate(50, 200)) // of each
            .build();
    // One tenant's, while traffic runs:
    fair.requestLimits(Tenant.of("DFW"), RequestLimits.concurrent(6).withQueued(200));
    fair.limits(Tenant.of("DFW"), new QueryLimits(10_000, Duration.ofDays(90), 1_000_000));
    // end
    assertThat(Tenant.of("DFW").call(() -> fair.query(week)).shown()).isEqualTo(168);
    fair.close();

    // snippet: time-series-audit
    TimeSeries audited =
        TimeSeries.builder()
            .backend(PostgresBackend.of(dataSource, departures))
            .audit(AuditListener.log()) // or your own: event -> …
            .build();
    // end
    assertThat(Tenant.of("DFW").call(() -> audited.query(week)).shown()).isEqualTo(168);
    audited.close();

    // snippet: time-series-batch
    List<TimeSeriesQuery> panels =
        List.of(week, week.toBuilder().groupBy("destination").every(Duration.ofDays(1)).build());
    List<BatchAnswer> answers =
        Tenant.of("DFW")
            .call(
                () ->
                    series.queryAll(
                        panels,
                        (answer, done, of) -> // as they come: cached ones first
                        log.info("panel {}, {} of {}", answer.index(), done, of)));
    TimeSeriesResult daily = answers.get(1).orThrow(); // or this query's own error
    // end
    assertThat(daily.series()).isNotEmpty();

    // snippet: time-series-profile
    for (QueryProfile profile : Tenant.of("DFW").call(series::profile)) { // the heaviest first
      log.info("{} of {}", profile.p99(), profile.query());
      profile.suggestions().forEach(log::info);
    }
    // end
    assertThat(Tenant.of("DFW").call(series::profile)).isNotEmpty();
    MeterRegistry registry = new SimpleMeterRegistry();

    // snippet: metrics-report
    MetricsPage page = MetricsPage.builder(registry).report(series.costs()).start();
    // end
    try (page) {
      URI reports = URI.create(page.url().replace("/?", "/reports.json?"));
      assertThat(
              HttpClient.newHttpClient()
                  .send(HttpRequest.newBuilder(reports).build(), BodyHandlers.ofString())
                  .body())
          .contains("departure: [mean(delay)]", "DFW");
    }
    series.close();
  }

  @Test
  void nodes() throws Exception {
    DataSource dataSource = POSTGRES.database().dataSource();
    SeriesTable departures = departures();
    String redis = REDIS.database().uri().toString();
    try (Caches caches = Caches.builder().redis(redis).build();
        Caches others = Caches.builder().redis(redis).build()) {
      // snippet: time-series-nodes
      TimeSeries series =
          TimeSeries.builder()
              .backend(PostgresBackend.of(dataSource, departures))
              .caches(caches) // Caches.builder().redis(…), or aquifer.caches()
              .tags("departure", Tag.table("flight"))
              .build();
      // end
      Instant start = Instant.parse("2001-01-02T00:00:00Z");
      TimeSeriesQuery day = day(start);
      try (series;
          TimeSeries other =
              TimeSeries.builder()
                  .backend(PostgresBackend.of(dataSource, departures))
                  .caches(others)
                  .build()) {
        Tenant dfw = Tenant.of("DFW");
        assertThat(dfw.call(() -> series.query(day)).fetched()).isEqualTo(24);
        assertThat(dfw.call(() -> series.query(day)).fetched()).isZero();
        dfw.run(() -> other.invalidate("departure", start, start.plusSeconds(1)));
        Eventually.within(Duration.ofSeconds(20))
            .until("told", () -> dfw.call(() -> series.query(day)).fetched() == 1);
      }
    }
  }

  @Test
  void ofANode() throws Exception {
    TestDatabase database = POSTGRES.database();
    SeriesTable departures = departures();
    try (Aquifer aquifer =
        Aquifer.builder()
            .primary(database.url())
            .credentials(database.user(), database.password())
            .build()) {
      // snippet: time-series-aquifer
      TimeSeries series = aquifer.timeSeries(departures); // replicas, caches and meters of the node
      // end
      TimeSeriesQuery day = day(Instant.parse("2001-01-02T00:00:00Z"));
      Tenant dfw = Tenant.of("DFW");
      assertThat(dfw.call(() -> series.query(day)).fetched()).isEqualTo(24);
      assertThat(dfw.call(() -> series.query(day)).fetched()).isZero();
      dfw.run(
          () ->
              aquifer.jdbi().useHandle(h -> h.execute("delete from flight where tenant = 'none'")));
      assertThat(dfw.call(() -> series.query(day)).fetched()).isEqualTo(24);
    }
  }

  private static SeriesTable departures() {
    return SeriesTable.builder("departure")
        .table("flight")
        .time("departed_at")
        .field("delay", "delay_minutes", ValueKind.LONG)
        .build();
  }

  private static TimeSeriesQuery day(Instant start) {
    return TimeSeriesQuery.builder("departure")
        .select(Aggregate.COUNT, "delay")
        .range(start, start.plus(Duration.ofDays(1)))
        .every(Duration.ofHours(1))
        .build();
  }
}
