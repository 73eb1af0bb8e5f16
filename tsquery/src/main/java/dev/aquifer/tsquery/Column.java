package dev.aquifer.tsquery;

/** The values of one selection of one series in one segment, one a window. */
interface Column {
  /** Writes values, absent ones too, to another run. */
  void copyTo(Cells target, int from, int toIndex, int length);

  boolean anyPresent(int from, int to);

  /** Bytes of memory, about. */
  int weight();
}
