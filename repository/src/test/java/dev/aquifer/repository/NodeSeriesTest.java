package dev.aquifer.repository;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.aquifer.AquiferException;
import dev.aquifer.ConfigurationException;
import dev.aquifer.Tenant;
import dev.aquifer.testkit.Eventually;
import dev.aquifer.testkit.LeakCheck;
import dev.aquifer.testkit.PostgresExtension;
import dev.aquifer.testkit.RedisExtension;
import dev.aquifer.tsquery.Aggregate;
import dev.aquifer.tsquery.PostgresBackend;
import dev.aquifer.tsquery.SeriesTable;
import dev.aquifer.tsquery.TimeSeries;
import dev.aquifer.tsquery.TimeSeriesQuery;
import dev.aquifer.tsquery.TimeSeriesResult;
import dev.aquifer.tsquery.ValueKind;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.time.Duration;
import java.time.Instant;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Time series of a node: void with what is written through it, counted and closed with it. */
@Timeout(60)
class NodeSeriesTest {
  @RegisterExtension
  static final PostgresExtension POSTGRES =
      PostgresExtension.shared()
          .standbys(1)
          .schema(
              "create table reading (tenant text, at timestamptz, value int)",
              "create view warm as select tenant, at, value from reading where value > 10",
              "create function least_warm() returns int stable language sql as 'select 10'",
              "create view warmer as select * from reading where value > least_warm()");

  @RegisterExtension static final RedisExtension REDIS = RedisExtension.shared();

  private static final AtomicInteger TENANTS = new AtomicInteger();
  private static final Instant START = Instant.parse("2001-01-02T00:00:00Z");
  private static final TimeSeriesQuery DAY =
      TimeSeriesQuery.builder("warmth")
          .select(Aggregate.SUM, "value")
          .range(START, START.plus(Duration.ofDays(1)))
          .every(Duration.ofHours(6))
          .build();

  private final Tenant tenant = Tenant.of("s" + TENANTS.incrementAndGet());

  private static SeriesTable table(String name) {
    return SeriesTable.builder("warmth")
        .table(name)
        .time("at")
        .tenant("tenant")
        .field("value", ValueKind.LONG)
        .build();
  }

  private static Aquifer node(boolean redis) {
    AquiferBuilder builder =
        redis ? Nodes.on(POSTGRES.database(), REDIS.database()) : Nodes.on(POSTGRES.database());
    return builder.replicas(POSTGRES.database().standbyUrls()).build();
  }

  private void write(Aquifer aquifer, int value) {
    aquifer
        .jdbi()
        .useHandle(
            handle ->
                handle.execute(
                    "insert into reading values (?, ?, ?)",
                    tenant.id(),
                    START.plusSeconds(60).atOffset(java.time.ZoneOffset.UTC),
                    value));
  }

  private static long first(TimeSeriesResult result) {
    return result.series().isEmpty() ? 0 : result.series().get(0).columns().get(0).longAt(0);
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void write_throughTheRouter_voidsWhatIsReadFromItThroughAView(boolean redis) {
    try (Aquifer aquifer = node(redis)) {
      TimeSeries series = aquifer.timeSeries(table("warm"));
      tenant.run(
          () -> {
            write(aquifer, 20);
            assertThat(first(series.query(DAY))).isEqualTo(20);
            assertThat(series.query(DAY).fetched()).as("kept").isZero();
            for (int i = 2; i < 20; i++) {
              write(aquifer, 20);
              assertThat(first(series.query(DAY))).isEqualTo(20L * i);
            }
          });
    }
  }

  @Test
  void write_onAnotherNode_isHeardOf() {
    try (Aquifer here = node(true);
        Aquifer there = node(true)) {
      TimeSeries series = here.timeSeries(table("reading"));
      tenant.run(
          () -> {
            assertThat(first(series.query(DAY))).isZero();
            write(there, 5);
            Eventually.within(Duration.ofSeconds(20))
                .until("the write is seen", () -> first(series.query(DAY)) == 5);
            write(there, 5);
            here.accept(there.token());
            assertThat(first(series.query(DAY))).as("with the token at once").isEqualTo(10);
          });
    }
  }

  @Test
  void viewThatCallsAFunction_isRefused() {
    try (Aquifer aquifer = node(false)) {
      assertThatThrownBy(() -> aquifer.timeSeries(table("warmer")))
          .isInstanceOf(ConfigurationException.class)
          .hasMessageStartingWith(
              "The measurement warmth is read from the view warmer, which calls");
    }
  }

  @Test
  void close_endsThem_andNoneAreMadeAfterIt() {
    SimpleMeterRegistry registry = new SimpleMeterRegistry();
    LeakCheck.of()
        .threads("aquifer-")
        .database(POSTGRES.database())
        .limit(Duration.ofSeconds(20))
        .around(
            () -> {
              Aquifer aquifer = Nodes.on(POSTGRES.database()).meterRegistry(registry).build();
              PostgresBackend backend = PostgresBackend.of(aquifer.database(), table("reading"));
              TimeSeries series = aquifer.timeSeries(backend, s -> s.lateness(Duration.ofDays(1)));
              tenant.run(() -> series.query(DAY));
              assertThat(registry.find("aquifer.windows.fetched").counters())
                  .anyMatch(counter -> counter.count() > 0);
              aquifer.close();
              assertThatThrownBy(() -> tenant.run(() -> series.query(DAY)))
                  .isInstanceOf(IllegalStateException.class)
                  .hasMessageContaining("closed");
              assertThatThrownBy(() -> aquifer.timeSeries(backend))
                  .isInstanceOf(AquiferException.class)
                  .hasMessageContaining("closed");
            });
  }
}
