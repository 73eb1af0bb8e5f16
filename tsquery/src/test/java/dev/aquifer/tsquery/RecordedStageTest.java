package dev.aquifer.tsquery;

import static org.assertj.core.api.Assertions.assertThat;

import dev.aquifer.Tenant;
import dev.aquifer.tsquery.flux.RecordedAnswers;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Stages over the window means of a real InfluxDB's answer do what its own stages did to them. The
 * means are those of the case that filled the missing ones with zeros, of which there are no
 * others.
 */
class RecordedStageTest {
  private static final Map<String, byte[]> ANSWERS = RecordedAnswers.all();
  private static final Selection MEAN = new Selection(Aggregate.MEAN, "heart_rate");
  private static final String COLUMN = "mean(heart_rate)";

  private record Row(Instant time, @Nullable Double value) {}

  static Stream<Arguments> stages() {
    return Stream.of(
        Arguments.of("derivative", Stage.derivative(Duration.ofMinutes(1))),
        Arguments.of("derivative-nonneg", Stage.nonNegativeDerivative(Duration.ofMinutes(1))),
        Arguments.of("difference-keepfirst", Stage.difference()),
        Arguments.of("cumulative-sum", Stage.cumulativeSum()),
        Arguments.of("moving-average", Stage.movingAverage(3)),
        Arguments.of("limit", Stage.limit(3)),
        Arguments.of("tail", Stage.tail(2)),
        Arguments.of("sort-desc", Stage.sortDescending(COLUMN)),
        Arguments.of("bottom", Stage.bottom(2, COLUMN)),
        Arguments.of(
            "map",
            Stage.map(COLUMN, ColumnExpression.of(COLUMN).times(ColumnExpression.constant(2)))));
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("stages")
  void run_overRecordedMeans_isTheRecordedAnswer(String recorded, Stage stage) {
    Map<String, List<Row>> expected = rows("stage-" + recorded);
    // Where these differ from Flux: the first row is never kept, nothing is never ranked.
    if (recorded.equals("difference-keepfirst")) {
      expected.values().forEach(rows -> rows.remove(0));
    } else if (recorded.equals("bottom")) {
      expected.values().forEach(rows -> rows.removeIf(row -> row.value == null));
    }
    Map<String, List<Row>> answered = new TreeMap<>();
    rows("stage-fill-value")
        .forEach(
            (key, rows) ->
                new Staging(List.of(stage), new PointBudget(Tenant.of("t1"), Long.MAX_VALUE), 0)
                    .run(List.of(series(rows)))
                    .forEach(series -> answered.put(key, rows(series))));

    expected.forEach(
        (key, rows) -> {
          List<Row> own = answered.getOrDefault(key, List.of());
          if (recorded.equals("bottom") && rows.size() < own.size()) {
            return; // Rows without a value took the places of those with one.
          }
          assertThat(own).as(key).extracting(Row::time).isEqualTo(times(rows));
          for (int i = 0; i < rows.size(); i++) {
            Double value = rows.get(i).value;
            Double mine = own.get(i).value;
            assertThat(mine == null).as("%s %s", key, rows.get(i)).isEqualTo(value == null);
            if (value != null && mine != null) {
              // Flux adds up a moving average in another order.
              double off = recorded.equals("moving-average") ? Math.ulp(value) * 2 : 0;
              assertThat(Math.abs(mine - value)).as("%s %s", key, own).isLessThanOrEqualTo(off);
            }
          }
        });
    expected.values().removeIf(List::isEmpty);
    assertThat(answered.keySet()).containsAll(expected.keySet());
  }

  private static List<Instant> times(List<Row> rows) {
    return rows.stream().map(Row::time).toList();
  }

  private static Series series(List<Row> rows) {
    long[] starts = new long[rows.size()];
    Cells cells = new Cells(rows.size());
    for (int i = 0; i < starts.length; i++) {
      starts[i] = Nanos.of(rows.get(i).time);
      Double value = rows.get(i).value;
      if (value != null && value != 0) {
        cells.put(i, Cells.DOUBLE, Double.doubleToRawLongBits(value));
      }
    }
    return new Series(Map.of(), starts, List.of(new ValueColumn(MEAN, cells, ValueKind.DOUBLE)));
  }

  private static List<Row> rows(Series series) {
    List<Row> rows = new ArrayList<>();
    ValueColumn column = series.column(COLUMN);
    for (int i = 0; i < series.size(); i++) {
      rows.add(new Row(series.start(i), column.isNull(i) ? null : column.doubleAt(i)));
    }
    return rows;
  }

  /** The rows of each device in its ward, in the order of the answer. */
  private static Map<String, List<Row>> rows(String name) {
    Map<String, List<Row>> tables = new LinkedHashMap<>();
    List<String> header = List.of();
    String answer = new String(ANSWERS.get(name + ".csv"), StandardCharsets.UTF_8);
    for (String line : answer.split("\r\n", -1)) {
      List<String> cells = List.of(line.split(",", -1));
      if (line.startsWith(",result,")) {
        header = cells;
      } else if (line.startsWith(",,")) {
        int ward = header.indexOf("ward");
        String value = cells.get(header.indexOf("_value"));
        tables
            .computeIfAbsent(
                cells.get(header.indexOf("device")) + "/" + (ward < 0 ? "" : cells.get(ward)),
                key -> new ArrayList<>())
            .add(
                new Row(
                    Instant.parse(cells.get(header.indexOf("_time"))),
                    value.isEmpty() ? null : Double.valueOf(value)));
      }
    }
    assertThat(tables).isNotEmpty();
    return tables;
  }
}
