package dev.aquifer.sql;

import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * A statement's tokens without comments and blanks. Reads beyond either end answer {@link
 * Token#END}.
 */
final class Tokens {
  final String sql;
  private Token[] kinds;
  private int[] bounds;
  private @Nullable Keyword[] keywords;
  private int size;

  /** False when the text ends within a token or holds what PostgreSQL's lexer refuses. */
  boolean complete = true;

  /** Characters looked at, those looked at twice counted twice: what proves the lexer linear. */
  long steps;

  Tokens(String sql) {
    this.sql = sql;
    int capacity = Math.min(sql.length(), 1 << 16) / 4 + 8;
    kinds = new Token[capacity];
    bounds = new int[2 * capacity];
    keywords = new @Nullable Keyword[capacity];
  }

  void add(Token kind, int start, int end, @Nullable Keyword keyword) {
    if (size == kinds.length) {
      int capacity = size * 2;
      kinds = Arrays.copyOf(kinds, capacity);
      bounds = Arrays.copyOf(bounds, 2 * capacity);
      keywords = Arrays.copyOf(keywords, capacity);
    }
    kinds[size] = kind;
    bounds[2 * size] = start;
    bounds[2 * size + 1] = end;
    keywords[size] = keyword;
    size++;
  }

  int size() {
    return size;
  }

  Token kind(int i) {
    return i >= 0 && i < size ? kinds[i] : Token.END;
  }

  boolean is(int i, Token kind) {
    return kind(i) == kind;
  }

  /** The key word there, or null for everything else; a quoted word is never one. */
  @Nullable Keyword keyword(int i) {
    return i >= 0 && i < size ? keywords[i] : null;
  }

  boolean is(int i, Keyword keyword) {
    return keyword(i) == keyword;
  }

  int start(int i) {
    return bounds[2 * i];
  }

  int end(int i) {
    return bounds[2 * i + 1];
  }

  /** The token's own characters, as written. */
  String text(int i) {
    return sql.substring(start(i), end(i));
  }

  boolean isName(int i) {
    Token kind = kind(i);
    return kind == Token.WORD || kind == Token.QUOTED_WORD;
  }

  /**
   * The name there as PostgreSQL resolves it, or null when its escapes are not valid or not the
   * usual ones.
   */
  @Nullable String name(int i) {
    if (is(i + 1, Keyword.UESCAPE)) {
      return null;
    }
    return kind(i) == Token.WORD
        ? Names.fold(sql, start(i), end(i))
        : Names.unquote(sql, start(i), end(i));
  }

  /** The operator there, with JDBC's doubled question marks made single. */
  String operator(int i) {
    String text = text(i);
    if (text.indexOf('?') >= 0) {
      text = text.replace("??", "?");
    }
    return text.equals("!=") ? "<>" : text;
  }

  /**
   * Whether an operand ends with this token, so that what follows must be infix. Key words that are
   * themselves operators or introduce an operand do not end one.
   */
  boolean endsOperand(int i) {
    return switch (kind(i)) {
      case QUOTED_WORD, STRING, NUMBER, PARAMETER, NAMED_PARAMETER, RIGHT, RIGHT_BRACKET -> true;
      case WORD -> {
        Keyword keyword = keywords[i];
        yield keyword == null || is(i - 1, Token.DOT) || endsOperand(keyword);
      }
      default -> false;
    };
  }

  private static boolean endsOperand(Keyword keyword) {
    return switch (keyword) {
      case BY, ZONE, ESCAPE, PASSING, VALUE, OVER, FILTER, OPERATOR, BETWEEN -> false;
      case NULL, TRUE, FALSE, END, USER, CURRENT_DATE, CURRENT_TIME, CURRENT_TIMESTAMP -> true;
      case CURRENT_ROLE, CURRENT_USER, CURRENT_CATALOG, CURRENT_SCHEMA, LOCALTIME -> true;
      case LOCALTIMESTAMP, SESSION_USER, SYSTEM_USER, DEFAULT, ISNULL, NOTNULL -> true;
      default ->
          keyword.category == Keyword.Category.UNRESERVED
              || keyword.category == Keyword.Category.COLUMN_NAME;
    };
  }
}
