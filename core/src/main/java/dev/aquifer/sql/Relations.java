package dev.aquifer.sql;

import dev.aquifer.sql.Frame.Clause;
import dev.aquifer.sql.Frame.Opener;
import org.jspecify.annotations.Nullable;

/**
 * Reads the places where tables stand: the lists behind FROM, USING and JOIN, and the targets of
 * writes. A table is whatever a name stands for there that is neither a call nor a visible common
 * table.
 */
final class Relations {
  private final Walk walk;
  private final Tokens tokens;
  private final Findings found;
  private final Clauses clauses;
  private final Expressions expressions;
  private final CallSites calls;

  Relations(Walk walk, Clauses clauses, Expressions expressions) {
    this.walk = walk;
    this.tokens = walk.tokens;
    this.found = walk.found;
    this.clauses = clauses;
    this.expressions = expressions;
    this.calls = new CallSites(tokens);
  }

  void relation(@Nullable Keyword keyword) {
    if (keyword == Keyword.ONLY || keyword == Keyword.LATERAL) {
      walk.at++;
    } else if (keyword == Keyword.ROWS
        && tokens.is(walk.at + 1, Keyword.FROM)
        && tokens.is(walk.at + 2, Token.LEFT)) {
      walk.frame.clause = Clause.AFTER_FROM;
      walk.push(Opener.PARENTHESIS, Clause.EXPRESSION, walk.at + 3);
    } else if (keyword != null && (keyword.isReserved() || keyword == Keyword.CURRENT_SCHEMA)) {
      valueAsRelation(keyword);
    } else if (keyword != null
        && keyword.category == Keyword.Category.COLUMN_NAME
        && tokens.is(walk.at + 1, Token.LEFT)) {
      walk.frame.clause = Clause.AFTER_FROM;
      walk.push(calls.opener(keyword), Clause.START, walk.at + 2);
    } else {
      namedRelation(keyword);
    }
  }

  private void namedRelation(@Nullable Keyword keyword) {
    NameChain chain = NameChain.read(tokens, walk.at);
    if (chain == null) {
      walk.fail();
      return;
    }
    if (tokens.is(chain.end(), Token.LEFT)) {
      walk.frame.clause = Clause.AFTER_FROM;
      expressions.call(chain);
      return;
    }
    TableName table = chain.table();
    if (table == null
        || (keyword != null && keyword.category == Keyword.Category.FUNCTION_OR_TYPE)) {
      walk.fail();
      return;
    }
    if (!walk.stack.isCommonTable(table)) {
      found.reads(table);
    }
    walk.frame.clause = Clause.AFTER_FROM;
    walk.at = chain.end();
  }

  /** {@code from current_date} and its like. */
  private void valueAsRelation(Keyword keyword) {
    switch (keyword) {
      case CURRENT_DATE,
          CURRENT_TIME,
          CURRENT_TIMESTAMP,
          LOCALTIME,
          LOCALTIMESTAMP,
          CURRENT_ROLE,
          CURRENT_USER,
          CURRENT_CATALOG,
          CURRENT_SCHEMA,
          SESSION_USER,
          SYSTEM_USER,
          USER -> {
        walk.frame.clause = Clause.AFTER_FROM;
        walk.at++;
        if (tokens.is(walk.at, Token.LEFT)) {
          walk.push(Opener.PARENTHESIS, Clause.EXPRESSION, walk.at + 1);
        }
      }
      default -> walk.fail();
    }
  }

  void afterRelation(@Nullable Keyword keyword) {
    if (keyword == null) {
      alias(walk.at);
      return;
    }
    switch (keyword) {
      case AS -> {
        if (tokens.is(walk.at + 1, Token.LEFT)) {
          walk.push(Opener.PARENTHESIS, Clause.DEFINITIONS, walk.at + 2);
        } else if (tokens.isName(walk.at + 1)) {
          alias(walk.at + 1);
        } else {
          walk.fail();
        }
      }
      case TABLESAMPLE -> sample();
      case REPEATABLE -> {
        if (tokens.is(walk.at + 1, Token.LEFT)) {
          walk.push(Opener.PARENTHESIS, Clause.START, walk.at + 2);
        } else {
          alias(walk.at);
        }
      }
      case USING -> {
        if (tokens.is(walk.at + 1, Token.LEFT)) {
          walk.push(Opener.PARENTHESIS, Clause.DEFINITIONS, walk.at + 2);
        } else {
          walk.fail();
        }
      }
      default -> {
        if (!clauses.clause(keyword)) {
          if (keyword.isReserved() || keyword.category == Keyword.Category.FUNCTION_OR_TYPE) {
            walk.fail();
          } else {
            alias(walk.at);
          }
        }
      }
    }
  }

  /** A table's alias, and behind it perhaps its columns, which are neither call nor query. */
  private void alias(int name) {
    walk.at = name + 1;
    if (tokens.is(walk.at, Token.LEFT)) {
      walk.push(Opener.PARENTHESIS, Clause.DEFINITIONS, walk.at + 1);
    }
  }

  private void sample() {
    walk.at++;
    NameChain method = NameChain.read(tokens, walk.at);
    if (method == null || !tokens.is(method.end(), Token.LEFT)) {
      walk.fail();
      return;
    }
    boolean ours = method.schema() == null || method.schema().equals("pg_catalog");
    if (ours && (method.name().equals("bernoulli") || method.name().equals("system"))) {
      walk.push(Opener.PARENTHESIS, Clause.START, method.end() + 1);
    } else {
      expressions.call(method);
    }
  }

  void target(@Nullable Keyword keyword) {
    boolean only = keyword == Keyword.ONLY;
    boolean parenthesis = only && tokens.is(walk.at + 1, Token.LEFT);
    NameChain chain = NameChain.read(tokens, walk.at + (only ? 1 : 0) + (parenthesis ? 1 : 0));
    TableName table = chain == null ? null : chain.table();
    if (chain == null
        || table == null
        || (keyword != null && keyword.isReserved() && !only)
        || (parenthesis && !tokens.is(chain.end(), Token.RIGHT))) {
      walk.fail();
      return;
    }
    found.writes(table);
    walk.frame.clause = Clause.AFTER_TARGET;
    walk.at = parenthesis ? chain.end() + 1 : chain.end();
  }

  void afterTarget(@Nullable Keyword keyword) {
    if (keyword == Keyword.AS) {
      walk.at += 2;
    } else if (keyword == Keyword.SET && walk.frame.verb == Keyword.UPDATE) {
      walk.frame.clause = Clause.TAIL;
      walk.at++;
      if (tokens.is(walk.at, Token.LEFT)) {
        walk.push(Opener.PARENTHESIS, Clause.START, walk.at + 1);
      }
    } else if (keyword == Keyword.USING && walk.frame.verb != Keyword.INSERT) {
      walk.frame.clause = Clause.FROM;
      walk.at++;
    } else if (keyword == Keyword.DEFAULT && tokens.is(walk.at + 1, Keyword.VALUES)) {
      walk.frame.clause = Clause.TAIL;
      walk.at += 2;
    } else if (keyword == null || !clauses.clause(keyword)) {
      walk.at++;
    }
  }
}
