package dev.aquifer.tsquery;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Turns cells over the whole grid into columns of the windows that are shown. For one thread. */
final class Filling {
  private final List<Selection> selections;
  private final Fill fill;
  private final int[] all;

  /**
   * Fills some windows.
   *
   * @param all the indexes of those that exist
   */
  Filling(List<Selection> selections, Fill fill, int[] all) {
    this.selections = selections;
    this.fill = fill;
    this.all = all;
  }

  /**
   * The indexes of the windows to show; none when the series has no value at all. Series that show
   * all of them share one list.
   */
  int[] shown(Cells[] columns) {
    int[] places = new int[columns[0].size()];
    int count = columns.length == 1 ? columns[0].present(places) : present(columns, places);
    if (count == all.length || (count > 0 && fill.kind() != Fill.Kind.NONE)) {
      return all;
    }
    return Arrays.copyOf(places, count);
  }

  private static int present(Cells[] columns, int[] places) {
    int count = 0;
    for (int i = 0; i < places.length; i++) {
      if (anyAt(columns, i)) {
        places[count++] = i;
      }
    }
    return count;
  }

  /**
   * The columns of the windows that are shown.
   *
   * @param starts of those windows, in nanoseconds
   */
  List<ValueColumn> columns(Cells[] columns, int[] shown, long[] starts) {
    List<ValueColumn> filled = new ArrayList<>(columns.length);
    for (int i = 0; i < columns.length; i++) {
      filled.add(column(selections.get(i), columns[i], shown, starts));
    }
    return filled;
  }

  private ValueColumn column(Selection selection, Cells source, int[] shown, long[] starts) {
    // All of them are shown as they are: what they were put together in is used for nothing else.
    Cells cells = shown.length == source.size() ? source : source.picked(shown);
    boolean numeric = numeric(cells);
    boolean floating = numeric && fill.kind() == Fill.Kind.LINEAR;
    if (floating) {
      interpolate(cells, starts);
    }
    for (int i = 0; i < shown.length; i++) {
      if (cells.kindAt(i) == Cells.ABSENT) {
        fillAt(cells, i, selection.aggregate().counts(), numeric);
      }
    }
    if (floating) {
      cells.widen();
      return new ValueColumn(selection, cells, ValueKind.DOUBLE);
    }
    return new ValueColumn(selection, cells, settleKind(cells, selection));
  }

  /** Of known values alone: what was put between two of them is no value to go by. */
  private static void interpolate(Cells cells, long[] starts) {
    cells.widen();
    int before = -1;
    for (int i = 0; i < starts.length; i++) {
      if (!present(cells, i)) {
        continue;
      }
      for (int j = before + 1; before >= 0 && j < i; j++) {
        double low = Double.longBitsToDouble(cells.bitsAt(before));
        double high = Double.longBitsToDouble(cells.bitsAt(i));
        double share = (double) (starts[j] - starts[before]) / (starts[i] - starts[before]);
        cells.put(j, Cells.DOUBLE, Double.doubleToRawLongBits(low + (high - low) * share));
      }
      before = i;
    }
  }

  private void fillAt(Cells cells, int index, boolean count, boolean numeric) {
    if (fill.kind() == Fill.Kind.PREVIOUS && index > 0 && present(cells, index - 1)) {
      cells.copy(cells, index - 1, index, 1);
    } else if (fill.kind() == Fill.Kind.VALUE && numeric) {
      putNumber(cells, index, fill.value());
    } else if (count) {
      cells.put(index, Cells.LONG, 0);
    }
  }

  private static void putNumber(Cells cells, int index, @Nullable Number value) {
    if (value instanceof Long whole) {
      cells.put(index, Cells.LONG, whole);
    } else if (value instanceof Double real) {
      cells.put(index, Cells.DOUBLE, Double.doubleToRawLongBits(real));
    }
  }

  /** One kind for the whole column: one floating value makes all of them floating. */
  private static ValueKind settleKind(Cells cells, Selection selection) {
    boolean[] seen = new boolean[Cells.TEXT + 1];
    for (int i = 0; i < cells.size(); i++) {
      seen[cells.kindAt(i)] = true;
    }
    if (seen[Cells.TEXT]) {
      return ValueKind.TEXT;
    }
    if (seen[Cells.BOOLEAN]) {
      return ValueKind.BOOLEAN;
    }
    if (seen[Cells.DOUBLE]) {
      cells.widen();
      return ValueKind.DOUBLE;
    }
    boolean real = !seen[Cells.LONG] && selection.aggregate().floating();
    return real ? ValueKind.DOUBLE : ValueKind.LONG;
  }

  private static boolean numeric(Cells cells) {
    for (int i = 0; i < cells.size(); i++) {
      if (cells.kindAt(i) == Cells.TEXT || cells.kindAt(i) == Cells.BOOLEAN) {
        return false;
      }
    }
    return true;
  }

  private static boolean anyAt(Cells[] columns, int index) {
    for (Cells column : columns) {
      if (present(column, index)) {
        return true;
      }
    }
    return false;
  }

  private static boolean present(Cells cells, int index) {
    return cells.kindAt(index) != Cells.ABSENT;
  }
}
