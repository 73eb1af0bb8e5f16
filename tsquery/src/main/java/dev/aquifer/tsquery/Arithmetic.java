package dev.aquifer.tsquery;

import dev.aquifer.RefusedQueryException;

/** Computes an expression over all windows of a series at once. */
final class Arithmetic {
  private Arithmetic() {}

  static Cells of(ColumnExpression expression, Series series) {
    Cells cells = new Cells(series.size());
    if (expression instanceof ColumnExpression.Constant constant) {
      for (int i = 0; i < cells.size(); i++) {
        put(cells, i, constant.value());
      }
    } else if (expression instanceof ColumnExpression.Column named) {
      ValueColumn column = series.column(named.name());
      if (column.kind() == ValueKind.TEXT || column.kind() == ValueKind.BOOLEAN) {
        throw new RefusedQueryException(
            "Arithmetic needs numbers, but %s has values of kind %s."
                .formatted(column.name(), column.kind()));
      }
      for (int i = 0; i < cells.size(); i++) {
        if (!column.isNull(i)) {
          put(cells, i, column.doubleAt(i));
        }
      }
    } else if (expression instanceof ColumnExpression.Combined combined) {
      Cells left = of(combined.left(), series);
      Cells right = of(combined.right(), series);
      for (int i = 0; i < cells.size(); i++) {
        if (left.kindAt(i) != Cells.ABSENT && right.kindAt(i) != Cells.ABSENT) {
          put(cells, i, combined.operator().apply(real(left, i), real(right, i)));
        }
      }
    }
    return cells;
  }

  private static double real(Cells cells, int index) {
    return Double.longBitsToDouble(cells.bitsAt(index));
  }

  private static void put(Cells cells, int index, double value) {
    cells.put(index, Cells.DOUBLE, Double.doubleToRawLongBits(value));
  }
}
