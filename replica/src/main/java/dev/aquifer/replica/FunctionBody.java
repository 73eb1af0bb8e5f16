package dev.aquifer.replica;

import java.util.HashSet;
import java.util.Locale;
import java.util.Set;

/**
 * The text of a function in SQL or PL/pgSQL that is declared stable or immutable. PostgreSQL lets
 * it change no row itself, but it may call what draws a number, takes a lock or sets a parameter,
 * so every word in it, also within literals and comments, is taken for something that it may run.
 */
final class FunctionBody {
  /** PostgreSQL allows 63; longer ones than this are looked for by their beginning alone. */
  private static final int LONGEST_OPERATOR = 8;

  private FunctionBody() {}

  /**
   * Whether its words tell what it runs: not where it makes statements at run time, or hides a name
   * behind escapes.
   */
  static boolean isReadable(Set<String> words, String body) {
    return !words.contains("execute") && !body.toLowerCase(Locale.ROOT).contains("u&\"");
  }

  /** How a name shows among the words; that of a long operator is cut. */
  static String mention(String name) {
    boolean cut = name.length() > LONGEST_OPERATOR && isOperator(name.charAt(0));
    return cut ? name.substring(0, LONGEST_OPERATOR) : name;
  }

  /** All that may be a name: unquoted ones folded, quoted ones as written too. */
  static Set<String> words(String body) {
    Set<String> words = new HashSet<>();
    int start = -1;
    for (int i = 0; i <= body.length(); i++) {
      boolean part = i < body.length() && isPart(body.charAt(i));
      if (part && start < 0) {
        start = i;
      } else if (!part && start >= 0) {
        String word = body.substring(start, i);
        words.add(word);
        words.add(word.toLowerCase(Locale.ROOT));
        start = -1;
      }
    }
    operators(body, words);
    // A quoted name may hold anything.
    for (int open = body.indexOf('"'); open >= 0; ) {
      int close = body.indexOf('"', open + 1);
      if (close > open + 1) {
        words.add(body.substring(open + 1, close));
      }
      open = close;
    }
    return words;
  }

  /** Each run of operator characters may be several operators side by side. */
  private static void operators(String body, Set<String> words) {
    for (int i = 0; i < body.length(); i++) {
      for (int end = i + 1;
          end - i <= LONGEST_OPERATOR && end <= body.length() && isOperator(body.charAt(end - 1));
          end++) {
        words.add(body.substring(i, end));
      }
    }
  }

  private static boolean isOperator(char c) {
    return "+-*/<>=~!@#%^&|`?".indexOf(c) >= 0;
  }

  private static boolean isPart(char c) {
    return c == '_' || c == '$' || c >= 0x80 || Character.isLetterOrDigit(c);
  }
}
