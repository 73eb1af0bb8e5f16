package dev.aquifer.tsquery;

import java.util.List;

/**
 * The answer to a query. Immutable.
 *
 * @param range what was asked for, with a relative range resolved
 * @param series in order of their group values
 * @param shown windows in the range
 * @param fetched windows that had to be fetched for it
 * @param requests sent to the server for it
 * @param bytes that came for it ({@link QueryProfile#bytes})
 */
public record TimeSeriesResult(
    TimeRange range, List<Series> series, long shown, long fetched, int requests, long bytes) {
  /** Copies the list. */
  public TimeSeriesResult {
    series = List.copyOf(series);
  }
}
