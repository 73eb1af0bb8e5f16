package dev.aquifer.sql;

import org.jspecify.annotations.Nullable;

/**
 * Turns written identifiers into what PostgreSQL looks up: folded or unquoted, and cut to 63 bytes.
 */
final class Names {
  private static final int MAX_BYTES = 63;

  /** So many characters are within the limit whatever they are. */
  static final int NEVER_CUT = MAX_BYTES / 3;

  private Names() {}

  static String fold(String sql, int start, int end) {
    int i = start;
    while (i < end && Keyword.fold(sql.charAt(i)) == sql.charAt(i)) {
      i++;
    }
    if (i == end) {
      return cut(sql.substring(start, end));
    }
    char[] folded = new char[end - start];
    for (int k = start; k < end; k++) {
      folded[k - start] = Keyword.fold(sql.charAt(k));
    }
    return cut(new String(folded));
  }

  /**
   * What {@code "…"} or {@code U&"…"} names; null when an escape is not valid or the name is empty.
   */
  static @Nullable String unquote(String sql, int start, int end) {
    boolean unicode = sql.charAt(start) != '"';
    String inner = sql.substring(unicode ? start + 3 : start + 1, end - 1).replace("\"\"", "\"");
    String name = unicode ? unescape(inner) : inner;
    return name == null || name.isEmpty() ? null : cut(name);
  }

  private static @Nullable String unescape(String text) {
    StringBuilder out = new StringBuilder(text.length());
    int i = 0;
    while (i < text.length()) {
      char c = text.charAt(i);
      if (c != '\\') {
        out.append(c);
        i++;
      } else if (text.startsWith("\\\\", i)) {
        out.append('\\');
        i += 2;
      } else {
        int from = text.startsWith("+", i + 1) ? i + 2 : i + 1;
        int to = from + (from == i + 2 ? 6 : 4);
        int point = hex(text, from, to);
        if (point <= 0
            || point > Character.MAX_CODE_POINT
            || (point >= Character.MIN_SURROGATE && point <= Character.MAX_SURROGATE)) {
          return null;
        }
        out.appendCodePoint(point);
        i = to;
      }
    }
    return out.toString();
  }

  private static int hex(String text, int from, int to) {
    if (to > text.length()) {
      return -1;
    }
    int value = 0;
    for (int i = from; i < to; i++) {
      int digit = text.charAt(i) < 128 ? Character.digit(text.charAt(i), 16) : -1;
      if (digit < 0) {
        return -1;
      }
      value = value * 16 + digit;
    }
    return value;
  }

  /**
   * PostgreSQL cuts longer names, never within a character; two that differ behind the cut are one.
   */
  private static String cut(String name) {
    if (name.length() <= NEVER_CUT) {
      return name;
    }
    int bytes = 0;
    int i = 0;
    while (i < name.length()) {
      int point = name.codePointAt(i);
      bytes += point < 0x80 ? 1 : point < 0x800 ? 2 : point < 0x10000 ? 3 : 4;
      if (bytes > MAX_BYTES) {
        return name.substring(0, i);
      }
      i += Character.charCount(point);
    }
    return name;
  }
}
