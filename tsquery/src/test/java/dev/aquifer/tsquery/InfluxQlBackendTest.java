package dev.aquifer.tsquery;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.aquifer.AquiferException;
import dev.aquifer.RefusedQueryException;
import dev.aquifer.Tenant;
import dev.aquifer.UnavailableException;
import dev.aquifer.testkit.InfluxDatabase;
import dev.aquifer.testkit.InfluxServer;
import dev.aquifer.testkit.InfluxTest;
import dev.aquifer.testkit.Proof;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Against a real InfluxDB, 1.x or 2.x. Each test writes a measurement of its own. */
@InfluxTest
class InfluxQlBackendTest {
  private static final Instant START = Instant.parse("2026-03-01T00:00:00Z");
  private static final AtomicLong COUNT = new AtomicLong();

  private final InfluxDatabase database;
  private final TimeSeries series;
  private final String measurement = "m " + COUNT.incrementAndGet() + "\"\\x";

  InfluxQlBackendTest(InfluxDatabase database) {
    this.database = database;
    this.series = TimeSeries.builder().backend(builder(database).build()).build();
  }

  @AfterEach
  void close() {
    series.close();
  }

  @Test
  void query_everyAggregate_computesItInEachWindow() throws Exception {
    new BackendContract(series, measurement, this::write)
        .aggregates(
            EveryAggregate.of("value").stream()
                .filter(each -> each.aggregate() != Aggregate.QUANTILE)
                .toList());
  }

  @Test
  void query_integerTextAndBooleanFields_keepTheirValues() throws Exception {
    line("t1", START, "d1", "", "seq=9007199254740993i,note=\"it's\",ok=true");
    TimeSeriesQuery query =
        minutes(1)
            .select(Aggregate.LAST, "seq")
            .select(Aggregate.LAST, "note")
            .select(Aggregate.FIRST, "ok")
            .build();

    assertThat(only(answer("t1", query)).columns())
        .extracting(column -> column.valueAt(0))
        .containsExactly(9_007_199_254_740_993L, "it's", true);
  }

  @Test
  void query_beforeTheEpochWithOffset_flooredAsAfterIt() throws Exception {
    new BackendContract(series, measurement, this::write).windowsBeforeTheEpoch();
  }

  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void query_hostileTagValues_findExactlyTheirOwnRow(boolean bound) throws Exception {
    try (InfluxQlBackend other = builder(database).boundValues(bound).build();
        TimeSeries series = TimeSeries.builder().backend(other).build()) {
      new BackendContract(series, measurement, this::write)
          .hostileTagValues(Hostile.VALUES.stream().filter(v -> !v.endsWith("\\")).toList());
    }
  }

  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void query_withHostileValuesOfOneTenant_neverSeesAnother(boolean bound) throws Exception {
    write("t1", START, "d1", "icu", 1);
    write("t2", START, "d1", "icu", 2);
    try (InfluxQlBackend other = builder(database).boundValues(bound).build();
        TimeSeries series = TimeSeries.builder().backend(other).build()) {
      for (String value : Hostile.VALUES) {
        for (PointPredicate predicate :
            List.of(
                TagPredicate.eq("device", value),
                TagPredicate.ne("device", value),
                TagPredicate.matches("device", Lines.regex(value) + "|.*"),
                PointPredicate.not(TagPredicate.matches("device", Lines.regex(value))))) {
          TimeSeriesQuery query =
              minutes(60).select(Aggregate.SUM, "value").where(predicate).build();
          for (Series found : Tenant.of("t1").call(() -> series.query(query)).series()) {
            assertThat(found.columns().get(0).doubleAt(0)).as(value).isEqualTo(1);
          }
          assertThat(Tenant.of("t3").call(() -> series.query(query)).series()).isEmpty();
        }
      }
    }
  }

  /** A field of the tenant's own choice, called as the tag that keeps tenants apart. */
  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void query_fieldsNamedAsTags_areNotTakenForThem(boolean bound) throws Exception {
    line("t1", START, "d1", "icu", "value=1");
    line("t2", START, "d1", "icu", "value=100,tenant=\"t1\",ward=\"er\"");
    try (TimeSeries asked =
        TimeSeries.builder().backend(builder(database).boundValues(bound).build()).build()) {
      TimeSeriesQuery.Builder sum = minutes(1).select(Aggregate.SUM, "value");
      for (String tenant : List.of("t1", "t2")) {
        for (PointPredicate ward :
            List.of(TagPredicate.eq("ward", "icu"), TagPredicate.matches("ward", "ic"))) {
          TimeSeriesQuery query = sum.where(ward).groupBy("ward").build();
          List<Series> found = Tenant.of(tenant).call(() -> asked.query(query)).series();
          assertThat(found).hasSize(1);
          assertThat(found.get(0).group()).containsEntry("ward", "icu");
          assertThat(found.get(0).columns().get(0).doubleAt(0))
              .isEqualTo(tenant.equals("t1") ? 1 : 100);
        }
      }
    }
  }

  @Test
  void query_absentTag_readsAsEmptyText() throws Exception {
    write("t1", START, "d1", "", 1);
    write("t1", START, "d2", "icu", 2);

    assertThat(sum(TagPredicate.eq("ward", ""))).isEqualTo(1);
    assertThat(sum(TagPredicate.ne("ward", ""))).isEqualTo(2);
    assertThat(sum(TagPredicate.ne("ward", "icu"))).isEqualTo(1);
    assertThat(sum(PointPredicate.not(TagPredicate.matches("ward", "c")))).isEqualTo(1);
    assertThat(sum(TagPredicate.in("ward", List.of("", "icu")))).isEqualTo(3);
  }

  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void query_conditionsOnAField_chooseAmongItsValues(boolean bound) throws Exception {
    for (int i = 0; i < FieldConditions.ROWS.size(); i++) {
      FieldConditions.Row row = FieldConditions.ROWS.get(i);
      String note = row.note().replace("\\", "\\\\").replace("\"", "\\\"");
      line(
          "t1",
          START.plusSeconds(i),
          "d1",
          row.ward(),
          "value=%s,seq=%di,note=\"%s\",ok=%s".formatted(row.value(), row.seq(), note, row.ok()));
    }
    line("t1", START.plusSeconds(9), "d1", "icu", "other=1");
    try (TimeSeries asked =
        TimeSeries.builder().backend(builder(database).boundValues(bound).build()).build()) {
      FieldConditions.assertChosen(
          (field, condition) -> {
            TimeSeriesQuery query =
                minutes(1).select(Aggregate.COUNT, field).where(condition).build();
            return Tenant.of("t1").call(() -> asked.query(query)).series().stream()
                .mapToLong(series -> series.columns().get(0).longAt(0))
                .sum();
          });
    }
  }

  @Test
  void query_moreRowsThanAChunk_readsAllChunks() throws Exception {
    StringBuilder lines = new StringBuilder();
    for (int i = 0; i < 25_000; i++) {
      lines.append(key("t1", "d" + i % 2, "")).append(" value=").append(i).append(' ');
      lines.append(Nanos.of(START.plusSeconds(i))).append('\n');
    }
    database.write(lines.toString());
    TimeSeriesQuery query =
        minutes(500)
            .select(Aggregate.SUM, "value")
            .every(Duration.ofSeconds(1))
            .groupBy("device")
            .build();

    TimeSeriesResult result = answer("t1", query);

    assertThat(result.series()).extracting(Series::size).containsExactly(12_500, 12_500);
    assertThat(result.series().get(1).columns().get(0).doubleAt(12_499)).isEqualTo(24_999);
  }

  @Test
  void query_randomSchedules_equalTheUncachedAnswer() {
    Proof.of("window-schedules-influxql")
        .tries(12, 1_000)
        .each(
            random -> {
              String own = "vitals" + COUNT.incrementAndGet();
              List<Selection> computed =
                  EveryAggregate.of("value").stream()
                      .filter(each -> each.aggregate() != Aggregate.QUANTILE)
                      .toList();
              int scale = Schedule.scale(random);
              SteppingClock clock = new SteppingClock(Schedule.NOON);
              try (InfluxQlBackend mapped = builder(database).build();
                  TimeSeries series =
                      TimeSeries.builder()
                          .backend(mapped)
                          .clock(clock)
                          .ageing(Schedule.exact(random, scale))
                          .build()) {
                List<TimeSeriesQuery> shapes =
                    IntStream.range(0, 3)
                        .mapToObj(
                            i -> Schedule.scaled(Schedule.shape(random, own, computed), scale))
                        .toList();
                Schedule.Writer writer =
                    (tenant, time, device, ward, value) ->
                        database.write(
                            Lines.key(own, tenant, device, ward)
                                + " value="
                                + value
                                + " "
                                + Nanos.of(time));
                new Schedule(random, clock, series, writer, shapes).scaledBy(scale).run(40);
              }
            });
  }

  /** The server adds up series that share a window in an order that depends on the range. */
  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void query_floatsOfManySeries_areTheSameWhateverTheRange(boolean grouped) throws Exception {
    SplittableRandom random = new SplittableRandom(7);
    StringBuilder lines = new StringBuilder();
    for (int i = 0; i < 3_000; i++) {
      lines.append(key("t1", "d" + random.nextInt(60), random.nextBoolean() ? "icu" : "er"));
      lines.append(" value=").append(random.nextDouble() * 1000 - 300).append(' ');
      lines.append(Nanos.of(START.plusSeconds(random.nextInt(40 * 60)))).append('\n');
    }
    database.write(lines.toString());
    TimeSeriesQuery.Builder all = minutes(40).groupBy(grouped ? "ward" : "nothing");
    EveryAggregate.of("value").stream()
        .filter(each -> each.aggregate() != Aggregate.QUANTILE)
        .forEach(all::select);
    TimeSeriesQuery whole = all.build();

    List<Series> together = Tenant.of("t1").call(() -> series.queryUncached(whole)).series();

    assertThat(together).hasSize(grouped ? 2 : 1);
    for (int minute = 0; minute < 40; minute++) {
      Instant from = START.plusSeconds(60L * minute);
      TimeSeriesQuery one = whole.withRange(from, from.plusSeconds(60));
      List<Series> alone = Tenant.of("t1").call(() -> series.queryUncached(one)).series();
      for (int i = 0; i < together.size(); i++) {
        for (int j = 0; j < whole.selections().size(); j++) {
          assertThat(alone.get(i).columns().get(j).valueAt(0))
              .as("%s of minute %d", whole.selections().get(j), minute)
              .isEqualTo(together.get(i).columns().get(j).valueAt(minute));
        }
      }
    }
  }

  /** Told of all tags or of whole numbers, the server does it by itself; the answer is the same. */
  @Test
  void query_tagsAndIntegersAreTold_nothingIsJoined() throws Exception {
    line("t1", START, "d1", "icu", "seq=1i,value=0.1");
    line("t1", START, "d2", "icu", "seq=2i,value=0.2");
    try (Backend told =
            builder(database)
                .tags(measurement, "device", "ward")
                .integers(measurement, "seq")
                .build();
        TimeSeries asked = TimeSeries.builder().backend(told).build()) {
      TimeSeriesQuery whole = minutes(1).select(Aggregate.SUM, "seq").build();
      TimeSeriesQuery apart =
          minutes(1).select(Aggregate.MEAN, "value").groupBy("device", "ward").build();
      TimeSeriesQuery joined = minutes(1).select(Aggregate.MEAN, "value").build();
      for (TimeSeriesQuery query : List.of(whole, apart, joined)) {
        Explanation explained = Tenant.of("t1").call(() -> asked.explain(query));
        assertThat(explained.statements())
            .singleElement()
            .satisfies(
                statement ->
                    assertThat(statement.text().contains(", * fill"))
                        .isEqualTo(query.equals(joined)));
        assertThat(Tenant.of("t1").call(() -> asked.query(query)).series())
            .isEqualTo(answer("t1", query).series());
      }
    }
  }

  @Test
  void query_quantile_isRefused() {
    TimeSeriesQuery query = minutes(1).select(Selection.quantile(0.9, "value")).build();

    assertThatThrownBy(() -> answer("t1", query))
        .isInstanceOf(RefusedQueryException.class)
        .hasMessageContaining("quantile(0.9, value)");
  }

  @Test
  void query_randomSchedulesByTheCalendar_areWhatTheCalendarSays() {
    Proof.of("calendar-schedules-influxql")
        .tries(8, 1_000)
        .each(
            random -> {
              String own = "vitals" + COUNT.incrementAndGet();
              Schedule.Writer writer =
                  (tenant, time, device, ward, value) ->
                      database.write(
                          Lines.key(own, tenant, device, ward)
                              + " value="
                              + value
                              + " "
                              + Nanos.of(time));
              try (InfluxQlBackend mapped = builder(database).build()) {
                new CalendarSchedule(random, writer, own, window -> !window.gapped())
                    .run(mapped, 15);
              }
            });
  }

  @Test
  void query_windowsWithGaps_areRefused() {
    TimeSeriesQuery.Builder query =
        minutes(10).select(Aggregate.SUM, "value").period(Duration.ofSeconds(90));

    assertThatThrownBy(() -> answer("t1", query.build()))
        .isInstanceOf(RefusedQueryException.class)
        .hasMessageContaining("PT1M30S every PT1M");
  }

  @Test
  void query_fieldOrTagCalledTime_isRefused() {
    assertThatThrownBy(() -> answer("t1", minutes(1).select(Aggregate.SUM, "Time").build()))
        .isInstanceOf(RefusedQueryException.class)
        .hasMessageContaining("Time");
  }

  @Test
  void query_unknownDatabase_saysSo(InfluxServer server) {
    InfluxQlBackend wrong =
        authorized(InfluxQlBackend.builder(server.url(), "nosuch"), server).build();
    TimeSeriesQuery query = minutes(1).select(Aggregate.SUM, "value").build();

    assertThatThrownBy(() -> answer(wrong, "t1", query))
        .isInstanceOf(AquiferException.class)
        .hasMessageContaining("nosuch");
  }

  @Test
  void query_nobodyListening_saysWhoDidNotAnswer() {
    InfluxQlBackend dead =
        InfluxQlBackend.builder("http://127.0.0.1:1", "db").user("u", "hunter2").build();
    TimeSeriesQuery query = minutes(1).select(Aggregate.SUM, "value").build();

    assertThatThrownBy(() -> answer(dead, "t1", query))
        .isInstanceOf(UnavailableException.class)
        .hasMessageContaining("127.0.0.1:1")
        .message()
        .doesNotContain("hunter2");
  }

  private double sum(PointPredicate predicate) throws Exception {
    TimeSeriesQuery query = minutes(1).select(Aggregate.SUM, "value").where(predicate).build();
    return only(answer("t1", query)).columns().get(0).doubleAt(0);
  }

  /** Each has values of its own, and the server runs none after the one that fails. */
  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void queryAll_differentConditions_isOneRequestAndOneThatFailsTakesNoneWithIt(boolean bound)
      throws Exception {
    for (int i = 0; i < 4; i++) {
      line(
          "t1",
          START.plusSeconds(30L * i),
          "d" + i,
          i % 2 == 0 ? "icu" : "er",
          "value=1,note=\"n\"");
    }
    TimeSeriesQuery icu =
        minutes(2).select(Aggregate.SUM, "value").where(TagPredicate.eq("ward", "icu")).build();
    TimeSeriesQuery device =
        minutes(3)
            .select(Aggregate.MEAN, "value")
            .where(TagPredicate.in("device", List.of("d1", "d3")))
            .groupBy("device")
            .build();
    TimeSeriesQuery text = minutes(2).select(Aggregate.SUM, "note").build();
    try (InfluxQlBackend other = builder(database).boundValues(bound).build();
        TimeSeries own = TimeSeries.builder().backend(other).build()) {
      List<BatchAnswer> two = Tenant.of("t1").call(() -> own.queryAll(List.of(icu, device)));
      assertThat(two.stream().mapToInt(each -> each.orThrow().requests()).sum()).isEqualTo(1);
      assertThat(two.get(0).orThrow().series()).hasSize(1);
      assertThat(two.get(1).orThrow().series()).hasSize(2);

      List<TimeSeriesQuery> later = List.of(icu, text, device);
      Tenant.of("t1").run(() -> own.invalidate(measurement, START, START.plusSeconds(600)));
      List<BatchAnswer> three = Tenant.of("t1").call(() -> own.queryAll(later));
      assertThat(three.get(1).error())
          .isInstanceOf(AquiferException.class)
          .isNotInstanceOf(UnavailableException.class);
      for (int i : new int[] {0, 2}) {
        assertThat(three.get(i).orThrow().series())
            .isEqualTo(Tenant.of("t1").call(() -> own.queryUncached(later.get(i))).series());
      }
    }
  }

  private TimeSeriesResult answer(String tenant, TimeSeriesQuery query) throws Exception {
    return Tenant.of(tenant).call(() -> series.query(query));
  }

  private static TimeSeriesResult answer(Backend from, String tenant, TimeSeriesQuery query)
      throws Exception {
    try (TimeSeries series = TimeSeries.builder().backend(from).build()) {
      return Tenant.of(tenant).call(() -> series.query(query));
    }
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
    database.write(key(tenant, device, ward) + " " + fields + " " + Nanos.of(time));
  }

  private String key(String tenant, String device, String ward) {
    return Lines.key(measurement, tenant, device, ward);
  }

  static InfluxQlBackend.Builder builder(InfluxDatabase database) {
    return authorized(
        InfluxQlBackend.builder(database.server().url(), database.name()), database.server());
  }

  private static InfluxQlBackend.Builder authorized(
      InfluxQlBackend.Builder builder, InfluxServer server) {
    return server.token().isEmpty() ? builder : builder.token(server.token());
  }
}
