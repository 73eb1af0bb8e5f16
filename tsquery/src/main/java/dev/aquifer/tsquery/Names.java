package dev.aquifer.tsquery;

import dev.aquifer.ConfigurationException;
import dev.aquifer.RefusedQueryException;
import java.util.LinkedHashSet;
import java.util.Map;
import java.util.Set;

/** What may be a name (measurement, field, tag) or a text value of a query. */
final class Names {
  private static final int MAX_NAME = 256;
  private static final int MAX_VALUE = 65_536;
  private static final int MAX_REGEX = 1_000;
  private static final int SHOWN = 40;

  private Names() {}

  static String require(String what, String name) {
    if (name.isEmpty() || name.length() > MAX_NAME) {
      throw new RefusedQueryException(
          "The %s '%s' has %,d characters; use 1 to %d."
              .formatted(what, printable(name), name.length(), MAX_NAME));
    }
    for (int i = 0; i < name.length(); i++) {
      if (Character.isISOControl(name.charAt(i))) {
        throw new RefusedQueryException(
            "The %s '%s' has the control character U+%04X at index %d; names have none."
                .formatted(what, printable(name), (int) name.charAt(i), i));
      }
    }
    requireUnicode(what, name);
    return name;
  }

  /**
   * Keeps what is told of a measurement's names.
   *
   * @throws ConfigurationException there are none, or they were told already
   */
  static void tell(String what, Map<String, Set<String>> known, String measurement, String... all) {
    Set<String> names = new LinkedHashSet<>();
    for (String name : all) {
      names.add(require(what, name));
    }
    if (names.isEmpty() || known.put(require("measurement", measurement), names) != null) {
      throw new ConfigurationException(
          "The %ss of %s are told twice, or there are none; tell all of them, once."
              .formatted(what, printable(measurement)));
    }
  }

  static String requireValue(String what, String value) {
    if (value.length() > MAX_VALUE) {
      throw new RefusedQueryException(
          "The value for %s has %,d characters; at most %,d are allowed."
              .formatted(what, value.length(), MAX_VALUE));
    }
    if (value.indexOf('\0') >= 0) {
      throw new RefusedQueryException(
          "The value for %s has the character U+0000, which no server stores.".formatted(what));
    }
    requireUnicode("value for " + what, value);
    return value;
  }

  static String requireRegex(String what, String regex) {
    requireValue(what, regex);
    if (regex.isEmpty() || regex.length() > MAX_REGEX) {
      throw new RefusedQueryException(
          "The regular expression for %s has %,d characters; use 1 to %,d."
              .formatted(what, regex.length(), MAX_REGEX));
    }
    return regex;
  }

  /** The text without control characters and with an end, for messages. */
  static String printable(String text) {
    return printable(text, SHOWN);
  }

  static String printable(String text, int most) {
    String shown = text.length() > most ? text.substring(0, most) + "…" : text;
    return shown.replaceAll("[\\p{Cntrl}\\p{Cf}\\p{Cs}\\p{Zl}\\p{Zp}]", "?");
  }

  // Half a surrogate pair becomes '?' in UTF-8: two different names would reach a server as one.
  private static void requireUnicode(String what, String text) {
    for (int i = 0; i < text.length(); i++) {
      char c = text.charAt(i);
      if (Character.isHighSurrogate(c)
          && i + 1 < text.length()
          && Character.isLowSurrogate(text.charAt(i + 1))) {
        i++;
      } else if (Character.isSurrogate(c)) {
        throw new RefusedQueryException(
            "The %s has half a surrogate pair, U+%04X, at index %d; it is not Unicode text."
                .formatted(what, (int) c, i));
      }
    }
  }
}
