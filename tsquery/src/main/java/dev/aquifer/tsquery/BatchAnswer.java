package dev.aquifer.tsquery;

import org.jspecify.annotations.Nullable;

/**
 * What became of one query of a batch: a result or an error. Immutable.
 *
 * @param index the query's place in the batch
 * @param query the query
 * @param result the answer; null when there is an error. The same for equal queries of a batch
 * @param error why there is no answer: what {@link TimeSeries#query} would throw
 */
public record BatchAnswer(
    int index,
    TimeSeriesQuery query,
    @Nullable TimeSeriesResult result,
    @Nullable RuntimeException error) {
  /** The result, or the error thrown. */
  public TimeSeriesResult orThrow() {
    if (result != null) {
      return result;
    }
    throw error != null ? error : new IllegalStateException("neither result nor error");
  }
}
