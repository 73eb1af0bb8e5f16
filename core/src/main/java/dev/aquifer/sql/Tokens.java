package dev.aquifer.sql;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A statement's tokens without comments and blanks. Reads beyond either end answer {@link
 * Token#END}.
 */
final class Tokens {
  /** Tokens in a chunk: longer texts take several, since one array for all would be huge. */
  private static final int CHUNK = 1 << 12;

  private static final class Chunk {
    Token[] kinds;
    int[] bounds;
    @Nullable Keyword[] keywords;

    Chunk(int capacity) {
      kinds = new Token[capacity];
      bounds = new int[2 * capacity];
      keywords = new @Nullable Keyword[capacity];
    }

    void grow() {
      int capacity = Math.min(CHUNK, kinds.length * 2);
      kinds = Arrays.copyOf(kinds, capacity);
      bounds = Arrays.copyOf(bounds, 2 * capacity);
      keywords = Arrays.copyOf(keywords, capacity);
    }
  }

  final String sql;
  private final Chunk first;

  /** Those behind the first; empty for all but long texts. */
  private final List<Chunk> more = new ArrayList<>(0);

  private Chunk last;
  private int size;

  /** False when the text ends within a token or holds what PostgreSQL's lexer refuses. */
  boolean complete = true;

  /** Whether any is a {@link Token#NAMED_PARAMETER}. */
  boolean named;

  /** Characters looked at, those looked at twice counted twice: what proves the lexer linear. */
  long steps;

  Tokens(String sql) {
    this.sql = sql;
    this.first = new Chunk(Math.min(CHUNK, sql.length() / 4 + 8));
    this.last = first;
  }

  void add(Token kind, int start, int end, @Nullable Keyword keyword) {
    int at = size & (CHUNK - 1);
    if (at == 0 && size > 0) {
      last = new Chunk(CHUNK);
      more.add(last);
    } else if (at == last.kinds.length) {
      last.grow();
    }
    last.kinds[at] = kind;
    last.bounds[2 * at] = start;
    last.bounds[2 * at + 1] = end;
    last.keywords[at] = keyword;
    size++;
  }

  private Chunk chunk(int i) {
    return i < CHUNK ? first : more.get(i / CHUNK - 1);
  }

  int size() {
    return size;
  }

  Token kind(int i) {
    return i >= 0 && i < size ? chunk(i).kinds[i & (CHUNK - 1)] : Token.END;
  }

  boolean is(int i, Token kind) {
    return kind(i) == kind;
  }

  /** The key word there, or null for everything else; a quoted word is never one. */
  @Nullable Keyword keyword(int i) {
    return i >= 0 && i < size ? chunk(i).keywords[i & (CHUNK - 1)] : null;
  }

  boolean is(int i, Keyword keyword) {
    return keyword(i) == keyword;
  }

  int start(int i) {
    return chunk(i).bounds[2 * (i & (CHUNK - 1))];
  }

  int end(int i) {
    return chunk(i).bounds[2 * (i & (CHUNK - 1)) + 1];
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
        Keyword keyword = keyword(i);
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
