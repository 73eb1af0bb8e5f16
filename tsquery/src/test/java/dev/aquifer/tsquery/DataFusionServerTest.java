package dev.aquifer.tsquery;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.aquifer.AquiferException;
import dev.aquifer.Tenant;
import dev.aquifer.testkit.InfluxDatabase;
import dev.aquifer.testkit.InfluxServer;
import dev.aquifer.testkit.Proof;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Against a real InfluxDB 3, where the test kit finds one; elsewhere there are no such tests. Each
 * writes a measurement of its own.
 */
@ParameterizedClass(name = "{0}", allowZeroInvocations = true)
@MethodSource("databases")
class DataFusionServerTest {
  /** Started when the first test asks. */
  private static final class Found {
    static final Optional<InfluxDatabase> DATABASE =
        InfluxServer.find(InfluxServer.Kind.V3).map(server -> server.createDatabase("clinic"));
  }

  private static final Instant START = Instant.parse("2026-03-01T00:00:00Z");
  private static final AtomicLong COUNT = new AtomicLong();

  private final String measurement = "m " + COUNT.incrementAndGet() + "\"\\x";
  private final InfluxDatabase database;
  private final TimeSeries series;

  DataFusionServerTest(InfluxDatabase database) {
    this.database = database;
    this.series = TimeSeries.builder().backend(backend()).build();
  }

  static Stream<InfluxDatabase> databases() {
    return Found.DATABASE.stream();
  }

  @AfterEach
  void close() {
    series.close();
  }

  @Test
  void query_everyAggregate_computesItInEachWindow() throws Exception {
    new BackendContract(series, measurement, this::write).aggregates(EveryAggregate.of("value"));
  }

  @Test
  void query_everyKindOfField_keepsItsValues() throws Exception {
    line(
        "t1",
        START,
        "d1",
        "",
        "seq=9007199254740993i,big=18446744073709551615u,small=7u,note=\"it's\",ok=true,none=\"\"");
    TimeSeriesQuery query =
        minutes(1)
            .select(Aggregate.LAST, "seq")
            .select(Aggregate.SUM, "seq")
            .select(Aggregate.LAST, "big")
            .select(Aggregate.SUM, "small")
            .select(Aggregate.LAST, "note")
            .select(Aggregate.FIRST, "ok")
            .select(Aggregate.LAST, "none")
            .select(Aggregate.COUNT, "note")
            .build();

    assertThat(only(answer("t1", query)).columns())
        .extracting(column -> column.valueAt(0))
        .containsExactly(
            9_007_199_254_740_993L, 9_007_199_254_740_993L, 0x1p64, 7L, "it's", true, "", 1L);
  }

  @Test
  void query_beforeTheEpochWithOffset_flooredAsAfterIt() throws Exception {
    new BackendContract(series, measurement, this::write).windowsBeforeTheEpoch();
  }

  @Test
  void query_hostileTagValues_findExactlyTheirOwnRow() throws Exception {
    // Of two backslashes in a line this server makes one.
    Schedule.Writer writer =
        (tenant, time, device, ward, value) ->
            write(tenant, time, device.replace("\\", "\\\\"), ward, value);
    new BackendContract(series, measurement, writer)
        .hostileTagValues(Hostile.VALUES.stream().filter(v -> !v.endsWith("\\")).toList());
  }

  @Test
  void queryAll_several_areOneRequest() throws Exception {
    write("t1", START.plusSeconds(10), "d1", "icu", 4.0);
    write("t1", START.plusSeconds(70), "d2", "er", -2.5);
    line("t1", START.plusSeconds(20), "d1", "icu", "note=\"a\",seq=7i,ok=true");
    List<TimeSeriesQuery> queries = new ArrayList<>();
    queries.add(minutes(3).select(Aggregate.SUM, "value").groupBy("device", "ward").build());
    queries.add(minutes(3).select(Aggregate.LAST, "note").groupBy("device").build());
    queries.add(
        minutes(3).select(Aggregate.LAST, "ok").where(TagPredicate.eq("ward", "icu")).build());
    queries.add(minutes(3).select(Aggregate.MAX, "seq").select(Aggregate.COUNT, "note").build());
    TimeSeriesQuery.Builder all = minutes(3).where(TagPredicate.ne("device", "d9"));
    EveryAggregate.of("value").forEach(all::select);
    queries.add(all.build());

    List<BatchAnswer> answers = Tenant.of("t1").call(() -> series.queryAll(queries));

    int requests = 0;
    for (BatchAnswer each : answers) {
      requests += each.orThrow().requests();
      assertThat(each.orThrow().series())
          .isNotEmpty()
          .isEqualTo(Tenant.of("t1").call(() -> series.queryUncached(each.query())).series());
    }
    assertThat(requests).isEqualTo(1);
  }

  @Test
  void queryAll_oneThatTheServerRefuses_leavesTheOthers() throws Exception {
    write("t1", START, "d1", "icu", 1);
    List<TimeSeriesQuery> queries =
        List.of(
            minutes(1).select(Aggregate.SUM, "value").build(),
            minutes(1).select(Aggregate.SUM, "none").build());

    List<BatchAnswer> answers = Tenant.of("t1").call(() -> series.queryAll(queries));

    assertThat(answers.get(0).orThrow().series()).hasSize(1);
    assertThat(answers.get(1).error()).hasMessageContaining("none");
  }

  @Test
  void query_ofAnotherTenant_seesNothing() throws Exception {
    write("t1", START, "d1", "icu", 1);
    TimeSeriesQuery query = minutes(1).select(Aggregate.SUM, "value").build();

    assertThat(answer("t2", query).series()).isEmpty();
    assertThat(answer("t1", query).series()).hasSize(1);
  }

  @Test
  void query_fieldThatWasNeverWritten_isTheServersError() {
    write("t1", START, "d1", "icu", 1);

    assertThatThrownBy(() -> answer("t1", minutes(1).select(Aggregate.SUM, "none").build()))
        .isInstanceOf(AquiferException.class)
        .hasMessageContaining("none");
  }

  @Test
  void query_sumOfTexts_saysThatItCannot() {
    line("t1", START, "d1", "", "note=\"a\"");

    assertThatThrownBy(() -> answer("t1", minutes(1).select(Aggregate.SUM, "note").build()))
        .isInstanceOf(AquiferException.class);
  }

  @Test
  void query_sumThatPasses64Bits_saysSo() {
    line("t1", START, "d1", "", "seq=" + Long.MAX_VALUE + "i");
    line("t1", START.plusSeconds(1), "d1", "", "seq=1i");

    assertThatThrownBy(() -> answer("t1", minutes(1).select(Aggregate.SUM, "seq").build()))
        .isInstanceOf(AquiferException.class)
        .hasMessageContaining("passes 64 bits");
  }

  @Test
  void query_randomSchedules_equalTheUncachedAnswer() {
    Proof.of("window-schedules-influx3")
        .tries(10, 1_000)
        .each(
            random -> {
              String own = "vitals" + COUNT.incrementAndGet();
              // Columns exist when they were written.
              database.write(own + ",tenant=t0,device=d0,ward=w0 value=1 0");
              int scale = Schedule.scale(random);
              SteppingClock clock = new SteppingClock(Schedule.NOON);
              try (TimeSeries schedule =
                  TimeSeries.builder()
                      .backend(backend())
                      .clock(clock)
                      .ageing(Schedule.exact(random, scale))
                      .build()) {
                List<TimeSeriesQuery> shapes =
                    IntStream.range(0, 3)
                        .mapToObj(i -> Schedule.scaled(Schedule.shape(random, own), scale))
                        .toList();
                Schedule.Writer writer =
                    (tenant, time, device, ward, value) ->
                        database.write(
                            Lines.key(own, tenant, device, ward)
                                + (" value=" + value)
                                + (" " + Nanos.of(time)));
                new Schedule(random, clock, schedule, writer, shapes).scaledBy(scale).run(40);
              }
            });
  }

  private Influx3Backend backend() {
    return Influx3Backend.builder(database.server().url(), database.name())
        .timeout(Duration.ofMinutes(1))
        .build();
  }

  private TimeSeriesResult answer(String tenant, TimeSeriesQuery query) throws Exception {
    return Tenant.of(tenant).call(() -> series.query(query));
  }

  private static Series only(TimeSeriesResult result) {
    assertThat(result.series()).hasSize(1);
    return result.series().get(0);
  }

  private TimeSeriesQuery.Builder minutes(int minutes) {
    return TimeSeriesQuery.builder(measurement)
        .every(Duration.ofMinutes(1))
        .range(START, START.plus(Duration.ofMinutes(minutes)));
  }

  private void write(String tenant, Instant time, String device, String ward, double value) {
    line(tenant, time, device, ward, "value=" + value);
  }

  private void line(String tenant, Instant time, String device, String ward, String fields) {
    database.write(
        Lines.key(measurement, tenant, device, ward) + " " + fields + " " + Nanos.of(time));
  }
}
