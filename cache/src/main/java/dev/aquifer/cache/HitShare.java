package dev.aquifer.cache;

/**
 * How many of the latest looks found something, about. Thread-safe; an update that is lost to a
 * race does not matter.
 */
final class HitShare {
  private static final int ALL = 1 << 16;
  private static final int MEMORY = 5;

  private volatile int share = ALL;

  void found(boolean hit) {
    int now = share;
    int next = now + (((hit ? ALL : 0) - now) >> MEMORY);
    if (next != now) {
      share = next;
    }
  }

  /** Whether more look-ups find something than do not. */
  boolean likely() {
    return share > ALL / 2;
  }
}
