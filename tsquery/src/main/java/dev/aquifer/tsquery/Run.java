package dev.aquifer.tsquery;

/**
 * Windows side by side.
 *
 * @param from the first
 * @param to the one after the last
 */
record Run(long from, long to) {
  long size() {
    return to - from;
  }
}
