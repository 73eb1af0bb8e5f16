package dev.aquifer.tsquery;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;

/** Numbers of some bits each, one after the other, the lowest bits first. */
final class Bits {
  private static final VarHandle LONG =
      MethodHandles.byteArrayViewVarHandle(long[].class, ByteOrder.LITTLE_ENDIAN);

  private Bits() {}

  /** How many bytes so many numbers of so many bits take. */
  static int bytes(int width, int count) {
    return (width * count + 7) >> 3;
  }

  /** Writes the bits of each number from the shift on. What is there must be zero. */
  static void write(byte[] bytes, int at, long[] numbers, int from, int to, int shift, int width) {
    long bit = 0;
    for (int i = from; i < to; i++) {
      long number = numbers[i] >>> shift;
      for (int left = width; left > 0; ) {
        int inByte = (int) (bit & 7);
        bytes[at + (int) (bit >> 3)] |= (byte) (number << inByte);
        int done = Math.min(left, 8 - inByte);
        number >>>= done;
        bit += done;
        left -= done;
      }
    }
  }

  /** The number of so many bits, 0 to 64, that begins at the bit. */
  static long read(byte[] bytes, int at, long bit, int width) {
    if (width == 0) {
      return 0;
    }
    int first = at + (int) (bit >> 3);
    int inByte = (int) (bit & 7);
    long mask = -1L >>> (64 - width);
    if (first + 9 <= bytes.length) {
      long low = (long) LONG.get(bytes, first) >>> inByte;
      // Shifted in two steps: by 64 would be by none.
      long high = ((bytes[first + 8] & 0xffL) << 1) << (63 - inByte);
      return (low | high) & mask;
    }
    long number = 0;
    int have = -inByte;
    for (int i = first; have < width; i++) {
      long next = bytes[i] & 0xffL;
      number |= have < 0 ? next >>> -have : next << have;
      have += 8;
    }
    return number & mask;
  }
}
