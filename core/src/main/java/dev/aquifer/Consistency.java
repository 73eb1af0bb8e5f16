package dev.aquifer;

import java.time.Duration;
import org.jspecify.annotations.Nullable;

/**
 * How fresh a database read must be. The default is {@link #session()}.
 *
 * <p>Immutable and thread-safe.
 */
public final class Consistency {
  private static final Consistency SESSION = new Consistency(Level.SESSION, null);
  private static final Consistency STRONG = new Consistency(Level.STRONG, null);
  private static final Consistency EVENTUAL = new Consistency(Level.EVENTUAL, null);

  /** What is asked of the node that answers. */
  public enum Level {
    /** It shows all that the session wrote or read. */
    SESSION,
    /**
     * It shows all that had committed a stated time ago, and all that the session wrote or read.
     */
    BOUNDED,
    /** It is the primary. */
    STRONG,
    /** Any healthy node. */
    EVENTUAL
  }

  private final Level level;
  private final @Nullable Duration bound;

  private Consistency(Level level, @Nullable Duration bound) {
    this.level = level;
    this.bound = bound;
  }

  /** All that the session wrote or read is seen. */
  public static Consistency session() {
    return SESSION;
  }

  /**
   * As {@link #session()}, and nothing that had committed longer ago than the bound is missed.
   *
   * @param bound above zero
   */
  public static Consistency bounded(Duration bound) {
    if (bound.isZero() || bound.isNegative()) {
      throw new ConfigurationException(
          "Consistency.bounded needs a bound above zero; it was %s. Use strong() for no staleness at all."
              .formatted(bound));
    }
    return new Consistency(Level.BOUNDED, bound);
  }

  /** The primary answers. */
  public static Consistency strong() {
    return STRONG;
  }

  /** Any healthy node answers, also one that does not show the session's own writes yet. */
  public static Consistency eventual() {
    return EVENTUAL;
  }

  /** What is asked. */
  public Level level() {
    return level;
  }

  /** The bound of {@link Level#BOUNDED}, else null. */
  public @Nullable Duration bound() {
    return bound;
  }

  @Override
  public String toString() {
    return bound == null ? level.name() : level.name() + "(" + bound + ")";
  }
}
