package dev.aquifer.tsquery;

import org.jspecify.annotations.Nullable;

/**
 * A column as few bytes: which windows have a value, and the values in order. Immutable.
 *
 * <p>Whole numbers are kept as differences, or as differences of differences, whichever takes less.
 * So are floating ones of which all are decimal fractions of few digits, as gauges have them: as
 * whole numbers of tenths, hundredths and so on, each proven when it is packed to come back with
 * the same bits. Other floating numbers are kept as what differs from the bits of the one before
 * (as in Gorilla: Pelkonen and others, VLDB 2015). What results is packed in blocks, each with as
 * many bits a value as its widest takes.
 */
final class PackedColumn implements Column {
  private static final int BLOCK = 64;
  private static final int BOOLEANS = 0;
  private static final int DELTAS = 1;
  private static final int TWICE = 2;
  private static final int XOR = 3;
  private static final int HEADER = 2;

  // Powers of ten that a double has exactly, and that leave room for digits before the point.
  private static final double[] POWERS = {1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9};
  private static final double MOST_EXACT = 1L << 53;

  /**
   * Kind and whether every window has a value, in the first byte; how values are kept, in the
   * second; then a bit a window where one may have none; then the blocks.
   */
  private final byte[] bytes;

  private PackedColumn(byte[] bytes) {
    this.bytes = bytes;
  }

  /** The cells packed; they themselves where they have texts, or values of several kinds. */
  static Column of(Cells cells) {
    byte kind = Cells.ABSENT;
    int count = 0;
    for (int i = 0; i < cells.size(); i++) {
      byte own = cells.kindAt(i);
      if (own == Cells.ABSENT) {
        continue;
      }
      if (own == Cells.TEXT || (kind != Cells.ABSENT && kind != own)) {
        return cells;
      }
      kind = own;
      count++;
    }
    long[] values = new long[count];
    byte[] present = count == cells.size() ? new byte[0] : new byte[(cells.size() + 7) / 8];
    int next = 0;
    for (int i = 0; i < cells.size(); i++) {
      if (cells.kindAt(i) != Cells.ABSENT) {
        values[next++] = cells.bitsAt(i);
        if (present.length > 0) {
          present[i >> 3] |= (byte) (1 << (i & 7));
        }
      }
    }
    return new PackedColumn(packed(kind, values, present));
  }

  /** As it is kept; not to be changed. */
  byte[] bytes() {
    return bytes;
  }

  /** A column of a whole segment from bytes that may be anything; null where they are none. */
  static @Nullable PackedColumn read(byte[] bytes) {
    if (bytes.length < HEADER || !headed(bytes)) {
      return null;
    }
    PackedColumn column = new PackedColumn(bytes);
    int at = column.first();
    if (at > bytes.length) {
      return null;
    }
    int count = 0;
    for (int i = 0; i < Segment.LENGTH; i++) {
      count += column.present(i) ? 1 : 0;
    }
    if (count > 0 && (bytes[0] & 0xf) == Cells.ABSENT) {
      return null;
    }
    for (int left = count; left > 0; left -= BLOCK) {
      if (at + 2 > bytes.length) {
        return null;
      }
      int shift = bytes[at];
      int width = bytes[at + 1];
      if (shift < 0 || width < 0 || shift > 63 || shift + width > 64) {
        return null;
      }
      at += 2 + Bits.bytes(width, Math.min(left, BLOCK));
    }
    return at == bytes.length ? column : null;
  }

  private static boolean headed(byte[] bytes) {
    int kind = bytes[0] & 0xf;
    int mode = bytes[1] & 0xf;
    int scale = (bytes[1] & 0xff) >> 4;
    boolean known =
        switch (mode) {
          case BOOLEANS -> kind == Cells.BOOLEAN;
          case DELTAS, TWICE -> kind == Cells.DOUBLE || kind == Cells.LONG || kind == Cells.ABSENT;
          case XOR -> kind == Cells.DOUBLE;
          default -> false;
        };
    boolean scaled = (kind == Cells.DOUBLE && mode != XOR) ? scale < POWERS.length : scale == 0;
    return known && scaled && (bytes[0] & ~0x1f) == 0;
  }

  private static byte[] packed(byte kind, long[] values, byte[] present) {
    int scale = kind == Cells.DOUBLE ? scale(values) : 0;
    if (kind == Cells.BOOLEAN) {
      return written(kind, BOOLEANS, 0, values, present);
    }
    if (scale < 0) {
      return written(kind, XOR, 0, xored(values), present);
    }
    long[] whole = kind == Cells.DOUBLE ? scaled(values, scale) : values;
    long[] once = differences(whole);
    long[] twice = differences(once);
    zigzag(once);
    zigzag(twice);
    return size(once) <= size(twice)
        ? written(kind, DELTAS, scale, once, present)
        : written(kind, TWICE, scale, twice, present);
  }

  private static byte[] written(byte kind, int mode, int scale, long[] codes, byte[] present) {
    byte[] bytes = new byte[HEADER + present.length + size(codes)];
    bytes[0] = (byte) (kind | (present.length == 0 ? 0x10 : 0));
    bytes[1] = (byte) (mode | (scale << 4));
    System.arraycopy(present, 0, bytes, HEADER, present.length);
    int at = HEADER + present.length;
    for (int from = 0; from < codes.length; from += BLOCK) {
      int to = Math.min(codes.length, from + BLOCK);
      long all = union(codes, from, to);
      int shift = all == 0 ? 0 : Long.numberOfTrailingZeros(all);
      int width = width(all);
      bytes[at++] = (byte) shift;
      bytes[at++] = (byte) width;
      Bits.write(bytes, at, codes, from, to, shift, width);
      at += Bits.bytes(width, to - from);
    }
    return bytes;
  }

  private static int size(long[] codes) {
    int bytes = 0;
    for (int from = 0; from < codes.length; from += BLOCK) {
      int to = Math.min(codes.length, from + BLOCK);
      bytes += 2 + Bits.bytes(width(union(codes, from, to)), to - from);
    }
    return bytes;
  }

  private static long union(long[] codes, int from, int to) {
    long all = 0;
    for (int i = from; i < to; i++) {
      all |= codes[i];
    }
    return all;
  }

  /** How many bits there are between the first that is set and the last, both included. */
  private static int width(long all) {
    return all == 0 ? 0 : 64 - Long.numberOfLeadingZeros(all) - Long.numberOfTrailingZeros(all);
  }

  /** By which power of ten all values become whole numbers and come back the same; -1: by none. */
  private static int scale(long[] values) {
    int scale = 0;
    for (int i = 0; i < values.length && scale < POWERS.length; ) {
      double value = Double.longBitsToDouble(values[i]);
      double whole = Math.rint(value * POWERS[scale]);
      boolean same =
          Math.abs(whole) < MOST_EXACT
              && Double.doubleToRawLongBits((double) (long) whole / POWERS[scale]) == values[i];
      if (same) {
        i++;
      } else {
        // Those before are to be looked at again.
        scale++;
        i = 0;
      }
    }
    return scale < POWERS.length ? scale : -1;
  }

  private static long[] scaled(long[] values, int scale) {
    long[] whole = new long[values.length];
    for (int i = 0; i < whole.length; i++) {
      whole[i] = (long) Math.rint(Double.longBitsToDouble(values[i]) * POWERS[scale]);
    }
    return whole;
  }

  private static long[] xored(long[] values) {
    long[] codes = new long[values.length];
    long before = 0;
    for (int i = 0; i < values.length; i++) {
      codes[i] = values[i] ^ before;
      before = values[i];
    }
    return codes;
  }

  private static long[] differences(long[] values) {
    long[] codes = new long[values.length];
    long before = 0;
    for (int i = 0; i < values.length; i++) {
      codes[i] = values[i] - before;
      before = values[i];
    }
    return codes;
  }

  /** Small numbers of either sign get small codes. */
  private static void zigzag(long[] codes) {
    for (int i = 0; i < codes.length; i++) {
      codes[i] = (codes[i] << 1) ^ (codes[i] >> 63);
    }
  }

  private boolean dense() {
    return (bytes[0] & 0x10) != 0;
  }

  /** Where the blocks begin. */
  private int first() {
    return dense() ? HEADER : HEADER + Segment.LENGTH / 8;
  }

  private boolean present(int index) {
    return dense() || (bytes[HEADER + (index >> 3)] & (1 << (index & 7))) != 0;
  }

  @Override
  public void copyTo(Cells target, int from, int toIndex, int length) {
    byte kind = (byte) (bytes[0] & 0xf);
    Reader reader = new Reader();
    for (int i = 0; i < from; i++) {
      if (present(i)) {
        reader.next();
      }
    }
    if (dense()) {
      for (int i = 0; i < length; i++) {
        target.put(toIndex + i, kind, reader.next());
      }
      return;
    }
    target.clear(toIndex, toIndex + length);
    for (int first = from; first < from + length; ) {
      // The bits of one byte, from this window on.
      int byteEnd = Math.min(from + length, (first & ~7) + 8);
      int set =
          (bytes[HEADER + (first >> 3)] & 0xff) >> (first & 7) & ((1 << (byteEnd - first)) - 1);
      for (; set != 0; set &= set - 1) {
        int window = first + Integer.numberOfTrailingZeros(set);
        target.put(toIndex + window - from, kind, reader.next());
      }
      first = byteEnd;
    }
  }

  /** Values in their order, each once. */
  private final class Reader {
    private final int mode = bytes[1] & 0xf;
    private final boolean real = (bytes[0] & 0xf) == Cells.DOUBLE;
    private final double power = POWERS[(bytes[1] & 0xff) >> 4];
    private int at = first();
    private int left;
    private int shift;
    private int width;
    private long bit;
    private long value;
    private long step;

    long next() {
      if (left == 0) {
        at += (int) ((bit + 7) >> 3);
        shift = bytes[at];
        width = bytes[at + 1];
        at += 2;
        bit = 0;
        left = BLOCK;
      }
      left--;
      long code = Bits.read(bytes, at, bit, width) << shift;
      bit += width;
      switch (mode) {
        case DELTAS -> value += (code >>> 1) ^ -(code & 1);
        case TWICE -> {
          step += (code >>> 1) ^ -(code & 1);
          value += step;
        }
        case XOR -> value ^= code;
        default -> value = code;
      }
      return real && mode != XOR ? Double.doubleToRawLongBits((double) value / power) : value;
    }
  }

  @Override
  public boolean anyPresent(int from, int to) {
    for (int i = from; i < to; i++) {
      if (present(i)) {
        return true;
      }
    }
    return false;
  }

  @Override
  public int weight() {
    return 16 + 16 + bytes.length;
  }
}
