package dev.aquifer.sql;

/**
 * Cuts a text into tokens by the rules of PostgreSQL's own lexer (scan.l), in one pass and without
 * recursion.
 *
 * <p>Where it matters for safety the rules are kept to the letter: comments nest; an operator ends
 * before a comment begins in it; a string goes on behind a line break, under the rules of its first
 * part; a dollar quote begins only where no identifier is open; every character above ASCII is part
 * of an identifier, even a no-break space. A text that ends within a token, or that the server
 * would refuse, is left incomplete at that place. Strings are read as with {@code
 * standard_conforming_strings}, PostgreSQL's default since 9.1 and its only way from 19 on.
 *
 * <p>Three things are not PostgreSQL's but its clients': JDBC's {@code ?} (with {@code ??} for the
 * operator), Jdbi's {@code :name}, and its {@code \:} for a colon that begins no parameter.
 */
final class Lexer {
  private static final int WORD_START = 1;
  private static final int WORD_PART = 2;
  private static final int OPERATOR = 4;

  /** What each character of ASCII may be; all others are part of words. */
  private static final byte[] CLASSES = classes();

  private final String sql;
  private final int length;
  private final Tokens out;
  private int at;

  private Lexer(String sql) {
    this.sql = sql;
    this.length = sql.length();
    this.out = new Tokens(sql);
  }

  private static byte[] classes() {
    byte[] classes = new byte[128];
    for (char c = 0; c < 128; c++) {
      boolean letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
      int may = letter ? WORD_START | WORD_PART : 0;
      may |= isDigit(c) || c == '$' ? WORD_PART : 0;
      may |= "~!@#^&|`+-*/%<>=".indexOf(c) >= 0 ? OPERATOR : 0;
      classes[c] = (byte) may;
    }
    return classes;
  }

  static Tokens scan(String sql) {
    Lexer lexer = new Lexer(sql);
    while (lexer.out.complete && lexer.at < lexer.length) {
      int from = lexer.at;
      lexer.token(sql.charAt(from));
      lexer.out.steps += Math.max(1, lexer.at - from);
    }
    return lexer.out;
  }

  private void token(char c) {
    switch (c) {
      case ' ', '\t', '\n', '\r', '\f', '\u000b' -> at++;
      case '(' -> single(Token.LEFT);
      case ')' -> single(Token.RIGHT);
      case '[' -> single(Token.LEFT_BRACKET);
      case ']' -> single(Token.RIGHT_BRACKET);
      case ',' -> single(Token.COMMA);
      case ';' -> single(Token.SEMICOLON);
      case '\'' -> string(at, at + 1, false);
      case '"' -> quotedWord(at, at + 1);
      case '$' -> dollar();
      case '.' -> dot();
      case ':' -> colon();
      case '\\' -> escapedColon();
      case '?' -> question();
      case '0', '1', '2', '3', '4', '5', '6', '7', '8', '9' -> number();
      default -> {
        if (isWordStart(c)) {
          word(c);
        } else if (isOperator(c)) {
          commentOrOperator(c);
        } else {
          out.complete = false;
        }
      }
    }
  }

  private void add(Token kind, int start, int end) {
    out.add(kind, start, end, null);
    at = end;
  }

  private void single(Token kind) {
    add(kind, at, at + 1);
  }

  private char peek(int i) {
    return i < length ? sql.charAt(i) : '\0';
  }

  static boolean isWordStart(char c) {
    return c >= 128 || (CLASSES[c] & WORD_START) != 0;
  }

  static boolean isDigit(char c) {
    return c >= '0' && c <= '9';
  }

  static boolean isWordPart(char c) {
    return c >= 128 || (CLASSES[c] & WORD_PART) != 0;
  }

  /** Every character that may be in an operator, but for the question mark, which is JDBC's. */
  private static boolean isOperator(char c) {
    return c < 128 && (CLASSES[c] & OPERATOR) != 0;
  }

  private void word(char first) {
    char next = peek(at + 1);
    if (next == '\'') {
      switch (first) {
        case 'e', 'E' -> string(at, at + 2, true);
        case 'b', 'B', 'x', 'X', 'n', 'N' -> string(at, at + 2, false);
        default -> plainWord();
      }
    } else if (next == '&' && (first == 'u' || first == 'U') && peek(at + 2) == '\'') {
      string(at, at + 3, false);
    } else if (next == '&' && (first == 'u' || first == 'U') && peek(at + 2) == '"') {
      quotedWord(at, at + 3);
    } else {
      plainWord();
    }
  }

  private void plainWord() {
    int end = at;
    int hash = 0;
    while (end < length && isWordPart(sql.charAt(end))) {
      char c = sql.charAt(end);
      if (c >= 128 && Character.isSurrogate(c)) {
        if (!Character.isSurrogatePair(c, peek(end + 1))) {
          out.complete = false;
          return;
        }
        end++;
      }
      hash = Keyword.hash(hash, c);
      end++;
    }
    out.add(Token.WORD, at, end, Keyword.find(sql, at, end, hash));
    at = end;
  }

  private void quotedWord(int start, int inner) {
    int i = inner;
    while (i < length) {
      char c = sql.charAt(i);
      if (c == '\0') {
        break;
      }
      if (c == '"') {
        if (peek(i + 1) != '"') {
          add(Token.QUOTED_WORD, start, i + 1);
          return;
        }
        i++;
      }
      i++;
    }
    out.complete = false;
  }

  /** From the first character behind the opening quote, over all the parts that continue it. */
  private void string(int start, int inner, boolean escapes) {
    int i = inner;
    while (i < length) {
      char c = sql.charAt(i);
      if (c == '\0') {
        break;
      }
      if (c == '\\' && escapes) {
        i += 2;
      } else if (c != '\'') {
        i++;
      } else if (peek(i + 1) == '\'') {
        i += 2;
      } else {
        int next = continuation(i + 1);
        if (next < 0) {
          add(Token.STRING, start, i + 1);
          return;
        }
        i = next;
      }
    }
    out.complete = false;
  }

  /**
   * Behind the quote that goes on with the string after blanks and at least one line break, or -1.
   */
  private int continuation(int from) {
    boolean newline = false;
    int i = from;
    while (i < length) {
      char c = sql.charAt(i);
      if (c == '\n' || c == '\r') {
        newline = true;
      } else if (c == '-' && peek(i + 1) == '-') {
        i = endOfLine(i) - 1;
      } else if (c != ' ' && c != '\t' && c != '\f' && c != '\u000b') {
        break;
      }
      i++;
    }
    out.steps += i - from;
    return newline && peek(i) == '\'' ? i + 1 : -1;
  }

  private int endOfLine(int from) {
    int i = from;
    while (i < length && sql.charAt(i) != '\n' && sql.charAt(i) != '\r') {
      i++;
    }
    return i;
  }

  private void dollar() {
    char next = peek(at + 1);
    int i = at + 1;
    if (isDigit(next)) {
      while (isDigit(peek(i))) {
        i++;
      }
      if (isWordStart(peek(i))) {
        out.complete = false;
      } else {
        add(Token.PARAMETER, at, i);
      }
      return;
    }
    if (isWordStart(next)) {
      while (isWordStart(peek(i)) || isDigit(peek(i))) {
        i++;
      }
    }
    if (peek(i) != '$') {
      out.complete = false;
      return;
    }
    String tag = sql.substring(at, i + 1);
    int close = sql.indexOf(tag, i + 1);
    if (close < 0) {
      out.complete = false;
    } else {
      add(Token.STRING, at, close + tag.length());
    }
  }

  private void dot() {
    if (isDigit(peek(at + 1))) {
      number();
    } else if (peek(at + 1) == '.') {
      // A token of PL/pgSQL alone.
      out.complete = false;
    } else {
      single(Token.DOT);
    }
  }

  private void colon() {
    char next = peek(at + 1);
    if (next == ':') {
      add(Token.CAST, at, at + 2);
    } else if (next == '=') {
      add(Token.ARGUMENT, at, at + 2);
    } else if (isWordStart(next)) {
      out.named = true;
      add(Token.NAMED_PARAMETER, at, endOfParameter(at + 1));
    } else {
      single(Token.COLON);
    }
  }

  /** Jdbi's names may walk into beans: {@code :a.b}, {@code :a?.b}. */
  private int endOfParameter(int from) {
    int i = from;
    while (i < length) {
      if (isWordPart(sql.charAt(i)) || (peek(i) == '.' && isWordPart(peek(i + 1)))) {
        i++;
      } else if (peek(i) == '?' && peek(i + 1) == '.') {
        i += 2;
      } else {
        break;
      }
    }
    return i;
  }

  private void escapedColon() {
    char next = peek(at + 1);
    if (next == ':') {
      boolean cast = peek(at + 2) == ':' || sql.startsWith("\\:", at + 2);
      int end = !cast ? at + 2 : peek(at + 2) == ':' ? at + 3 : at + 4;
      add(cast ? Token.CAST : Token.COLON, at, end);
    } else {
      out.complete = false;
    }
  }

  /**
   * A single one is taken for a parameter, a doubled one begins an operator; either way nothing
   * hides behind it.
   */
  private void question() {
    if (peek(at + 1) == '?') {
      commentOrOperator('?');
    } else {
      single(Token.PARAMETER);
    }
  }

  private void commentOrOperator(char c) {
    char next = peek(at + 1);
    if (c == '-' && next == '-') {
      at = endOfLine(at);
    } else if (c == '/' && next == '*') {
      comment();
    } else {
      operator();
    }
  }

  private void comment() {
    int depth = 1;
    int i = at + 2;
    while (i < length) {
      char c = sql.charAt(i);
      if (c == '*' && peek(i + 1) == '/') {
        i += 2;
        depth--;
        if (depth == 0) {
          at = i;
          return;
        }
      } else if (c == '/' && peek(i + 1) == '*') {
        i += 2;
        depth++;
      } else {
        i++;
      }
    }
    out.complete = false;
  }

  private void operator() {
    int i = at;
    boolean special = false;
    while (i < length) {
      char c = sql.charAt(i);
      char next = peek(i + 1);
      if (c == '?' && next == '?') {
        special = true;
        i++;
      } else if (!isOperator(c) || (i > at && startsComment(c, next))) {
        break;
      }
      special |= "~!@#%^&|`".indexOf(c) >= 0;
      i++;
    }
    // A longer operator may end in a sign only when a special character is in it: "a=-1" is "a =
    // -1".
    while (!special && i > at + 1 && (peek(i - 1) == '-' || peek(i - 1) == '+')) {
      i--;
    }
    boolean argument = i == at + 2 && sql.startsWith("=>", at);
    add(argument ? Token.ARGUMENT : Token.OPERATOR, at, i);
  }

  private static boolean startsComment(char c, char next) {
    return (c == '-' && next == '-') || (c == '/' && next == '*');
  }

  private void number() {
    int end = NumberLiteral.end(sql, at);
    if (end < 0) {
      out.complete = false;
    } else {
      add(Token.NUMBER, at, end);
    }
  }
}
