package dev.aquifer.tsquery.flux;

import org.jspecify.annotations.Nullable;

/**
 * Where a node stood in its script. All places are equal, so that two trees are equal when they say
 * the same, wherever they were written.
 */
final class Place {
  /** Of what was made, not read. */
  static final Place NONE = new Place(1, 1);

  private final int line;
  private final int column;

  Place(int line, int column) {
    this.line = line;
    this.column = column;
  }

  int line() {
    return line;
  }

  int column() {
    return column;
  }

  @Override
  public boolean equals(@Nullable Object other) {
    return other instanceof Place;
  }

  @Override
  public int hashCode() {
    return 0;
  }

  @Override
  public String toString() {
    return line + ":" + column;
  }
}
