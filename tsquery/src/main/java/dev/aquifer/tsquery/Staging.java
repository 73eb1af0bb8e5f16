package dev.aquifer.tsquery;

import dev.aquifer.RefusedQueryException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.stream.IntStream;

/** Runs the stages of a query over the series of an answer. Every stage makes new series. */
final class Staging {
  private final List<Stage> stages;
  private final PointBudget budget;
  private long room;

  /**
   * Of one answer, once.
   *
   * @param budget what is beyond the room is taken from
   * @param room how many points of it the answer has already
   */
  Staging(List<Stage> stages, PointBudget budget, long room) {
    this.stages = stages;
    this.budget = budget;
    this.room = room;
  }

  /**
   * The series that have windows left.
   *
   * @throws RefusedQueryException when computed columns make the answer pass the limit on points
   */
  List<Series> run(List<Series> answer) {
    if (stages.isEmpty()) {
      return answer;
    }
    List<Series> left = new ArrayList<>(answer.size());
    long points = 0;
    for (Series each : answer) {
      Series series = each;
      for (Stage stage : stages) {
        series = run(stage, series);
      }
      points += (long) series.size() * series.columns().size();
      if (points > room && !budget.takes(points - room)) {
        throw new RefusedQueryException(
            "With its computed columns the answer has more than %,d points. Map fewer columns."
                .formatted(budget.limit()));
      }
      room = Math.max(room, points);
      if (series.size() > 0) {
        left.add(series);
      }
    }
    return left;
  }

  private static Series run(Stage stage, Series series) {
    if (series.size() == 0) {
      return series;
    }
    if (stage instanceof Stage.Limit limit) {
      int count = Math.min(limit.windows(), series.size());
      int from = limit.last() ? series.size() - count : 0;
      return series.picked(IntStream.range(from, from + count).toArray());
    } else if (stage instanceof Stage.Sort sort) {
      ValueColumn column = series.column(sort.column());
      return series.picked(sorted(all(series), nullsFirst(column, sort.descending())));
    } else if (stage instanceof Stage.Ranked ranked) {
      ValueColumn column = series.column(ranked.column());
      IntStream present = all(series).filter(index -> !column.isNull(index));
      int[] order = sorted(present, order(column, ranked.largest()));
      return series.picked(Arrays.copyOf(order, Math.min(order.length, ranked.windows())));
    } else if (stage instanceof Stage.Map map) {
      return series.with(new ValueColumn(map.column(), Arithmetic.of(map.value(), series)));
    }
    List<ValueColumn> columns = new ArrayList<>(series.columns().size());
    for (ValueColumn column : series.columns()) {
      requireNumbers(stage, column);
      columns.add(computed(stage, column, series));
    }
    return series.lastOf(columns);
  }

  private static ValueColumn computed(Stage stage, ValueColumn column, Series series) {
    if (stage instanceof Stage.Difference difference) {
      return Sequences.differences(column, difference.nonNegative());
    } else if (stage instanceof Stage.Derivative derivative) {
      return Sequences.derivatives(column, series, derivative);
    } else if (stage instanceof Stage.MovingAverage average) {
      return Sequences.averages(column, average.windows());
    }
    return Sequences.sums(column);
  }

  private static void requireNumbers(Stage stage, ValueColumn column) {
    if (column.kind() == ValueKind.TEXT || column.kind() == ValueKind.BOOLEAN) {
      throw new RefusedQueryException(
          "The stage %s needs numbers, but %s has values of kind %s."
              .formatted(stage, column.name(), column.kind()));
    }
  }

  private static IntStream all(Series series) {
    return IntStream.range(0, series.size());
  }

  private static int[] sorted(IntStream rows, Comparator<Integer> order) {
    return rows.boxed().sorted(order).mapToInt(Integer::intValue).toArray();
  }

  private static Comparator<Integer> nullsFirst(ValueColumn column, boolean descending) {
    Comparator<Integer> nulls = Comparator.comparing(index -> !column.isNull(index));
    Comparator<Integer> values = order(column, descending);
    return nulls.thenComparing((a, b) -> column.isNull(a) ? 0 : values.compare(a, b));
  }

  private static Comparator<Integer> order(ValueColumn column, boolean descending) {
    Comparator<Integer> ascending =
        switch (column.kind()) {
          case LONG -> Comparator.comparingLong(column::longAt);
          case DOUBLE -> Comparator.comparingDouble(column::doubleAt);
          case BOOLEAN -> Comparator.comparing(index -> Boolean.TRUE.equals(column.valueAt(index)));
          case TEXT -> Comparator.comparing(index -> String.valueOf(column.valueAt(index)));
        };
    return descending ? ascending.reversed() : ascending;
  }
}
