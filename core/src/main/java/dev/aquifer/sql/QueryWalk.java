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
  private final Tokens tokens;
  private final Findings found;
  private final FrameStack stack = new FrameStack();
  private final CallSites calls;
  private Frame frame;
  private int at;
  private boolean failed;

  QueryWalk(Tokens tokens, Findings found) {
    this.tokens = tokens;
    this.found = found;
    this.calls = new CallSites(tokens);
    this.frame = stack.push(Opener.STATEMENT, Clause.START, 0);
  }

  /**
   * Reads the statement that begins there; answers the index of the semicolon or the end behind it.
   */
  int read(int from) {
    at = from;
    frame.first = from;
    while (!failed
        && at < tokens.size()
        && !(stack.depth() == 1 && tokens.is(at, Token.SEMICOLON))) {
      step();
    }
    if (!failed && (stack.depth() > 1 || !frame.isComplete())) {
      fail();
    }
    while (at < tokens.size() && !tokens.is(at, Token.SEMICOLON)) {
      at++;
    }
    return at;
  }

  /**
   * Reads the query in the parenthesis that opens there; answers the index behind the one that
   * closes it.
   */
  int readParenthesis(int from) {
    at = from + 1;
    frame = stack.push(Opener.COMMON_TABLE, Clause.START, at);
    while (!failed && at < tokens.size() && stack.depth() > 1) {
      step();
    }
    if (!failed && stack.depth() > 1) {
      fail();
    }
    return at;
  }

  private void fail() {
    if (!failed) {
      failed = true;
      found.notUnderstood(tokens.isName(at) ? tokens.text(at) : null);
    }
  }

  private void step() {
    switch (tokens.kind(at)) {
      case LEFT -> open();
      case RIGHT -> close();
      case LEFT_BRACKET -> {
        operand();
        push(Opener.BRACKET, Clause.EXPRESSION, at + 1);
      }
      case RIGHT_BRACKET -> closeBracket();
      case COMMA -> comma();
      case WORD -> word();
      case QUOTED_WORD -> plainWord(null);
      case CAST -> type(at + 1);
      case DOT -> attribute();
      case OPERATOR -> operator();
      case SEMICOLON, END -> fail();
      default -> {
        operand();
        at++;
      }
    }
  }

  // Parentheses.

  private void push(Opener opener, Clause clause, int first) {
    if (stack.depth() > FrameStack.MAX_DEPTH) {
      fail();
      return;
    }
    boolean definitions = frame.clause == Clause.DEFINITIONS;
    frame = stack.push(opener, definitions ? Clause.DEFINITIONS : clause, first);
    at = first;
  }

  private void open() {
    switch (frame.clause) {
      case START, SELECT_LIST, TAIL, EXPRESSION, JOIN_CONDITION, SET_OPERATION, AFTER_WITH ->
          push(Opener.PARENTHESIS, Clause.START, at + 1);
      case FROM -> push(Opener.PARENTHESIS, Clause.FROM, at + 1);
      case WITH_BODY -> {
        if (frame.bodyFollows) {
          push(Opener.COMMON_TABLE, Clause.START, at + 1);
        } else {
          push(Opener.PARENTHESIS, Clause.DEFINITIONS, at + 1);
        }
      }
      case AFTER_TARGET -> {
        if (frame.verb == Keyword.INSERT) {
          push(Opener.PARENTHESIS, Clause.START, at + 1);
        } else {
          fail();
        }
      }
      case DEFINITIONS -> push(Opener.PARENTHESIS, Clause.DEFINITIONS, at + 1);
      default -> fail();
    }
  }

  private void close() {
    if (stack.depth() == 1 || frame.opener == Opener.BRACKET || !frame.isComplete()) {
      fail();
      return;
    }
    Frame closed = frame;
    frame = stack.pop();
    at++;
    switch (frame.clause) {
      case START -> frame.clause = afterFirst(closed);
      case FROM -> frame.clause = Clause.AFTER_FROM;
      case AFTER_WITH, SET_OPERATION -> afterQuery(closed);
      case WITH_BODY -> {
        if (closed.opener == Opener.COMMON_TABLE) {
          endOfBody();
        }
      }
      default -> {}
    }
  }

  /** A statement that begins with a parenthesis must have a query in it. */
  private Clause afterFirst(Frame closed) {
    boolean statement = frame.opener == Opener.STATEMENT || frame.opener == Opener.COMMON_TABLE;
    if (statement) {
      afterQuery(closed);
      return Clause.TAIL;
    }
    frame.verb = closed.verb;
    return Clause.EXPRESSION;
  }

  /** Where only a query may stand in parentheses. */
  private void afterQuery(Frame closed) {
    if (closed.verb == null) {
      fail();
    }
    if (closed.verb != null) {
      begin(closed.verb);
    }
    frame.clause = Clause.TAIL;
  }

  private void endOfBody() {
    String name = frame.commonTable;
    if (!frame.recursive && name != null) {
      stack.define(name);
    }
    frame.clause = Clause.AFTER_WITH;
    frame.bodyFollows = false;
  }

  private void closeBracket() {
    if (stack.depth() == 1 || frame.opener != Opener.BRACKET || !frame.isComplete()) {
      fail();
      return;
    }
    frame = stack.pop();
    at++;
  }

  private void comma() {
    switch (frame.clause) {
      case AFTER_FROM, JOIN_CONDITION -> frame.clause = Clause.FROM;
      case AFTER_WITH -> frame.clause = Clause.WITH_NAME;
      case SELECT_LIST, TAIL, EXPRESSION, DEFINITIONS, WITH_SEARCH, WITH_CYCLE -> {}
      default -> {
        fail();
        return;
      }
    }
    at++;
  }

  /** Something that only an expression can begin with. */
  private void operand() {
    switch (frame.clause) {
      case START -> {
        if (frame.isComplete()) {
          frame.clause = Clause.EXPRESSION;
        } else {
          fail();
        }
      }
      case SELECT_LIST, TAIL, EXPRESSION, JOIN_CONDITION, DEFINITIONS, WITH_CYCLE -> {}
      default -> fail();
    }
  }

  private void operator() {
    boolean star =
        tokens.end(at) - tokens.start(at) == 1 && tokens.sql.charAt(tokens.start(at)) == '*';
    if (frame.clause == Clause.AFTER_FROM || frame.clause == Clause.AFTER_TARGET) {
      if (!star) {
        fail();
        return;
      }
    } else {
      operand();
      if (!star) {
        found.operator(tokens.operator(at));
      }
    }
    at++;
  }

  private void attribute() {
    operand();
    if (tokens.isName(at + 1)) {
      String name = tokens.name(at + 1);
      if (name == null) {
        fail();
        return;
      }
      found.attribute(name);
      at += 2;
    } else {
      at++;
    }
  }

  /** A type's name, behind {@code ::} or within CAST; its length or precision is not a call. */
  private void type(int from) {
    at = tokens.is(from, Keyword.SETOF) ? from + 1 : from;
    NameChain chain = NameChain.read(tokens, at);
    if (chain == null) {
      fail();
      return;
    }
    found.type(chain.schema(), chain.name());
    at = chain.end();
    if (tokens.is(at, Token.LEFT)) {
      push(Opener.PARENTHESIS, Clause.EXPRESSION, at + 1);
    }
  }

  // Words.

  private void word() {
    Keyword keyword = tokens.keyword(at);
    if (keyword == null || (tokens.is(at + 1, Token.DOT) && !keyword.isReserved())) {
      plainWord(null);
    } else if (!beginsQuery(keyword)) {
      plainWord(keyword);
    }
  }

  /** Reads a query's first word where one may begin; answers whether it was one. */
  private boolean beginsQuery(Keyword keyword) {
    boolean first = at == frame.first;
    boolean query =
        switch (frame.clause) {
          case START, SET_OPERATION, AFTER_WITH -> true;
          case FROM -> first && frame.opener == Opener.PARENTHESIS;
          case AFTER_TARGET -> frame.verb == Keyword.INSERT;
          default -> false;
        };
    if (!query) {
      return false;
    }
    switch (keyword) {
      case SELECT -> begin(keyword, Clause.SELECT_LIST);
      case TABLE -> begin(keyword, Clause.FROM);
      case VALUES -> {
        if (!tokens.is(at + 1, Token.LEFT)) {
          return false;
        }
        begin(keyword, Clause.TAIL);
      }
      case WITH -> {
        frame.clause = Clause.WITH_NAME;
        frame.recursive = tokens.is(at + 1, Keyword.RECURSIVE);
        at += frame.recursive ? 2 : 1;
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
    frame.clause = clause;
    at++;
  }

  private void begin(Keyword verb) {
    if (frame.verb == null) {
      frame.verb = verb;
    }
    boolean main = stack.depth() == 1 || found.verb.isEmpty();
    if (main && found.statements == 1 && (found.verb.isEmpty() || found.verb.equals("WITH"))) {
      found.verb = verb.name();
    }
  }

  /**
   * These words are free to be columns; only a statement or a common table's body can begin with
   * them as verbs.
   */
  private boolean beginsWrite(Keyword verb) {
    boolean body = frame.opener == Opener.STATEMENT || frame.opener == Opener.COMMON_TABLE;
    if (frame.clause == Clause.AFTER_TARGET || frame.clause == Clause.SET_OPERATION) {
      fail();
      return true;
    }
    if (!body && frame.clause == Clause.START) {
      if (!tokens.isName(at + 1)) {
        return false;
      }
      fail();
      return true;
    }
    found.kind(StatementKind.WRITE);
    frame.verb = null;
    begin(verb);
    frame.clause = Clause.TARGET;
    at++;
    if (verb != Keyword.UPDATE) {
      Keyword next = verb == Keyword.DELETE ? Keyword.FROM : Keyword.INTO;
      if (!tokens.is(at, next)) {
        fail();
        return true;
      }
      at++;
    }
    return true;
  }

  private void plainWord(@Nullable Keyword keyword) {
    switch (frame.clause) {
      case START -> {
        operand();
        if (!failed) {
          expressionWord(keyword);
        }
      }
      case FROM -> relation(keyword);
      case AFTER_FROM -> afterRelation(keyword);
      case TARGET -> target(keyword);
      case AFTER_TARGET -> afterTarget(keyword);
      case WITH_NAME -> commonTable(keyword);
      case WITH_BODY -> commonTableBody(keyword);
      case AFTER_WITH -> afterWith(keyword);
      case WITH_SEARCH -> endOfSearch(keyword, Keyword.SET);
      case WITH_CYCLE -> endOfSearch(keyword, Keyword.USING);
      case SET_OPERATION -> {
        if (keyword == Keyword.ALL || keyword == Keyword.DISTINCT) {
          at++;
        } else {
          fail();
        }
      }
      case DEFINITIONS -> {
        if (keyword == Keyword.SELECT || keyword == Keyword.WITH || keyword == Keyword.FROM) {
          fail();
        } else {
          at++;
        }
      }
      default -> expressionWord(keyword);
    }
  }

  // WITH.

  private void commonTable(@Nullable Keyword keyword) {
    String name = tokens.name(at);
    if (name == null || (keyword != null && keyword.isReserved())) {
      fail();
      return;
    }
    frame.commonTable = name;
    frame.bodyFollows = false;
    if (frame.recursive) {
      stack.define(name);
    }
    frame.clause = Clause.WITH_BODY;
    at++;
  }

  private void commonTableBody(@Nullable Keyword keyword) {
    boolean follows =
        keyword == Keyword.AS
            || (frame.bodyFollows && (keyword == Keyword.NOT || keyword == Keyword.MATERIALIZED));
    if (follows) {
      frame.bodyFollows = true;
      at++;
    } else {
      fail();
    }
  }

  private void afterWith(@Nullable Keyword keyword) {
    if (keyword == Keyword.SEARCH) {
      frame.clause = Clause.WITH_SEARCH;
    } else if (keyword == Keyword.CYCLE) {
      frame.clause = Clause.WITH_CYCLE;
    } else {
      fail();
      return;
    }
    at++;
  }

  private void endOfSearch(@Nullable Keyword keyword, Keyword last) {
    if (keyword == last && tokens.isName(at + 1)) {
      frame.clause = Clause.AFTER_WITH;
      at += 2;
    } else {
      at++;
    }
  }

  // Tables.

  private void relation(@Nullable Keyword keyword) {
    if (keyword == Keyword.ONLY || keyword == Keyword.LATERAL) {
      at++;
    } else if (keyword == Keyword.ROWS
        && tokens.is(at + 1, Keyword.FROM)
        && tokens.is(at + 2, Token.LEFT)) {
      frame.clause = Clause.AFTER_FROM;
      push(Opener.PARENTHESIS, Clause.EXPRESSION, at + 3);
    } else if (keyword != null && (keyword.isReserved() || keyword == Keyword.CURRENT_SCHEMA)) {
      valueAsRelation(keyword);
    } else if (keyword != null
        && keyword.category == Keyword.Category.COLUMN_NAME
        && tokens.is(at + 1, Token.LEFT)) {
      frame.clause = Clause.AFTER_FROM;
      push(calls.opener(keyword), Clause.START, at + 2);
    } else {
      namedRelation(keyword);
    }
  }

  private void namedRelation(@Nullable Keyword keyword) {
    NameChain chain = NameChain.read(tokens, at);
    if (chain == null) {
      fail();
      return;
    }
    if (tokens.is(chain.end(), Token.LEFT)) {
      frame.clause = Clause.AFTER_FROM;
      call(chain);
      return;
    }
    TableName table = chain.table();
    if (table == null
        || (keyword != null && keyword.category == Keyword.Category.FUNCTION_OR_TYPE)) {
      fail();
      return;
    }
    if (!stack.isCommonTable(table)) {
      found.reads(table);
    }
    frame.clause = Clause.AFTER_FROM;
    at = chain.end();
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
        frame.clause = Clause.AFTER_FROM;
        at++;
        if (tokens.is(at, Token.LEFT)) {
          push(Opener.PARENTHESIS, Clause.EXPRESSION, at + 1);
        }
      }
      default -> fail();
    }
  }

  private void afterRelation(@Nullable Keyword keyword) {
    if (keyword == null) {
      alias(at);
      return;
    }
    switch (keyword) {
      case AS -> {
        if (tokens.is(at + 1, Token.LEFT)) {
          push(Opener.PARENTHESIS, Clause.DEFINITIONS, at + 2);
        } else if (tokens.isName(at + 1)) {
          alias(at + 1);
        } else {
          fail();
        }
      }
      case TABLESAMPLE -> sample();
      case REPEATABLE -> {
        if (tokens.is(at + 1, Token.LEFT)) {
          push(Opener.PARENTHESIS, Clause.START, at + 2);
        } else {
          alias(at);
        }
      }
      case USING -> {
        if (tokens.is(at + 1, Token.LEFT)) {
          push(Opener.PARENTHESIS, Clause.DEFINITIONS, at + 2);
        } else {
          fail();
        }
      }
      default -> {
        if (!clause(keyword)) {
          if (keyword.isReserved() || keyword.category == Keyword.Category.FUNCTION_OR_TYPE) {
            fail();
          } else {
            alias(at);
          }
        }
      }
    }
  }

  /** A table's alias, and behind it perhaps its columns, which are neither call nor query. */
  private void alias(int name) {
    at = name + 1;
    if (tokens.is(at, Token.LEFT)) {
      push(Opener.PARENTHESIS, Clause.DEFINITIONS, at + 1);
    }
  }

  private void sample() {
    at++;
    NameChain method = NameChain.read(tokens, at);
    if (method == null || !tokens.is(method.end(), Token.LEFT)) {
      fail();
      return;
    }
    boolean ours = method.schema() == null || method.schema().equals("pg_catalog");
    if (ours && (method.name().equals("bernoulli") || method.name().equals("system"))) {
      push(Opener.PARENTHESIS, Clause.START, method.end() + 1);
    } else {
      call(method);
    }
  }

  private void target(@Nullable Keyword keyword) {
    boolean only = keyword == Keyword.ONLY;
    boolean parenthesis = only && tokens.is(at + 1, Token.LEFT);
    NameChain chain = NameChain.read(tokens, at + (only ? 1 : 0) + (parenthesis ? 1 : 0));
    TableName table = chain == null ? null : chain.table();
    if (chain == null
        || table == null
        || (keyword != null && keyword.isReserved() && !only)
        || (parenthesis && !tokens.is(chain.end(), Token.RIGHT))) {
      fail();
      return;
    }
    found.writes(table);
    frame.clause = Clause.AFTER_TARGET;
    at = parenthesis ? chain.end() + 1 : chain.end();
  }

  private void afterTarget(@Nullable Keyword keyword) {
    if (keyword == Keyword.AS) {
      at += 2;
    } else if (keyword == Keyword.SET && frame.verb == Keyword.UPDATE) {
      frame.clause = Clause.TAIL;
      at++;
      if (tokens.is(at, Token.LEFT)) {
        push(Opener.PARENTHESIS, Clause.START, at + 1);
      }
    } else if (keyword == Keyword.USING && frame.verb != Keyword.INSERT) {
      frame.clause = Clause.FROM;
      at++;
    } else if (keyword == Keyword.DEFAULT && tokens.is(at + 1, Keyword.VALUES)) {
      frame.clause = Clause.TAIL;
      at += 2;
    } else if (keyword == null || !clause(keyword)) {
      at++;
    }
  }

  // Clauses and expressions.

  /** Reads a word that begins or parts clauses; answers whether it was one. */
  private boolean clause(Keyword keyword) {
    switch (keyword) {
      case WHERE, HAVING, WINDOW, ORDER, LIMIT, OFFSET, FETCH, RETURNING -> tail();
      case GROUP -> {
        if (tokens.is(at - 1, Keyword.WITHIN)) {
          at++;
        } else {
          tail();
          frame.groupBy = true;
        }
      }
      case UNION, INTERSECT, EXCEPT -> {
        frame.clause = Clause.SET_OPERATION;
        frame.groupBy = false;
        at++;
      }
      case FROM -> from();
      case INTO -> into();
      case ON -> on();
      case WHEN -> {
        boolean matched =
            tokens.is(at + 1, Keyword.MATCHED)
                || (tokens.is(at + 1, Keyword.NOT) && tokens.is(at + 2, Keyword.MATCHED));
        if (frame.verb == Keyword.MERGE && matched && frame.clause == Clause.JOIN_CONDITION) {
          frame.clause = Clause.TAIL;
        } else if (frame.clause == Clause.AFTER_FROM) {
          fail();
        }
        at++;
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
    frame.groupBy = false;
    if (!frame.isExpression()) {
      frame.clause = Clause.TAIL;
    }
    at++;
  }

  private void from() {
    boolean comparison =
        tokens.is(at - 1, Keyword.DISTINCT)
            && (tokens.is(at - 2, Keyword.IS)
                || (tokens.is(at - 2, Keyword.NOT) && tokens.is(at - 3, Keyword.IS)));
    if (comparison) {
      at++;
    } else if (frame.clause == Clause.SELECT_LIST
        || (frame.clause == Clause.TAIL && frame.verb == Keyword.UPDATE)) {
      frame.clause = Clause.FROM;
      at++;
    } else if (frame.isExpression() && frame.opener == Opener.SYNTAX_CALL) {
      at++;
    } else {
      fail();
    }
  }

  /** SELECT INTO makes a table. Elsewhere INTO is read with the verb it belongs to. */
  private void into() {
    if (frame.clause != Clause.SELECT_LIST) {
      fail();
      return;
    }
    at++;
    while (isTableKind(tokens.keyword(at)) && continuesTableName(at + 1)) {
      found.session |= tokens.is(at, Keyword.TEMP) || tokens.is(at, Keyword.TEMPORARY);
      at++;
    }
    NameChain chain = NameChain.read(tokens, at);
    TableName table = chain == null ? null : chain.table();
    if (chain == null || table == null) {
      fail();
      return;
    }
    found.primary(Reason.SELECT_INTO, table.toString());
    found.writes(table);
    at = chain.end();
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
    boolean conflict = frame.verb == Keyword.INSERT && tokens.is(at + 1, Keyword.CONFLICT);
    if (conflict) {
      frame.clause = Clause.TAIL;
      at++;
      if (tokens.is(at + 1, Token.LEFT)) {
        push(Opener.PARENTHESIS, Clause.START, at + 2);
        return;
      }
    } else if (frame.clause == Clause.AFTER_FROM) {
      frame.clause = Clause.JOIN_CONDITION;
    }
    at++;
  }

  private void lock() {
    boolean locks =
        tokens.is(at + 1, Keyword.UPDATE)
            || tokens.is(at + 1, Keyword.SHARE)
            || (tokens.is(at + 1, Keyword.NO) && tokens.is(at + 2, Keyword.KEY))
            || (tokens.is(at + 1, Keyword.KEY) && tokens.is(at + 2, Keyword.SHARE));
    if (locks) {
      found.primary(Reason.LOCKS_ROWS, null);
      at++;
    }
    if (frame.clause == Clause.AFTER_FROM || frame.clause == Clause.JOIN_CONDITION) {
      frame.clause = Clause.TAIL;
    }
    at++;
  }

  /** Every WITH that begins no common table: types, FETCH, SQL/JSON, RETURNING, ORDINALITY. */
  private void with() {
    Keyword next = tokens.keyword(at + 1);
    boolean harmless =
        next == Keyword.TIME
            || next == Keyword.TIES
            || next == Keyword.ORDINALITY
            || next == Keyword.WRAPPER
            || next == Keyword.UNIQUE
            || next == Keyword.CONDITIONAL
            || next == Keyword.UNCONDITIONAL
            || (next == Keyword.ARRAY && frame.isExpression())
            || tokens.is(at - 1, Keyword.RETURNING);
    if (harmless) {
      at += tokens.is(at - 1, Keyword.RETURNING) ? 1 : 2;
    } else {
      fail();
    }
  }

  private boolean join(Keyword keyword) {
    boolean tables = frame.clause == Clause.AFTER_FROM || frame.clause == Clause.JOIN_CONDITION;
    if (keyword == Keyword.JOIN && tables) {
      frame.clause = Clause.FROM;
      at++;
      return true;
    }
    if (tokens.is(at + 1, Token.LEFT)) {
      return false;
    }
    if (tables) {
      at++;
    } else {
      fail();
    }
    return true;
  }

  private void expressionWord(@Nullable Keyword keyword) {
    if (keyword == Keyword.AS) {
      label();
    } else if (keyword == Keyword.SELECT || keyword == Keyword.TABLE) {
      fail();
    } else if (keyword == null || !clause(keyword)) {
      nameOrCall(keyword);
    }
  }

  /** The label behind AS may be any word at all; within a cast it is the type. */
  private void label() {
    if (frame.opener == Opener.CAST) {
      type(at + 1);
    } else {
      at += tokens.isName(at + 1) ? 2 : 1;
    }
  }

  private void nameOrCall(@Nullable Keyword keyword) {
    if (keyword == Keyword.OPERATOR && tokens.is(at + 1, Token.LEFT)) {
      qualifiedOperator();
    } else if (keyword != null
        && tokens.is(at + 1, Token.LEFT)
        && !calls.isCall(keyword, at, frame)) {
      boolean syntax =
          keyword.category == Keyword.Category.COLUMN_NAME
              || calls.opener(keyword) != Opener.PARENTHESIS;
      if (syntax) {
        push(calls.opener(keyword), Clause.START, at + 2);
      } else {
        at++;
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
          fail();
      default -> at++;
    }
  }

  private void nameChain(@Nullable Keyword keyword) {
    NameChain chain = NameChain.read(tokens, at);
    if (chain == null) {
      fail();
    } else if (tokens.is(chain.end(), Token.LEFT)) {
      call(chain);
    } else {
      if (chain.parts() > 1) {
        found.attribute(chain.name());
      }
      if (tokens.is(chain.end(), Token.STRING) && keyword == null) {
        found.type(chain.schema(), chain.name());
      }
      at = chain.end();
    }
  }

  private void call(NameChain function) {
    found.call(function.schema(), function.name());
    push(Opener.CALL, Clause.EXPRESSION, function.end() + 1);
  }

  /** {@code OPERATOR(schema.+)}. */
  private void qualifiedOperator() {
    int i = at + 2;
    while (tokens.isName(i) && tokens.is(i + 1, Token.DOT)) {
      i += 2;
    }
    boolean system = i == at + 2 || "pg_catalog".equals(tokens.name(i - 2));
    if (tokens.is(i, Token.OPERATOR) && tokens.is(i + 1, Token.RIGHT)) {
      found.operator(system ? tokens.operator(i) : tokens.text(i - 2) + "." + tokens.operator(i));
      at = i + 2;
    } else {
      fail();
    }
  }
}
