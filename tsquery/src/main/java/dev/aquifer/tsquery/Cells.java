package dev.aquifer.tsquery;

import java.util.Arrays;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * A run of values, one a window, each present or not: a byte of kind and 64 bits. Texts stand
 * beside, where there are any. Not thread-safe while it is being written.
 */
final class Cells implements Column {
  static final byte ABSENT = 0;
  static final byte LONG = 1;
  static final byte DOUBLE = 2;
  static final byte BOOLEAN = 3;
  static final byte TEXT = 4;

  private final byte[] kinds;
  private final long[] bits;
  private @Nullable String @Nullable [] texts;

  Cells(int size) {
    this.kinds = new byte[size];
    this.bits = new long[size];
  }

  int size() {
    return kinds.length;
  }

  byte kindAt(int index) {
    return kinds[index];
  }

  long bitsAt(int index) {
    return bits[index];
  }

  void put(int index, byte kind, long value) {
    kinds[index] = kind;
    bits[index] = value;
  }

  void clear(int index) {
    kinds[index] = ABSENT;
  }

  void clear(int from, int to) {
    Arrays.fill(kinds, from, to, ABSENT);
  }

  void putText(int index, String text) {
    if (texts == null) {
      texts = new @Nullable String[kinds.length];
    }
    kinds[index] = TEXT;
    bits[index] = 0;
    texts[index] = text;
  }

  /** Whole numbers become floating ones, as a column that has both must read. */
  void widen() {
    for (int i = 0; i < kinds.length; i++) {
      if (kinds[i] == LONG) {
        put(i, DOUBLE, Double.doubleToRawLongBits((double) bits[i]));
      }
    }
  }

  /** Copies values, absent ones too, from another run. */
  void copy(Cells from, int fromIndex, int toIndex, int length) {
    System.arraycopy(from.kinds, fromIndex, kinds, toIndex, length);
    System.arraycopy(from.bits, fromIndex, bits, toIndex, length);
    String[] source = cast(from.texts);
    if (source != null) {
      if (texts == null) {
        texts = new @Nullable String[kinds.length];
      }
      System.arraycopy(source, fromIndex, cast(texts), toIndex, length);
    } else if (texts != null) {
      Arrays.fill(texts, toIndex, toIndex + length, null);
    }
  }

  /** The values at these places. */
  Cells picked(int[] places) {
    Cells picked = new Cells(places.length);
    for (int i = 0; i < places.length; i++) {
      picked.kinds[i] = kinds[places[i]];
      picked.bits[i] = bits[places[i]];
    }
    if (texts != null) {
      picked.texts = new @Nullable String[places.length];
      for (int i = 0; i < places.length; i++) {
        picked.texts[i] = texts[places[i]];
      }
    }
    return picked;
  }

  /**
   * Writes to the beginning of an array where values are.
   *
   * @return how many there are
   */
  int present(int[] places) {
    int count = 0;
    for (int i = 0; i < kinds.length; i++) {
      // Always written: most series have gaps in no order, and a branch would be guessed wrong.
      places[count] = i;
      count += kinds[i] == ABSENT ? 0 : 1;
    }
    return count;
  }

  @Override
  public void copyTo(Cells target, int from, int toIndex, int length) {
    target.copy(this, from, toIndex, length);
  }

  @Override
  public boolean anyPresent(int from, int to) {
    for (int i = from; i < to; i++) {
      if (kinds[i] != ABSENT) {
        return true;
      }
    }
    return false;
  }

  @Nullable Object valueAt(int index) {
    return switch (kinds[index]) {
      case LONG -> (Object) bits[index];
      case DOUBLE -> Double.longBitsToDouble(bits[index]);
      case BOOLEAN -> bits[index] != 0;
      case TEXT -> texts == null ? null : texts[index];
      default -> null;
    };
  }

  boolean sameAs(Cells other) {
    if (!Arrays.equals(kinds, other.kinds)) {
      return false;
    }
    for (int i = 0; i < kinds.length; i++) {
      boolean same =
          switch (kinds[i]) {
            case ABSENT -> true;
            case TEXT -> Objects.equals(valueAt(i), other.valueAt(i));
            default -> bits[i] == other.bits[i];
          };
      if (!same) {
        return false;
      }
    }
    return true;
  }

  @Override
  public int weight() {
    int bytes = 64 + 9 * kinds.length;
    if (texts != null) {
      bytes += 4 * kinds.length;
      for (String text : texts) {
        bytes += text == null ? 0 : 48 + 2 * text.length();
      }
    }
    return bytes;
  }

  @SuppressWarnings("NullAway") // An array of nullable elements, for System.arraycopy alone.
  private static String @Nullable [] cast(@Nullable String @Nullable [] array) {
    return array;
  }
}
