package dev.aquifer.sql;

/**
 * What a statement's verb does. Of several statements in one text, the kind that comes last in this
 * list.
 */
public enum StatementKind {
  /** Nothing but comments, blanks and semicolons. */
  EMPTY,
  /**
   * Answers rows: SELECT, VALUES, TABLE, WITH, COPY TO, EXPLAIN. Functions in it may still write.
   */
  READ,
  /**
   * Changes neither rows nor the session: SHOW, LOCK, NOTIFY, VACUUM, ANALYZE, REINDEX, CHECKPOINT
   * and the like.
   */
  UTILITY,
  /**
   * Begins, ends, divides or shapes a transaction: BEGIN, COMMIT, SAVEPOINT, SET LOCAL, SET
   * CONSTRAINTS.
   */
  TRANSACTION,
  /**
   * Changes or uses what belongs to one session: SET, LISTEN, PREPARE, EXECUTE, DECLARE, FETCH,
   * DISCARD.
   */
  SESSION,
  /**
   * Changes rows: INSERT, UPDATE, DELETE, MERGE, TRUNCATE, COPY FROM, REFRESH, SELECT INTO, CALL,
   * DO.
   */
  WRITE,
  /**
   * Changes the schema, rights or the cluster: CREATE, ALTER, DROP, GRANT, COMMENT and the like.
   */
  DDL,
  /** Not understood; anything may happen. */
  UNKNOWN
}
