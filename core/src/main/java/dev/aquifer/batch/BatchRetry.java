package dev.aquifer.batch;

import java.time.Duration;
import org.jspecify.annotations.Nullable;

/**
 * Whether a batch that failed is sent again. Thread-safe. Only for sinks that bear the same items
 * twice: a batch may have failed after it took effect.
 */
@FunctionalInterface
public interface BatchRetry {
  /**
   * After how long the batch is sent again; null: not, and its items fail with the error.
   *
   * @param attempt how often it was sent, from 1
   */
  @Nullable Duration after(int attempt, Throwable error);

  /** A batch is sent once. */
  static BatchRetry none() {
    return (attempt, error) -> null;
  }

  /** A batch is sent again up to this many times, after this pause and twice the last one. */
  static BatchRetry upTo(int times, Duration pause) {
    return (attempt, error) ->
        attempt > times ? null : pause.multipliedBy(1L << Math.min(attempt - 1, 20));
  }
}
