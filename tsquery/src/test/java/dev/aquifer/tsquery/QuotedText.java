package dev.aquifer.tsquery;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;

/**
 * A statement's text taken apart by the rules of the language's own scanner, written anew: what is
 * left when each quoted text is taken out, and what the quoted texts say.
 */
record QuotedText(String rest, List<String> quoted) {
  /** How a language quotes. */
  enum Language {
    /** {@code "…"} with {@code \xHH} for a byte of UTF-8. */
    FLUX,
    /** {@code "…"} and {@code '…'} with backslashes. */
    INFLUXQL,
    /** {@code "…"} with doubled quotes. */
    SQL
  }

  static QuotedText of(String text, Language language) {
    StringBuilder rest = new StringBuilder();
    List<String> quoted = new ArrayList<>();
    String bytes = new String(text.getBytes(StandardCharsets.UTF_8), StandardCharsets.ISO_8859_1);
    for (int at = 0; at < bytes.length(); ) {
      char c = bytes.charAt(at);
      if (c != '"' && c != '\'') {
        rest.append(c);
        at++;
        continue;
      }
      StringBuilder value = new StringBuilder();
      for (at++; ; at++) {
        char in = bytes.charAt(at);
        if (in == c
            && language == Language.SQL
            && at + 1 < bytes.length()
            && bytes.charAt(at + 1) == c) {
          at++;
        } else if (in == c) {
          at++;
          break;
        } else if (in == '\\' && language != Language.SQL) {
          in = bytes.charAt(++at);
          if (in == 'x' && language == Language.FLUX) {
            in = (char) Integer.parseInt(bytes.substring(at + 1, at + 3), 16);
            at += 2;
          } else if (in == 'n') {
            in = '\n';
          } else if ("\\\"'".indexOf(in) < 0) {
            throw new IllegalArgumentException("an escape \\" + in);
          }
        } else if (in == '$' && language == Language.FLUX && bytes.charAt(at + 1) == '{') {
          throw new IllegalArgumentException("an expression in a text");
        } else if (in == '\n') {
          throw new IllegalArgumentException("a line break in a text");
        }
        value.append(in);
      }
      rest.append('\u00b7');
      quoted.add(
          new String(
              value.toString().getBytes(StandardCharsets.ISO_8859_1), StandardCharsets.UTF_8));
    }
    return new QuotedText(rest.toString(), quoted);
  }
}
