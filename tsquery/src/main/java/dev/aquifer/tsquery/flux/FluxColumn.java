package dev.aquifer.tsquery.flux;

import java.util.Arrays;
import java.util.Base64;
import org.jspecify.annotations.Nullable;

/**
 * A column of a {@link FluxChunk}. A grouped column has one value for the whole table: every row
 * gives it, and row 0 does so in a chunk without rows, too.
 *
 * <p>A cell that is empty has the column's default, or is null. Flux's CSV writes an empty text and
 * a null the same way: for texts, null may be either.
 */
public final class FluxColumn {
  private final FluxChunk chunk;
  private String label = "";
  private FluxType type = FluxType.TEXT;
  private boolean grouped;
  private boolean anyNull;

  // Of a grouped column only the first element has a meaning.
  private boolean[] nulls = new boolean[1];
  private long[] longs = {};
  private double[] doubles = {};
  private @Nullable String[] texts = {};

  FluxColumn(FluxChunk chunk) {
    this.chunk = chunk;
  }

  /** Its name. */
  public String label() {
    return label;
  }

  /** What its cells are. */
  public FluxType type() {
    return type;
  }

  /** Whether it is part of the group key. */
  public boolean grouped() {
    return grouped;
  }

  /** Whether any row of this chunk is null; else {@link #isNull} need not be asked. */
  public boolean hasNulls() {
    return anyNull;
  }

  /** Whether the row has no value. */
  public boolean isNull(int row) {
    return anyNull && nulls[at(row)];
  }

  /**
   * The value of a {@link FluxType#LONG}, {@link FluxType#UNSIGNED_LONG}, {@link FluxType#TIME} or
   * {@link FluxType#DURATION}; 0 where it is null.
   *
   * @throws IllegalStateException the column is of another type
   */
  public long longAt(int row) {
    return wholes()[at(row)];
  }

  /**
   * The value of a {@link FluxType#DOUBLE}; 0 where it is null.
   *
   * @throws IllegalStateException the column is of another type
   */
  public double doubleAt(int row) {
    return reals()[at(row)];
  }

  /**
   * The value of a {@link FluxType#BOOLEAN}; false where it is null.
   *
   * @throws IllegalStateException the column is of another type
   */
  public boolean booleanAt(int row) {
    require(type == FluxType.BOOLEAN, "a boolean");
    return longs[at(row)] != 0;
  }

  /**
   * The value of a {@link FluxType#TEXT}; null where it is null or empty. Equal texts are mostly
   * one object.
   *
   * @throws IllegalStateException the column is of another type
   */
  public @Nullable String textAt(int row) {
    require(type == FluxType.TEXT, "a text");
    return texts[at(row)];
  }

  /**
   * The value of a {@link FluxType#BINARY}; null where it is null or empty.
   *
   * @throws IllegalStateException the column is of another type
   */
  public byte @Nullable [] bytesAt(int row) {
    require(type == FluxType.BINARY, "bytes");
    String text = texts[at(row)];
    return text == null ? null : Base64.getDecoder().decode(text);
  }

  /**
   * What {@link #longAt} gives, of all rows at once: the array itself, as long as the rows or
   * longer, not to be changed.
   *
   * @throws IllegalStateException the column is of another type
   */
  public long[] longs() {
    long[] all = wholes();
    if (grouped) {
      longs = all.length < chunk.rows() ? Arrays.copyOf(all, chunk.rows()) : all;
      Arrays.fill(longs, all[0]);
    }
    return longs;
  }

  /**
   * What {@link #doubleAt} gives, of all rows at once: the array itself, as long as the rows or
   * longer, not to be changed.
   *
   * @throws IllegalStateException the column is of another type
   */
  public double[] doubles() {
    double[] all = reals();
    if (grouped) {
      doubles = all.length < chunk.rows() ? Arrays.copyOf(all, chunk.rows()) : all;
      Arrays.fill(doubles, all[0]);
    }
    return doubles;
  }

  /** Becomes a column of another schema. */
  void begin(String newLabel, FluxType newType, boolean inKey) {
    label = newLabel;
    type = newType;
    grouped = inKey;
    clearNulls();
    ensure(1);
  }

  /** Makes room for so many rows. */
  void ensure(int rows) {
    if (nulls.length < rows) {
      nulls = Arrays.copyOf(nulls, rows);
    }
    switch (type) {
      case DOUBLE -> doubles = doubles.length < rows ? Arrays.copyOf(doubles, rows) : doubles;
      case TEXT, BINARY -> texts = texts.length < rows ? Arrays.copyOf(texts, rows) : texts;
      default -> longs = longs.length < rows ? Arrays.copyOf(longs, rows) : longs;
    }
  }

  void put(int row, boolean isNull, long whole, double real, @Nullable String text) {
    if (isNull) {
      nulls[row] = true;
      anyNull = true;
    }
    switch (type) {
      case DOUBLE -> doubles[row] = real;
      case TEXT, BINARY -> texts[row] = text;
      default -> longs[row] = whole;
    }
  }

  void clearNulls() {
    if (anyNull) {
      Arrays.fill(nulls, false);
      anyNull = false;
    }
  }

  private long[] wholes() {
    require(
        type == FluxType.LONG
            || type == FluxType.UNSIGNED_LONG
            || type == FluxType.TIME
            || type == FluxType.DURATION,
        "a whole number or a time");
    return longs;
  }

  private double[] reals() {
    require(type == FluxType.DOUBLE, "a double");
    return doubles;
  }

  private int at(int row) {
    return grouped ? 0 : row;
  }

  private void require(boolean right, String wanted) {
    if (!right) {
      throw new IllegalStateException(
          "The column '%s' is of type %s, not %s"
              .formatted(Messages.shown(label), type.annotation(), wanted));
    }
  }
}
