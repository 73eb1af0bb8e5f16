package dev.aquifer.sql;

import dev.aquifer.sql.Frame.Clause;
import dev.aquifer.sql.Frame.Opener;
import org.jspecify.annotations.Nullable;

/**
 * Reads the words that begin, part or end clauses, and notes the two that lock rows or make a
 * table.
 */
final class Clauses {
  private final Walk walk;
  private final Tokens tokens;
  private final Findings found;

  Clauses(Walk walk) {
    this.walk = walk;
    this.tokens = walk.tokens;
    this.found = walk.found;
  }

  /** Reads a word that begins or parts clauses; answers whether it was one. */
  boolean clause(Keyword keyword) {
    switch (keyword) {
      case WHERE, HAVING, WINDOW, ORDER, LIMIT, OFFSET, FETCH, RETURNING -> tail();
      case GROUP -> {
        if (tokens.is(walk.at - 1, Keyword.WITHIN)) {
          walk.at++;
        } else {
          tail();
          walk.frame.groupBy = true;
        }
      }
      case UNION, INTERSECT, EXCEPT -> {
        walk.frame.clause = Clause.SET_OPERATION;
        walk.frame.groupBy = false;
        walk.at++;
      }
      case FROM -> from();
      case INTO -> into();
      case ON -> on();
      case WHEN -> {
        boolean matched =
            tokens.is(walk.at + 1, Keyword.MATCHED)
                || (tokens.is(walk.at + 1, Keyword.NOT) && tokens.is(walk.at + 2, Keyword.MATCHED));
        if (walk.frame.verb == Keyword.MERGE
            && matched
            && walk.frame.clause == Clause.JOIN_CONDITION) {
          walk.frame.clause = Clause.TAIL;
        } else if (walk.frame.clause == Clause.AFTER_FROM) {
          walk.fail();
        }
        walk.at++;
      }
      case FOR -> lock();
      case WITH -> with();
      case JOIN, LEFT, RIGHT, FULL, INNER, CROSS, NATURAL, OUTER -> {
        return join(keyword);
      }
      default -> {
        return false;
      }
    }
    return true;
  }

  private void tail() {
    walk.frame.groupBy = false;
    if (!walk.frame.isExpression()) {
      walk.frame.clause = Clause.TAIL;
    }
    walk.at++;
  }

  private void from() {
    boolean comparison =
        tokens.is(walk.at - 1, Keyword.DISTINCT)
            && (tokens.is(walk.at - 2, Keyword.IS)
                || (tokens.is(walk.at - 2, Keyword.NOT) && tokens.is(walk.at - 3, Keyword.IS)));
    if (comparison) {
      walk.at++;
    } else if (walk.frame.clause == Clause.SELECT_LIST
        || (walk.frame.clause == Clause.TAIL && walk.frame.verb == Keyword.UPDATE)) {
      walk.frame.clause = Clause.FROM;
      walk.at++;
    } else if (walk.frame.isExpression() && walk.frame.opener == Opener.SYNTAX_CALL) {
      walk.at++;
    } else {
      walk.fail();
    }
  }

  /** SELECT INTO makes a table. Elsewhere INTO is read with the verb it belongs to. */
  private void into() {
    if (walk.frame.clause != Clause.SELECT_LIST) {
      walk.fail();
      return;
    }
    walk.at++;
    while (isTableKind(tokens.keyword(walk.at)) && continuesTableName(walk.at + 1)) {
      found.session |= tokens.is(walk.at, Keyword.TEMP) || tokens.is(walk.at, Keyword.TEMPORARY);
      walk.at++;
    }
    NameChain chain = NameChain.read(tokens, walk.at);
    TableName table = chain == null ? null : chain.table();
    if (chain == null || table == null) {
      walk.fail();
      return;
    }
    found.primary(Reason.SELECT_INTO, table.toString());
    found.writes(table);
    found.schema = true;
    walk.at = chain.end();
  }

  /** TEMP and its like are also free to be the table's own name. */
  private boolean continuesTableName(int i) {
    Keyword next = tokens.keyword(i);
    return tokens.isName(i) && (next == null || next == Keyword.TABLE || !next.isReserved());
  }

  private static boolean isTableKind(@Nullable Keyword keyword) {
    return keyword == Keyword.TEMP
        || keyword == Keyword.TEMPORARY
        || keyword == Keyword.LOCAL
        || keyword == Keyword.GLOBAL
        || keyword == Keyword.UNLOGGED
        || keyword == Keyword.TABLE;
  }

  private void on() {
    boolean conflict =
        walk.frame.verb == Keyword.INSERT && tokens.is(walk.at + 1, Keyword.CONFLICT);
    if (conflict) {
      walk.frame.clause = Clause.TAIL;
      walk.at++;
      if (tokens.is(walk.at + 1, Token.LEFT)) {
        walk.push(Opener.PARENTHESIS, Clause.START, walk.at + 2);
        return;
      }
    } else if (walk.frame.clause == Clause.AFTER_FROM) {
      walk.frame.clause = Clause.JOIN_CONDITION;
    }
    walk.at++;
  }

  private void lock() {
    boolean locks =
        tokens.is(walk.at + 1, Keyword.UPDATE)
            || tokens.is(walk.at + 1, Keyword.SHARE)
            || (tokens.is(walk.at + 1, Keyword.NO) && tokens.is(walk.at + 2, Keyword.KEY))
            || (tokens.is(walk.at + 1, Keyword.KEY) && tokens.is(walk.at + 2, Keyword.SHARE));
    if (locks) {
      found.primary(Reason.LOCKS_ROWS, null);
      walk.at++;
    }
    if (walk.frame.clause == Clause.AFTER_FROM || walk.frame.clause == Clause.JOIN_CONDITION) {
      walk.frame.clause = Clause.TAIL;
    }
    walk.at++;
  }

  /** Every WITH that begins no common table: types, FETCH, SQL/JSON, RETURNING, ORDINALITY. */
  private void with() {
    Keyword next = tokens.keyword(walk.at + 1);
    boolean harmless =
        next == Keyword.TIME
            || next == Keyword.TIES
            || next == Keyword.ORDINALITY
            || next == Keyword.WRAPPER
            || next == Keyword.UNIQUE
            || next == Keyword.CONDITIONAL
            || next == Keyword.UNCONDITIONAL
            || (next == Keyword.ARRAY && walk.frame.isExpression())
            || tokens.is(walk.at - 1, Keyword.RETURNING);
    if (harmless) {
      walk.at += tokens.is(walk.at - 1, Keyword.RETURNING) ? 1 : 2;
    } else {
      walk.fail();
    }
  }

  private boolean join(Keyword keyword) {
    boolean tables =
        walk.frame.clause == Clause.AFTER_FROM || walk.frame.clause == Clause.JOIN_CONDITION;
    if (keyword == Keyword.JOIN && tables) {
      walk.frame.clause = Clause.FROM;
      walk.at++;
      return true;
    }
    if (tokens.is(walk.at + 1, Token.LEFT)) {
      return false;
    }
    if (tables) {
      walk.at++;
    } else {
      walk.fail();
    }
    return true;
  }
}
