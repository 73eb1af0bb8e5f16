package dev.aquifer.tsquery;

import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * The values of one column of one series, one a shown window: of a selection, or computed by {@link
 * Stage#map}. Immutable and thread-safe.
 *
 * <p>Two columns are equal when they have the same kinds and the same bits: NaN equals NaN, and 0.0
 * is not -0.0.
 */
public final class ValueColumn {
  private final String name;
  private final @Nullable Selection selection;
  private final Cells cells;
  private final ValueKind kind;

  ValueColumn(Selection selection, Cells cells, ValueKind kind) {
    this(selection.name(), selection, cells, kind);
  }

  /** One of floating numbers that is of no selection. */
  ValueColumn(String name, Cells cells) {
    this(name, null, cells, ValueKind.DOUBLE);
  }

  private ValueColumn(String name, @Nullable Selection selection, Cells cells, ValueKind kind) {
    this.name = name;
    this.selection = selection;
    this.cells = cells;
    this.kind = kind;
  }

  /** The same column with other values; one floating number makes all of them floating. */
  ValueColumn with(Cells values, ValueKind kindOfValues) {
    for (int i = 0; i < values.size() && kindOfValues == ValueKind.LONG; i++) {
      if (values.kindAt(i) == Cells.DOUBLE) {
        values.widen();
        return new ValueColumn(name, selection, values, ValueKind.DOUBLE);
      }
    }
    return new ValueColumn(name, selection, values, kindOfValues);
  }

  /** The same column in these windows alone. */
  ValueColumn picked(int[] windows) {
    return new ValueColumn(name, selection, cells.picked(windows), kind);
  }

  /** What it is called: {@link Selection#name}, or as {@link Stage#map} said. */
  public String name() {
    return name;
  }

  /**
   * What it is of.
   *
   * @throws IllegalStateException when it was computed by {@link Stage#map}
   */
  public Selection selection() {
    if (selection == null) {
      throw new IllegalStateException("The column %s is of no selection".formatted(name));
    }
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
            .formatted(name, wanted, index, isNull(index) ? "null in a column" : "a value", kind));
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof ValueColumn column
        && name.equals(column.name)
        && kind == column.kind
        && cells.sameAs(column.cells);
  }

  @Override
  public int hashCode() {
    return name.hashCode() * 31 + cells.size();
  }

  @Override
  public String toString() {
    Object[] values = new Object[size()];
    for (int i = 0; i < values.length; i++) {
      Object value = valueAt(i);
      values[i] = value == null ? "null" : value;
    }
    return name + "=" + Arrays.toString(values);
  }
}
