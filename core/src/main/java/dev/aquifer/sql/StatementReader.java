package dev.aquifer.sql;

import org.jspecify.annotations.Nullable;

/** Splits a text into statements and reads each by its first word. */
final class StatementReader {
  private final Tokens tokens;
  private final Findings found;
  private int at;

  StatementReader(Tokens tokens, Findings found) {
    this.tokens = tokens;
    this.found = found;
  }

  void read() {
    while (at < tokens.size()) {
      if (tokens.is(at, Token.SEMICOLON)) {
        at++;
      } else {
        found.statements++;
        statement();
      }
    }
    if (!tokens.complete) {
      found.notUnderstood(null);
    } else if (found.statements > 1) {
      found.reason = Reason.SEVERAL_STATEMENTS;
      found.subject = null;
    } else if (found.statements == 0) {
      found.primary(Reason.EMPTY, null);
    }
    parameters();
  }

  private void parameters() {
    for (int i = 0; tokens.named && i < tokens.size(); i++) {
      if (tokens.is(i, Token.NAMED_PARAMETER)) {
        found.parameters.add(tokens.sql.substring(tokens.start(i) + 1, tokens.end(i)));
      }
    }
  }

  private void statement() {
    Keyword head = tokens.keyword(at);
    if (found.verb.isEmpty() && head != null) {
      found.verb = head.name();
    }
    if (tokens.is(at, Token.LEFT)) {
      query();
    } else if (head == null) {
      notUnderstood();
    } else {
      statement(head);
    }
  }

  private void statement(Keyword head) {
    switch (head) {
      case SELECT, VALUES, TABLE, WITH, INSERT, UPDATE, DELETE, MERGE -> query();
      case EXPLAIN -> explain();
      case COPY -> copy();
      case TRUNCATE -> truncate();
      case REFRESH -> refresh();
      case CALL, DO -> {
        found.kind(StatementKind.WRITE);
        found.schema |= head == Keyword.DO;
        found.unknownWrites = true;
        found.unknownReads = true;
        primary(Reason.PROCEDURE);
      }
      case CREATE -> create();
      case ALTER, DROP, IMPORT -> {
        found.ddl();
        found.schema = true;
        skip();
      }
      case GRANT, REVOKE, COMMENT, SECURITY, REASSIGN -> {
        found.ddl();
        skip();
      }
      case SHOW, LOCK, NOTIFY, VACUUM, ANALYZE, ANALYSE, CLUSTER, REINDEX, CHECKPOINT -> {
        found.kind(StatementKind.UTILITY);
        primary(Reason.UTILITY);
      }
      case BEGIN, START, COMMIT, END, ROLLBACK, ABORT, SAVEPOINT, RELEASE -> transaction(head);
      case SET -> set();
      case PREPARE -> prepare();
      case EXECUTE -> {
        found.unknownWrites = true;
        found.unknownReads = true;
        session();
      }
      case DECLARE -> declare();
      case RESET, DISCARD, LISTEN, UNLISTEN, LOAD, DEALLOCATE, FETCH, MOVE, CLOSE -> session();
      default -> notUnderstood();
    }
  }

  private void query() {
    at = new QueryWalk(tokens, found).read(at);
  }

  private void primary(Reason why) {
    found.primary(why, null);
    skip();
  }

  private void notUnderstood() {
    found.notUnderstood(tokens.isName(at) ? tokens.text(at) : null);
    skip();
  }

  private void session() {
    found.kind(StatementKind.SESSION);
    found.session = true;
    primary(Reason.SESSION);
  }

  /** To the semicolon that ends the statement; those of a rule's actions stand in parentheses. */
  private void skip() {
    at = endOfStatement();
  }

  private int endOfStatement() {
    int depth = 0;
    int i = at;
    while (i < tokens.size() && !(depth <= 0 && tokens.is(i, Token.SEMICOLON))) {
      depth += tokens.is(i, Token.LEFT) ? 1 : tokens.is(i, Token.RIGHT) ? -1 : 0;
      i++;
    }
    return i;
  }

  /** Whether that word stands anywhere in the statement. */
  private boolean holds(Keyword word) {
    int end = endOfStatement();
    for (int i = at; i < end; i++) {
      if (tokens.is(i, word)) {
        return true;
      }
    }
    return false;
  }

  private void transaction(Keyword head) {
    found.kind(StatementKind.TRANSACTION);
    if (head == Keyword.BEGIN || head == Keyword.START) {
      found.begins = true;
    } else if (holds(Keyword.PREPARED)) {
      found.unknownWrites |= head == Keyword.COMMIT;
    } else if (head != Keyword.SAVEPOINT && head != Keyword.RELEASE && !holds(Keyword.TO)) {
      found.ends = true;
      found.begins |= holds(Keyword.CHAIN) && !holds(Keyword.NO);
    }
    primary(Reason.TRANSACTION);
  }

  private void set() {
    Keyword scope = tokens.keyword(at + 1);
    if (scope == Keyword.LOCAL || scope == Keyword.TRANSACTION || scope == Keyword.CONSTRAINTS) {
      found.kind(StatementKind.TRANSACTION);
      primary(Reason.TRANSACTION);
    } else {
      session();
    }
  }

  private void prepare() {
    if (tokens.is(at + 1, Keyword.TRANSACTION)) {
      found.kind(StatementKind.TRANSACTION);
      found.ends = true;
      primary(Reason.TRANSACTION);
    } else {
      session();
    }
  }

  /**
   * The query of a cursor is read as if it ran now, since nothing tells later which cursor is
   * fetched.
   */
  private void declare() {
    found.kind(StatementKind.SESSION);
    found.session = true;
    found.primary(Reason.SESSION, null);
    while (at < tokens.size() && !tokens.is(at, Token.SEMICOLON) && !tokens.is(at, Keyword.FOR)) {
      at++;
    }
    if (tokens.is(at, Keyword.FOR)) {
      at++;
      query();
    }
  }

  /**
   * A function's SQL body may hold semicolons between BEGIN ATOMIC and END; all of it is one
   * statement here.
   */
  private void create() {
    found.ddl();
    found.schema |= !isTemporary();
    found.session |= holds(Keyword.TEMP) || holds(Keyword.TEMPORARY);
    if (holds(Keyword.ATOMIC) && (holds(Keyword.FUNCTION) || holds(Keyword.PROCEDURE))) {
      at = tokens.size();
    } else {
      skip();
    }
  }

  /** Whether what is created there is only ever this session's. */
  private boolean isTemporary() {
    int i = at + 1;
    while (tokens.is(i, Keyword.OR)
        || isWord(i, "replace")
        || tokens.is(i, Keyword.LOCAL)
        || tokens.is(i, Keyword.GLOBAL)) {
      i++;
    }
    return tokens.is(i, Keyword.TEMP) || tokens.is(i, Keyword.TEMPORARY);
  }

  private boolean isWord(int i, String word) {
    return tokens.is(i, Token.WORD) && word.equals(tokens.name(i));
  }

  private void explain() {
    found.kind(StatementKind.READ);
    at++;
    boolean runs = false;
    if (tokens.is(at, Token.LEFT) && !startsQuery(at + 1)) {
      int close = at;
      while (close < tokens.size() && !tokens.is(close, Token.RIGHT)) {
        runs |= tokens.is(close, Keyword.ANALYZE) || tokens.is(close, Keyword.ANALYSE);
        close++;
      }
      at = close + 1;
    } else {
      while (tokens.is(at, Keyword.ANALYZE)
          || tokens.is(at, Keyword.ANALYSE)
          || tokens.is(at, Keyword.VERBOSE)) {
        runs |= !tokens.is(at, Keyword.VERBOSE);
        at++;
      }
    }
    if (runs) {
      found.primary(Reason.EXPLAIN, null);
    }
    explained(runs);
  }

  private boolean startsQuery(int i) {
    Keyword word = tokens.keyword(i);
    return tokens.is(i, Token.LEFT)
        || word == Keyword.SELECT
        || word == Keyword.VALUES
        || word == Keyword.TABLE
        || word == Keyword.WITH;
  }

  private void explained(boolean runs) {
    Keyword verb = tokens.keyword(at);
    boolean read = startsQuery(at);
    boolean write =
        verb == Keyword.INSERT
            || verb == Keyword.UPDATE
            || verb == Keyword.DELETE
            || verb == Keyword.MERGE;
    if (read || (write && runs)) {
      query();
    } else if (runs) {
      found.schema = true;
      found.unknownWrites = true;
      found.unknownReads = true;
      primary(Reason.EXPLAIN);
    } else {
      primary(Reason.EXPLAIN);
    }
  }

  private void copy() {
    int from = at + 1;
    if (tokens.is(from, Token.LEFT)) {
      found.kind(StatementKind.READ);
      found.primary(Reason.COPY, null);
      at = new QueryWalk(tokens, found).readParenthesis(from);
      skip();
      return;
    }
    TableName table = table(from);
    at = table == null ? from : at;
    while (at < tokens.size()
        && !tokens.is(at, Token.SEMICOLON)
        && !tokens.is(at, Keyword.FROM)
        && !tokens.is(at, Keyword.TO)) {
      at++;
    }
    if (table == null || !(tokens.is(at, Keyword.FROM) || tokens.is(at, Keyword.TO))) {
      notUnderstood();
    } else if (tokens.is(at, Keyword.FROM)) {
      found.writes(table);
      skip();
    } else {
      found.kind(StatementKind.READ);
      found.primary(Reason.COPY, null);
      found.reads(table);
      skip();
    }
  }

  private void truncate() {
    found.unknownWrites |= holds(Keyword.CASCADE);
    at++;
    if (tokens.is(at, Keyword.TABLE)) {
      at++;
    }
    do {
      if (tokens.is(at, Token.COMMA)) {
        at++;
      }
      if (tokens.is(at, Keyword.ONLY)) {
        at++;
      }
      TableName table = table(at);
      if (table == null) {
        notUnderstood();
        return;
      }
      found.writes(table);
      if (tokens.is(at, Token.OPERATOR)) {
        at++;
      }
    } while (tokens.is(at, Token.COMMA));
    skip();
  }

  private void refresh() {
    int i = at + 1;
    while (tokens.is(i, Keyword.MATERIALIZED)
        || tokens.is(i, Keyword.VIEW)
        || tokens.is(i, Keyword.CONCURRENTLY)) {
      i++;
    }
    TableName view = table(i);
    if (view == null) {
      notUnderstood();
    } else {
      found.writes(view);
      skip();
    }
  }

  /** The table named from there on, and moves behind it; null when there is none. */
  private @Nullable TableName table(int i) {
    NameChain chain = NameChain.read(tokens, i);
    if (chain == null) {
      return null;
    }
    at = chain.end();
    return chain.table();
  }
}
