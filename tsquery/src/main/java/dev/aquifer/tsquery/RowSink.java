package dev.aquifer.tsquery;

import java.util.List;

/**
 * Takes the rows of an answer as they arrive. One row is one window of one series: {@link #row},
 * then a value for each selection that has one. Used by one thread.
 */
public interface RowSink {
  /**
   * Begins a row.
   *
   * @param group the values of the query's group tags, in that order; absent tags as empty text
   * @param windowStart the window's start in nanoseconds since the epoch, not clipped to a range
   * @throws dev.aquifer.RefusedQueryException when the answer passes the limit on points
   */
  void row(List<String> group, long windowStart);

  /** The row's value of the selection with this index. */
  void longValue(int selection, long value);

  /** The row's value of the selection with this index. */
  void doubleValue(int selection, double value);

  /** The row's value of the selection with this index. */
  void booleanValue(int selection, boolean value);

  /** The row's value of the selection with this index. */
  void textValue(int selection, String value);

  /**
   * So many more bytes of the answer have come. For the figures alone; told of in any portions, in
   * a broken answer too. A backend that cannot know tells nothing.
   */
  default void received(long bytes) {}
}
