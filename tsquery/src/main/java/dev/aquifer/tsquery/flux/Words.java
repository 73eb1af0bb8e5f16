package dev.aquifer.tsquery.flux;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;

/** Bytes, eight at a time; the first is the lowest. */
final class Words {
  /** One in each byte. */
  static final long EACH = 0x0101_0101_0101_0101L;

  /** The highest bit of each byte. */
  static final long HIGHEST = 0x8080_8080_8080_8080L;

  private static final VarHandle WORD =
      MethodHandles.byteArrayViewVarHandle(long[].class, ByteOrder.LITTLE_ENDIAN);

  private Words() {}

  /** The eight bytes from there. */
  static long at(byte[] bytes, int index) {
    return (long) WORD.get(bytes, index);
  }

  /** The highest bit of each byte that is the one sought; of bytes above such a one, maybe, too. */
  static long where(long word, char sought) {
    long zero = word ^ (EACH * sought);
    return (zero - EACH) & ~zero & HIGHEST;
  }

  /**
   * The highest bit of each byte that is below a limit of at most 128; of bytes above such a one,
   * maybe, too.
   */
  static long below(long word, char limit) {
    return (word - EACH * limit) & ~word & HIGHEST;
  }

  /** How many bytes are before the first that has its highest bit set. */
  static int first(long marks) {
    return Long.numberOfTrailingZeros(marks) >>> 3;
  }

  /** Whether so many bytes are the same here and there; both arrays must have them. */
  static boolean same(byte[] here, int from, byte[] there, int first, int length) {
    int i = 0;
    for (; i + Long.BYTES <= length; i += Long.BYTES) {
      if (at(here, from + i) != at(there, first + i)) {
        return false;
      }
    }
    if (i < length && length >= Long.BYTES) {
      int last = length - Long.BYTES;
      return at(here, from + last) == at(there, first + last);
    }
    for (; i < length; i++) {
      if (here[from + i] != there[first + i]) {
        return false;
      }
    }
    return true;
  }
}
