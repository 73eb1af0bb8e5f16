package dev.aquifer.spi;

import java.util.List;

/**
 * A table that a module makes of its own figures, for people: what a page shows beside meters, and
 * what has too many names to be a meter. Thread-safe.
 */
public interface Report {
  /** What it is of. */
  String title();

  /** What is in the columns. */
  List<String> columns();

  /**
   * The rows as they are now, the most important first, each with a cell for each column; as many
   * as fit a page. No cell has a value of the application's data, or a secret.
   */
  List<List<String>> rows();
}
