package dev.aquifer.tsquery;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.aquifer.RefusedQueryException;
import dev.aquifer.Tenant;
import dev.aquifer.testkit.Proof;
import dev.aquifer.tsquery.flux.EmittedFlux;
import dev.aquifer.tsquery.flux.FluxPlan;
import dev.aquifer.tsquery.flux.FluxQuery;
import dev.aquifer.tsquery.flux.FluxScript;
import java.time.Duration;
import java.time.Instant;
import java.time.Period;
import java.time.ZoneId;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class FluxDialectTest {
  private static final Instant START = Instant.parse("2026-03-01T00:00:30Z");
  private static final TimeRange RANGE = new TimeRange(START, START.plusSeconds(600));

  private static final EmittedFlux BOUND = EmittedFlux.of("dialect-bound", 200);
  private static final EmittedFlux WRITTEN = EmittedFlux.of("dialect-written", 200);

  /** By themselves, so that they leave room for the others. */
  private static final EmittedFlux RANDOM = EmittedFlux.of("dialect-random", 200);

  private final FluxDialect bound = new FluxDialect("vitals", true, Map.of(), Map.of());
  private final FluxDialect written = new FluxDialect("vitals", false, Map.of(), Map.of());

  @Test
  void render_bound_hasNoValueInTheText() {
    TimeSeriesQuery query =
        minutes()
            .select(Aggregate.MAX, "heart_rate")
            .select(Aggregate.MAX, "spo2")
            .where(TagPredicate.in("ward", List.of("icu", "")))
            .where(PointPredicate.not(TagPredicate.matches("device", "^d[12]$")))
            .offset(Duration.ofSeconds(-20))
            .groupBy("device", "ward")
            .build();

    StatementText statement = render(bound, query);

    assertThat(statement.text())
        .isEqualTo(
            """
            import "regexp"

            re0 = regexp.compile(v: params.p6)

            from(bucket: params.p0)
              |> range(start: 2026-03-01T00:00:30Z, stop: 2026-03-01T00:10:30Z)
              |> filter(fn: (r) => r["tenant"] == params.p1 and r["_measurement"] == params.p2 \
            and (r["_field"] == params.p3 or r["_field"] == params.p4) \
            and (r["device"] !~ re0 and (r["ward"] == params.p5 or not exists r["ward"])))
              |> group(columns: ["_field", "device", "ward"])
              |> aggregateWindow(every: 60000000000ns, offset: 40000000000ns, fn: max, \
            createEmpty: false, timeSrc: "_start")
              |> keep(columns: ["_time", "_value", "_field", "device", "ward"])
              |> yield(name: "0.0")
            """);
    assertThat(statement.values())
        .containsExactly("vitals", "t1", "m", "heart_rate", "spo2", "icu", "^d[12]$");
  }

  @Test
  void render_written_hasTheValuesAsLiterals() {
    TimeSeriesQuery query =
        minutes()
            .select(Aggregate.LAST, "heart_rate")
            .where(TagPredicate.ne("ward", "i\"cu"))
            .where(TagPredicate.matches("device", "a/b"))
            .build();

    StatementText statement = render(written, query);

    assertThat(statement.values()).isEmpty();
    assertThat(statement.text())
        .contains("r[\"tenant\"] == \"t1\" and r[\"_measurement\"] == \"m\"")
        .contains("r[\"device\"] =~ /a\\/b/")
        .contains("(not exists r[\"ward\"] or (r[\"ward\"] != \"i\\x22cu\"))")
        .contains("|> sort(columns: [\"_time\", \"_value\"])");
  }

  @Test
  void render_eachAggregateAndRange_isAReadOfItsOwn() {
    TimeSeriesQuery.Builder query = minutes().groupBy("device");
    EveryAggregate.of("a").forEach(query::select);
    EveryAggregate.of("b").forEach(query::select);
    FetchRequest request =
        request(
            query.build(), RANGE, new TimeRange(START.plusSeconds(900), START.plusSeconds(960)));

    String text = render(bound, request).text();

    // Sums and means are one read.
    assertThat(text.split("from\\(bucket", -1)).hasSize(2 * 11 + 1);
    assertThat(text.split("yield\\(name: \"\\d+\\.[01]\"", -1)).hasSize(2 * 11 + 1);
  }

  @Test
  void render_sumsAndMeans_areOneReadOfBothInOrder() {
    TimeSeriesQuery query =
        minutes().select(Aggregate.MEAN, "a").select(Aggregate.SUM, "a").groupBy("ward").build();

    assertThat(render(bound, query).text())
        .endsWith(
            """
              |> group(columns: ["_field", "ward"])
              |> sort(columns: ["_time", "_value"])
              |> map(fn: (r) => ({r with n: 1}))
              |> window(every: 60000000000ns)
              |> cumulativeSum(columns: ["_value", "n"])
              |> last(column: "n")
              |> keep(columns: ["_start", "_value", "n", "_field", "ward"])
              |> yield(name: "0.0")
            """);
  }

  @Test
  void render_deviations_areSumsOfSquaresInOrder() {
    TimeSeriesQuery query = minutes().select(Aggregate.STDDEV, "a").build();

    assertThat(render(bound, query).text())
        .startsWith("import \"types\"\n\nfrom(")
        .endsWith(
            """
              |> group(columns: ["_field"])
              |> sort(columns: ["_time", "_value"])
              |> map(fn: (r) => ({r with _value: NUMBER, x: NUMBER, n: 1.0}))
              |> window(every: 60000000000ns)
              |> cumulativeSum(columns: ["_value", "n"])
              |> map(fn: (r) => ({r with _value: if r.n > 1.0 then \
            (r.x * r.n - r._value) * (r.x * r.n - r._value) / (r.n * (r.n - 1.0)) else 0.0}))
              |> cumulativeSum(columns: ["_value"])
              |> last(column: "n")
              |> keep(columns: ["_start", "_value", "n", "_field"])
              |> yield(name: "0.0")
            """
                .replace(
                    "NUMBER",
                    "if types.isNumeric(v: r._value) then float(v: r._value)"
                        + " else die(msg: \"a field is no number\")"));
  }

  @Test
  void render_quantiles_areReadsOfTheirOwnWithTheShareBound() {
    TimeSeriesQuery query =
        minutes()
            .select(Selection.quantile(0.5, "a"))
            .select(Selection.quantile(0.99, "a"))
            .select(Aggregate.MEDIAN, "a")
            .select(Aggregate.DISTINCT, "a")
            .build();

    StatementText statement = render(bound, query);

    assertThat(statement.text())
        .contains("tables |> quantile(q: params.p4, column: column, method: \"exact_selector\")")
        .contains("tables |> quantile(q: params.p5, column: column, method: \"exact_selector\")")
        .contains(
            "t2_0\n  |> aggregateWindow(every: 60000000000ns, fn: (column, tables=<-) => tables")
        .contains("tables |> quantile(q: 0.5, column: column, method: \"exact_selector\")")
        .contains("tables |> quantile(q: 0.500000000001, column: column, method")
        .contains("tables |> distinct(column: column) |> count(),");
    assertThat(statement.values()).containsExactly("vitals", "t1", "m", "a", 0.5, 0.99);
    assertThat(render(written, query).text()).contains("quantile(q: 0.99,");
  }

  @Test
  void render_conditionsOnAField_standInTheFilterOfItsRead() {
    TimeSeriesQuery query =
        minutes()
            .select(Aggregate.MAX, "a")
            .where(
                PointPredicate.or(
                    TagPredicate.eq("ward", "icu"), FieldPredicate.in("a", List.of(5, -7.5))))
            .where(FieldPredicate.ge("a", -9))
            .build();

    assertThat(render(bound, query).text())
        .contains("r[\"_value\"] == params.p", "r[\"_value\"] >= params.p")
        .doesNotContain("7.5");
    assertThat(render(bound, query).values()).contains(-9L, 5L, -7.5);
    assertThat(render(written, query).text())
        .contains("n0 = -", "r[\"_value\"] == 5", "r[\"_value\"] >= n")
        .doesNotContain("== -", ">= -");
    for (FluxDialect dialect : List.of(bound, written)) {
      StatementText statement = render(dialect, query);
      FluxQuery script = FluxQuery.of(statement.text());
      for (int i = 0; i < statement.values().size(); i++) {
        script = script.bind("p" + i, statement.values().get(i));
      }
      assertThat(script.explain().toString()).contains("taking over from, range, filter");
    }
  }

  @Test
  void check_numberThatFluxCannotWrite_isRefused() {
    TimeSeriesQuery query =
        minutes().select(Aggregate.MAX, "a").where(FieldPredicate.gt("a", Long.MIN_VALUE)).build();

    assertThatThrownBy(() -> bound.check(query))
        .isInstanceOf(RefusedQueryException.class)
        .hasMessageContaining("cannot write");
  }

  @Test
  void render_ofMeasurementWhoseTagsAreKnown_leavesAllToTheStorage() {
    FluxDialect known =
        new FluxDialect("vitals", true, Map.of("m", Set.of("device", "ward")), Map.of());
    TimeSeriesQuery apart =
        minutes()
            .select(Aggregate.MEAN, "a")
            .where(TagPredicate.eq("ward", "icu"))
            .groupBy("device")
            .build();
    TimeSeriesQuery shared = minutes().select(Aggregate.MIN, "a").groupBy("device").build();

    assertThat(render(known, apart).text())
        .contains("fn: mean")
        .doesNotContain("group(", "sort(", "count");
    assertThat(render(known, shared).text()).contains("group(");
  }

  @Test
  void render_sumsOfIntegers_areNotSorted() {
    FluxDialect known = new FluxDialect("vitals", true, Map.of(), Map.of("m", Set.of("a", "c")));
    TimeSeriesQuery query =
        minutes()
            .select(Aggregate.MEAN, "a")
            .select(Aggregate.SUM, "a")
            .select(Aggregate.MEAN, "b")
            .select(Aggregate.SUM, "c")
            .build();

    assertThat(known.plan(query, false).reads())
        .extracting(read -> read.aggregate() + " " + read.shape() + " " + read.fields())
        .containsExactly("SUM TOTALED [a]", "SUM SUMMED [b]", "SUM GROUPED [c]");
    assertThat(render(known, query).text())
        .contains("t0_0 = from(bucket: params.p0)")
        .contains("t0_0\n  |> aggregateWindow(every: 60000000000ns, fn: sum, createEmpty: false")
        .contains("yield(name: \"0.0.n\")");
  }

  @Test
  void render_fewPointsOfIntegers_areHandedOver() {
    FluxDialect known = new FluxDialect("vitals", true, Map.of(), Map.of("m", Set.of("a", "c")));
    TimeSeriesQuery.Builder query =
        minutes().select(Aggregate.MEAN, "a").select(Aggregate.MAX, "c").groupBy("device");

    assertThat(render(known, few(query.build())).text())
        .endsWith(
            """
              |> group(columns: ["_field"])
              |> keep(columns: ["_time", "_value", "_field", "device"])
              |> yield(name: "0.0")
            """)
        .contains("(r[\"_field\"] == params.p3 or r[\"_field\"] == params.p4)");
    assertThat(known.plan(query.select(Aggregate.MEAN, "b").build(), true).reads())
        .noneMatch(read -> read.shape() == FluxReads.Shape.POINTS);
    assertThat(known.plan(minutes().select(Aggregate.STDDEV, "a").build(), true).reads())
        .noneMatch(read -> read.shape() == FluxReads.Shape.POINTS);
  }

  @Test
  void render_rangeInOneWindow_makesNone() {
    TimeSeriesQuery query =
        minutes()
            .select(Aggregate.COUNT, "a")
            .select(Aggregate.MEDIAN, "a")
            .select(Aggregate.LAST, "a")
            .select(Aggregate.MEAN, "a")
            .select(Aggregate.STDDEV, "a")
            .every(Duration.ofHours(1))
            .groupBy("device")
            .build();

    StatementText statement = render(bound, query);

    assertThat(statement.text())
        .contains(
            """
              |> group(columns: ["_field", "device"])
              |> count()
              |> keep(columns: ["_value", "_field", "device"])
            """)
        .contains("t1_0\n  |> quantile(q: 0.5, column: \"_value\", method: \"exact_selector\")")
        .contains("|> sort(columns: [\"_time\", \"_value\"])\n  |> last()\n")
        .contains("|> keep(columns: [\"_value\", \"n\", \"_field\", \"device\"])")
        .doesNotContain("indow(", "\"_start\"");
    assertThat(FluxQuery.of(statement.text()).explain().reads().get(0).storage())
        .isEqualTo(FluxPlan.Storage.GROUP_AGGREGATE);
  }

  /** See {@code FluxServerTest}: without it, a series whose tags decide would lose points. */
  @Test
  void render_alternativesOfTagsAndValues_hasAConditionOnTheValueThatAlwaysHolds() {
    TagPredicate icu = TagPredicate.eq("ward", "icu");
    Map.of(
            FieldPredicate.le("value", 5),
            "(r[\"_value\"] <= 5 or r[\"_value\"] > 5)",
            FieldPredicate.notIn("value", List.of(1, 2)),
            "((r[\"_value\"] == 1) or (r[\"_value\"] != 1))",
            FieldPredicate.matches("value", "^a"),
            "(r[\"_value\"] =~ /^a/ or r[\"_value\"] !~ /^a/)")
        .forEach(
            (onValue, always) -> {
              TimeSeriesQuery.Builder query = minutes().select(Aggregate.COUNT, "value");
              PointPredicate or = PointPredicate.or(icu, PointPredicate.and(onValue, icu));
              TimeSeriesQuery mixed = query.where(or).build();
              assertThat(render(written, mixed).text()).contains(" and " + always + ")");

              TimeSeriesQuery.Builder both = minutes().select(Aggregate.COUNT, "value");
              assertThat(render(written, both.where(icu).where(onValue).build()).text())
                  .doesNotContain(always);
            });
  }

  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void render_everyShape_isConfinedOnceAndReadsBack(boolean bind) {
    Proof.of("flux-dialect-" + (bind ? "bound" : "written"))
        .tries(500, 100_000)
        .each(
            random -> {
              FluxDialect dialect = bind ? bound : written;
              TimeSeriesQuery query = Schedule.shape(random, "m");
              StatementText statement = dialect.render(request(query));
              RANDOM.acceptedWith(statement.values(), statement.text());
              if (bind) {
                assertThat(statement.text()).doesNotContain("\"t1\"", "\"m\"", "d'3");
                assertThat(FluxQuery.of(statement.text()).text()).contains("params.p1");
              } else {
                FluxScript script = FluxScript.parse(statement.text());
                assertThat(script.confinedTo("tenant", "t1")).isEqualTo(script);
              }
              int reads = statement.text().split("from\\(", -1).length - 1;
              assertThat(statement.text().split("r\\[\"tenant\"\\] == ", -1)).hasSize(reads + 1);
            });
  }

  @Test
  void render_hostileValues_eachIsOneLiteral() {
    for (String value : Hostile.VALUES) {
      TimeSeriesQuery query =
          minutes()
              .select(Aggregate.COUNT, "f" + value)
              .where(TagPredicate.eq("t" + value, value))
              .groupBy("g" + value)
              .build();
      for (FluxDialect dialect : List.of(bound, written)) {
        dialect.check(query);
        FluxScript.parse(render(dialect, query).text());
      }
      FluxScript script = FluxScript.parse(render(written, query).text());
      assertThat(script.confinedTo("tenant", "t1")).as(value).isEqualTo(script);
    }
  }

  @Test
  void render_aThousandValues_readsBack() {
    List<String> all = IntStream.range(0, 1_000).mapToObj(i -> "v" + i).toList();
    TimeSeriesQuery query =
        minutes().select(Aggregate.COUNT, "a").where(TagPredicate.in("device", all)).build();

    StatementText many = render(bound, query);
    FluxScript.parse(many.text());
    assertThat(many.values()).hasSize(5);
    assertThat(many.values().get(4).toString()).startsWith("^(?:v0|v1|v10|").endsWith("|v999)$");
    assertThat(FluxScript.parse(render(written, query).text()).text()).contains("\"v999\"");
  }

  @Test
  void check_namesThatMeanSomethingElse_areRefused() {
    for (String tag : List.of("_value", "_measurement", "_name", "$", "time", "Time")) {
      TimeSeriesQuery grouped = minutes().select(Aggregate.COUNT, "a").groupBy(tag).build();
      TimeSeriesQuery asked =
          minutes().select(Aggregate.COUNT, "a").where(TagPredicate.eq(tag, "x")).build();
      for (TimeSeriesQuery query : List.of(grouped, asked)) {
        assertThatThrownBy(() -> bound.check(query))
            .isInstanceOf(RefusedQueryException.class)
            .hasMessageContaining("'" + tag + "'");
      }
    }
    TimeSeriesQuery table = minutes().select(Aggregate.COUNT, "a").groupBy("table").build();
    assertThatThrownBy(() -> bound.check(table)).isInstanceOf(RefusedQueryException.class);
    FetchRequest tenant =
        new FetchRequest(
            minutes().select(Aggregate.COUNT, "a").build(),
            "_field",
            Tenant.of("t1"),
            List.of(Stretches.of(minutes().select(Aggregate.COUNT, "a").build(), RANGE)),
            false,
            Duration.ofSeconds(1));
    assertThatThrownBy(() -> bound.render(tenant)).isInstanceOf(RefusedQueryException.class);
  }

  @Test
  void render_windowsByTheCalendar_areReadsOfEqualOnesThatTheStorageMakes() {
    TimeSeriesQuery.Builder query =
        TimeSeriesQuery.builder("m")
            .select(Aggregate.MAX, "v")
            .zone(ZoneId.of("Europe/Berlin"))
            .range(Instant.parse("2026-03-27T12:00:00Z"), Instant.parse("2026-03-31T12:00:00Z"));

    assertThat(render(written, query.every(Period.ofDays(1)).build()).text())
        .contains("start: 2026-03-27T12:00:00Z, stop: 2026-03-28T23:00:00Z")
        .contains("every: 86400000000000ns, offset: 82800000000000ns, fn: max")
        .contains("start: 2026-03-28T23:00:00Z, stop: 2026-03-29T22:00:00Z")
        .contains("  |> max()\n")
        .contains("start: 2026-03-29T22:00:00Z, stop: 2026-03-31T12:00:00Z")
        .contains("every: 86400000000000ns, offset: 79200000000000ns, fn: max")
        .doesNotContain("period", "location");
    assertThat(render(written, query.period(Duration.ofHours(8)).build()).text())
        .contains("every: 86400000000000ns, period: 28800000000000ns, offset: 79200000000000ns");
  }

  @Test
  void check_regexThatIsNone_isRefused() {
    TimeSeriesQuery query =
        minutes().select(Aggregate.COUNT, "a").where(TagPredicate.matches("d", "a\\")).build();

    assertThatThrownBy(() -> bound.check(query))
        .isInstanceOf(RefusedQueryException.class)
        .hasMessageContaining("half an escape");
  }

  private static TimeSeriesQuery.Builder minutes() {
    return TimeSeriesQuery.builder("m")
        .every(Duration.ofMinutes(1))
        .range(START, START.plusSeconds(600));
  }

  private StatementText render(FluxDialect dialect, TimeSeriesQuery query) {
    return render(dialect, request(query));
  }

  private StatementText render(FluxDialect dialect, FetchRequest request) {
    StatementText statement = dialect.render(request);
    (dialect == written ? WRITTEN : BOUND).acceptedWith(statement.values(), statement.text());
    return statement;
  }

  private static FetchRequest few(TimeSeriesQuery query) {
    FetchRequest request = request(query);
    return new FetchRequest(
        query, request.tenantTag(), request.tenant(), request.stretches(), true, request.timeout());
  }

  private static FetchRequest request(TimeSeriesQuery query) {
    if (query.range() instanceof TimeRange range && !range.start().equals(START)) {
      WindowGrid grid = WindowGrid.of(query.window(), range, QueryLimits.defaults(), 1);
      return new FetchRequest(
          query,
          "tenant",
          Tenant.of("t1"),
          grid.stretches(grid.first(), grid.end()),
          false,
          Duration.ofSeconds(10));
    }
    return request(query, RANGE);
  }

  private static FetchRequest request(TimeSeriesQuery query, TimeRange... ranges) {
    return new FetchRequest(
        query,
        "tenant",
        Tenant.of("t1"),
        Arrays.stream(ranges).map(range -> Stretches.of(query, range)).toList(),
        false,
        Duration.ofSeconds(10));
  }
}
