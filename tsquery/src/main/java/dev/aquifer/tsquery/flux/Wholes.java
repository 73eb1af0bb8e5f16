package dev.aquifer.tsquery.flux;

/** Whole numbers from their digits. */
final class Wholes {
  /** So many decimal digits are less than 2<sup>64</sup>. */
  private static final int SAFE_DIGITS = 19;

  private Wholes() {}

  /**
   * A number of 64 bits with a sign.
   *
   * @throws NumberFormatException it is none, or out of range
   */
  static long signed(byte[] bytes, int from, int to) {
    boolean signed = from < to && (bytes[from] == '-' || bytes[from] == '+');
    boolean negative = signed && bytes[from] == '-';
    long magnitude = unsigned(bytes, signed ? from + 1 : from, to);
    if (magnitude < 0 && !(negative && magnitude == Long.MIN_VALUE)) {
      throw new NumberFormatException("out of range");
    }
    return negative ? -magnitude : magnitude;
  }

  /**
   * A number of 64 bits without a sign.
   *
   * @throws NumberFormatException it is none, or out of range
   */
  static long unsigned(byte[] bytes, int from, int to) {
    int first = from;
    while (first < to - 1 && bytes[first] == '0') {
      first++;
    }
    int past = Math.min(to, first + SAFE_DIGITS);
    long number = 0;
    for (int i = first; i < past; i++) {
      number = number * 10 + digit(bytes[i]);
    }
    if (from == to || to - past > 1) {
      throw new NumberFormatException("no digits, or too many");
    }
    return past == to ? number : withTwentieth(number, digit(bytes[past]));
  }

  private static long withTwentieth(long number, int digit) {
    long most = Long.divideUnsigned(-1L, 10);
    int last = (int) Long.remainderUnsigned(-1L, 10);
    int order = Long.compareUnsigned(number, most);
    if (order > 0 || (order == 0 && digit > last)) {
      throw new NumberFormatException("out of range");
    }
    return number * 10 + digit;
  }

  private static int digit(byte each) {
    int digit = each - '0';
    if (digit < 0 || digit > 9) {
      throw new NumberFormatException("no digit");
    }
    return digit;
  }
}
