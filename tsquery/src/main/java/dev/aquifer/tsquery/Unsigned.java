package dev.aquifer.tsquery;

/** Whole numbers of 64 bits without a sign, as InfluxDB has them; the highest bit is theirs. */
final class Unsigned {
  private Unsigned() {}

  /** The number as a float, rounded to the nearest. */
  static double real(long value) {
    return value >= 0 ? value : Double.parseDouble(Long.toUnsignedString(value));
  }

  /** Hands the number on: as a float where it does not fit in 64 bits with a sign. */
  static void put(RowSink sink, int selection, long value) {
    if (value >= 0) {
      sink.longValue(selection, value);
    } else {
      sink.doubleValue(selection, real(value));
    }
  }
}
