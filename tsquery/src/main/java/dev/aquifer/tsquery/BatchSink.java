package dev.aquifer.tsquery;

import dev.aquifer.AquiferException;

/**
 * Takes the answers to several requests that go out as one. What is neither {@link #answered} nor
 * {@link #failed} when the call ends is asked for again, each by itself. Used by one thread.
 */
public interface BatchSink {
  /**
   * Takes the rows of the request with this index. What one answer is refused for does not end the
   * others'.
   */
  RowSink rows(int request);

  /**
   * So many more bytes have come of an answer to all of them; what is of one request alone is told
   * to its rows ({@link RowSink#received}).
   */
  default void received(long bytes) {}

  /** The answer to this request is whole. */
  void answered(int request);

  /** This request failed; the others go on. */
  void failed(int request, AquiferException error);
}
