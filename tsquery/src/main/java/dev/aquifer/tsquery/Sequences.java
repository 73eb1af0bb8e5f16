package dev.aquifer.tsquery;

/**
 * Columns in which each value is computed of the ones before. A whole number stays whole where its
 * result fits in 64 bits.
 */
final class Sequences {
  private Sequences() {}

  static ValueColumn differences(ValueColumn column, boolean nonNegative) {
    Cells cells = new Cells(column.size() - 1);
    int before = -1;
    for (int i = 0; i < column.size(); i++) {
      if (column.isNull(i)) {
        continue;
      }
      if (before >= 0 && !(nonNegative && less(column, i, before))) {
        putDifference(column, i, before, cells, i - 1);
      }
      before = i;
    }
    return column.with(cells, column.kind());
  }

  static ValueColumn derivatives(ValueColumn column, Series series, Stage.Derivative derivative) {
    double unit = derivative.unit().toNanos();
    Cells cells = new Cells(column.size() - 1);
    Cells difference = new Cells(1);
    int before = -1;
    for (int i = 0; i < column.size(); i++) {
      if (column.isNull(i)) {
        continue;
      }
      if (before >= 0 && !(derivative.nonNegative() && less(column, i, before))) {
        putDifference(column, i, before, difference, 0);
        difference.widen();
        double elapsed = (series.startNanos(i) - series.startNanos(before)) / unit;
        put(cells, i - 1, Double.longBitsToDouble(difference.bitsAt(0)) / elapsed);
      }
      before = i;
    }
    return column.with(cells, ValueKind.DOUBLE);
  }

  static ValueColumn sums(ValueColumn column) {
    Cells cells = new Cells(column.size());
    boolean whole = column.kind() == ValueKind.LONG;
    long exact = 0;
    double sum = 0;
    for (int i = 0; i < column.size(); i++) {
      if (!column.isNull(i)) {
        long next = whole ? exact + column.longAt(i) : 0;
        if (whole && ((exact ^ next) & (column.longAt(i) ^ next)) < 0) {
          whole = false;
          sum = (double) exact;
        }
        exact = next;
        sum += whole ? 0 : column.doubleAt(i);
      }
      if (whole) {
        cells.put(i, Cells.LONG, exact);
      } else {
        put(cells, i, sum);
      }
    }
    return column.with(cells, column.kind());
  }

  /** Each is added up anew, so that none depends on how many were before it. */
  static ValueColumn averages(ValueColumn column, int windows) {
    int first = Math.min(windows, column.size()) - 1;
    Cells cells = new Cells(column.size() - first);
    for (int i = first; i < column.size(); i++) {
      double sum = 0;
      int count = 0;
      for (int j = Math.max(0, i - windows + 1); j <= i; j++) {
        if (!column.isNull(j)) {
          sum += column.doubleAt(j);
          count++;
        }
      }
      if (count > 0) {
        put(cells, i - first, sum / count);
      }
    }
    return column.with(cells, ValueKind.DOUBLE);
  }

  private static boolean less(ValueColumn column, int index, int before) {
    return column.kind() == ValueKind.LONG
        ? column.longAt(index) < column.longAt(before)
        : column.doubleAt(index) < column.doubleAt(before);
  }

  private static void putDifference(
      ValueColumn column, int index, int before, Cells cells, int to) {
    if (column.kind() == ValueKind.LONG) {
      long value = column.longAt(index);
      long less = column.longAt(before);
      long difference = value - less;
      if (((value ^ less) & (value ^ difference)) >= 0) {
        cells.put(to, Cells.LONG, difference);
        return;
      }
    }
    put(cells, to, column.doubleAt(index) - column.doubleAt(before));
  }

  private static void put(Cells cells, int index, double value) {
    cells.put(index, Cells.DOUBLE, Double.doubleToRawLongBits(value));
  }
}
