package dev.aquifer.sql;

import dev.aquifer.sql.Frame.Opener;

/**
 * Tells calls from the many other things that a word before a parenthesis may be. A word is spared
 * from being a call only where PostgreSQL's grammar leaves no other reading.
 */
final class CallSites {
  private final Tokens tokens;

  CallSites(Tokens tokens) {
    this.tokens = tokens;
  }

  /** Whether the key word there, unquoted, without a schema and before a parenthesis, is called. */
  boolean isCall(Keyword keyword, int at, Frame frame) {
    return switch (keyword.category) {
      case RESERVED, COLUMN_NAME -> false;
      case FUNCTION_OR_TYPE -> !isInfix(keyword, at);
      case UNRESERVED -> !isSyntax(keyword, at, frame);
    };
  }

  /** {@code a LIKE (b)} against {@code LIKE(a, b)}. */
  private boolean isInfix(Keyword keyword, int at) {
    return switch (keyword) {
      case LIKE, ILIKE, OVERLAPS -> tokens.endsOperand(at - 1) || tokens.is(at - 1, Keyword.NOT);
      case COLLATION -> false;
      default -> false;
    };
  }

  private boolean isSyntax(Keyword keyword, int at, Frame frame) {
    Keyword before = tokens.keyword(at - 1);
    return switch (keyword) {
      case OVER, FILTER -> tokens.is(at - 1, Token.RIGHT);
      case BY -> before == Keyword.ORDER || before == Keyword.GROUP || isWord(at - 1, "partition");
      case FIRST, NEXT -> before == Keyword.FETCH;
      case VARYING ->
          before == Keyword.CHARACTER
              || before == Keyword.CHAR
              || before == Keyword.NCHAR
              || before == Keyword.BIT;
      case SECOND ->
          before == Keyword.TO || before == Keyword.INTERVAL || tokens.is(at - 1, Token.STRING);
      case ZONE -> before == Keyword.TIME;
      case ESCAPE, VALUE, PASSING -> before == null && tokens.endsOperand(at - 1);
      case SET -> before == Keyword.UPDATE;
      case INSERT -> before == Keyword.THEN && frame.verb == Keyword.MERGE;
      case COLUMNS -> frame.opener == Opener.JSON_TABLE;
      case SETS -> before == Keyword.GROUPING;
      case ROLLUP, CUBE -> (frame.groupBy && beginsElement(at)) || frame.opener == Opener.GROUPING;
      default -> false;
    };
  }

  private boolean beginsElement(int at) {
    return tokens.is(at - 1, Token.COMMA)
        || tokens.is(at - 1, Keyword.BY)
        || tokens.is(at - 1, Keyword.ALL)
        || tokens.is(at - 1, Keyword.DISTINCT);
  }

  private boolean isWord(int at, String word) {
    return tokens.is(at, Token.WORD)
        && tokens.end(at) - tokens.start(at) == word.length()
        && tokens.sql.regionMatches(true, tokens.start(at), word, 0, word.length());
  }

  /** What the parenthesis behind a key word that is no call belongs to. */
  Opener opener(Keyword keyword) {
    return switch (keyword) {
      case EXTRACT, TRIM, SUBSTRING, OVERLAY, POSITION -> Opener.SYNTAX_CALL;
      case CAST, TREAT, XMLSERIALIZE -> Opener.CAST;
      case JSON_TABLE, COLUMNS -> Opener.JSON_TABLE;
      case SETS, ROLLUP, CUBE -> Opener.GROUPING;
      default -> Opener.PARENTHESIS;
    };
  }
}
