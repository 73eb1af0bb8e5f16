package dev.aquifer.tsquery;

import static org.assertj.core.api.Assertions.assertThat;

import com.influxdb.client.InfluxDBClient;
import com.influxdb.client.InfluxDBClientFactory;
import dev.aquifer.Tenant;
import dev.aquifer.testkit.InfluxDatabase;
import dev.aquifer.testkit.InfluxServer;
import java.time.Duration;
import java.time.Instant;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;

/**
 * What tests against a real InfluxDB 2.x have in common: one server for all, where the test kit
 * finds one, and a measurement for each test.
 */
abstract class FluxServer {
  /** How values and requests travel. */
  enum Form {
    BOUND,
    WRITTEN,
    CLIENT
  }

  /** Started when the first test asks. */
  private static final class Found {
    static final Optional<InfluxServer> SERVER = InfluxServer.find(InfluxServer.Kind.V2);
    static final Optional<InfluxDatabase> DATABASE =
        SERVER.map(server -> server.createDatabase("flux"));
  }

  static final Instant START = Instant.parse("2026-03-01T00:00:00Z");
  static final AtomicLong COUNT = new AtomicLong();

  final InfluxDatabase database = Found.DATABASE.orElseThrow();
  final InfluxDBClient client =
      InfluxDBClientFactory.create(
          database.server().url(), database.server().token().toCharArray());
  final String measurement = "m " + COUNT.incrementAndGet() + "\"\\x";
  final Form form;
  final TimeSeries series;

  FluxServer(Form form) {
    this.form = form;
    this.series = TimeSeries.builder().backend(builder().build()).build();
  }

  /** All, or none where there is no server. */
  static Stream<Form> forms() {
    return Found.SERVER.isPresent() ? Stream.of(Form.values()) : Stream.empty();
  }

  @AfterEach
  void close() {
    series.close();
    client.close();
  }

  TimeSeriesResult answer(String tenant, TimeSeriesQuery query) throws Exception {
    return Tenant.of(tenant).call(() -> series.query(query));
  }

  TimeSeriesResult uncached(TimeSeriesQuery query) throws Exception {
    return Tenant.of("t1").call(() -> series.queryUncached(query));
  }

  static Series only(TimeSeriesResult result) {
    assertThat(result.series()).hasSize(1);
    return result.series().get(0);
  }

  TimeSeriesQuery.Builder minutes(int minutes) {
    return TimeSeriesQuery.builder(measurement)
        .every(Duration.ofMinutes(1))
        .range(START, START.plus(Duration.ofMinutes(minutes)));
  }

  void write(String tenant, Instant time, String device, String ward, double value) {
    line(tenant, time, device, ward, "value=" + value);
  }

  void line(String tenant, Instant time, String device, String ward, String fields) {
    database.write(
        Lines.key(measurement, tenant, device, ward) + " " + fields + " " + Nanos.of(time));
  }

  FluxBackend.Builder builder() {
    InfluxServer server = database.server();
    return form == Form.CLIENT
        ? InfluxClientBackend.builder(client, server.org(), database.name())
        : FluxBackend.builder(server.url(), server.org(), database.name())
            .token(server.token())
            .boundValues(form == Form.BOUND);
  }
}
