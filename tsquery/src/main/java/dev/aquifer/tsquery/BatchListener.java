package dev.aquifer.tsquery;

/** Told of the answers of a batch as they come, on the caller's thread. */
@FunctionalInterface
public interface BatchListener {
  /**
   * A query of the batch has its answer, or its error. No request runs meanwhile for the batch, and
   * it may ask more queries itself. What it throws is logged and ends nothing.
   *
   * @param answer the answer
   * @param done how many queries have theirs, this one included
   * @param of how many queries the batch has
   */
  void answered(BatchAnswer answer, int done, int of);
}
