package dev.aquifer.tsquery.flux;

import java.nio.charset.StandardCharsets;

/** Times as RFC 3339 writes them. */
final class Times {
  static final int SHORTEST = "2026-03-01T00:00:00Z".length();
  // The first 16 characters, and what takes each digit above 9 and each other character over 127.
  private static final long DATE = Words.at("0000-00-".getBytes(StandardCharsets.US_ASCII), 0);
  private static final long CLOCK = Words.at("00T00:00".getBytes(StandardCharsets.US_ASCII), 0);
  private static final long DATE_LIMITS = 0x7f76_767f_7676_7676L;
  private static final long CLOCK_LIMITS = 0x7676_7f76_767f_7676L;

  private static final int SECOND_DIGITS = 9;
  private static final int OFFSET = "+00:00".length();
  private static final long NANOS = 1_000_000_000L;
  private static final long MAX_SECONDS = Long.MAX_VALUE / NANOS;

  /** From 0001-01-01. */
  private static final long DAYS_TO_EPOCH = 719_162;

  private static final int[] POWERS = {
    1, 10, 100, 1_000, 10_000, 100_000, 1_000_000, 10_000_000, 100_000_000, 1_000_000_000
  };
  private static final int[] BEFORE_MONTH = {
    0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334, 365
  };

  private Times() {}

  /**
   * Nanoseconds since the epoch.
   *
   * @throws IllegalArgumentException it is no such time, or out of the range of 64 bits, which are
   *     the years 1677 to 2262
   */
  static long nanos(byte[] bytes, int from, int to) {
    if (to - from < SHORTEST || bytes[from + 16] != ':') {
      throw new IllegalArgumentException("no time");
    }
    long date = pairs(Words.at(bytes, from), DATE, DATE_LIMITS);
    long clock = pairs(Words.at(bytes, from + 8), CLOCK, CLOCK_LIMITS);
    int year = pair(date, 0) * 100 + pair(date, 2);
    int month = pair(date, 5);
    int day = pair(clock, 0);
    int hour = pair(clock, 3);
    int minute = pair(clock, 6);
    int second = two(bytes, from + 17);
    boolean leap = (year & 3) == 0 && (year % 100 != 0 || year % 400 == 0);
    if (month < 1 || month > 12 || hour > 23 || minute > 59 || second > 59 || day < 1) {
      throw new IllegalArgumentException("no time");
    }
    int lastDay = BEFORE_MONTH[month] - BEFORE_MONTH[month - 1] + (leap && month == 2 ? 1 : 0);
    if (day > lastDay) {
      throw new IllegalArgumentException("no such day");
    }
    int past = year - 1;
    long days =
        past * 365L
            + past / 4
            - past / 100
            + past / 400
            + BEFORE_MONTH[month - 1]
            + (leap && month > 2 ? 1 : 0)
            + (day - 1)
            - DAYS_TO_EPOCH;
    long seconds = (days * 24 + hour) * 3600 + minute * 60L + second;
    return total(seconds, bytes, from + 19, to);
  }

  /** With the fraction and the offset, which begin at {@code at}. */
  private static long total(long seconds, byte[] bytes, int at, int to) {
    int zone = at;
    long nanos = 0;
    if (bytes[at] == '.') {
      zone++;
      while (zone < to && bytes[zone] >= '0' && bytes[zone] <= '9') {
        nanos = nanos * 10 + (bytes[zone++] - '0');
        if (zone - at > SECOND_DIGITS + 1) {
          throw new IllegalArgumentException("finer than a nanosecond");
        }
      }
      if (zone == at + 1) {
        throw new IllegalArgumentException("no time");
      }
      nanos *= POWERS[SECOND_DIGITS - (zone - at - 1)];
    }
    long utc = seconds - offset(bytes, zone, to);
    // The second before the epoch's that the range begins in is not in the range as a whole.
    long total = utc < 0 ? (utc + 1) * NANOS + (nanos - NANOS) : utc * NANOS + nanos;
    if (utc < -MAX_SECONDS - 1 || utc > MAX_SECONDS || (total < 0) != (utc < 0)) {
      throw new IllegalArgumentException("out of range");
    }
    return total;
  }

  private static int offset(byte[] bytes, int at, int to) {
    if (to - at == 1 && bytes[at] == 'Z') {
      return 0;
    }
    if (to - at != OFFSET
        || (bytes[at] != '+' && bytes[at] != '-')
        || bytes[at + 3] != ':'
        || two(bytes, at + 1) > 23
        || two(bytes, at + 4) > 59) {
      throw new IllegalArgumentException("no zone");
    }
    int seconds = two(bytes, at + 1) * 3600 + two(bytes, at + 4) * 60;
    return bytes[at] == '-' ? -seconds : seconds;
  }

  /** At each byte, the number that the digits there and after it are. */
  private static long pairs(long word, long form, long limits) {
    long digits = word ^ form;
    if (((digits | (digits + limits)) & Words.HIGHEST) != 0) {
      throw new IllegalArgumentException("no time");
    }
    return digits * 10 + (digits >>> 8);
  }

  private static int pair(long pairs, int index) {
    return (int) (pairs >>> (index * 8)) & 0xff;
  }

  private static int two(byte[] bytes, int at) {
    int tens = bytes[at] - '0';
    int ones = bytes[at + 1] - '0';
    if (tens < 0 || tens > 9 || ones < 0 || ones > 9) {
      throw new IllegalArgumentException("no digits");
    }
    return tens * 10 + ones;
  }
}
