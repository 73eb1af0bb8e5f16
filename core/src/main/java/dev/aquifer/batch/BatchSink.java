package dev.aquifer.batch;

import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;

/**
 * Where batches go. Called on the batcher's executor, by as many threads at a time as batches may
 * be under way.
 *
 * @param <T> items
 */
@FunctionalInterface
public interface BatchSink<T> {
  /**
   * Takes a batch, of which no item is lost: it is acknowledged as a whole, or fails as a whole.
   *
   * @param items one or more, in the order in which they are to take effect; not to be changed
   * @return ends when the items are acknowledged, or with why they are not
   * @throws Exception the batch failed
   */
  CompletionStage<?> send(List<T> items) throws Exception;

  /** A sink that has acknowledged the items when it returns. It may block. */
  static <T> BatchSink<T> blocking(Blocking<T> sink) {
    return items -> {
      sink.send(items);
      return CompletableFuture.completedFuture(null);
    };
  }

  /**
   * A sink that blocks.
   *
   * @param <T> items
   */
  @FunctionalInterface
  interface Blocking<T> {
    /** Returns when the items are acknowledged, or throws. */
    void send(List<T> items) throws Exception;
  }
}
