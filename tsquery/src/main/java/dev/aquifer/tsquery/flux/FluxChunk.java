package dev.aquifer.tsquery.flux;

import dev.aquifer.AquiferException;
import java.util.List;

/**
 * Rows of one table of a Flux answer, by columns. One object is used for all chunks of an answer:
 * what is to last must be copied. Not thread-safe.
 *
 * <p>A large table comes in several chunks. A table without rows, which {@code onEmpty: "keep"}
 * leaves behind, comes as one chunk of no rows, with the values of its group key.
 */
public final class FluxChunk {
  private List<FluxColumn> columns = List.of();
  private String result = "";
  private long table;
  private int rows;
  private boolean startsSchema;
  private boolean startsTable;

  FluxChunk() {}

  /** The name that the table's result was yielded by. */
  public String result() {
    return result;
  }

  /**
   * The number of the table within its result. It says nothing beyond this answer: series are told
   * apart by the values of their grouped columns.
   */
  public long table() {
    return table;
  }

  /** Whether these are the table's first rows; grouped columns have other values from here on. */
  public boolean startsTable() {
    return startsTable;
  }

  /**
   * Whether the columns are others than in the chunk before. Until the next such chunk {@link
   * #columns} are the same objects.
   */
  public boolean startsSchema() {
    return startsSchema;
  }

  /** How many rows. */
  public int rows() {
    return rows;
  }

  /** The columns in the answer's order, without {@code result} and {@code table}. Labels differ. */
  public List<FluxColumn> columns() {
    return columns;
  }

  /** Where in {@link #columns} the one with this label is; -1 when there is none. */
  public int indexOf(String label) {
    for (int i = 0; i < columns.size(); i++) {
      if (columns.get(i).label().equals(label)) {
        return i;
      }
    }
    return -1;
  }

  /**
   * The column with this label.
   *
   * @throws AquiferException there is none
   */
  public FluxColumn column(String label) {
    int index = indexOf(label);
    if (index < 0) {
      throw new AquiferException(
          "The answer's result '%s' has no column '%s' in table %d; does the script keep it?"
              .formatted(Messages.shown(result), Messages.shown(label), table));
    }
    return columns.get(index);
  }

  void schema(List<FluxColumn> others) {
    columns = List.copyOf(others);
    startsSchema = true;
  }

  void begin(String resultName, long tableId) {
    result = resultName;
    table = tableId;
    startsTable = true;
  }

  void rows(int count) {
    rows = count;
  }

  /** After a chunk was taken. */
  void taken() {
    rows = 0;
    startsTable = false;
    startsSchema = false;
  }
}
