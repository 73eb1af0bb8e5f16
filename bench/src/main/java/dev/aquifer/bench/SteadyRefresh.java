package dev.aquifer.bench;

import dev.aquifer.Tenant;
import dev.aquifer.testkit.FaultProxy;
import dev.aquifer.testkit.InfluxDatabase;
import dev.aquifer.testkit.InfluxServer;
import dev.aquifer.tsquery.Aggregate;
import dev.aquifer.tsquery.FluxBackend;
import dev.aquifer.tsquery.TagPredicate;
import dev.aquifer.tsquery.TimeSeries;
import dev.aquifer.tsquery.TimeSeriesQuery;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneId;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Iterator;
import java.util.List;

/**
 * What a dashboard costs that is refreshed every ten seconds, over a quarter of 3,000,000 made-up
 * flights in a real InfluxDB 2.x: the script that an application would send each time, and the same
 * through Aquifer. Run with {@code java -Daquifer.test.influxd=FILE -cp benchmarks.jar
 * dev.aquifer.bench.SteadyRefresh}. Points are told to be 10 minutes late at most.
 *
 * <p>A thousand refreshes go before those that are measured. Some of one kind are measured, then
 * some of the other, in turns. The first refresh after uncached queries is told by itself: the
 * server still collects their garbage then, which a dashboard does not meet that Aquifer answers.
 * Prints medians of the times, and the bytes that came, uncompressed.
 */
public final class SteadyRefresh {
  private static final int WARM_UP = 1_000;
  private static final int TURNS = 5;
  private static final int IN_TURN = 20;
  private static final int ALONE_IN_TURN = 5;
  private static final int BATCH = 20_000;
  private static final String TENANT = "t1";
  private static final Instant START = Instant.parse("2001-01-01T00:00:00Z");
  private static final Instant NOW = Instant.parse("2001-03-31T18:00:00Z");
  private static final Duration LIMIT = Duration.ofMinutes(10);
  private static final Duration LATENESS = Duration.ofMinutes(10);
  private static final Duration MEASURED = Duration.ofHours(1);
  private static final Duration STEP = Duration.ofSeconds(10);

  private final InfluxDatabase database;
  private final HttpClient http = HttpClient.newHttpClient();
  private Instant now = NOW;

  /** A panel: what Aquifer is asked, and the end of the script that does the same. */
  private record Panel(String name, TimeSeriesQuery.Builder query, String condition, String rest) {}

  private SteadyRefresh(InfluxDatabase database) {
    this.database = database;
  }

  /** Runs it. */
  public static void main(String[] args) throws Exception {
    InfluxServer server =
        InfluxServer.find(InfluxServer.Kind.V2)
            .orElseThrow(() -> new IllegalStateException("There is no InfluxDB 2.x here"));
    try (server) {
      SteadyRefresh refresh = new SteadyRefresh(server.createDatabase("flights"));
      refresh.write(new Flights(TENANT, START, NOW.plus(MEASURED)).lines().iterator());
      for (Panel panel : panels()) {
        refresh.measure(panel);
      }
    }
  }

  private static List<Panel> panels() {
    TimeSeriesQuery.Builder daily = query(Duration.ofDays(1)).groupBy("origin");
    String days = " |> group(columns: [\"origin\"]) |> aggregateWindow(every: 1d, fn: ";
    return List.of(
        new Panel(
            "daily mean by airport", daily.select(Aggregate.MEAN, "delay"), "", days + "mean)"),
        new Panel(
            "daily median by airport",
            query(Duration.ofDays(1)).groupBy("origin").select(Aggregate.MEDIAN, "delay"),
            "",
            days + "median)"),
        new Panel(
            "hourly mean of one airport by destination",
            query(Duration.ofHours(1))
                .groupBy("destination")
                .where(TagPredicate.eq("origin", "A000"))
                .select(Aggregate.MEAN, "delay"),
            " and r.origin == \"A000\"",
            " |> aggregateWindow(every: 1h, fn: mean, createEmpty: false)"));
  }

  private static TimeSeriesQuery.Builder query(Duration every) {
    return TimeSeriesQuery.builder("departure").every(every).range(START, NOW);
  }

  private void write(Iterator<String> flights) {
    StringBuilder lines = new StringBuilder();
    for (int count = 1; flights.hasNext(); count++) {
      lines.append(flights.next()).append('\n');
      if (count % BATCH == 0 || !flights.hasNext()) {
        database.write(lines.toString());
        lines.setLength(0);
      }
    }
  }

  private void measure(Panel panel) throws Exception {
    List<Long> raw = new ArrayList<>();
    List<Long> mine = new ArrayList<>();
    List<Long> after = new ArrayList<>();
    try (TimeSeries series = series(database.server().url(), true)) {
      now = NOW.minus(STEP.multipliedBy(WARM_UP));
      for (int i = 0; i < WARM_UP; i++) {
        now = now.plus(STEP);
        refresh(series, panel);
      }
      raw(panel);
      for (int turn = 0; turn < TURNS; turn++) {
        for (int i = 0; i < IN_TURN; i++) {
          now = now.plus(STEP);
          long begun = System.nanoTime();
          refresh(series, panel);
          (i == 0 ? after : mine).add(System.nanoTime() - begun);
        }
        for (int i = 0; i < ALONE_IN_TURN; i++) {
          long begun = System.nanoTime();
          raw(panel);
          raw.add(System.nanoTime() - begun);
        }
      }
    }
    long bytes = bytes(panel);
    long rawBytes = raw(panel);
    System.out.printf(
        "%s: alone %.1f ms and %,d bytes, through Aquifer %.1f ms (1/%.1f; %.1f just after) and %,d bytes (1/%d)%n",
        panel.name,
        median(raw),
        rawBytes,
        median(mine),
        median(raw) / median(mine),
        median(after),
        bytes,
        rawBytes / bytes);
  }

  private static double median(List<Long> times) {
    Collections.sort(times);
    return times.get(times.size() / 2) / 1e6;
  }

  /** Of one refresh, headers and all. */
  private long bytes(Panel panel) throws Exception {
    URI url = URI.create(database.server().url());
    try (FaultProxy proxy = FaultProxy.to(url.getHost(), url.getPort());
        TimeSeries series = series("http://" + proxy.host() + ":" + proxy.port(), false)) {
      refresh(series, panel);
      long before = proxy.bytesToClient();
      now = now.plus(STEP);
      refresh(series, panel);
      return proxy.bytesToClient() - before;
    }
  }

  private TimeSeries series(String url, boolean gzip) {
    return TimeSeries.builder()
        .backend(
            FluxBackend.builder(url, database.server().org(), database.name())
                .token(database.server().token())
                .tags("departure", "origin", "destination")
                .integers("departure", "delay", "distance")
                .gzip(gzip)
                .timeout(LIMIT)
                .build())
        .timeout(LIMIT)
        .lateness(LATENESS)
        .clock(new Moving())
        .build();
  }

  private void refresh(TimeSeries series, Panel panel) throws Exception {
    Tenant.of(TENANT).call(() -> series.query(panel.query.range(START, now).build()));
  }

  private long raw(Panel panel) throws IOException, InterruptedException {
    String script =
        """
        from(bucket: "%s")
          |> range(start: %s, stop: %s)
          |> filter(fn: (r) => r._measurement == "departure" and r._field == "delay" and r.tenant == "%s"%s)
         %s
        """
            .formatted(database.name(), START, now, TENANT, panel.condition, panel.rest);
    InfluxServer server = database.server();
    HttpResponse<byte[]> answer =
        http.send(
            HttpRequest.newBuilder(URI.create(server.url() + "/api/v2/query?org=" + server.org()))
                .header("Authorization", "Token " + server.token())
                .header("Content-Type", "application/vnd.flux")
                .header("Accept", "application/csv")
                .POST(HttpRequest.BodyPublishers.ofString(script))
                .build(),
            HttpResponse.BodyHandlers.ofByteArray());
    if (answer.statusCode() != 200) {
      throw new IllegalStateException(new String(answer.body(), StandardCharsets.UTF_8));
    }
    return answer.body().length;
  }

  private final class Moving extends Clock {
    @Override
    public ZoneId getZone() {
      return ZoneOffset.UTC;
    }

    @Override
    public Clock withZone(ZoneId zone) {
      return this;
    }

    @Override
    public Instant instant() {
      return now;
    }
  }
}
