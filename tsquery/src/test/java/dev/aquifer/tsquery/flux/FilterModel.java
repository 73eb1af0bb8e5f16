package dev.aquifer.tsquery.flux;

import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * What the filters after a range let through, as a server evaluates them: parts that storage takes
 * know a missing tag as the empty text, the query engine knows it as null; and storage compares no
 * unsigned number, a Long here, with anything truly. Numbers, texts, and what the tests' predicates
 * are made of; nothing else.
 */
final class FilterModel {
  private final Bindings scope;

  FilterModel(Bindings scope) {
    this.scope = scope;
  }

  /**
   * Whether a row passes the filters that stand right after the range.
   *
   * @param reach how many of them storage may take, where several reads go on from there
   */
  boolean passes(List<Expression.Call> filters, int reach, Map<String, Object> row) {
    boolean pushing = true;
    for (int i = 0; i < filters.size(); i++) {
      Expression.Call filter = filters.get(i);
      Predicates.Body body = FilterRun.body(filter);
      if (body == null) {
        throw new IllegalArgumentException(Printer.print(filter));
      }
      pushing &= i < reach;
      boolean whole = true;
      for (Expression part : Predicates.parts(body.value())) {
        boolean pushed = pushing && Predicates.obstacle(part, body.row(), scope) == null;
        whole &= pushed;
        Object value = value(part, body.row(), row, pushed);
        if (!Boolean.TRUE.equals(value)) {
          return false;
        }
      }
      pushing &= whole;
    }
    return true;
  }

  private @Nullable Object value(
      Expression expression, String name, Map<String, Object> row, boolean storage) {
    if (expression instanceof Expression.Text text) {
      return text.value();
    } else if (expression instanceof Expression.Int number) {
      return (double) number.value();
    } else if (expression instanceof Expression.Moment moment) {
      return moment.value().toInstant();
    } else if (expression instanceof Expression.Decimal number) {
      return number.value();
    } else if (expression instanceof Expression.Name word) {
      if (word.name().equals("true") || word.name().equals("false")) {
        return word.name().equals("true");
      }
      return scope.find(word.name()) instanceof Meaning.Constant constant
          ? value(constant.value(), name, row, storage)
          : null;
    } else if (expression instanceof Expression.Member member) {
      Object there = row.get(member.name());
      return there == null && storage ? "" : there;
    } else if (expression instanceof Expression.Logical logical) {
      boolean and = logical.operator().equals("and");
      for (Expression operand : logical.operands()) {
        if (Boolean.TRUE.equals(value(operand, name, row, storage)) != and) {
          return !and;
        }
      }
      return and;
    } else if (expression instanceof Expression.Unary unary) {
      Object value = value(unary.operand(), name, row, storage);
      if (unary.operator().equals("exists")) {
        return value != null && !value.equals("");
      }
      return value instanceof Boolean truth ? !truth : null;
    } else if (expression instanceof Expression.Binary binary) {
      return compare(binary, name, row, storage);
    } else if (expression instanceof Expression.Conditional conditional) {
      boolean test = Boolean.TRUE.equals(value(conditional.test(), name, row, storage));
      return value(test ? conditional.yes() : conditional.no(), name, row, storage);
    } else if (expression instanceof Expression.Interpolated text) {
      StringBuilder joined = new StringBuilder();
      for (Expression.Part part : text.parts()) {
        joined.append(
            part instanceof Expression.Part.Hole hole
                ? value(hole.value(), name, row, storage)
                : ((Expression.Part.Chunk) part).value());
      }
      return joined.toString();
    } else if (expression instanceof Expression.Call call) {
      return call(call, name, row);
    }
    throw new IllegalArgumentException(Printer.print(expression));
  }

  private @Nullable Object compare(
      Expression.Binary binary, String name, Map<String, Object> row, boolean storage) {
    Object left = value(binary.left(), name, row, storage);
    if (binary.right() instanceof Expression.Regex regex) {
      return left == null
          ? null
          : Pattern.compile(regex.pattern()).matcher((String) left).find()
              == binary.operator().equals("=~");
    }
    Object right = value(binary.right(), name, row, storage);
    if (left == null || right == null) {
      return null;
    }
    if (left instanceof String one && right instanceof String other) {
      return switch (binary.operator()) {
        case "+" -> one + other;
        case "==" -> one.equals(other);
        default -> !one.equals(other);
      };
    }
    if (left instanceof Instant one && right instanceof Instant other) {
      // The tests have no other comparison of times.
      return !one.isBefore(other);
    }
    if (storage && left instanceof Long) {
      return false;
    }
    int order = Double.compare(((Number) left).doubleValue(), ((Number) right).doubleValue());
    return switch (binary.operator()) {
      case "==" -> order == 0;
      case "!=" -> order != 0;
      case "<" -> order < 0;
      case "<=" -> order <= 0;
      case ">" -> order > 0;
      default -> order >= 0;
    };
  }

  private @Nullable Object call(Expression.Call call, String name, Map<String, Object> row) {
    String callee = Printer.print(call.callee());
    if (callee.equals("contains")) {
      Object value = argument(call, "value", name, row);
      Expression.Array set = (Expression.Array) TimeBounds.argument(call, "set");
      return set.elements().stream()
          .map(element -> value(element, name, row, false))
          .anyMatch(
              element ->
                  value instanceof Long number
                      ? element.equals(number.doubleValue())
                      : element.equals(value));
    } else if (callee.equals("strings.hasPrefix")) {
      Object value = argument(call, "v", name, row);
      return value instanceof String text
          && text.startsWith((String) argument(call, "prefix", name, row));
    }
    // A function of the script's own, of the row.
    Meaning.Closure closure = (Meaning.Closure) scope.find(callee);
    Predicates.Body body = Predicates.body(closure.function());
    return value(body.value(), body.row(), row, false);
  }

  private @Nullable Object argument(
      Expression.Call call, String key, String name, Map<String, Object> row) {
    return value(TimeBounds.argument(call, key), name, row, false);
  }
}
