package dev.aquifer.tsquery.flux;

import dev.aquifer.ConfigurationException;

/**
 * How large a Flux answer may be. The memory that reading takes is bounded by them: a few times
 * {@code rowBytes}, and some bytes a column.
 *
 * @param rows rows in the whole answer; default 10,000,000
 * @param columns columns of a table, 1 to 100,000; default 4,096
 * @param rowBytes bytes of a row, line breaks in its texts included, 1 to 256 MiB; default 4 MiB
 */
public record FluxCsvLimits(long rows, int columns, int rowBytes) {
  private static final int MAX_COLUMNS = 100_000;
  private static final int MAX_ROW_BYTES = 1 << 28;

  /**
   * Checks that each allows something.
   *
   * @throws ConfigurationException when one is out of its range
   */
  public FluxCsvLimits {
    if (rows <= 0
        || columns <= 0
        || columns > MAX_COLUMNS
        || rowBytes <= 0
        || rowBytes > MAX_ROW_BYTES) {
      throw new ConfigurationException(
          "Limits of %,d rows, %,d columns (1 to %,d), %,d bytes a row (1 to %,d): outside the range."
              .formatted(rows, columns, MAX_COLUMNS, rowBytes, MAX_ROW_BYTES));
    }
  }

  /** 10,000,000 rows, 4,096 columns, 4 MiB a row. */
  public static FluxCsvLimits defaults() {
    return new FluxCsvLimits(10_000_000, 4_096, 1 << 22);
  }
}
