package dev.aquifer.tsquery;

import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;

/**
 * One series of an answer: the windows shown, in order of time unless a stage sorted them, and a
 * column for each selection and each {@link Stage#map}. Immutable and thread-safe. Equal when
 * group, windows and all values are, bit for bit.
 */
public final class Series {
  private final Map<String, String> group;
  private final long[] starts;
  private final List<ValueColumn> columns;

  Series(Map<String, String> group, long[] starts, List<ValueColumn> columns) {
    this.group = group;
    this.starts = starts;
    this.columns = columns;
  }

  /** The values of the group tags; empty text where its points have no such tag. */
  public Map<String, String> group() {
    return group;
  }

  /** How many windows are shown. */
  public int size() {
    return starts.length;
  }

  /**
   * The start of a window, as it lies on the clock: the first and the last may reach beyond the
   * query's range, and then hold the points inside it alone.
   */
  public Instant start(int index) {
    return Nanos.instant(starts[index]);
  }

  /** {@link #start} in nanoseconds since the epoch. */
  public long startNanos(int index) {
    return starts[index];
  }

  /** The columns, in the order of the query's selections. */
  public List<ValueColumn> columns() {
    return columns;
  }

  /**
   * The column of a selection.
   *
   * @throws IllegalArgumentException when the query did not select it
   */
  public ValueColumn column(Aggregate aggregate, String field) {
    return column(new Selection(aggregate, field));
  }

  /**
   * The column of a selection.
   *
   * @throws IllegalArgumentException when the query did not select it
   */
  public ValueColumn column(Selection selection) {
    return column(selection.name());
  }

  /**
   * The column of this name; see {@link ValueColumn#name}.
   *
   * @throws IllegalArgumentException when there is none
   */
  public ValueColumn column(String name) {
    for (ValueColumn column : columns) {
      if (column.name().equals(name)) {
        return column;
      }
    }
    throw new IllegalArgumentException("The query did not select " + Names.printable(name));
  }

  /** These windows alone, in this order. */
  Series picked(int[] windows) {
    long[] at = new long[windows.length];
    for (int i = 0; i < at.length; i++) {
      at[i] = starts[windows[i]];
    }
    return new Series(group, at, columns.stream().map(each -> each.picked(windows)).toList());
  }

  /** With another column, in the place of the one of its name or after all others. */
  Series with(ValueColumn column) {
    List<ValueColumn> all = new ArrayList<>(columns);
    all.replaceAll(each -> each.name().equals(column.name()) ? column : each);
    if (!all.contains(column)) {
      all.add(column);
    }
    return new Series(group, starts, List.copyOf(all));
  }

  /** With these columns, which are of as many windows from the end. */
  Series lastOf(List<ValueColumn> ofWindows) {
    int left = ofWindows.get(0).size();
    long[] last = Arrays.copyOfRange(starts, starts.length - left, starts.length);
    return new Series(group, last, List.copyOf(ofWindows));
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof Series series
        && group.equals(series.group)
        && Arrays.equals(starts, series.starts)
        && columns.equals(series.columns);
  }

  @Override
  public int hashCode() {
    return group.hashCode() * 31 + Arrays.hashCode(starts);
  }

  @Override
  public String toString() {
    return group + " " + columns;
  }
}
