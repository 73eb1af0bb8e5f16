package dev.aquifer.tsquery;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.aquifer.RefusedQueryException;
import dev.aquifer.Tenant;
import java.time.Duration;
import java.time.Instant;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Fills and stages over windows of ten seconds, one point in each that has any. */
class StagesTest {
  private static final Instant START = Instant.parse("2026-03-01T00:00:00Z");
  private static final String MEAN = "mean(v)";

  private final PointsBackend points = new PointsBackend();
  private final TimeSeries series = TimeSeries.builder().backend(points).build();

  @AfterEach
  void close() {
    series.close();
  }

  @Test
  void linear_betweenWindowsWithPoints_isOnTheLine() throws Exception {
    write(null, 10.0, null, null, 40.0, null);

    assertThat(values(q -> q.fill(Fill.linear()), MEAN))
        .containsExactly(null, 10.0, 20.0, 30.0, 40.0, null);
    assertThat(values(q -> q.fill(Fill.linear()).select(Aggregate.COUNT, "v"), "count(v)"))
        .containsExactly(0.0, 1.0, 1.0, 1.0, 1.0, 0.0);
  }

  /** What lies outside the range, and is in the cache, is not gone by. */
  @Test
  void linear_ofARangeInsideACachedOne_endsWithItsOwnValues() throws Exception {
    write(10.0, null, 30.0, null, null, 60.0);
    TimeSeriesQuery whole = query(60, q -> q.fill(Fill.linear()));

    answer(whole);
    TimeSeriesQuery part = whole.withRange(START.plusSeconds(10), START.plusSeconds(50));

    assertThat(values(answer(part).series().get(0), MEAN)).containsExactly(null, 30.0, null, null);
    assertThat(answer(part).fetched()).isZero();
  }

  @Test
  void query_thatDiffersInStagesAlone_fetchesNothing() throws Exception {
    write(1.0, 2.0, 4.0);
    answer(query(30, q -> q));

    TimeSeriesResult staged =
        answer(query(30, q -> q.then(Stage.difference()).then(Stage.limit(1))));

    assertThat(staged.fetched()).isZero();
    assertThat(staged.shown()).isEqualTo(3);
    assertThat(values(staged.series().get(0), MEAN)).containsExactly(1.0);
    assertThat(staged.series().get(0).start(0)).isEqualTo(START.plusSeconds(10));
  }

  @Test
  void difference_nullsAndFirst_haveNone() throws Exception {
    write(null, 5.0, null, 3.0, 10.0);

    assertThat(values(q -> q.fill(Fill.nulls()).then(Stage.difference()), MEAN))
        .containsExactly(null, null, -2.0, 7.0, null);
    assertThat(values(q -> q.fill(Fill.nulls()).then(Stage.nonNegativeDifference()), MEAN))
        .containsExactly(null, null, null, 7.0, null);
    assertThat(values(q -> q.then(Stage.difference()), MEAN)).containsExactly(-2.0, 7.0);
  }

  @Test
  void derivative_overAGap_countsItsTime() throws Exception {
    write(5.0, null, 3.0, 10.0);

    assertThat(values(q -> q.then(Stage.derivative(Duration.ofSeconds(1))), MEAN))
        .containsExactly(-0.1, 0.7);
    assertThat(values(q -> q.then(Stage.nonNegativeDerivative(Duration.ofMinutes(1))), MEAN))
        .containsExactly(null, 42.0);
  }

  @Test
  void cumulativeSum_ofNothing_repeats() throws Exception {
    write(null, 5.0, null, 3.0);

    assertThat(values(q -> q.fill(Fill.nulls()).then(Stage.cumulativeSum()), MEAN))
        .containsExactly(0.0, 5.0, 5.0, 8.0, 8.0, 8.0);
  }

  @Test
  void movingAverage_ofFewerWindows_isOneOfAll() throws Exception {
    write(2.0, 4.0, null, 9.0);

    assertThat(values(q -> q.then(Stage.movingAverage(2)), MEAN)).containsExactly(3.0, 6.5);
    assertThat(values(q -> q.then(Stage.movingAverage(9)), MEAN)).containsExactly(5.0);
    assertThat(values(q -> q.fill(Fill.nulls()).then(Stage.movingAverage(2)), MEAN))
        .containsExactly(3.0, 4.0, 9.0, 9.0, null);
  }

  @Test
  void order_ofSortTopAndBottom_isByValue() throws Exception {
    write(3.0, null, 1.0, 2.0, 3.0, -1.0);
    UnaryOperator<TimeSeriesQuery.Builder> nulls = q -> q.fill(Fill.nulls());

    assertThat(values(q -> nulls.apply(q).then(Stage.sort(MEAN)), MEAN))
        .containsExactly(null, -1.0, 1.0, 2.0, 3.0, 3.0);
    assertThat(values(q -> nulls.apply(q).then(Stage.sortDescending(MEAN)), MEAN))
        .containsExactly(null, 3.0, 3.0, 2.0, 1.0, -1.0);
    assertThat(values(q -> nulls.apply(q).then(Stage.bottom(2, MEAN)), MEAN))
        .containsExactly(-1.0, 1.0);
    Series top = answer(query(60, q -> nulls.apply(q).then(Stage.top(2, MEAN)))).series().get(0);
    assertThat(values(top, MEAN)).containsExactly(3.0, 3.0);
    assertThat(top.start(0)).isEqualTo(START);
    assertThat(top.start(1)).isEqualTo(START.plusSeconds(40));
    assertThat(values(q -> q.then(Stage.top(100, MEAN)), MEAN)).hasSize(5);
  }

  @Test
  void map_ofSeveralColumns_addsOrReplacesOne() throws Exception {
    write(3.0, null, -4.0);
    TimeSeriesQuery query =
        query(
            30,
            q ->
                q.fill(Fill.nulls())
                    .select(Aggregate.COUNT, "v")
                    .then(
                        Stage.map(
                            "share",
                            ColumnExpression.of(Aggregate.MEAN, "v")
                                .plus(ColumnExpression.constant(1))
                                .dividedBy(ColumnExpression.of(Aggregate.COUNT, "v"))))
                    .then(
                        Stage.map(
                            MEAN, ColumnExpression.of("share").minus(ColumnExpression.of(MEAN)))));

    Series mapped = answer(query).series().get(0);

    assertThat(mapped.columns())
        .extracting(ValueColumn::name)
        .containsExactly(MEAN, "count(v)", "share");
    assertThat(values(mapped, "share")).containsExactly(4.0, null, -3.0);
    assertThat(values(mapped, MEAN)).containsExactly(1.0, null, 1.0);
    assertThatThrownBy(() -> mapped.column("share").selection())
        .isInstanceOf(IllegalStateException.class)
        .hasMessageContaining("share");
  }

  @Test
  void stages_onWholeNumbers_stayWholeUnlessTheyPass64Bits() {
    Series counters = counters(Long.MIN_VALUE, 1, Long.MAX_VALUE);

    ValueColumn differences = run(counters, Stage.difference());
    assertThat(differences.kind()).isEqualTo(ValueKind.DOUBLE);
    assertThat(differences.doubleAt(0)).isEqualTo(0x1p63);
    assertThat(run(counters(5, 9, 7), Stage.difference()).longAt(1)).isEqualTo(-2);
    ValueColumn sums = run(counters(Long.MAX_VALUE, 1, 1), Stage.cumulativeSum());
    assertThat(sums.doubleAt(0)).isEqualTo(0x1p63);
    assertThat(sums.doubleAt(2)).isEqualTo(0x1p63 + 2.0);
    assertThat(run(counters(5, 9, 7), Stage.cumulativeSum()).longAt(2)).isEqualTo(21);
    assertThat(
            run(counters(0x20000000000001L, 0x20000000000000L), Stage.nonNegativeDifference())
                .isNull(0))
        .isTrue();
  }

  @Test
  void run_onTexts_isRefusedWhereItComputes() {
    Cells texts = new Cells(2);
    texts.putText(0, "b");
    texts.putText(1, "a");
    Series notes =
        new Series(
            Map.of(),
            new long[] {0, 1},
            List.of(new ValueColumn(new Selection(Aggregate.LAST, "n"), texts, ValueKind.TEXT)));

    assertThat(run(notes, Stage.sort("last(n)")).valueAt(0)).isEqualTo("a");
    for (Stage stage :
        List.of(
            Stage.difference(),
            Stage.cumulativeSum(),
            Stage.movingAverage(2),
            Stage.derivative(Duration.ofSeconds(1)),
            Stage.map("x", ColumnExpression.of("last(n)")))) {
      assertThatThrownBy(() -> run(notes, stage))
          .isInstanceOf(RefusedQueryException.class)
          .hasMessageContaining("last(n)");
    }
  }

  private static Staging staging(long points, Stage... stages) {
    return new Staging(List.of(stages), new PointBudget(Tenant.of("t1"), points), 0);
  }

  @Test
  void run_columnsThatPassTheLimitOnPoints_areRefused() {
    Series over = counters(1, 2, 3);
    Stage another = Stage.map("x", one());

    assertThat(staging(6, another).run(List.of(over))).hasSize(1);
    assertThatThrownBy(() -> staging(5, another).run(List.of(over)))
        .isInstanceOf(RefusedQueryException.class)
        .hasMessageContaining("5 points");
    assertThat(staging(5, Stage.limit(2), another).run(List.of(over))).hasSize(1);
  }

  @Test
  void series_withNoWindowLeft_isLeftOut() throws Exception {
    write(3.0);

    assertThat(answer(query(60, q -> q.then(Stage.difference()))).series()).isEmpty();
    assertThat(
            answer(query(60, q -> q.then(Stage.difference()).then(Stage.cumulativeSum()))).series())
        .isEmpty();
  }

  @Test
  void build_stagesThatCannotBe_areRefused() {
    assertRefused(q -> q.then(Stage.sort("mean(w)")), "'mean(w)', but there are [mean(v)]");
    assertRefused(q -> q.then(Stage.top(1, "x")).then(Stage.map("x", one())), "'x'");
    assertRefused(q -> q.then(Stage.map("x", ColumnExpression.of("y"))), "'y'");
    assertRefused(q -> q.then(Stage.limit(0)), "limit(0)");
    assertRefused(q -> q.then(Stage.movingAverage(1_001)), "1 to 1,000");
    assertRefused(q -> q.then(Stage.derivative(Duration.ZERO)), "PT0S");
    assertRefused(q -> q.then(Stage.map("", one())), "column");
    assertRefused(q -> q.then(Stage.map("x", ColumnExpression.constant(0.0 / 0))), "NaN");
    assertRefused(
        q -> {
          for (int i = 0; i < 17; i++) {
            q.then(Stage.limit(1));
          }
          return q;
        },
        "17 stages");
    assertRefused(
        q -> {
          ColumnExpression deep = one();
          for (int i = 0; i < 10_000; i++) {
            deep = deep.plus(one());
          }
          return q.then(Stage.map("x", deep));
        },
        "nested");
    assertRefused(
        q -> {
          ColumnExpression wide = one();
          for (int i = 0; i < 30; i++) {
            wide = wide.plus(wide);
          }
          return q.then(Stage.map("x", wide));
        },
        "parts");
  }

  @Test
  void fingerprint_ofDifferentStages_differsThatOfBucketsDoesNot() {
    List<List<Stage>> different =
        List.of(
            List.of(),
            List.of(Stage.limit(1)),
            List.of(Stage.limit(2)),
            List.of(Stage.tail(1)),
            List.of(Stage.sort(MEAN)),
            List.of(Stage.sortDescending(MEAN)),
            List.of(Stage.top(1, MEAN)),
            List.of(Stage.bottom(1, MEAN)),
            List.of(Stage.difference()),
            List.of(Stage.nonNegativeDifference()),
            List.of(Stage.derivative(Duration.ofSeconds(1))),
            List.of(Stage.derivative(Duration.ofSeconds(2))),
            List.of(Stage.nonNegativeDerivative(Duration.ofSeconds(1))),
            List.of(Stage.cumulativeSum()),
            List.of(Stage.movingAverage(1)),
            List.of(Stage.limit(1), Stage.difference()),
            List.of(Stage.difference(), Stage.limit(1)),
            List.of(Stage.map("x", one())),
            List.of(Stage.map("y", one())),
            List.of(Stage.map("x", ColumnExpression.of(MEAN))),
            List.of(Stage.map("x", one().plus(one()))),
            List.of(Stage.map("x", one().plus(one()).plus(one()))),
            List.of(Stage.map("x", one().plus(one().plus(one())))));
    Set<String> fingerprints = new HashSet<>();
    Set<String> buckets = new HashSet<>();
    for (List<Stage> stages : different) {
      TimeSeriesQuery query =
          query(
              30,
              q -> {
                stages.forEach(q::then);
                return q;
              });
      assertThat(query.toBuilder().build()).isEqualTo(query);
      fingerprints.add(query.fingerprint());
      buckets.add(query.bucketsFingerprint());
    }

    assertThat(fingerprints).hasSameSizeAs(different);
    assertThat(buckets).hasSize(1);
  }

  private static ColumnExpression one() {
    return ColumnExpression.constant(1);
  }

  private static Series counters(long... values) {
    Cells cells = new Cells(values.length);
    long[] starts = new long[values.length];
    for (int i = 0; i < values.length; i++) {
      cells.put(i, Cells.LONG, values[i]);
      starts[i] = i;
    }
    Selection selection = new Selection(Aggregate.LAST, "c");
    return new Series(Map.of(), starts, List.of(new ValueColumn(selection, cells, ValueKind.LONG)));
  }

  private static ValueColumn run(Series over, Stage stage) {
    return staging(Long.MAX_VALUE, stage).run(List.of(over)).get(0).columns().get(0);
  }

  /** One value in the middle of each window, or none. */
  private void write(@Nullable Double... values) {
    for (int i = 0; i < values.length; i++) {
      Double value = values[i];
      if (value != null) {
        points.add("t1", Nanos.of(START.plusSeconds(10L * i + 5)), Map.of(), value);
      }
    }
  }

  private List<@Nullable Double> values(
      UnaryOperator<TimeSeriesQuery.Builder> change, String column) throws Exception {
    return values(answer(query(60, change)).series().get(0), column);
  }

  private static List<@Nullable Double> values(Series of, String name) {
    ValueColumn column = of.column(name);
    @Nullable Double[] values = new Double[column.size()];
    for (int i = 0; i < values.length; i++) {
      values[i] = column.isNull(i) ? null : Double.valueOf(column.doubleAt(i));
    }
    return Arrays.asList(values);
  }

  private TimeSeriesResult answer(TimeSeriesQuery query) throws Exception {
    return Tenant.of("t1").call(() -> series.query(query));
  }

  private static void assertRefused(UnaryOperator<TimeSeriesQuery.Builder> change, String part) {
    assertThatThrownBy(() -> query(60, change))
        .isInstanceOf(RefusedQueryException.class)
        .hasMessageContaining(part);
  }

  private static TimeSeriesQuery query(int seconds, UnaryOperator<TimeSeriesQuery.Builder> change) {
    return change
        .apply(
            TimeSeriesQuery.builder("m")
                .select(Aggregate.MEAN, "v")
                .every(Duration.ofSeconds(10))
                .range(START, START.plusSeconds(seconds)))
        .build();
  }
}
