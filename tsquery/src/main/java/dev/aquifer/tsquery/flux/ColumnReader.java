package dev.aquifer.tsquery.flux;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Base64;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * Reads the cells of one column. The bytes of the last cell are kept with its value: in most
 * columns of an answer the next cell is the same, and is then not read but compared. Where cells
 * keep changing, that is given up.
 */
final class ColumnReader {
  private static final int LONGEST_KEPT = 256;
  private static final int MISSES = 16;
  private static final int MANY_LOOKED_FOR = 1_024;
  private static final int MANY_FOUND_NOT = MANY_LOOKED_FOR * 15 / 16;
  private static final byte[] TRUE = {'t', 'r', 'u', 'e'};
  private static final byte[] FALSE = {'f', 'a', 'l', 's', 'e'};
  private static final byte[] EMPTY = {};

  private final CsvScanner scanner;
  private final TextPool texts;
  private final FluxColumn column;
  private FluxType type = FluxType.TEXT;
  private boolean grouped;
  private boolean lastOfRow;
  private byte @Nullable [] byDefault;

  // The last cell with the comma or line end after it, and its value.
  private byte[] kept = {};
  private int keptLength;
  private int misses;
  private boolean isNull;
  private long whole;
  private double real;
  private @Nullable String text;

  private int lookedFor;
  private int foundNot;

  ColumnReader(CsvScanner scanner, TextPool texts, FluxChunk chunk) {
    this.scanner = scanner;
    this.texts = texts;
    this.column = new FluxColumn(chunk);
  }

  FluxColumn column() {
    return column;
  }

  /** Begins a column of another schema. */
  void begin(
      String label, FluxType cellType, boolean inKey, String defaultText, boolean lastColumn) {
    type = cellType;
    grouped = inKey;
    lastOfRow = lastColumn;
    byDefault = defaultText.isEmpty() ? null : defaultText.getBytes(StandardCharsets.UTF_8);
    keptLength = 0;
    misses = 0;
    lookedFor = 0;
    foundNot = 0;
    whole = 0;
    real = 0;
    text = null;
    column.begin(label, cellType, inKey);
  }

  /** Reads the cell that begins there into a row: see {@link CsvScanner#scan}. */
  int read(int at, int row) {
    int next = parse(at);
    if (next >= 0) {
      store(row);
    }
    return next;
  }

  /**
   * Reads the cell of a grouped column, in another row than its table's first.
   *
   * @throws BrokenAnswerException it is not the table's
   */
  int readSame(int at) {
    if (keptLength > 0 && scanner.matches(at, kept, keptLength)) {
      return at + keptLength;
    }
    boolean wasNull = isNull;
    long wasWhole = whole;
    double wasReal = real;
    String wasText = text;
    int next = parse(at);
    boolean same =
        wasNull == isNull
            && wasWhole == whole
            && Double.doubleToRawLongBits(wasReal) == Double.doubleToRawLongBits(real)
            && Objects.equals(wasText, text);
    if (next >= 0 && !same) {
      throw scanner.broken(
          "the grouped column '" + Messages.shown(column.label()) + "' changes within a table");
    }
    return next;
  }

  boolean grouped() {
    return grouped;
  }

  /** Takes the default as the value of a table without rows. */
  void readDefault() {
    value(EMPTY, 0, 0);
    store(0);
  }

  /** Whether the cell that was read has a value. */
  boolean isNull() {
    return isNull;
  }

  long whole() {
    return whole;
  }

  String text() {
    return text == null ? "" : text;
  }

  private int parse(int at) {
    if (keptLength > 0 && scanner.matches(at, kept, keptLength)) {
      misses = 0;
      return at + keptLength;
    }
    if (type == FluxType.TIME && !lastOfRow && scanner.mayBeTime(at) && time(at)) {
      return at + Times.SHORTEST + 1;
    }
    int next = scanner.scan(at);
    if (next < 0) {
      return next;
    }
    if (scanner.lastOfRow() != lastOfRow) {
      throw scanner.broken(lastOfRow ? "more cells than columns" : "fewer cells than columns");
    }
    keptLength = 0;
    value(scanner.cell(), scanner.from(), scanner.to());
    if ((grouped || misses < MISSES) && next - at <= LONGEST_KEPT) {
      misses++;
      kept = scanner.copy(at, next - at, kept);
      keptLength = next - at;
    }
    return next;
  }

  /** Most times are of whole seconds: without looking for their end. */
  private boolean time(int at) {
    try {
      whole = Times.nanos(scanner.buffer(), at, at + Times.SHORTEST);
      isNull = false;
      keptLength = 0;
      return true;
    } catch (IllegalArgumentException e) {
      return false;
    }
  }

  private void value(byte[] cell, int from, int to) {
    try {
      if (from < to) {
        isNull = false;
        typed(cell, from, to);
      } else if (byDefault != null) {
        isNull = false;
        typed(byDefault, 0, byDefault.length);
      } else {
        isNull = true;
        whole = 0;
        real = 0;
        text = null;
      }
    } catch (IllegalArgumentException e) {
      // Without the cause: it has the value.
      throw scanner.broken(
          "a cell of the column '%s' is no %s, or out of its range"
              .formatted(Messages.shown(column.label()), type.annotation()));
    }
  }

  private void typed(byte[] cell, int from, int to) {
    switch (type) {
      case LONG, DURATION -> whole = Wholes.signed(cell, from, to);
      case UNSIGNED_LONG -> whole = Wholes.unsigned(cell, from, to);
      case DOUBLE -> real = Decimals.parse(cell, from, to);
      case TIME -> whole = Times.nanos(cell, from, to);
      case BOOLEAN -> whole = truth(cell, from, to);
      case TEXT -> text = text(cell, from, to);
      case BINARY -> {
        text = texts.text(cell, from, to);
        requireBase64(text);
      }
    }
  }

  /** Texts that hardly ever come again are not looked for: a message, an identifier. */
  private String text(byte[] cell, int from, int to) {
    if (lookedFor == MANY_LOOKED_FOR) {
      return texts.decode(cell, from, to);
    }
    long before = texts.added();
    String found = texts.text(cell, from, to);
    foundNot += (int) (texts.added() - before);
    if (++lookedFor == MANY_LOOKED_FOR && foundNot < MANY_FOUND_NOT) {
      lookedFor = 0;
      foundNot = 0;
    }
    return found;
  }

  /** In its one right form, so that equal bytes are equal texts. */
  private static void requireBase64(String text) {
    if (!Base64.getEncoder().encodeToString(Base64.getDecoder().decode(text)).equals(text)) {
      throw new IllegalArgumentException("bits or padding that no encoder writes");
    }
  }

  private static long truth(byte[] cell, int from, int to) {
    if (Arrays.equals(cell, from, to, TRUE, 0, TRUE.length)) {
      return 1;
    }
    if (Arrays.equals(cell, from, to, FALSE, 0, FALSE.length)) {
      return 0;
    }
    throw new IllegalArgumentException("neither true nor false");
  }

  private void store(int row) {
    column.put(row, isNull, whole, real, text);
  }
}
