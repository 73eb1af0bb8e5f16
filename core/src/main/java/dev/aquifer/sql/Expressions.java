package dev.aquifer.sql;

import dev.aquifer.sql.Frame.Clause;
import dev.aquifer.sql.Frame.Opener;
import java.util.BitSet;
import org.jspecify.annotations.Nullable;

/**
 * Reads expressions, of which only calls, casts, operators and attributes matter: those may run
 * code on the server.
 */
final class Expressions {
  private final Walk walk;
  private final Tokens tokens;
  private final Findings found;
  private final Clauses clauses;
  private final CallSites calls;

  /**
   * Operators of one character that the catalogue has been asked about: most of those in a text.
   */
  private final BitSet asked = new BitSet(128);

  Expressions(Walk walk, Clauses clauses) {
    this.walk = walk;
    this.tokens = walk.tokens;
    this.found = walk.found;
    this.clauses = clauses;
    this.calls = new CallSites(tokens);
  }

  void expressionWord(@Nullable Keyword keyword) {
    if (keyword == Keyword.AS) {
      label();
    } else if (keyword == Keyword.SELECT || keyword == Keyword.TABLE) {
      walk.fail();
    } else if (keyword == null || !clauses.clause(keyword)) {
      nameOrCall(keyword);
    }
  }

  /** The label behind AS may be any word at all; within a cast it is the type. */
  private void label() {
    if (walk.frame.opener == Opener.CAST) {
      type(walk.at + 1);
    } else {
      walk.at += tokens.isName(walk.at + 1) ? 2 : 1;
    }
  }

  private void nameOrCall(@Nullable Keyword keyword) {
    if (keyword == Keyword.OPERATOR && tokens.is(walk.at + 1, Token.LEFT)) {
      qualifiedOperator();
    } else if (keyword != null
        && tokens.is(walk.at + 1, Token.LEFT)
        && !calls.isCall(keyword, walk.at, walk.frame)) {
      boolean syntax =
          keyword.category == Keyword.Category.COLUMN_NAME
              || calls.opener(keyword) != Opener.PARENTHESIS;
      if (syntax) {
        walk.push(calls.opener(keyword), Clause.START, walk.at + 2);
      } else {
        walk.at++;
      }
    } else if (keyword != null && keyword.isReserved()) {
      reserved(keyword);
    } else {
      nameChain(keyword);
    }
  }

  private void reserved(Keyword keyword) {
    switch (keyword) {
      case CREATE,
          GRANT,
          REFERENCES,
          FOREIGN,
          CHECK,
          COLUMN,
          DEFERRABLE,
          INITIALLY,
          ANALYZE,
          ANALYSE ->
          walk.fail();
      default -> walk.at++;
    }
  }

  private void nameChain(@Nullable Keyword keyword) {
    int last = walk.at;
    boolean plain = tokens.is(last, Token.WORD);
    while (tokens.is(last + 1, Token.DOT) && tokens.isName(last + 2)) {
      last += 2;
      plain &= tokens.is(last, Token.WORD);
    }
    Token behind = tokens.kind(last + 1);
    if (plain
        && behind != Token.LEFT
        && behind != Token.STRING
        && !tokens.is(last + 1, Keyword.UESCAPE)) {
      // A column: most of the names in a text, and no more than the last part is asked about.
      String attribute = last == walk.at ? null : tokens.name(last);
      if (attribute != null) {
        found.attribute(attribute);
      }
      walk.at = last + 1;
      return;
    }
    NameChain chain = NameChain.read(tokens, walk.at);
    if (chain == null) {
      walk.fail();
    } else if (tokens.is(chain.end(), Token.LEFT)) {
      call(chain);
    } else {
      if (chain.parts() > 1) {
        found.attribute(chain.name());
      }
      if (tokens.is(chain.end(), Token.STRING) && keyword == null) {
        found.type(chain.schema(), chain.name());
      }
      walk.at = chain.end();
    }
  }

  void call(NameChain function) {
    found.call(function.schema(), function.name());
    walk.push(Opener.CALL, Clause.EXPRESSION, function.end() + 1);
  }

  /** {@code OPERATOR(schema.+)}. */
  private void qualifiedOperator() {
    int i = walk.at + 2;
    while (tokens.isName(i) && tokens.is(i + 1, Token.DOT)) {
      i += 2;
    }
    boolean system = i == walk.at + 2 || "pg_catalog".equals(tokens.name(i - 2));
    if (tokens.is(i, Token.OPERATOR) && tokens.is(i + 1, Token.RIGHT)) {
      found.operator(system ? tokens.operator(i) : tokens.text(i - 2) + "." + tokens.operator(i));
      walk.at = i + 2;
    } else {
      walk.fail();
    }
  }

  /** A type's name, behind {@code ::} or within CAST; its length or precision is not a call. */
  void type(int from) {
    walk.at = tokens.is(from, Keyword.SETOF) ? from + 1 : from;
    NameChain chain = NameChain.read(tokens, walk.at);
    if (chain == null) {
      walk.fail();
      return;
    }
    found.type(chain.schema(), chain.name());
    walk.at = chain.end();
    if (tokens.is(walk.at, Token.LEFT)) {
      walk.push(Opener.PARENTHESIS, Clause.EXPRESSION, walk.at + 1);
    }
  }

  void attribute() {
    operand();
    if (tokens.isName(walk.at + 1)) {
      String name = tokens.name(walk.at + 1);
      if (name == null) {
        walk.fail();
        return;
      }
      found.attribute(name);
      walk.at += 2;
    } else {
      walk.at++;
    }
  }

  void operator() {
    boolean single = tokens.end(walk.at) - tokens.start(walk.at) == 1;
    char symbol = tokens.sql.charAt(tokens.start(walk.at));
    boolean star = single && symbol == '*';
    if (walk.frame.clause == Clause.AFTER_FROM || walk.frame.clause == Clause.AFTER_TARGET) {
      if (!star) {
        walk.fail();
        return;
      }
    } else {
      operand();
      boolean all = star && !tokens.endsOperand(walk.at - 1);
      if (!all && !(single && asked.get(symbol))) {
        found.operator(tokens.operator(walk.at));
      }
      if (!all && single) {
        asked.set(symbol);
      }
    }
    walk.at++;
  }

  /** Something that only an expression can begin with. */
  void operand() {
    switch (walk.frame.clause) {
      case START -> {
        if (walk.frame.isComplete()) {
          walk.frame.clause = Clause.EXPRESSION;
        } else {
          walk.fail();
        }
      }
      case SELECT_LIST, TAIL, EXPRESSION, JOIN_CONDITION, DEFINITIONS, WITH_CYCLE -> {}
      default -> walk.fail();
    }
  }
}
