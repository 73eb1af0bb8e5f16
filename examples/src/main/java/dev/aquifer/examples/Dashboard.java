package dev.aquifer.examples;

import dev.aquifer.Tenant;
import dev.aquifer.testkit.InfluxDatabase;
import dev.aquifer.testkit.InfluxServer;
import dev.aquifer.tsquery.Aggregate;
import dev.aquifer.tsquery.Backend;
import dev.aquifer.tsquery.InfluxQlBackend;
import dev.aquifer.tsquery.PostgresBackend;
import dev.aquifer.tsquery.SeriesTable;
import dev.aquifer.tsquery.TimeSeries;
import dev.aquifer.tsquery.TimeSeriesQuery;
import dev.aquifer.tsquery.TimeSeriesResult;
import dev.aquifer.tsquery.ValueKind;
import java.io.PrintStream;
import java.time.Duration;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * A dashboard that slides: the delays of one airport, by hour, over a week that moves on hour by
 * hour. Now and then a delay is corrected late, in the middle of the window; the answer from cached
 * windows is held against the uncached one each time.
 */
final class Dashboard {
  private static final String AIRPORT = "ORD";
  private static final Duration WINDOW = Duration.ofDays(7);
  private static final Duration STEP = Duration.ofHours(1);
  private static final Instant START = Instant.parse("2001-01-03T00:00:00Z");
  private static final int STEPS = 200;
  private static final int CORRECTION_EVERY = 20;

  /**
   * What came of it.
   *
   * @param source what answered
   * @param shown buckets shown over all refreshes
   * @param fetched buckets fetched for them
   * @param requests sent for them
   * @param compared times that an answer was held against the uncached one
   * @param different of these
   */
  record Outcome(
      String source, long shown, long fetched, long requests, int compared, int different) {}

  /** Writes a corrected delay where the dashboard reads from. */
  @FunctionalInterface
  private interface Correction {
    void write(OffsetDateTime departedAt, String destination, int minutes);
  }

  private final TimeSeries series;
  private final String source;
  private final Correction correction;
  private final List<String[]> flights;

  private Dashboard(TimeSeries series, String source, Correction correction) {
    this.series = series;
    this.source = source;
    this.correction = correction;
    this.flights =
        FlightData.lines("flights.csv").stream()
            .map(line -> line.split(",", -1))
            .filter(flight -> flight[1].equals(AIRPORT))
            .toList();
  }

  static List<Outcome> run(Servers servers, Users.Service service, PrintStream out)
      throws Exception {
    List<Outcome> outcomes = new ArrayList<>();
    SeriesTable table =
        SeriesTable.builder("departure")
            .table("flight")
            .time("departed_at")
            .tenant("tenant")
            .tag("destination")
            .field("delay", "delay_minutes", ValueKind.LONG)
            .build();
    Backend postgres = PostgresBackend.of(service.aquifer().database(), table);
    try (TimeSeries series = service.aquifer().timeSeries(postgres)) {
      Correction correction =
          (at, destination, minutes) -> service.departures().correct(at, destination, minutes);
      outcomes.add(new Dashboard(series, "PostgreSQL " + servers.version(), correction).slide());
    }
    Optional<InfluxServer> found = InfluxServer.find();
    if (found.isEmpty()) {
      out.println("No InfluxDB was found: the dashboard runs on PostgreSQL alone");
      return outcomes;
    }
    try (InfluxServer influx = found.get()) {
      outcomes.add(onInflux(influx));
    }
    return outcomes;
  }

  /** A 1.x that the test kit starts asks nobody who they are. */
  private static InfluxQlBackend.Builder authorized(
      InfluxQlBackend.Builder builder, InfluxServer influx) {
    return influx.token().isEmpty() ? builder : builder.token(influx.token());
  }

  private static Outcome onInflux(InfluxServer influx) throws Exception {
    InfluxDatabase database = influx.createDatabase("departures");
    StringBuilder lines = new StringBuilder();
    for (String line : FlightData.lines("flights.csv")) {
      String[] flight = line.split(",", -1);
      lines.append(
          point(
              OffsetDateTime.parse(flight[0]), flight[1], flight[2], Integer.parseInt(flight[3])));
    }
    database.write(lines.toString());
    Backend backend =
        authorized(InfluxQlBackend.builder(influx.url(), database.name()), influx).build();
    try (TimeSeries series = TimeSeries.builder().backend(backend).tenantTag("origin").build()) {
      Correction correction =
          (at, destination, minutes) -> database.write(point(at, AIRPORT, destination, minutes));
      return new Dashboard(series, "InfluxDB " + influx.version(), correction).slide();
    }
  }

  private static String point(OffsetDateTime at, String origin, String destination, int minutes) {
    return "departure,origin=%s,destination=%s delay=%di %d000000000%n"
        .formatted(origin, destination, minutes, at.toEpochSecond());
  }

  private Outcome slide() throws Exception {
    return Tenant.of(AIRPORT).call(this::slideAsTenant);
  }

  private Outcome slideAsTenant() {
    TimeSeriesQuery query =
        TimeSeriesQuery.builder("departure")
            .select(Aggregate.MEAN, "delay")
            .select(Aggregate.COUNT, "delay")
            .range(START, START.plus(WINDOW))
            .every(STEP)
            .build();
    long shown = 0;
    long fetched = 0;
    long requests = 0;
    int compared = 0;
    int different = 0;
    for (int step = 0; step < STEPS; step++) {
      Instant start = START.plus(STEP.multipliedBy(step));
      if (step % CORRECTION_EVERY == CORRECTION_EVERY - 1) {
        correctOneWithin(start, step);
      }
      TimeSeriesQuery now = query.withRange(start, start.plus(WINDOW));
      TimeSeriesResult answer = series.query(now);
      shown += answer.shown();
      fetched += answer.fetched();
      requests += answer.requests();
      if (step % CORRECTION_EVERY == CORRECTION_EVERY - 1) {
        compared++;
        different += answer.series().equals(series.queryUncached(now).series()) ? 0 : 1;
      }
    }
    return new Outcome(source, shown, fetched, requests, compared, different);
  }

  private void correctOneWithin(Instant start, int step) {
    Instant middle = start.plus(WINDOW.dividedBy(2));
    for (String[] flight : flights) {
      OffsetDateTime at = OffsetDateTime.parse(flight[0]);
      if (at.toInstant().isAfter(middle)) {
        correction.write(at, flight[2], 10_000 + step);
        series.invalidate("departure", at.toInstant(), at.toInstant().plusNanos(1));
        return;
      }
    }
    throw new IllegalStateException("No flight after " + middle);
  }
}
