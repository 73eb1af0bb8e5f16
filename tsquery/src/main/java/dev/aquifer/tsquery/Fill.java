package dev.aquifer.tsquery;

import org.jspecify.annotations.Nullable;

/**
 * What stands in windows of a series that have no points. Only series with a point somewhere in the
 * range are in an answer; filling never makes one up.
 *
 * @param kind what is done
 * @param value what {@link Kind#VALUE} puts there: a {@link Long} or a {@link Double}; null for the
 *     other kinds
 */
public record Fill(Kind kind, @Nullable Number value) {
  /** What is done with empty windows. */
  public enum Kind {
    /** They are left out. */
    NONE,
    /** They are shown with null; counts with 0. */
    NULL,
    /** They are shown with a fixed number; columns of text or booleans with null. */
    VALUE,
    /**
     * They repeat the value before, within the range; before the first one, as {@link #NULL}. The
     * answer never depends on what lies before the range.
     */
    PREVIOUS,
    /**
     * They hold what lies between the values before and after, in proportion to the starts of their
     * windows; before the first value and after the last, as {@link #NULL}. Columns of numbers are
     * floating; those of text or booleans hold null. The answer never depends on what lies outside
     * the range.
     */
    LINEAR
  }

  /**
   * Checks that the value fits the kind.
   *
   * @throws IllegalArgumentException when a value is missing, is neither Long nor Double, or is not
   *     wanted
   */
  public Fill {
    boolean fits =
        kind == Kind.VALUE ? value instanceof Long || value instanceof Double : value == null;
    if (!fits) {
      throw new IllegalArgumentException("fill " + kind + " with value " + value);
    }
  }

  /** Empty windows are left out. */
  public static Fill none() {
    return new Fill(Kind.NONE, null);
  }

  /** Empty windows hold null, counts 0. */
  public static Fill nulls() {
    return new Fill(Kind.NULL, null);
  }

  /** Empty windows hold this whole number. */
  public static Fill value(long value) {
    return new Fill(Kind.VALUE, value);
  }

  /** Empty windows hold this number. */
  public static Fill value(double value) {
    return new Fill(Kind.VALUE, value);
  }

  /** Empty windows lie on the line between the values before and after. */
  public static Fill linear() {
    return new Fill(Kind.LINEAR, null);
  }

  /** Empty windows repeat the value before. */
  public static Fill previous() {
    return new Fill(Kind.PREVIOUS, null);
  }
}
