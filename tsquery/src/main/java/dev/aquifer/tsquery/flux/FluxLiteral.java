package dev.aquifer.tsquery.flux;

import dev.aquifer.RefusedQueryException;
import java.math.BigDecimal;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.HexFormat;

/**
 * Writes values as Flux. Whatever the value, what is written is one literal with that value (a
 * negative number or duration: one literal with a minus before it), and nothing after it is read as
 * part of it.
 */
public final class FluxLiteral {
  private static final HexFormat HEX = HexFormat.of();
  private static final Instant FIRST = Instant.EPOCH.plusNanos(Long.MIN_VALUE);
  private static final Instant LAST = Instant.EPOCH.plusNanos(Long.MAX_VALUE);

  private FluxLiteral() {}

  /**
   * A text. Printable ASCII stands for itself, except quotes, backslashes and dollar signs; all
   * else is written byte by byte in hexadecimal, so that no character has a meaning.
   *
   * @throws RefusedQueryException the value has half a surrogate pair
   */
  public static String text(String value) {
    StringBuilder written = new StringBuilder(value.length() + 2).append('"');
    appendText(value, written);
    return written.append('"').toString();
  }

  /**
   * A regular expression in RE2's syntax.
   *
   * @throws RefusedQueryException the pattern is empty, ends in half an escape, has the character
   *     U+0000 or half a surrogate pair
   */
  public static String regex(String pattern) {
    String canonical = canonicalPattern(pattern);
    StringBuilder written = new StringBuilder("/");
    for (int i = 0; i < canonical.length(); i++) {
      char c = canonical.charAt(i);
      if (c == '/') {
        written.append("\\/");
      } else if (c != '\\') {
        written.append(c);
      } else if (i + 2 == canonical.length() && canonical.charAt(i + 1) == '\\') {
        written.append("\\x5c\\x5c");
        i++;
      } else if (canonical.charAt(i + 1) == 'x') {
        // The literal has \x of its own, a byte; the pattern's is not that one.
        written.append("\\x5c");
      } else {
        written.append(c).append(canonical.charAt(++i));
      }
    }
    return written.append('/').toString();
  }

  /**
   * A time, in UTC, to the nanosecond.
   *
   * @throws RefusedQueryException it is beyond what 64 bits have of nanoseconds, so that the server
   *     would take it for another time
   */
  public static String time(Instant value) {
    if (!fits(value)) {
      throw new RefusedQueryException(
          "The time %s is out of range: nanoseconds reach from 1677-09-22 to 2262-04-11."
              .formatted(value));
    }
    return time(value.atOffset(ZoneOffset.UTC));
  }

  /** Whether 64 bits have it in nanoseconds: beyond, the server takes a time for another one. */
  static boolean fits(Instant value) {
    return !value.isBefore(FIRST) && !value.isAfter(LAST);
  }

  static String time(OffsetDateTime value) {
    return DateTimeFormatter.ISO_OFFSET_DATE_TIME.format(value);
  }

  /**
   * A duration, in nanoseconds.
   *
   * @throws RefusedQueryException it is longer than 2<sup>63</sup>−1 ns, about 292 years
   */
  public static String duration(Duration value) {
    try {
      long nanos = value.toNanos();
      if (nanos != Long.MIN_VALUE) {
        return (nanos < 0 ? "-" : "") + Math.abs(nanos) + "ns";
      }
    } catch (ArithmeticException e) {
      // Refused below.
    }
    throw new RefusedQueryException(
        "The duration " + value + " is too long for Flux; use at most 292 years.");
  }

  /**
   * A whole number.
   *
   * @throws RefusedQueryException it is −2<sup>63</sup>, which Flux cannot write
   */
  public static String integer(long value) {
    if (value == Long.MIN_VALUE) {
      throw new RefusedQueryException(
          "Flux cannot write the number " + value + "; the lowest is " + -Long.MAX_VALUE + ".");
    }
    return Long.toString(value);
  }

  /**
   * A float, exactly.
   *
   * @throws RefusedQueryException it is infinite or not a number
   */
  public static String decimal(double value) {
    if (!Double.isFinite(value)) {
      throw new RefusedQueryException("Flux cannot write the float " + value + ".");
    }
    String digits = BigDecimal.valueOf(Math.abs(value)).toPlainString();
    boolean negative = Double.doubleToRawLongBits(value) < 0;
    return (negative ? "-" : "") + digits + (digits.indexOf('.') < 0 ? ".0" : "");
  }

  static void appendText(String value, StringBuilder written) {
    requireUnicode(value);
    for (byte b : value.getBytes(StandardCharsets.UTF_8)) {
      if (b >= ' ' && b <= '~' && b != '"' && b != '\\' && b != '$') {
        written.append((char) b);
      } else {
        HEX.toHexDigits(written.append("\\x"), b);
      }
    }
  }

  /** The same pattern, without the backslashes that escape slashes: RE2 needs none. */
  static String canonicalPattern(String pattern) {
    requireUnicode(pattern);
    if (pattern.isEmpty() || pattern.indexOf('\0') >= 0) {
      throw new RefusedQueryException(
          "The regular expression is empty or has the character U+0000.");
    }
    StringBuilder canonical = new StringBuilder();
    int backslashes = 0;
    for (int i = 0; i < pattern.length(); i++) {
      char c = pattern.charAt(i);
      if (c == '/' && backslashes % 2 == 1) {
        canonical.setLength(canonical.length() - 1);
      }
      backslashes = c == '\\' ? backslashes + 1 : 0;
      canonical.append(c);
    }
    if (backslashes % 2 == 1) {
      throw new RefusedQueryException(
          "The regular expression '" + Messages.shown(pattern) + "' ends in half an escape.");
    }
    return canonical.toString();
  }

  // Half a surrogate pair becomes '?' in UTF-8: another value than the one given.
  static void requireUnicode(String text) {
    for (int i = 0; i < text.length(); i++) {
      char c = text.charAt(i);
      if (Character.isHighSurrogate(c)
          && i + 1 < text.length()
          && Character.isLowSurrogate(text.charAt(i + 1))) {
        i++;
      } else if (Character.isSurrogate(c)) {
        throw new RefusedQueryException(
            "A text has half a surrogate pair, U+%04X, at index %d; it is not Unicode."
                .formatted((int) c, i));
      }
    }
  }
}
