package dev.aquifer.tsquery;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;

/** All aggregates, and what they are of a few points, which is the same on every backend. */
final class EveryAggregate {
  private EveryAggregate() {}

  static List<Selection> of(String field) {
    List<Selection> all = new ArrayList<>();
    for (Aggregate aggregate : Aggregate.values()) {
      all.add(
          aggregate == Aggregate.QUANTILE
              ? Selection.quantile(0.9, field)
              : new Selection(aggregate, field));
    }
    return all;
  }

  /** Of a window with 4.0 and then -2.5, and one with 7.0; also of some of the aggregates. */
  static void assertComputed(Series series) {
    assertThat(series.size()).isEqualTo(2);
    for (ValueColumn column : series.columns()) {
      Object[] expected =
          switch (column.selection().aggregate()) {
            case COUNT, DISTINCT -> new Object[] {2L, 1L};
            case SUM -> new Object[] {1.5, 7.0};
            case MEAN, MEDIAN -> new Object[] {0.75, 7.0};
            case MIN, LAST -> new Object[] {-2.5, 7.0};
            case MAX, FIRST, QUANTILE -> new Object[] {4.0, 7.0};
            case SPREAD -> new Object[] {6.5, 0.0};
            case STDDEV -> new Object[] {Math.sqrt(21.125), null};
          };
      for (int i = 0; i < 2; i++) {
        Object value = column.valueAt(i);
        // InfluxQL does not tell whole floats from integers.
        boolean number = value instanceof Long && expected[i] instanceof Double;
        assertThat(number ? (Object) column.doubleAt(i) : value)
            .as("%s of window %d", column.selection(), i)
            .isEqualTo(expected[i]);
      }
    }
  }
}
