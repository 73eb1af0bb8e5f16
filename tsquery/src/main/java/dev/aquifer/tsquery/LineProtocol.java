package dev.aquifer.tsquery;

import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.time.temporal.ChronoUnit;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * Which measurements and moments lines of InfluxDB's line protocol are of: {@code
 * measurement,tag=value field=value time}. Values are passed over by their rules, so that a comma,
 * a blank or a line break inside one ends nothing. What does not keep to the rules is refused as a
 * whole, with the place: no range is guessed.
 */
final class LineProtocol {
  private static final int MAX_CHARS = 64 << 20;
  private static final int MAX_POINTS = 5_000_000;

  private final String text;
  private final String tenantTag;
  private final String tenant;
  private final long unit;
  private final boolean escapesBackslashes;
  private final Map<String, Times> times = new LinkedHashMap<>();
  private int at;
  private int line = 1;
  private int lineStart;
  private int points;

  private LineProtocol(
      String text,
      ChronoUnit precision,
      String tenantTag,
      String tenant,
      boolean escapesBackslashes) {
    this.text = text;
    this.escapesBackslashes = escapesBackslashes;
    this.tenantTag = tenantTag;
    this.tenant = tenant;
    this.unit =
        switch (precision) {
          case NANOS -> 1;
          case MICROS -> 1_000;
          case MILLIS -> 1_000_000;
          case SECONDS -> Nanos.PER_SECOND;
          default ->
              throw new IllegalArgumentException(
                  "Line protocol has times of NANOS, MICROS, MILLIS or SECONDS, not of "
                      + precision);
        };
  }

  /** The times of one measurement. */
  private static final class Times {
    private long[] all = new long[8];
    private int count;

    void add(long time) {
      if (count == all.length) {
        all = Arrays.copyOf(all, 2 * count);
      }
      all[count++] = time;
    }

    long[] all() {
      return Arrays.copyOf(all, count);
    }
  }

  /**
   * The times of each measurement, in nanoseconds.
   *
   * @param tenantTag which no line may have with another value than this tenant
   * @param escapesBackslashes see {@link Backend#escapesBackslashes}
   * @throws IllegalArgumentException when a line breaks a rule, has no time, or is another tenant's
   */
  static Map<String, long[]> read(
      String text,
      ChronoUnit precision,
      String tenantTag,
      String tenant,
      boolean escapesBackslashes) {
    if (text.length() > MAX_CHARS) {
      throw new IllegalArgumentException(
          "Line protocol of %,d characters; at most %,d are read at once."
              .formatted(text.length(), MAX_CHARS));
    }
    LineProtocol reader = new LineProtocol(text, precision, tenantTag, tenant, escapesBackslashes);
    while (reader.at < text.length()) {
      reader.line();
    }
    Map<String, long[]> read = new LinkedHashMap<>();
    reader.times.forEach((measurement, all) -> read.put(measurement, all.all()));
    return read;
  }

  private void line() {
    skipBlanks();
    if (at < text.length() && text.charAt(at) == '#') {
      while (at < text.length() && text.charAt(at) != '\n') {
        at++;
      }
    }
    if (endsLine()) {
      return;
    }
    String measurement = name("a measurement", ", ", ", ");
    while (peek() == ',') {
      at++;
      String tag = name("a tag", "=, ", ",= ");
      require('=', "after the tag " + Names.printable(tag));
      String value =
          name(
              "the value of the tag " + Names.printable(tag),
              escapesBackslashes ? ", " : "=, ",
              ",= ");
      if (peek() == '=') {
        throw wrong("a tag's value has '=', which is written \\=");
      }
      if (tag.equals(tenantTag) && !value.equals(tenant)) {
        throw wrong(
            "the point is of tenant '%s', the current one is '%s'"
                .formatted(Names.printable(value), tenant));
      }
    }
    blanks("the fields");
    field();
    while (peek() == ',') {
      at++;
      field();
    }
    if (peek() != ' ') {
      throw wrong(
          "the point has no time, so only the server knows it: write it with one, or void its range"
              + " by invalidate(…)");
    }
    blanks("the time");
    long time = time();
    skipBlanks();
    if (!endsLine()) {
      throw wrong("something stands behind the time");
    }
    if (++points > MAX_POINTS) {
      throw wrong("more than %,d points; tell of them in parts".formatted(MAX_POINTS));
    }
    times.computeIfAbsent(checked(measurement), key -> new Times()).add(time);
  }

  private String checked(String measurement) {
    try {
      return Names.require("measurement", measurement);
    } catch (RuntimeException e) {
      throw wrong(String.valueOf(e.getMessage()));
    }
  }

  private void field() {
    name("a field", "=, ", ",= ");
    require('=', "after a field's name");
    value();
  }

  /** What stands until one of the ends that no backslash precedes. */
  private String name(String what, String ends, String escapable) {
    // A backslash before anything else is itself.
    String escapes = escapesBackslashes ? escapable + '\\' : escapable;
    StringBuilder name = new StringBuilder();
    while (at < text.length()) {
      char c = text.charAt(at);
      if (c == '\n' || ends.indexOf(c) >= 0) {
        break;
      }
      if (c == '\\' && at + 1 < text.length() && escapes.indexOf(text.charAt(at + 1)) >= 0) {
        c = text.charAt(++at);
      }
      name.append(c);
      at++;
    }
    if (name.isEmpty()) {
      throw wrong(what + " is missing");
    }
    return name.toString();
  }

  /** A field's value: in quotes anything but a quote without a backslash. */
  private void value() {
    if (peek() != '"') {
      String value = name("a field's value", ", ", ", ");
      if (value.indexOf('"') >= 0) {
        throw wrong("a field's value has a quote in it");
      }
      return;
    }
    int opened = at;
    for (at++; at < text.length(); at++) {
      char c = text.charAt(at);
      if (c == '"') {
        at++;
        if (peek() != ',' && peek() != ' ' && !endsHere()) {
          throw wrong("something stands behind a closing quote");
        }
        return;
      }
      if (c == '\\') {
        at++;
      } else if (c == '\n') {
        line++;
        lineStart = at + 1;
      }
    }
    at = opened;
    throw wrong("a quote is not closed");
  }

  private long time() {
    int from = at;
    if (peek() == '-') {
      at++;
    }
    while (at < text.length() && text.charAt(at) >= '0' && text.charAt(at) <= '9') {
      at++;
    }
    try {
      long time = Math.multiplyExact(Long.parseLong(text, from, at, 10), unit);
      if (time == Long.MAX_VALUE || time == Long.MIN_VALUE) {
        throw new ArithmeticException("at the edge");
      }
      return time;
    } catch (NumberFormatException | ArithmeticException e) {
      throw wrong("the time is no whole number, or beyond the range of 64-bit nanoseconds");
    }
  }

  private void require(char wanted, String where) {
    if (peek() != wanted) {
      throw wrong("'%s' is missing %s".formatted(wanted, where));
    }
    at++;
  }

  private void blanks(String before) {
    if (peek() != ' ') {
      throw wrong("a blank is missing before " + before);
    }
    skipBlanks();
  }

  private void skipBlanks() {
    while (at < text.length() && (peek() == ' ' || peek() == '\t' || peek() == '\r')) {
      at++;
    }
  }

  /** Whether the line ends here; then the next one begins. */
  private boolean endsLine() {
    if (!endsHere()) {
      return false;
    }
    at++;
    line++;
    lineStart = at;
    return true;
  }

  private boolean endsHere() {
    return at >= text.length() || text.charAt(at) == '\n';
  }

  /** 0: there is nothing any more. */
  private char peek() {
    return at < text.length() ? text.charAt(at) : 0;
  }

  private IllegalArgumentException wrong(String why) {
    return new IllegalArgumentException(
        "Line protocol, line %d, column %d: %s.".formatted(line, at - lineStart + 1, why));
  }

  /**
   * The text of bytes in UTF-8.
   *
   * @throws IllegalArgumentException when they are none
   */
  static String text(byte[] bytes) {
    try {
      return StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(bytes)).toString();
    } catch (CharacterCodingException e) {
      throw new IllegalArgumentException("Line protocol that is no UTF-8.", e);
    }
  }
}
