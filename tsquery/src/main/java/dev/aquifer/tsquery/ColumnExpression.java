package dev.aquifer.tsquery;

import dev.aquifer.RefusedQueryException;

/**
 * Arithmetic of columns, for {@link Stage#map}: floating numbers, computed as IEEE 754 has it, so
 * that a division by zero is infinite or not a number. Immutable.
 *
 * <pre>{@code
 * ColumnExpression.of(Aggregate.SUM, "late").dividedBy(ColumnExpression.of(Aggregate.COUNT, "late"))
 * }</pre>
 */
public sealed interface ColumnExpression {
  /** What is done with two numbers. */
  enum Operator {
    /** Their sum. */
    PLUS,
    /** The first less the second. */
    MINUS,
    /** Their product. */
    TIMES,
    /** The first in parts of the second. */
    DIVIDED_BY;

    double apply(double left, double right) {
      return switch (this) {
        case PLUS -> left + right;
        case MINUS -> left - right;
        case TIMES -> left * right;
        case DIVIDED_BY -> left / right;
      };
    }
  }

  /** The value of a column. */
  record Column(String name) implements ColumnExpression {}

  /** The same number in every window. */
  record Constant(double value) implements ColumnExpression {
    /** Checks that it is finite. */
    public Constant {
      if (!Double.isFinite(value)) {
        throw new RefusedQueryException(
            "The constant %s is no number to compute with.".formatted(value));
      }
    }
  }

  /** Two of them together. */
  record Combined(Operator operator, ColumnExpression left, ColumnExpression right)
      implements ColumnExpression {}

  /** The value of a column, by its name. */
  static ColumnExpression of(String column) {
    return new Column(column);
  }

  /** The value of a selection. */
  static ColumnExpression of(Aggregate aggregate, String field) {
    return new Column(new Selection(aggregate, field).name());
  }

  /** The same number in every window. */
  static ColumnExpression constant(double value) {
    return new Constant(value);
  }

  /** This and another, added. */
  default ColumnExpression plus(ColumnExpression other) {
    return new Combined(Operator.PLUS, this, other);
  }

  /** This less another. */
  default ColumnExpression minus(ColumnExpression other) {
    return new Combined(Operator.MINUS, this, other);
  }

  /** This and another, multiplied. */
  default ColumnExpression times(ColumnExpression other) {
    return new Combined(Operator.TIMES, this, other);
  }

  /** This divided by another. */
  default ColumnExpression dividedBy(ColumnExpression other) {
    return new Combined(Operator.DIVIDED_BY, this, other);
  }
}
