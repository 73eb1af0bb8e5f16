package dev.aquifer.sql;

/**
 * Why a statement must go to the primary. {@link SqlStatement#explanation()} adds the name in
 * question.
 */
public enum Reason {
  /** It need not: a standby may answer it. */
  NONE("a standby may answer it"),
  /** There is no statement in the text. */
  EMPTY("there is no statement in it"),
  /** The text is longer than the analyser looks at. */
  TOO_LONG("it is longer than the analyser's limit"),
  /** The text is not PostgreSQL's SQL as far as the analyser knows it. */
  NOT_UNDERSTOOD("it is not understood"),
  /** More than one statement. */
  SEVERAL_STATEMENTS("it holds several statements"),
  /** It changes rows, at any depth. */
  WRITES("it writes"),
  /** It changes the schema, rights or the cluster. */
  DDL("it changes the schema"),
  /** It locks rows, at any depth. */
  LOCKS_ROWS("it locks rows"),
  /** It reads into a new table. */
  SELECT_INTO("it creates a table"),
  /** It calls a function that a standby cannot run, or whose answer holds for one server only. */
  PRIMARY_FUNCTION("it calls a function that needs the primary"),
  /** It calls a function that leaves something in, or tells something of, the session. */
  SESSION_FUNCTION("it calls a function that concerns the session"),
  /** It calls a function that is unknown, or known to do anything. */
  UNKNOWN_FUNCTION("it calls a function that may do anything"),
  /**
   * It reads a relation that is not plain: a view that calls a volatile function, a temporary or
   * unlogged table.
   */
  RELATION("it reads a relation that needs the primary"),
  /** It uses an operator that is unknown or volatile. */
  OPERATOR("it uses an operator that may do anything"),
  /** It casts to a type whose cast or input is volatile. */
  TYPE("it casts to a type that may do anything"),
  /** It reads an attribute that is a function in disguise. */
  ATTRIBUTE("it reads an attribute that may be a function call"),
  /** It changes or uses the session. */
  SESSION("it concerns the session"),
  /** It begins, ends or shapes a transaction. */
  TRANSACTION("it concerns the transaction"),
  /** A command that belongs on the primary, though it changes no row. */
  UTILITY("it is a command for the primary"),
  /** EXPLAIN of something else than a read, or one that runs it. */
  EXPLAIN("it explains what a standby may not run"),
  /** COPY, which streams outside the usual protocol. */
  COPY("it copies"),
  /** CALL or DO. */
  PROCEDURE("it runs a procedure"),
  /** A standby refused that very text before. */
  REFUSED_BY_STANDBY("a standby has refused it before");

  private final String text;

  Reason(String text) {
    this.text = text;
  }

  /** Half a sentence in English that completes "goes to the primary because". */
  public String text() {
    return text;
  }
}
