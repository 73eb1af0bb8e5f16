package dev.aquifer.tsquery;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.influxdb.client.InfluxDBClient;
import com.influxdb.client.InfluxDBClientFactory;
import dev.aquifer.AquiferException;
import dev.aquifer.Tenant;
import dev.aquifer.UnavailableException;
import dev.aquifer.testkit.InfluxDatabase;
import dev.aquifer.testkit.InfluxServer;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Against a real InfluxDB 2.x, where the test kit finds one; elsewhere there are no such tests.
 * Each writes a measurement of its own.
 */
@ParameterizedClass(name = "{0}", allowZeroInvocations = true)
@MethodSource("forms")
class FluxServerTest extends FluxServer {
  FluxServerTest(Form form) {
    super(form);
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
        "seq=9007199254740993i,big=18446744073709551615u,small=7u,note=\"it's, \\\"a\\\"\n"
            + "b\",ok=true,none=\"\"");
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
            9_007_199_254_740_993L,
            9_007_199_254_740_993L,
            0x1p64,
            7L,
            "it's, \"a\"\nb",
            true,
            "",
            1L);
  }

  @Test
  void query_sumOfTexts_saysThatItCannot() {
    line("t1", START, "d1", "", "note=\"a\"");

    assertThatThrownBy(() -> answer("t1", minutes(1).select(Aggregate.MEAN, "note").build()))
        .isExactlyInstanceOf(AquiferException.class)
        .hasMessageContaining("string");
  }

  @Test
  void query_beforeTheEpochWithOffset_flooredAsAfterIt() throws Exception {
    new BackendContract(series, measurement, this::write).windowsBeforeTheEpoch();
  }

  @Test
  void query_pointsAtTheSameTime_firstIsTheSmallestAndLastTheLargest() throws Exception {
    for (int i = 0; i < 20; i++) {
      write("t1", START, "d" + i, "", (i * 7) % 20);
      write("t1", START.plusSeconds(9), "d" + i, "", (i * 7) % 20);
    }
    TimeSeriesQuery query =
        minutes(1).select(Aggregate.FIRST, "value").select(Aggregate.LAST, "value").build();

    Series series = only(answer("t1", query));

    assertThat(series.columns().get(0).doubleAt(0)).isZero();
    assertThat(series.columns().get(1).doubleAt(0)).isEqualTo(19.0);
  }

  @Test
  void query_hostileNamesAndValues_findExactlyTheirOwnRow() throws Exception {
    List<String> hostile = Hostile.VALUES.stream().filter(v -> !v.endsWith("\\")).toList();
    for (int i = 0; i < hostile.size(); i++) {
      String value = hostile.get(i);
      Map<String, String> tags = Map.of("device", value, "x " + value, "w");
      database.write(
          Lines.key(measurement, "t1", tags)
              + " "
              + Lines.escaped("f " + value)
              + ("=" + (i + 1) + ",value=" + (i + 1) + " ")
              + Nanos.of(START.plusSeconds(i)));
    }
    for (int i = 0; i < hostile.size(); i++) {
      String value = hostile.get(i);
      for (PointPredicate predicate :
          List.of(
              TagPredicate.eq("device", value),
              TagPredicate.eq("x " + value, "w"),
              TagPredicate.in("device", List.of(value, value)),
              TagPredicate.matches("device", "^" + Lines.regex(value) + "$"))) {
        TimeSeriesQuery query =
            minutes(60)
                .select(Aggregate.SUM, "value")
                .select(Aggregate.MAX, "f " + value)
                .where(predicate)
                .groupBy("device", "x " + value)
                .build();
        Series found = only(answer("t1", query));
        assertThat(found.group()).containsEntry("device", value).containsEntry("x " + value, "w");
        assertThat(found.columns().get(0).doubleAt(0)).isEqualTo(i + 1);
        assertThat(found.columns().get(1).doubleAt(0)).isEqualTo(i + 1);
      }
    }
    List<String> many = new ArrayList<>(hostile);
    IntStream.range(0, 100).forEach(i -> many.add("other" + i));
    TimeSeriesQuery.Builder query = minutes(60).select(Aggregate.COUNT, "value").groupBy("device");
    assertThat(answer("t1", query.where(TagPredicate.in("device", many)).build()).series())
        .hasSameSizeAs(hostile);
    assertThat(
            answer("t1", query.where(PointPredicate.not(TagPredicate.in("device", many))).build())
                .series())
        .isEmpty();
  }

  @Test
  void query_withHostileValuesOfOneTenant_neverSeesAnother() throws Exception {
    write("t1", START, "d1", "icu", 1);
    write("t2", START, "d1", "icu", 2);
    for (String value : Hostile.VALUES) {
      for (PointPredicate predicate :
          List.of(
              TagPredicate.eq("device", value),
              TagPredicate.ne("device", value),
              PointPredicate.or(TagPredicate.eq("x", value), TagPredicate.ne("y", value)),
              TagPredicate.matches("device", Lines.regex(value) + "|.*"),
              PointPredicate.not(TagPredicate.matches("device", Lines.regex(value))))) {
        TimeSeriesQuery query = minutes(60).select(Aggregate.SUM, "value").where(predicate).build();
        for (Series found : answer("t1", query).series()) {
          assertThat(found.columns().get(0).doubleAt(0)).as(value).isEqualTo(1);
        }
        assertThat(answer("t3", query).series()).isEmpty();
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
    assertThat(sum(TagPredicate.matches("ward", "^(icu)?$"))).isEqualTo(3);
    assertThat(sum(TagPredicate.matches("ward", "^$"))).isEqualTo(1);
    assertThat(sum(TagPredicate.in("ward", List.of("", "icu")))).isEqualTo(3);
    assertThat(sum(PointPredicate.not(TagPredicate.in("ward", List.of("er", "icu"))))).isEqualTo(1);
    assertThat(sum(PointPredicate.not(TagPredicate.in("ward", List.of("", "er"))))).isEqualTo(2);
    TimeSeriesQuery grouped =
        minutes(1).select(Aggregate.LAST, "value").groupBy("nosuch", "ward").build();
    assertThat(answer("t1", grouped).series())
        .extracting(Series::group)
        .containsExactly(Map.of("nosuch", "", "ward", ""), Map.of("nosuch", "", "ward", "icu"));
  }

  @Test
  void query_conditionsOnAField_chooseAmongItsValues() throws Exception {
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

    FieldConditions.assertChosen(
        (field, condition) ->
            answer("t1", minutes(1).select(Aggregate.COUNT, field).where(condition).build())
                .series()
                .stream()
                .mapToLong(series -> series.columns().get(0).longAt(0))
                .sum());
  }

  /** The storage keeps each week by itself, and has a condition for each series. */
  @Test
  void query_tagsOrValuesOverManyWeeks_chooseInAllOfThem() throws Exception {
    for (int week = 0; week < 4; week++) {
      for (int device = 0; device < 6; device++) {
        write("t1", START.plus(Duration.ofDays(7L * week)), "d" + device, "", 50 - 60 * (week % 2));
      }
    }
    PointPredicate odd = TagPredicate.in("device", List.of("d1", "d3", "d5"));
    for (PointPredicate low :
        List.of(
            FieldPredicate.le("value", -5.5), FieldPredicate.in("value", List.of(-10.0, -11.0)))) {
      TimeSeriesQuery query =
          TimeSeriesQuery.builder(measurement)
              .select(Aggregate.COUNT, "value")
              .where(PointPredicate.or(odd, low))
              .every(Duration.ofDays(40))
              .offset(Duration.between(Instant.EPOCH, START))
              .range(START, START.plus(Duration.ofDays(40)))
              .build();

      assertThat(answer("t1", query).series().get(0).columns().get(0).longAt(0)).isEqualTo(18);
    }
  }

  @Test
  void query_aThousandValues_areAllCompared() throws Exception {
    for (int i = 0; i < 5; i++) {
      write("t1", START, "v" + i * 300, "", 1);
    }
    List<String> all = IntStream.range(0, 1_000).mapToObj(i -> "v" + i).toList();

    assertThat(sum(TagPredicate.in("device", all))).isEqualTo(4);
    assertThat(sum(PointPredicate.not(TagPredicate.in("device", all)))).isEqualTo(1);
  }

  @Test
  void query_unknownBucket_saysSo() {
    FluxBackend.Builder wrong =
        form == Form.CLIENT
            ? InfluxClientBackend.builder(client, database.server().org(), "nosuch")
            : FluxBackend.builder(database.server().url(), database.server().org(), "nosuch")
                .token(database.server().token());
    TimeSeriesQuery query = minutes(1).select(Aggregate.SUM, "value").build();

    assertThatThrownBy(() -> answer(wrong.build(), "t1", query))
        .isInstanceOf(AquiferException.class)
        .hasMessageContaining("nosuch");
  }

  @Test
  void query_wrongToken_saysSoWithoutIt() {
    String url = database.server().url();
    Backend wrong =
        FluxBackend.builder(url, database.server().org(), "flux").token("hunter2").build();
    TimeSeriesQuery query = minutes(1).select(Aggregate.SUM, "value").build();

    assertThatThrownBy(() -> answer(wrong, "t1", query))
        .isInstanceOf(UnavailableException.class)
        .hasMessageContaining("HTTP 401")
        .message()
        .doesNotContain("hunter2");
  }

  @Test
  void fetch_serverKilledInMidAnswer_isAnError() {
    try (InfluxServer own = InfluxServer.find(InfluxServer.Kind.V2).orElseThrow()) {
      if (!own.isOwn()) {
        return; // One that is lent is not to be killed.
      }
      InfluxDatabase lost = own.createDatabase("lost");
      int points = 250_000;
      for (int i = 0; i < points; i += 50_000) {
        StringBuilder lines = new StringBuilder();
        for (int j = i; j < i + 50_000; j++) {
          lines.append("m,tenant=t1 value=1 ").append(Nanos.of(START.plusSeconds(j))).append('\n');
        }
        lost.write(lines.toString());
      }
      TimeRange range = new TimeRange(START, START.plusSeconds(points));
      TimeSeriesQuery query =
          TimeSeriesQuery.builder("m")
              .select(Aggregate.COUNT, "value")
              .every(Duration.ofSeconds(1))
              .range(range.start(), range.stop())
              .build();
      FetchRequest request =
          new FetchRequest(
              query,
              "tenant",
              Tenant.of("t1"),
              List.of(Stretch.of(range, Nanos.PER_SECOND, Nanos.PER_SECOND, 0)),
              false,
              Duration.ofSeconds(30));
      try (InfluxDBClient to = InfluxDBClientFactory.create(own.url(), own.token().toCharArray());
          Backend backend = backend(to, lost)) {
        KillingSink sink = new KillingSink(own);
        assertThatThrownBy(() -> backend.fetch(request, sink))
            .isInstanceOf(UnavailableException.class);
        assertThat(sink.rows).isPositive().isLessThan(points);
      }
    }
  }

  /** What is computed here of a few points is what the server makes of them. */
  @Test
  void fetch_fewPoints_areWhatTheServerMakesOfThem() {
    Random random = new Random(7);
    for (int i = 0; i < 120; i++) {
      Instant time = START.plusMillis(random.nextInt(600_000));
      String ward = random.nextBoolean() ? "" : "icu";
      String value = random.nextInt(20) == 0 ? Long.MAX_VALUE + "i" : random.nextInt(-9, 9) + "i";
      line(
          "t1",
          time,
          "d" + random.nextInt(3),
          ward,
          "seq=" + value + ",other=" + random.nextInt(5) + "i");
    }
    FluxBackend whole = builder().integers(measurement, "seq", "other").build();
    for (Duration period : List.of(Duration.ofMinutes(1), Duration.ofSeconds(20))) {
      TimeSeriesQuery.Builder query = minutes(10).period(period).groupBy("device", "ward");
      for (String field : List.of("seq", "other")) {
        List.of(Aggregate.COUNT, Aggregate.SUM, Aggregate.MEAN, Aggregate.MIN, Aggregate.MAX)
            .forEach(each -> query.select(each, field));
        query.select(Aggregate.FIRST, field).select(Aggregate.LAST, field);
      }
      TimeSeriesQuery each = query.build();

      assertThat(fetched(whole, each, true)).isNotEmpty().isEqualTo(fetched(whole, each, false));
    }
    whole.close();
  }

  private static List<Series> fetched(Backend from, TimeSeriesQuery query, boolean few) {
    TimeRange range = (TimeRange) query.range();
    WindowGrid grid = WindowGrid.of(query.window(), range, QueryLimits.defaults(), 14);
    Tenant tenant = Tenant.of("t1");
    Assembly assembly = new Assembly(grid, query, new PointBudget(tenant, 100_000));
    assembly.expect(List.of(new Run(grid.first(), grid.end())));
    List<Stretch> stretches = grid.stretches(grid.first(), grid.end());
    Duration limit = Duration.ofSeconds(10);
    from.fetch(new FetchRequest(query, "tenant", tenant, stretches, few, limit), assembly);
    return assembly.render(query);
  }

  private Backend backend(InfluxDBClient to, InfluxDatabase of) {
    InfluxServer server = of.server();
    // Not compressed: so that the answer is larger than what lies in buffers.
    return form == Form.CLIENT
        ? InfluxClientBackend.builder(to, server.org(), of.name()).build()
        : FluxBackend.builder(server.url(), server.org(), of.name())
            .token(server.token())
            .gzip(false)
            .build();
  }

  /** Kills the server when the first row has come. */
  private static final class KillingSink extends IgnoringSink {
    private final InfluxServer server;
    private int rows;

    KillingSink(InfluxServer server) {
      this.server = server;
    }

    @Override
    public void row(List<String> group, long windowStart) {
      if (rows++ == 0) {
        server.kill();
      }
    }
  }

  private double sum(PointPredicate predicate) throws Exception {
    TimeSeriesQuery query = minutes(1).select(Aggregate.SUM, "value").where(predicate).build();
    return only(answer("t1", query)).columns().get(0).doubleAt(0);
  }

  private static TimeSeriesResult answer(Backend from, String tenant, TimeSeriesQuery query)
      throws Exception {
    try (TimeSeries series = TimeSeries.builder().backend(from).build()) {
      return Tenant.of(tenant).call(() -> series.query(query));
    }
  }
}
