package dev.aquifer.sql;

/**
 * Where a number ends, by PostgreSQL's rules: digits in groups parted by single underscores, a
 * fraction, an exponent, or a hexadecimal, octal or binary whole.
 */
final class NumberLiteral {
  private NumberLiteral() {}

  /** Behind the number that begins there; -1 when it is not one, or a word goes on from it. */
  static int end(String sql, int at) {
    int radix = peek(sql, at) == '0' ? radix(peek(sql, at + 1)) : 0;
    int i;
    if (radix > 0) {
      i = digits(sql, at + 2, radix, true);
    } else {
      i = digits(sql, at, 10, false);
      if (peek(sql, i) == '.' && peek(sql, i + 1) != '.') {
        i = digits(sql, i + 1, 10, false);
      }
      boolean exponent = peek(sql, i) == 'e' || peek(sql, i) == 'E';
      i = exponent ? Math.max(i, exponent(sql, i + 1)) : i;
    }
    return i < 0 || Lexer.isWordStart(peek(sql, i)) ? -1 : i;
  }

  private static char peek(String sql, int i) {
    return i < sql.length() ? sql.charAt(i) : '\0';
  }

  private static int radix(char letter) {
    return switch (letter) {
      case 'x', 'X' -> 16;
      case 'o', 'O' -> 8;
      case 'b', 'B' -> 2;
      default -> 0;
    };
  }

  /** Behind the digits; behind none when none are there, or -1 if some must be. */
  private static int digits(String sql, int from, int radix, boolean required) {
    int i = from;
    while (isDigit(peek(sql, i), radix)
        || (peek(sql, i) == '_' && isDigit(peek(sql, i + 1), radix) && (i > from || required))) {
      i++;
    }
    return required && i == from ? -1 : i;
  }

  private static boolean isDigit(char c, int radix) {
    return radix == 10 ? Lexer.isDigit(c) : c < 128 && Character.digit(c, radix) >= 0;
  }

  private static int exponent(String sql, int from) {
    int i = peek(sql, from) == '+' || peek(sql, from) == '-' ? from + 1 : from;
    return isDigit(peek(sql, i), 10) ? digits(sql, i, 10, false) : from - 1;
  }
}
