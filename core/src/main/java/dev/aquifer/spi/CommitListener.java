package dev.aquifer.spi;

import dev.aquifer.ReadFloor;

/**
 * Told of what transactions write. Called on the thread of the transaction; the call that commits
 * returns to the application only after {@link #committed} did. What a listener throws is logged
 * and counted, and never reaches the application. Implementations are thread-safe and bound their
 * own waits.
 *
 * <p>For every write set there is one {@link #committing}, then either {@link #committed} or {@link
 * #rolledBack}, unless the process dies in between.
 */
public interface CommitListener {
  /** Before the commit is sent (for a statement outside a transaction: before the statement is). */
  default void committing(WriteSet writes) {}

  /**
   * After the commit was acknowledged, or when its outcome is unknown.
   *
   * @param writes what was written
   * @param floor what a node must have replayed to show it
   */
  void committed(WriteSet writes, ReadFloor floor);

  /** After the server rolled back, or refused, what was announced. */
  default void rolledBack(WriteSet writes) {}
}
