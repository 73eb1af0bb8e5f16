package dev.aquifer.cache;

/**
 * The numbers that a partition's sequence leaves out, where one server of Redis went on in the
 * place of another; see {@link Script}. A void with such a number was lost with the server that
 * gave it. Immutable.
 */
final class Gaps {
  static final Gaps NONE = new Gaps(new long[0]);

  private final long[] ends;

  private Gaps(long[] ends) {
    this.ends = ends;
  }

  /**
   * What scripts tell: {@code before:after} of each, and blanks between.
   *
   * @throws NumberFormatException it is something else
   */
  static Gaps read(String text) {
    if (text.isEmpty()) {
      return NONE;
    }
    String[] numbers = text.split("[: ]", -1);
    if (numbers.length % 2 != 0) {
      throw new NumberFormatException("Redis told of gaps that do not end.");
    }
    long[] ends = new long[numbers.length];
    for (int i = 0; i < ends.length; i++) {
      ends[i] = Long.parseLong(numbers[i]);
    }
    return new Gaps(ends);
  }

  /** Whether the number is in a gap. */
  boolean contain(long sequence) {
    for (int i = 0; i < ends.length; i += 2) {
      if (sequence > ends[i] && sequence < ends[i + 1]) {
        return true;
      }
    }
    return false;
  }
}
