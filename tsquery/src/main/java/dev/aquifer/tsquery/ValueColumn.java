package dev.aquifer.tsquery;

import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * The values of one selection of one series, one a shown window. Immutable and thread-safe.
 *
 * <p>Two columns are equal when they have the same kinds and the same bits: NaN equals NaN, and 0.0
 * is not -0.0.
 */
public final class ValueColumn {
  private final Selection selection;
  private final Cells cells;
  private final ValueKind kind;

  ValueColumn(Selection selection, Cells cells, ValueKind kind) {
    this.selection = selection;
    this.cells = cells;
    this.kind = kind;
  }

  /** What it is of. */
  public Selection selection() {
    return selection;
  }

  /**
   * What its values are. Where the server's answer does not tell whole numbers of a floating field
   * from an integer field's (InfluxQL's JSON), a column of whole numbers alone is {@link
   * ValueKind#LONG}; {@link #doubleAt} reads both.
   */
  public ValueKind kind() {
    return kind;
  }

  /** How many windows are shown. */
  public int size() {
    return cells.size();
  }

  /** Whether the window has no value. */
  public boolean isNull(int index) {
    return cells.kindAt(index) == Cells.ABSENT;
  }

  /**
   * A number.
   *
   * @throws IllegalStateException when there is none at that place
   */
  public double doubleAt(int index) {
    return switch (cells.kindAt(index)) {
      case Cells.LONG -> (double) cells.bitsAt(index);
      case Cells.DOUBLE -> Double.longBitsToDouble(cells.bitsAt(index));
      default -> throw wrong("number", index);
    };
  }

  /**
   * A whole number.
   *
   * @throws IllegalStateException when there is none at that place, or the column is not of whole
   *     numbers
   */
  public long longAt(int index) {
    if (cells.kindAt(index) != Cells.LONG) {
      throw wrong("whole number", index);
    }
    return cells.bitsAt(index);
  }

  /** The value as Long, Double, Boolean or String; null when the window has none. */
  public @Nullable Object valueAt(int index) {
    return cells.valueAt(index);
  }

  private IllegalStateException wrong(String wanted, int index) {
    return new IllegalStateException(
        "%s has no %s at index %d: it is %s of kind %s"
            .formatted(
                selection, wanted, index, isNull(index) ? "null in a column" : "a value", kind));
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof ValueColumn column
        && selection.equals(column.selection)
        && kind == column.kind
        && cells.sameAs(column.cells);
  }

  @Override
  public int hashCode() {
    return selection.hashCode() * 31 + cells.size();
  }

  @Override
  public String toString() {
    Object[] values = new Object[size()];
    for (int i = 0; i < values.length; i++) {
      Object value = valueAt(i);
      values[i] = value == null ? "null" : value;
    }
    return selection + "=" + Arrays.toString(values);
  }
}
