package dev.aquifer.tsquery;

import dev.aquifer.RefusedQueryException;
import java.time.Duration;

/**
 * What is done to the windows of each series of an answer, after they were put together and filled.
 * Stages run one after the other, on this side; so they mean the same on every backend, and queries
 * that differ in them alone share their cached windows.
 *
 * <p>A stage sees the windows that the query shows, and nothing before its range: the first
 * difference of an answer is that of its second window. Those that compute do so for every column,
 * and refuse columns of texts or booleans. Columns are named as {@link Selection#name} has it, such
 * as {@code mean(delay)}, or as {@link #map} named them. What is said of values that are missing is
 * as in Flux, but for {@link #top} and {@link #bottom}. A series that has no window left is left
 * out.
 *
 * <p>Immutable.
 */
public sealed interface Stage {
  /** The first windows, or the last. */
  record Limit(int windows, boolean last) implements Stage {
    /** Checks the number. */
    public Limit {
      requireWindows("limit", windows, MAX_WINDOWS);
    }
  }

  /** All windows, in order of a column's values; those without come first, equal ones as before. */
  record Sort(String column, boolean descending) implements Stage {}

  /** The windows with the largest values of a column, or the smallest, in that order. */
  record Ranked(int windows, String column, boolean largest) implements Stage {
    /** Checks the number. */
    public Ranked {
      requireWindows(largest ? "top" : "bottom", windows, MAX_WINDOWS);
    }
  }

  /** How much each value is more than the one before. */
  record Difference(boolean nonNegative) implements Stage {}

  /** How much values grow in a unit of time. */
  record Derivative(Duration unit, boolean nonNegative) implements Stage {
    /** Checks the unit. */
    public Derivative {
      if (unit.isNegative() || unit.isZero()) {
        throw new RefusedQueryException(
            "A derivative for each %s is none: the duration must be positive.".formatted(unit));
      }
      Nanos.of("unit", unit);
    }
  }

  /** The sum of each value and all before. */
  record CumulativeSum() implements Stage {}

  /** The mean of each value and those before. */
  record MovingAverage(int windows) implements Stage {
    private static final int MOST = 1_000;

    /** Checks the number. */
    public MovingAverage {
      requireWindows("movingAverage", windows, MOST);
    }
  }

  /** A column that is computed of others. */
  record Map(String column, ColumnExpression value) implements Stage {
    /** Checks the name. */
    public Map {
      Names.require("column", column);
    }
  }

  /** The most windows that any answer has. */
  int MAX_WINDOWS = 10_000_000;

  /** The first n windows of each series; n is 1 to 10,000,000. */
  static Stage limit(int n) {
    return new Limit(n, false);
  }

  /** The last n windows of each series; n is 1 to 10,000,000. */
  static Stage tail(int n) {
    return new Limit(n, true);
  }

  /**
   * The windows in order of a column's values, the smallest first; then they are no longer in order
   * of time. Windows without a value come before all others.
   */
  static Stage sort(String column) {
    return new Sort(column, false);
  }

  /** The same, the largest first. Windows without a value come before all others here, too. */
  static Stage sortDescending(String column) {
    return new Sort(column, true);
  }

  /**
   * The n windows with the largest values of a column, the largest first. Windows without a value
   * are never among them (in Flux they would come first).
   */
  static Stage top(int n, String column) {
    return new Ranked(n, column, true);
  }

  /** The n windows with the smallest values of a column, the smallest first; as {@link #top}. */
  static Stage bottom(int n, String column) {
    return new Ranked(n, column, false);
  }

  /**
   * Each value less the last one before it. The first window is left out; one without a value, and
   * the first with one, have none. Whole numbers stay whole.
   */
  static Stage difference() {
    return new Difference(false);
  }

  /** The same; where a value is smaller than the one before, as when a counter restarts, none. */
  static Stage nonNegativeDifference() {
    return new Difference(true);
  }

  /**
   * How much a value is more than the last one before it, for each unit of the time between the
   * starts of their windows; a floating number. The first window is left out; one without a value,
   * and the first with one, have none.
   */
  static Stage derivative(Duration unit) {
    return new Derivative(unit, false);
  }

  /** The same; where a value is smaller than the one before, none. */
  static Stage nonNegativeDerivative(Duration unit) {
    return new Derivative(unit, true);
  }

  /**
   * The sum of each value and all before in the range. A window without a value repeats the sum,
   * which begins with 0. Whole numbers stay whole, unless their sum passes 64 bits.
   */
  static Stage cumulativeSum() {
    return new CumulativeSum();
  }

  /**
   * The mean of each window's value and those of the n − 1 windows before, of as many as have one;
   * a floating number. The first n − 1 windows are left out; of fewer than n, the last is shown
   * with the mean of all. Windows that the query leaves out are not counted: use a {@link Fill} to
   * average over time.
   *
   * @param n 1 to 1,000
   */
  static Stage movingAverage(int n) {
    return new MovingAverage(n);
  }

  /**
   * A column with values computed of others, or instead of one of this name. Windows in which one
   * of them has no value have none.
   */
  static Stage map(String column, ColumnExpression value) {
    return new Map(column, value);
  }

  private static void requireWindows(String stage, int windows, int most) {
    if (windows < 1 || windows > most) {
      throw new RefusedQueryException(
          "%s(%,d): the number of windows must be 1 to %,d.".formatted(stage, windows, most));
    }
  }
}
