package dev.aquifer.tsquery.flux;

import java.math.BigInteger;
import java.nio.charset.StandardCharsets;

/**
 * Doubles from their digits, always the nearest, to the bit what {@link Double#parseDouble} gives.
 *
 * <p>Few digits and a small power of ten are exact in one operation (W. D. Clinger, 1990). Others
 * are multiplied with 128 bits of the power of five, which decides all but a handful of them (D.
 * Lemire, "Number parsing at a gigabyte per second", 2021). Those, more than 19 digits and very
 * large or small powers go to the JDK.
 */
final class Decimals {
  private static final int DIGITS = 19;
  private static final int EXACT_POWER = 22;
  private static final long EXACT_DIGITS = 1L << 53;
  private static final int POWER = 64;

  /** More than any power that counts. */
  private static final int MANY = 1_000_000;

  private static final long BELOW_MANTISSA = 0x1ff;
  private static final double[] TENS = new double[EXACT_POWER + 1];
  private static final long[] FIVES_HIGH = new long[2 * POWER + 1];
  private static final long[] FIVES_LOW = new long[2 * POWER + 1];

  static {
    for (int power = 0; power <= EXACT_POWER; power++) {
      TENS[power] = Double.parseDouble("1e" + power);
    }
    for (int power = -POWER; power <= POWER; power++) {
      BigInteger top = topBits(power);
      FIVES_HIGH[power + POWER] = top.shiftRight(Long.SIZE).longValue();
      FIVES_LOW[power + POWER] = top.longValue();
    }
  }

  private Decimals() {}

  /** The first 128 bits of 5<sup>power</sup>; rounded up where its reciprocal has 64 bits. */
  private static BigInteger topBits(int power) {
    BigInteger five = BigInteger.valueOf(5).pow(Math.abs(power));
    if (power >= 0) {
      return five.shiftLeft(128).shiftRight(five.bitLength());
    }
    int bits = five.bitLength() <= Long.SIZE ? 127 : five.bitLength() + 128;
    BigInteger above =
        BigInteger.ONE.shiftLeft(five.bitLength() + bits).divide(five).add(BigInteger.ONE);
    return above.shiftRight(above.bitLength() - 128);
  }

  /**
   * The number: digits with or without a point and an exponent, {@code +Inf}, {@code -Inf} or
   * {@code NaN}.
   *
   * @throws NumberFormatException it is none
   */
  static double parse(byte[] bytes, int from, int to) {
    int at = from;
    boolean negative = at < to && bytes[at] == '-';
    if (negative || (at < to && bytes[at] == '+')) {
      at++;
    }
    long digits = 0;
    int significant = 0;
    int seen = 0;
    int power = 0;
    boolean fraction = false;
    for (; at < to; at++) {
      int digit = bytes[at] - '0';
      if (digit >= 0 && digit <= 9) {
        digits = digits * 10 + digit;
        significant += significant > 0 || digit > 0 ? 1 : 0;
        seen++;
        power -= fraction ? 1 : 0;
      } else if (bytes[at] == '.' && !fraction) {
        fraction = true;
      } else {
        break;
      }
    }
    if (seen == 0) {
      return named(bytes, from, to);
    }
    if (at < to) {
      power += exponent(bytes, at, to);
    }
    double nearest = significant > DIGITS ? Double.NaN : nearest(digits, power);
    if (Double.isNaN(nearest)) {
      return Double.parseDouble(new String(bytes, from, to - from, StandardCharsets.ISO_8859_1));
    }
    return negative ? -nearest : nearest;
  }

  /** Of what is no number of digits. */
  private static double named(byte[] bytes, int from, int to) {
    return switch (new String(bytes, from, Math.min(to - from, 5), StandardCharsets.ISO_8859_1)) {
      case "NaN" -> Double.NaN;
      case "+Inf", "Inf" -> Double.POSITIVE_INFINITY;
      case "-Inf" -> Double.NEGATIVE_INFINITY;
      default -> throw new NumberFormatException("no number");
    };
  }

  private static int exponent(byte[] bytes, int at, int to) {
    int first = at + 1;
    boolean negative = first < to && bytes[first] == '-';
    if (negative || (first < to && bytes[first] == '+')) {
      first++;
    }
    if ((bytes[at] | 0x20) != 'e' || first == to) {
      throw new NumberFormatException("no number");
    }
    int exponent = 0;
    for (int i = first; i < to; i++) {
      int digit = bytes[i] - '0';
      if (digit < 0 || digit > 9) {
        throw new NumberFormatException("no number");
      }
      exponent = Math.min(exponent * 10 + digit, MANY);
    }
    return negative ? -exponent : exponent;
  }

  /** The digits, unsigned, by a power of ten; NaN when that is not decided here. */
  private static double nearest(long digits, int power) {
    if (digits == 0) {
      return 0;
    }
    if (digits > 0 && digits <= EXACT_DIGITS && power >= -EXACT_POWER && power <= EXACT_POWER) {
      return power < 0 ? digits / TENS[-power] : digits * TENS[power];
    }
    return power < -POWER || power > POWER ? Double.NaN : byProduct(digits, power);
  }

  /** No power in the table leads to a subnormal or an infinite double. */
  private static double byProduct(long digits, int power) {
    int shift = Long.numberOfLeadingZeros(digits);
    long normal = digits << shift;
    long five = FIVES_HIGH[power + POWER];
    long high = multiplyHigh(normal, five);
    long low = normal * five;
    if ((high & BELOW_MANTISSA) == BELOW_MANTISSA) {
      long more = multiplyHigh(normal, FIVES_LOW[power + POWER]);
      low += more;
      if (Long.compareUnsigned(more, low) > 0) {
        high++;
      }
      if (low == -1L && (power < -27 || power > 55)) {
        return Double.NaN;
      }
    }
    int top = (int) (high >>> 63);
    // One bit more than a mantissa has, to round by.
    long mantissa = high >>> (top + 9);
    boolean exact = (low == 0 || low == 1) && power >= -4 && power <= 23;
    if (exact && (mantissa & 3) == 1 && mantissa << (top + 9) == high) {
      mantissa--;
    }
    mantissa = (mantissa + (mantissa & 1)) >>> 1;
    // 217,706 / 65,536 is log2 of 10, near enough for all powers here.
    long exponent = ((217_706L * power) >> 16) + 63 + top - shift + Double.MAX_EXPONENT;
    if (mantissa == EXACT_DIGITS) {
      mantissa >>>= 1;
      exponent++;
    }
    return Double.longBitsToDouble((exponent << 52) | (mantissa & ~(EXACT_DIGITS >>> 1)));
  }

  /** Of unsigned factors. */
  private static long multiplyHigh(long a, long b) {
    return Math.multiplyHigh(a, b) + ((a >> 63) & b) + ((b >> 63) & a);
  }
}
