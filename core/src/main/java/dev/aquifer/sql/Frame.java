package dev.aquifer.sql;

import org.jspecify.annotations.Nullable;

/** One open parenthesis, or the statement itself, and how far its reading has come. */
final class Frame {

  /** What the next token means. */
  enum Clause {
    /** The first token decides between a query and an expression. */
    START,
    EXPRESSION,
    SELECT_LIST,
    /** A table, a function or a parenthesis must follow. */
    FROM,
    /** Behind a table: alias, join, or the next clause. */
    AFTER_FROM,
    JOIN_CONDITION,
    /** Every clause behind FROM, lists of SET and VALUES, RETURNING. */
    TAIL,
    /** Behind UNION, INTERSECT and EXCEPT: a query must follow. */
    SET_OPERATION,
    WITH_NAME,
    WITH_BODY,
    AFTER_WITH,
    WITH_SEARCH,
    WITH_CYCLE,
    /** The table that is written must follow. */
    TARGET,
    AFTER_TARGET,
    /** Names and types alone: columns of an alias, of a common table. */
    DEFINITIONS
  }

  /** What the parenthesis belongs to. */
  enum Opener {
    STATEMENT,
    COMMON_TABLE,
    PARENTHESIS,
    BRACKET,
    CALL,
    /** EXTRACT, TRIM and the like, where FROM parts arguments. */
    SYNTAX_CALL,
    CAST,
    JSON_TABLE,
    GROUPING
  }

  Clause clause = Clause.START;
  Opener opener = Opener.STATEMENT;

  /** Index of the first token inside. */
  int first;

  /** SELECT, INSERT, UPDATE, DELETE or MERGE; null until one is seen. */
  @Nullable Keyword verb;

  boolean recursive;
  boolean bodyFollows;
  boolean groupBy;
  @Nullable String commonTable;

  /** How many common tables were visible when this was opened. */
  int visible;

  void reset(Opener opener, Clause clause, int first, int visible) {
    this.opener = opener;
    this.clause = clause;
    this.first = first;
    this.visible = visible;
    verb = null;
    recursive = false;
    bodyFollows = false;
    groupBy = false;
    commonTable = null;
  }

  /** Whether a closing parenthesis, or the end, may come here. */
  boolean isComplete() {
    return switch (clause) {
      case EXPRESSION, SELECT_LIST, AFTER_FROM, JOIN_CONDITION, TAIL, DEFINITIONS -> true;
      case AFTER_TARGET -> verb == Keyword.DELETE;
      case START -> opener != Opener.STATEMENT && opener != Opener.COMMON_TABLE;
      default -> false;
    };
  }

  boolean isExpression() {
    return clause == Clause.EXPRESSION;
  }
}
