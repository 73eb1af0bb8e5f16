package dev.aquifer.sql;

import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Rewrites a text to what it shares with its like: no comments, every literal, parameter, boolean
 * and stray NULL a question mark, names folded and needless quotes gone, ASC gone, lists of IN and
 * ARRAY and rows of VALUES that repeat collapsed to one. Casts stay, and so does NULL behind IS,
 * NOT and DEFAULT.
 */
final class Normalizer {
  /**
   * Goes into every hash; another value when the rules change, so that old and new hashes never
   * meet.
   */
  private static final long SEED = 0x9E3779B97F4A7C15L + 1;

  private static final long PRIME = 0x100000001B3L;

  /** A list whose equal neighbours collapse; positions are in the output. */
  private static final class Level {
    boolean list;

    /** Rows of VALUES, which any word at their own level ends. */
    boolean rows;

    int before = -1;
    int beforeEnd;
    int start;
  }

  private final Tokens tokens;
  private final boolean whole;
  private final StringBuilder out = new StringBuilder(256);
  private final List<Level> levels = new ArrayList<>();
  private Level level = new Level();

  /** The token written last; a sign or an ASC may have been left out since. */
  private int last;

  Normalizer(Tokens tokens, boolean whole) {
    this.tokens = tokens;
    this.whole = whole;
  }

  Fingerprint fingerprint() {
    for (int i = 0; i < tokens.size(); i++) {
      token(i);
    }
    endOfList();
    if (!whole || !tokens.complete) {
      out.append(" …");
    }
    return new Fingerprint(hash(), out.substring(0, Math.min(out.length(), Fingerprint.MAX_TEXT)));
  }

  private void token(int i) {
    switch (tokens.kind(i)) {
      case WORD -> word(i);
      case QUOTED_WORD -> put(i, quoted(i));
      case STRING, NUMBER, PARAMETER, NAMED_PARAMETER -> put(i, "?");
      case OPERATOR -> {
        if (!isSign(i)) {
          put(i, tokens.operator(i));
        }
      }
      case LEFT, LEFT_BRACKET -> open(i);
      case RIGHT, RIGHT_BRACKET -> close(i);
      case COMMA -> {
        element();
        put(i, ",");
      }
      case SEMICOLON -> {
        endOfList();
        if (i + 1 < tokens.size()) {
          put(i, ";");
        }
      }
      default -> put(i, tokens.text(i));
    }
  }

  private void word(int i) {
    Keyword keyword = tokens.is(i - 1, Token.DOT) ? null : tokens.keyword(i);
    if (keyword == Keyword.ASC) {
      return;
    }
    if (level.rows) {
      endOfList();
    }
    if (isConstant(keyword, i)) {
      put(i, "?");
      return;
    }
    putName(i);
    if (keyword == Keyword.VALUES && tokens.is(i + 1, Token.LEFT)) {
      level.list = true;
      level.rows = true;
      level.before = -1;
      level.start = out.length();
    }
  }

  private boolean isConstant(@Nullable Keyword keyword, int i) {
    if (keyword != Keyword.NULL && keyword != Keyword.TRUE && keyword != Keyword.FALSE) {
      return false;
    }
    return !tokens.is(i - 1, Keyword.IS)
        && !tokens.is(i - 1, Keyword.NOT)
        && !tokens.is(i - 1, Keyword.DEFAULT);
  }

  /** A sign that belongs to the number behind it. */
  private boolean isSign(int i) {
    boolean sign =
        tokens.end(i) - tokens.start(i) == 1
            && "+-".indexOf(tokens.sql.charAt(tokens.start(i))) >= 0;
    return sign && tokens.is(i + 1, Token.NUMBER) && !tokens.endsOperand(i - 1);
  }

  private String quoted(int i) {
    String name = tokens.name(i);
    if (name == null) {
      return "?";
    }
    boolean plain = Lexer.isWordStart(name.charAt(0));
    int hash = 0;
    for (int k = 0; k < name.length() && plain; k++) {
      char c = name.charAt(k);
      plain = Lexer.isWordPart(c) && Keyword.fold(c) == c;
      hash = Keyword.hash(hash, c);
    }
    if (plain) {
      Keyword keyword = Keyword.find(name, 0, name.length(), hash);
      plain = keyword == null || keyword.category == Keyword.Category.UNRESERVED;
    }
    return plain ? name : '"' + name.replace("\"", "\"\"") + '"';
  }

  private void open(int i) {
    boolean list = tokens.is(i - 1, Keyword.IN) || tokens.is(i - 1, Keyword.ARRAY);
    put(i, tokens.is(i, Token.LEFT) ? "(" : "[");
    levels.add(level);
    level = new Level();
    level.list = list;
    level.start = out.length();
  }

  private void close(int i) {
    endOfList();
    if (!levels.isEmpty()) {
      level = levels.remove(levels.size() - 1);
    }
    put(i, tokens.is(i, Token.RIGHT) ? ")" : "]");
  }

  /** Ends an element of a list: dropped, with the comma before it, when it equals its neighbour. */
  private void element() {
    if (!level.list) {
      return;
    }
    int end = out.length();
    int start = level.start < end && out.charAt(level.start) == ' ' ? level.start + 1 : level.start;
    int length = end - start;
    if (level.before >= 0
        && level.beforeEnd - level.before == length
        && repeats(level.before, start, length)) {
      out.setLength(level.beforeEnd);
    } else {
      level.before = start;
      level.beforeEnd = end;
    }
    level.start = out.length() + 1;
  }

  private boolean repeats(int one, int other, int length) {
    for (int i = 0; i < length; i++) {
      if (out.charAt(one + i) != out.charAt(other + i)) {
        return false;
      }
    }
    return true;
  }

  private void endOfList() {
    element();
    level.list = false;
    level.rows = false;
  }

  /** As {@link #put}, but folds on the way; only long names need to be cut. */
  private void putName(int i) {
    int start = tokens.start(i);
    int end = tokens.end(i);
    if (end - start > Names.NEVER_CUT) {
      put(i, Names.fold(tokens.sql, start, end));
      return;
    }
    put(i, "");
    for (int k = start; k < end; k++) {
      out.append(Keyword.fold(tokens.sql.charAt(k)));
    }
  }

  private void put(int i, String text) {
    if (out.length() > 0 && isApart(i, last)) {
      out.append(' ');
    }
    out.append(text);
    last = i;
  }

  private boolean isApart(int i, int before) {
    return switch (tokens.kind(i)) {
      case COMMA, SEMICOLON, RIGHT, RIGHT_BRACKET, DOT, CAST -> false;
      case LEFT_BRACKET -> tokens.is(before, Token.COMMA);
      case LEFT -> !isTight(before) && !(tokens.isName(before) && !isSpaced(before));
      default -> !isTight(before);
    };
  }

  private boolean isTight(int i) {
    return switch (tokens.kind(i)) {
      case LEFT, LEFT_BRACKET, DOT, CAST -> true;
      default -> false;
    };
  }

  private boolean isSpaced(int i) {
    Keyword keyword = tokens.keyword(i);
    return keyword != null && keyword.isReserved();
  }

  private long hash() {
    long hash = SEED;
    for (int i = 0; i < out.length(); i++) {
      hash = (hash ^ out.charAt(i)) * PRIME;
    }
    hash = (hash ^ (hash >>> 33)) * 0xFF51AFD7ED558CCDL;
    hash = (hash ^ (hash >>> 33)) * 0xC4CEB9FE1A85EC53L;
    return hash ^ (hash >>> 33);
  }
}
