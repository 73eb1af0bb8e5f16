package dev.aquifer.sql;

import dev.aquifer.sql.Frame.Clause;
import dev.aquifer.sql.Frame.Opener;
import org.jspecify.annotations.Nullable;

/**
 * Walks over one query, INSERT, UPDATE, DELETE or MERGE and notes tables, calls, locks and nested
 * writes.
 *
 * <p>It is no parser: it knows where tables stand, where a word in front of a parenthesis is a
 * call, and which common table is visible where; of expressions it knows next to nothing. That is
 * enough because of one rule: whatever the server would read as a table, a call, a lock or a write
 * must either be noted here or stop the walk as not understood. So a key word of the first rank in
 * a place where it has no business stops it, and a word before a parenthesis is a call unless it is
 * shown not to be. Each token is met once; the depth lives on the heap and is bounded.
 */
final class QueryWalk {
  private final Walk walk;
  private final Tokens tokens;
  private final Findings found;
  private final CommonTables commonTables;
  private final Relations relations;
  private final Clauses clauses;
  private final Expressions expressions;

  QueryWalk(Tokens tokens, Findings found) {
    this.walk = new Walk(tokens, found);
    this.tokens = tokens;
    this.found = found;
    this.commonTables = new CommonTables(walk);
    this.clauses = new Clauses(walk);
    this.expressions = new Expressions(walk, clauses);
    this.relations = new Relations(walk, clauses, expressions);
  }

  /**
   * Reads the statement that begins there; answers the index of the semicolon or the end behind it.
   */
  int read(int from) {
    walk.at = from;
    walk.frame.first = from;
    while (!walk.failed
        && walk.at < tokens.size()
        && !(walk.stack.depth() == 1 && tokens.is(walk.at, Token.SEMICOLON))) {
      step();
    }
    if (!walk.failed && (walk.stack.depth() > 1 || !walk.frame.isComplete())) {
      walk.fail();
    }
    while (walk.at < tokens.size() && !tokens.is(walk.at, Token.SEMICOLON)) {
      walk.at++;
    }
    return walk.at;
  }

  /**
   * Reads the query in the parenthesis that opens there; answers the index behind the one that
   * closes it.
   */
  int readParenthesis(int from) {
    walk.at = from + 1;
    walk.frame = walk.stack.push(Opener.COMMON_TABLE, Clause.START, walk.at);
    while (!walk.failed && walk.at < tokens.size() && walk.stack.depth() > 1) {
      step();
    }
    if (!walk.failed && walk.stack.depth() > 1) {
      walk.fail();
    }
    return walk.at;
  }

  private void step() {
    switch (tokens.kind(walk.at)) {
      case LEFT -> open();
      case RIGHT -> close();
      case LEFT_BRACKET -> {
        expressions.operand();
        walk.push(Opener.BRACKET, Clause.EXPRESSION, walk.at + 1);
      }
      case RIGHT_BRACKET -> closeBracket();
      case COMMA -> comma();
      case WORD -> word();
      case QUOTED_WORD -> plainWord(null);
      case CAST -> expressions.type(walk.at + 1);
      case DOT -> expressions.attribute();
      case OPERATOR -> expressions.operator();
      case SEMICOLON, END -> walk.fail();
      default -> {
        expressions.operand();
        walk.at++;
      }
    }
  }

  private void open() {
    switch (walk.frame.clause) {
      case START, SELECT_LIST, TAIL, EXPRESSION, JOIN_CONDITION, SET_OPERATION, AFTER_WITH ->
          walk.push(Opener.PARENTHESIS, Clause.START, walk.at + 1);
      case FROM -> walk.push(Opener.PARENTHESIS, Clause.FROM, walk.at + 1);
      case WITH_BODY -> {
        if (walk.frame.bodyFollows) {
          walk.push(Opener.COMMON_TABLE, Clause.START, walk.at + 1);
        } else {
          walk.push(Opener.PARENTHESIS, Clause.DEFINITIONS, walk.at + 1);
        }
      }
      case AFTER_TARGET -> {
        if (walk.frame.verb == Keyword.INSERT) {
          walk.push(Opener.PARENTHESIS, Clause.START, walk.at + 1);
        } else {
          walk.fail();
        }
      }
      case DEFINITIONS -> walk.push(Opener.PARENTHESIS, Clause.DEFINITIONS, walk.at + 1);
      default -> walk.fail();
    }
  }

  private void close() {
    if (walk.stack.depth() == 1
        || walk.frame.opener == Opener.BRACKET
        || !walk.frame.isComplete()) {
      walk.fail();
      return;
    }
    Frame closed = walk.frame;
    walk.frame = walk.stack.pop();
    walk.at++;
    switch (walk.frame.clause) {
      case START -> walk.frame.clause = afterFirst(closed);
      case FROM -> walk.frame.clause = Clause.AFTER_FROM;
      case AFTER_WITH, SET_OPERATION -> afterQuery(closed);
      case WITH_BODY -> {
        if (closed.opener == Opener.COMMON_TABLE) {
          commonTables.endOfBody();
        }
      }
      default -> {}
    }
  }

  /** A statement that begins with a parenthesis must have a query in it. */
  private Clause afterFirst(Frame closed) {
    boolean statement =
        walk.frame.opener == Opener.STATEMENT || walk.frame.opener == Opener.COMMON_TABLE;
    if (statement) {
      afterQuery(closed);
      return Clause.TAIL;
    }
    walk.frame.verb = closed.verb;
    return Clause.EXPRESSION;
  }

  /** Where only a query may stand in parentheses. */
  private void afterQuery(Frame closed) {
    if (closed.verb == null) {
      walk.fail();
    }
    if (closed.verb != null) {
      begin(closed.verb);
    }
    walk.frame.clause = Clause.TAIL;
  }

  private void closeBracket() {
    if (walk.stack.depth() == 1
        || walk.frame.opener != Opener.BRACKET
        || !walk.frame.isComplete()) {
      walk.fail();
      return;
    }
    walk.frame = walk.stack.pop();
    walk.at++;
  }

  private void comma() {
    switch (walk.frame.clause) {
      case AFTER_FROM, JOIN_CONDITION -> walk.frame.clause = Clause.FROM;
      case AFTER_WITH -> walk.frame.clause = Clause.WITH_NAME;
      case SELECT_LIST, TAIL, EXPRESSION, DEFINITIONS, WITH_SEARCH, WITH_CYCLE -> {}
      default -> {
        walk.fail();
        return;
      }
    }
    walk.at++;
  }

  private void word() {
    Keyword keyword = tokens.keyword(walk.at);
    if (keyword == null || (tokens.is(walk.at + 1, Token.DOT) && !keyword.isReserved())) {
      plainWord(null);
    } else if (!beginsQuery(keyword)) {
      plainWord(keyword);
    }
  }

  /** Reads a query's first word where one may begin; answers whether it was one. */
  private boolean beginsQuery(Keyword keyword) {
    boolean first = walk.at == walk.frame.first;
    boolean query =
        switch (walk.frame.clause) {
          case START, SET_OPERATION, AFTER_WITH -> true;
          case FROM -> first && walk.frame.opener == Opener.PARENTHESIS;
          case AFTER_TARGET -> walk.frame.verb == Keyword.INSERT;
          default -> false;
        };
    if (!query) {
      return false;
    }
    switch (keyword) {
      case SELECT -> begin(keyword, Clause.SELECT_LIST);
      case TABLE -> begin(keyword, Clause.FROM);
      case VALUES -> {
        if (!tokens.is(walk.at + 1, Token.LEFT)) {
          return false;
        }
        begin(keyword, Clause.TAIL);
      }
      case WITH -> {
        walk.frame.clause = Clause.WITH_NAME;
        walk.frame.recursive = tokens.is(walk.at + 1, Keyword.RECURSIVE);
        walk.at += walk.frame.recursive ? 2 : 1;
      }
      case INSERT, UPDATE, DELETE, MERGE -> {
        return beginsWrite(keyword);
      }
      default -> {
        return false;
      }
    }
    return true;
  }

  private void begin(Keyword verb, Clause clause) {
    found.kind(StatementKind.READ);
    begin(verb);
    walk.frame.clause = clause;
    walk.at++;
  }

  private void begin(Keyword verb) {
    if (walk.frame.verb == null) {
      walk.frame.verb = verb;
    }
    boolean main = walk.stack.depth() == 1 || found.verb.isEmpty();
    if (main && found.statements == 1 && (found.verb.isEmpty() || found.verb.equals("WITH"))) {
      found.verb = verb.name();
    }
  }

  /**
   * These words are free to be columns; only a statement or a common table's body can begin with
   * them as verbs.
   */
  private boolean beginsWrite(Keyword verb) {
    boolean body =
        walk.frame.opener == Opener.STATEMENT || walk.frame.opener == Opener.COMMON_TABLE;
    if (walk.frame.clause == Clause.AFTER_TARGET || walk.frame.clause == Clause.SET_OPERATION) {
      walk.fail();
      return true;
    }
    if (!body && walk.frame.clause == Clause.START) {
      if (!tokens.isName(walk.at + 1)) {
        return false;
      }
      walk.fail();
      return true;
    }
    found.kind(StatementKind.WRITE);
    walk.frame.verb = null;
    begin(verb);
    walk.frame.clause = Clause.TARGET;
    walk.at++;
    if (verb != Keyword.UPDATE) {
      Keyword next = verb == Keyword.DELETE ? Keyword.FROM : Keyword.INTO;
      if (!tokens.is(walk.at, next)) {
        walk.fail();
        return true;
      }
      walk.at++;
    }
    return true;
  }

  private void plainWord(@Nullable Keyword keyword) {
    switch (walk.frame.clause) {
      case START -> {
        expressions.operand();
        if (!walk.failed) {
          expressions.expressionWord(keyword);
        }
      }
      case FROM -> relations.relation(keyword);
      case AFTER_FROM -> relations.afterRelation(keyword);
      case TARGET -> relations.target(keyword);
      case AFTER_TARGET -> relations.afterTarget(keyword);
      case WITH_NAME -> commonTables.commonTable(keyword);
      case WITH_BODY -> commonTables.commonTableBody(keyword);
      case AFTER_WITH -> commonTables.afterWith(keyword);
      case WITH_SEARCH -> commonTables.endOfSearch(keyword, Keyword.SET);
      case WITH_CYCLE -> commonTables.endOfSearch(keyword, Keyword.USING);
      case SET_OPERATION -> {
        if (keyword == Keyword.ALL || keyword == Keyword.DISTINCT) {
          walk.at++;
        } else {
          walk.fail();
        }
      }
      case DEFINITIONS -> {
        if (keyword == Keyword.SELECT || keyword == Keyword.WITH || keyword == Keyword.FROM) {
          walk.fail();
        } else {
          walk.at++;
        }
      }
      default -> expressions.expressionWord(keyword);
    }
  }
}
