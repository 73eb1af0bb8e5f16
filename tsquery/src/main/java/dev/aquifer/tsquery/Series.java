package dev.aquifer.tsquery;

import java.time.Instant;
import java.util.Arrays;
import java.util.List;
import java.util.Map;

/**
 * One series of an answer: the windows shown, in order of time, and a column for each selection.
 * Immutable and thread-safe. Equal when group, windows and all values are, bit for bit.
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
    for (ValueColumn column : columns) {
      if (column.selection().equals(selection)) {
        return column;
      }
    }
    throw new IllegalArgumentException("The query did not select " + selection);
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
