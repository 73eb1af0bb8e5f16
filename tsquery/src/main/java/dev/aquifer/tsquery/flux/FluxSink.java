package dev.aquifer.tsquery.flux;

/** Takes the rows of a Flux answer as they arrive: see {@link FluxCsv}. Used by one thread. */
@FunctionalInterface
public interface FluxSink {
  /**
   * Takes rows of one table. Tables come one after the other, the rows of each in their order; an
   * answer that breaks off has given its whole rows before the error.
   *
   * @param chunk theirs until this method returns; then its arrays have other rows. What this
   *     throws ends the reading and reaches its caller.
   */
  void chunk(FluxChunk chunk);
}
