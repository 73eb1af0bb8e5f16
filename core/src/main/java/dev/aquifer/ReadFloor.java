package dev.aquifer;

import org.jspecify.annotations.Nullable;

/**
 * What a node must have replayed before it may answer: a known position, and every commit that was
 * acknowledged before a moment of this process whose position is not known yet.
 *
 * <p>The moment costs writers nothing: the first sample of the primary's log position that was
 * <em>begun</em> after it bounds it. Until there is one, only the primary qualifies.
 *
 * @param position the known part, or null
 * @param after the moment, in nanoseconds of the process's monotonic clock, meaningful only if
 *     {@code timed}
 * @param timed whether there is a moment
 */
public record ReadFloor(@Nullable Position position, long after, boolean timed) {
  /** No demand: every node qualifies. */
  public static final ReadFloor NONE = new ReadFloor(null, 0, false);

  /** Everything up to the position. */
  public static ReadFloor at(Position position) {
    return new ReadFloor(position, 0, false);
  }

  /**
   * Every commit that was acknowledged before the moment, in nanoseconds of the process's monotonic
   * clock.
   */
  public static ReadFloor after(long nanos) {
    return new ReadFloor(null, nanos, true);
  }

  /** Whether every node qualifies. */
  public boolean isNone() {
    return position == null && !timed;
  }

  /** The floor that satisfies both. Allocates only if neither does alone. */
  public ReadFloor and(ReadFloor other) {
    if (other.isNone()) {
      return this;
    }
    if (isNone()) {
      return other;
    }
    boolean either = timed || other.timed;
    long later =
        !timed
            ? other.after
            : !other.timed ? after : after - other.after >= 0 ? after : other.after;
    return new ReadFloor(max(position, other.position), later, either);
  }

  private static @Nullable Position max(@Nullable Position a, @Nullable Position b) {
    return a == null ? b : b == null ? a : a.max(b);
  }
}
