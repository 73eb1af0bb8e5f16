package dev.aquifer.batch;

import dev.aquifer.AquiferException;

/**
 * There was no room for an item within the time that its caller would wait: items come faster than
 * the sink takes them. The item was not taken. Slow down, or raise the batcher's capacity.
 */
public class BatchFullException extends AquiferException {
  private static final long serialVersionUID = 1L;

  /** An error with no cause. */
  public BatchFullException(String message) {
    super(message);
  }
}
