package dev.aquifer.tsquery;

import dev.aquifer.RefusedQueryException;
import java.util.List;

/**
 * A condition on the values of a field. Immutable. It chooses among that field's own values: a
 * query with one selects that field and no other, so that the condition means the same where a
 * point is a row (PostgreSQL, InfluxQL) and where each field is stored by itself (Flux). Of a point
 * without the field no condition holds, nor does its opposite.
 *
 * <p>Values are {@link Long}, {@link Double} (finite), {@link Boolean} or {@link String}; smaller
 * types of number are taken as the larger ones. They must be of the field's kind, numbers of either
 * kind with numbers: PostgreSQL refuses others, InfluxDB finds nothing or fails.
 */
public sealed interface FieldPredicate extends PointPredicate {
  /** How a number is compared. */
  enum Comparison {
    /** Smaller than. */
    LESS,
    /** Smaller than, or the same. */
    AT_MOST,
    /** Larger than. */
    MORE,
    /** Larger than, or the same. */
    AT_LEAST;

    /** What holds of a value where this does not. */
    Comparison negated() {
      return switch (this) {
        case LESS -> AT_LEAST;
        case AT_MOST -> MORE;
        case MORE -> AT_MOST;
        case AT_LEAST -> LESS;
      };
    }

    /** As query languages write it. */
    String sign() {
      return switch (this) {
        case LESS -> "<";
        case AT_MOST -> "<=";
        case MORE -> ">";
        case AT_LEAST -> ">=";
      };
    }
  }

  /** The field has one of the values. */
  record In(String field, List<Object> values) implements FieldPredicate {
    /** Checks name and values; at least one, all texts, all numbers or all booleans. */
    public In {
      Names.require("field", field);
      String name = field;
      values = values.stream().map(value -> operand(name, value)).toList();
      if (values.isEmpty()) {
        throw new RefusedQueryException(
            "in() for field %s has no values; it would hold for no point.".formatted(field));
      }
    }
  }

  /** The number compares so with this one. */
  record Compared(String field, Comparison comparison, Number value) implements FieldPredicate {
    /** Checks name and value. */
    public Compared {
      Names.require("field", field);
      value = (Number) operand(field, value);
    }
  }

  /** The text matches the regular expression somewhere, in the server's own syntax. */
  record Matches(String field, String regex) implements FieldPredicate {
    /** Checks name and expression; at most 1,000 characters. */
    public Matches {
      Names.require("field", field);
      Names.requireRegex("field " + field, regex);
    }
  }

  /** The field has the value. */
  static FieldPredicate eq(String field, Object value) {
    return new In(field, List.of(value));
  }

  /** The field has another value. */
  static PointPredicate ne(String field, Object value) {
    return PointPredicate.not(eq(field, value));
  }

  /** The field has one of the values. */
  static FieldPredicate in(String field, List<?> values) {
    return new In(field, List.copyOf(values));
  }

  /** The field has a value, and none of these. */
  static PointPredicate notIn(String field, List<?> values) {
    return PointPredicate.not(in(field, values));
  }

  /** The number is smaller than this one. */
  static FieldPredicate lt(String field, Number value) {
    return new Compared(field, Comparison.LESS, value);
  }

  /** The number is this one or a smaller. */
  static FieldPredicate le(String field, Number value) {
    return new Compared(field, Comparison.AT_MOST, value);
  }

  /** The number is larger than this one. */
  static FieldPredicate gt(String field, Number value) {
    return new Compared(field, Comparison.MORE, value);
  }

  /** The number is this one or a larger. */
  static FieldPredicate ge(String field, Number value) {
    return new Compared(field, Comparison.AT_LEAST, value);
  }

  /** The text matches somewhere: POSIX on PostgreSQL, RE2 on InfluxDB, Rust's on 3.x. */
  static FieldPredicate matches(String field, String regex) {
    return new Matches(field, regex);
  }

  private static Object operand(String field, Object value) {
    if (value instanceof Long || value instanceof Boolean) {
      return value;
    } else if (value instanceof Integer || value instanceof Short || value instanceof Byte) {
      return ((Number) value).longValue();
    } else if (value instanceof String text) {
      return Names.requireValue("field " + field, text);
    } else if (value instanceof Double || value instanceof Float) {
      double real = ((Number) value).doubleValue();
      if (Double.isFinite(real)) {
        return real + 0.0;
      }
    }
    throw new RefusedQueryException(
        "Field %s cannot be compared with %s %s; use a finite number, a text or a boolean."
            .formatted(
                Names.printable(field),
                value.getClass().getSimpleName(),
                Names.printable(value.toString())));
  }
}
