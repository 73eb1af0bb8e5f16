package dev.aquifer.tsquery.flux;

import dev.aquifer.RefusedQueryException;
import dev.aquifer.tsquery.flux.Token.Kind;
import java.util.Set;

/**
 * Splits a script into tokens, as InfluxData's scanner does (the rules are those of {@code
 * scanner.rl} in influxdata/flux). Where that scanner's longest match reads a text otherwise than
 * it looks, the text is refused: <code>$</code> before a backslash in a text, a pair of backslashes
 * before the slash that ends a regular expression, numbers that run into a name.
 *
 * <p>Each character is looked at a bounded number of times.
 */
final class Lexer {
  private static final Set<String> KEYWORDS =
      Set.of(
          "and",
          "or",
          "not",
          "empty",
          "in",
          "import",
          "package",
          "return",
          "option",
          "builtin",
          "testcase",
          "test",
          "if",
          "then",
          "else",
          "exists");
  private static final String[] SYMBOLS = {
    "==", "=~", "=>", "!=", "!~", "<=", "<-", ">=", "|>", "+", "-", "*", "/", "%", "^", "<", ">",
    "=", "(", ")", "[", "]", "{", "}", ":", ",", ".", "?"
  };

  private final String text;
  private int at;
  private int line = 1;
  private int lineStart;

  Lexer(String text) {
    this.text = text;
  }

  static boolean isName(String word) {
    if (word.isEmpty() || KEYWORDS.contains(word) || !isLetter(word.codePointAt(0))) {
      return false;
    }
    return word.codePoints().allMatch(c -> isLetter(c) || Character.isDigit(c));
  }

  /**
   * Whether it is a name for every server: which letters there are depends on its Unicode's age.
   */
  static boolean isPlainName(String word) {
    return isName(word) && word.chars().allMatch(c -> c < 0x80);
  }

  Token next() {
    skipSpace();
    Place place = place();
    int start = at;
    if (at >= text.length()) {
      return new Token(Kind.END, "", start, place);
    }
    int c = text.codePointAt(at);
    if (isLetter(c)) {
      String word = word();
      return new Token(KEYWORDS.contains(word) ? Kind.KEYWORD : Kind.NAME, word, start, place);
    }
    if (isDigit(c) || (c == '.' && isDigit(peek(1)))) {
      return number(start, place);
    }
    if (c == '"') {
      return quoted(start, place);
    }
    if (c == '@') {
      at++;
      if (at >= text.length() || !isLetter(text.codePointAt(at))) {
        throw new RefusedScriptException("'@' needs the name of an attribute", place);
      }
      return new Token(Kind.ATTRIBUTE, word(), start, place);
    }
    for (String symbol : SYMBOLS) {
      if (text.startsWith(symbol, at)) {
        at += symbol.length();
        return new Token(Kind.SYMBOL, symbol, start, place);
      }
    }
    throw new RefusedScriptException("U+%04X is not part of Flux".formatted(c), place);
  }

  /** Reads the slash that was taken for a division as the start of a regular expression. */
  Token regex(Token slash) {
    Place place = slash.place();
    at = slash.start() + 1;
    TextDecoder decoder = new TextDecoder();
    boolean pair = false;
    while (at < text.length()) {
      char c = text.charAt(at);
      if (c == '/') {
        if (pair) {
          throw new RefusedScriptException(
              "a pair of backslashes before the end of a regular expression; write [\\\\]", place);
        }
        at++;
        return new Token(Kind.REGEX, pattern(decoder.text(place), place), slash.start(), place);
      }
      pair = c == '\\' && peek(1) == '\\';
      if (c == '\\' && peek(1) == 'x') {
        hexadecimal(decoder);
      } else if (c == '\\' && peek(1) == '/') {
        decoder.add('/');
        at += 2;
      } else {
        if (pair) {
          decoder.add(c);
          at++;
        }
        plain(c, decoder);
      }
    }
    throw new RefusedScriptException("the regular expression has no end", place);
  }

  private static String pattern(String pattern, Place place) {
    try {
      return FluxLiteral.canonicalPattern(pattern);
    } catch (RefusedQueryException e) {
      throw new RefusedScriptException(String.valueOf(e.getMessage()), place);
    }
  }

  /**
   * The next part of a text with expressions: characters up to the next expression ({@code chunk}),
   * then what follows them.
   *
   * @return whether an expression follows; if not, the text has ended
   */
  boolean part(StringBuilder chunk, Place quote) {
    TextDecoder decoder = new TextDecoder();
    while (at < text.length()) {
      char c = text.charAt(at);
      if (c == '"') {
        at++;
        chunk.append(decoder.text(quote));
        return false;
      }
      if (c == '$' && peek(1) == '{') {
        at += 2;
        chunk.append(decoder.text(quote));
        return true;
      }
      character(c, decoder);
    }
    throw new RefusedScriptException("the text has no end", quote);
  }

  private Token quoted(int start, Place place) {
    int startLine = line;
    int startOfLine = lineStart;
    at++;
    StringBuilder value = new StringBuilder();
    if (part(value, place)) {
      at = start + 1;
      line = startLine;
      lineStart = startOfLine;
      return new Token(Kind.QUOTE, "\"", start, place);
    }
    return new Token(Kind.TEXT, value.toString(), start, place);
  }

  private void character(char c, TextDecoder decoder) {
    if (c == '\\') {
      escape(decoder);
    } else if (c == '$' && peek(1) == '\\') {
      throw new RefusedScriptException("'$' before a backslash; write \\x24 for it", place());
    } else if (c == '$' && peek(1) == '$') {
      // The scanner takes a dollar sign together with what follows it.
      decoder.add('$');
      decoder.add('$');
      at += 2;
    } else {
      plain(c, decoder);
    }
  }

  private void plain(char c, TextDecoder decoder) {
    decoder.add(c);
    at++;
    if (c == '\n') {
      line++;
      lineStart = at;
    }
  }

  private void hexadecimal(TextDecoder decoder) {
    int high = Character.digit(peek(2), 16);
    int low = Character.digit(peek(3), 16);
    if (high < 0 || low < 0 || peek(2) > 'f' || peek(3) > 'f') {
      throw new RefusedScriptException("'\\x' needs two hexadecimal digits", place());
    }
    decoder.addByte((high << 4) | low);
    at += 4;
  }

  private void escape(TextDecoder decoder) {
    int c = peek(1);
    switch (c) {
      case 'n' -> decoder.add('\n');
      case 'r' -> decoder.add('\r');
      case 't' -> decoder.add('\t');
      case '\\', '"' -> decoder.add((char) c);
      case '$' -> {
        if (peek(2) != '{') {
          throw new RefusedScriptException("'\\$' is no escape without a brace", place());
        }
        decoder.add('$');
      }
      case 'x' -> {
        hexadecimal(decoder);
        return;
      }
      default -> throw new RefusedScriptException("a backslash that escapes nothing", place());
    }
    at += 2;
  }

  private Token number(int start, Place place) {
    Kind kind = Kind.INT;
    digits();
    int whole = at - start;
    if (whole == 4 && isDate(start)) {
      kind = Kind.MOMENT;
      at = start + 10;
      time();
    } else if (peek(0) == '.') {
      kind = Kind.FLOAT;
      at++;
      digits();
    } else {
      while (unit() > 0) {
        kind = Kind.SPAN;
        at += unit();
        int before = at;
        digits();
        if (before < at && unit() == 0) {
          throw new RefusedScriptException("a duration ends in a number without unit", place);
        }
      }
    }
    if (at < text.length() && isLetter(text.codePointAt(at))) {
      throw new RefusedScriptException("a number runs into a name", place);
    }
    return new Token(kind, text.substring(start, at), start, place);
  }

  private boolean isDate(int start) {
    return matches(start + 4, "-dd-dd");
  }

  private void time() {
    if (!matches(at, "Tdd:dd:dd")) {
      return;
    }
    at += 9;
    if (peek(0) == '.') {
      at++;
      digits();
    }
    if (peek(0) == 'Z') {
      at++;
    } else if (matches(at, "+dd:dd") || matches(at, "-dd:dd")) {
      at += 6;
    }
  }

  private boolean matches(int from, String shape) {
    if (from + shape.length() > text.length()) {
      return false;
    }
    for (int i = 0; i < shape.length(); i++) {
      char c = text.charAt(from + i);
      if (shape.charAt(i) == 'd' ? !isDigit(c) : c != shape.charAt(i)) {
        return false;
      }
    }
    return true;
  }

  /** The length of the unit of a duration here, or 0. */
  private int unit() {
    return switch (peek(0)) {
      case 'y', 'w', 'd', 'h', 's' -> 1;
      case 'm' -> peek(1) == 'o' || peek(1) == 's' ? 2 : 1;
      case 'u', 'n', '\u00b5' -> peek(1) == 's' ? 2 : 0;
      default -> 0;
    };
  }

  private void digits() {
    while (isDigit(peek(0))) {
      at++;
    }
  }

  private String word() {
    int start = at;
    while (at < text.length()) {
      int c = text.codePointAt(at);
      if (!isLetter(c) && !Character.isDigit(c)) {
        break;
      }
      at += Character.charCount(c);
    }
    return text.substring(start, at);
  }

  private void skipSpace() {
    while (at < text.length()) {
      char c = text.charAt(at);
      if (c == '\n') {
        at++;
        line++;
        lineStart = at;
      } else if (c == ' ' || (c >= '\t' && c <= '\r')) {
        at++;
      } else if (c == '/' && peek(1) == '/') {
        int end = text.indexOf('\n', at);
        at = end < 0 ? text.length() : end;
      } else {
        return;
      }
    }
  }

  private Place place() {
    return new Place(line, at - lineStart + 1);
  }

  private int peek(int ahead) {
    return at + ahead < text.length() ? text.charAt(at + ahead) : -1;
  }

  private static boolean isLetter(int c) {
    return c == '_' || Character.isLetter(c);
  }

  private static boolean isDigit(int c) {
    return c >= '0' && c <= '9';
  }
}
