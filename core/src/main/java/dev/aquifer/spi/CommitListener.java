package dev.aquifer.spi;

import dev.aquifer.ReadFloor;

/**
 * Told of what transactions write. Called on the thread of the transaction; the call that commits
 * returns to the application only after {@link #committed} did. What a listener throws is logged
 * and counted, and never reaches the application. Implementations are thread-safe and bound their
 * own waits.
 *
 * <p>For every write set there is one {@link #committing}, then one of {@link #committed}, {@link
 * #rolledBack} and {@link #outcomeUnknown}, unless the process dies in between. A savepoint's
 * rollback is not told: what it undid stays in the set. Of two-phase commit, PREPARE TRANSACTION is
 * told as a commit of its tables, and COMMIT PREPARED as one of any table.
 */
public interface CommitListener {
  /** Before the commit is sent (for a statement outside a transaction: before the statement is). */
  default void committing(WriteSet writes) {}

  /**
   * After the commit was acknowledged, or failed in a way that may have left some of it standing.
   *
   * @param writes what was written
   * @param floor what a node must have replayed to show it
   */
  void committed(WriteSet writes, ReadFloor floor);

  /** After the server rolled back, or refused, what was announced. */
  default void rolledBack(WriteSet writes) {}

  /**
   * The connection was lost before the commit was acknowledged: it may have taken effect, or not,
   * or may still do so after this call. By default the same as {@link #committed}.
   */
  default void outcomeUnknown(WriteSet writes, ReadFloor floor) {
    committed(writes, floor);
  }
}
