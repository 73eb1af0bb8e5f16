package dev.aquifer.tsquery.flux;

import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * What the storage of InfluxDB 2.x takes of a predicate, by the rules of its planner: {@code and}s
 * are split, and of each part the shape alone decides; one that is left behind says why.
 */
final class Predicates {
  private static final Set<String> COMPARISONS = Set.of("<", "<=", ">", ">=");
  private static final Set<String> MATCHES = Set.of("==", "!=", "=~", "!~");

  /** The function of a filter: its row, and the value that it returns. */
  record Body(String row, Expression value) {}

  private Predicates() {}

  /** The predicate, where it is one expression of one row; otherwise null. */
  static @Nullable Body body(Expression.Function function) {
    return function.parameters().size() == 1
            && function.parameters().get(0).byDefault() == null
            && function.body().size() == 1
            && function.body().get(0) instanceof Statement.Return returned
        ? new Body(function.parameters().get(0).name(), returned.value())
        : null;
  }

  /** The parts that must all hold. */
  static List<Expression> parts(Expression predicate) {
    List<Expression> parts = new ArrayList<>();
    if (predicate instanceof Expression.Logical logical && logical.operator().equals("and")) {
      logical.operands().forEach(operand -> parts.addAll(parts(operand)));
    } else {
      parts.add(predicate);
    }
    return parts;
  }

  static Expression all(List<Expression> parts, Place place) {
    return parts.size() == 1 ? parts.get(0) : new Expression.Logical("and", parts, place);
  }

  /** The column that this is of the row, or null. */
  static @Nullable String column(Expression expression, String row) {
    return expression instanceof Expression.Member member
            && member.object() instanceof Expression.Name name
            && name.name().equals(row)
        ? member.name()
        : null;
  }

  /** Whether what it compares is the value and nothing else. */
  static boolean ofValueAlone(Expression part, String row) {
    boolean[] found = compared(part, row);
    return found[0] && !found[1];
  }

  /** Whether alternatives in it are of the value and of tags. */
  static boolean mixed(Expression part, String row) {
    if (!(part instanceof Expression.Logical logical)) {
      return false;
    }
    boolean[] found = compared(part, row);
    return found[0]
        && found[1]
        && (logical.operator().equals("or")
            || logical.operands().stream().anyMatch(operand -> mixed(operand, row)));
  }

  /** Whether the value is compared, and whether a tag is. */
  private static boolean[] compared(Expression part, String row) {
    boolean[] found = new boolean[2];
    compared(part, row, found);
    return found;
  }

  private static void compared(Expression part, String row, boolean[] found) {
    String column = column(part, row);
    if (column != null) {
      found[column.equals("_value") ? 0 : 1] = true;
    }
    Tree.children(part, child -> compared(child, row, found));
  }

  /**
   * Whether it depends on what only the server knows if storage takes this part: on the kind of a
   * value, or on whether a name stands for a truth.
   */
  static boolean undecided(Expression part, String row, Bindings scope) {
    if (part instanceof Expression.Logical logical) {
      return logical.operands().stream().anyMatch(operand -> undecided(operand, row, scope));
    } else if (part instanceof Expression.Binary binary) {
      return column(binary.left(), row) != null
          && column(binary.right(), row) == null
          && resolved(binary.right(), row, scope) == null
          && mayBeLiteral(binary.right(), row, scope);
    }
    return !(part instanceof Expression.Name name && name.name().equals("true"))
        && (part instanceof Expression.Name || part instanceof Expression.Member);
  }

  /** Why storage does not take this part, with its place; null where it does. */
  static @Nullable Obstacle obstacle(Expression part, String row, Bindings scope) {
    Place place = part.place();
    if (part instanceof Expression.Logical logical) {
      for (Expression operand : logical.operands()) {
        Obstacle obstacle =
            operand instanceof Expression.Name
                ? new Obstacle("a truth is pushed down only where it stands alone", operand.place())
                : obstacle(operand, row, scope);
        if (obstacle != null) {
          return obstacle;
        }
      }
      return null;
    } else if (part instanceof Expression.Unary unary) {
      Expression operand = unary.operand();
      if (unary.operator().equals("not") && operand instanceof Expression.Unary) {
        return obstacle(operand, row, scope);
      }
      String column = unary.operator().equals("exists") ? column(operand, row) : null;
      if (column == null || column.equals("_value")) {
        return new Obstacle(
            unary.operator().equals("not")
                ? "'not' is pushed down only before 'exists'; write the opposite comparison"
                : "'exists' is pushed down only of a tag",
            place);
      }
      return null;
    } else if (part instanceof Expression.Binary binary) {
      return comparison(binary, row, scope);
    } else if (part instanceof Expression.Call call) {
      return new Obstacle(
          "the function '" + Messages.shown(Printer.print(call.callee())) + "' is called", place);
    } else if (part instanceof Expression.Conditional) {
      return new Obstacle("'if' is not pushed down", place);
    } else if (part instanceof Expression.Name name && name.name().equals("true")) {
      return null;
    }
    return new Obstacle("this is no comparison of a column with a literal", place);
  }

  private static @Nullable Obstacle comparison(
      Expression.Binary binary, String row, Bindings scope) {
    Place place = binary.place();
    String column = column(binary.left(), row);
    Expression right = binary.right();
    if (column == null) {
      return column(right, row) != null
          ? new Obstacle("the column must stand on the left, the literal on the right", place)
          : new Obstacle("what is compared is not a column itself", place);
    }
    if (column(right, row) != null) {
      return new Obstacle("two columns are compared", place);
    }
    Expression literal = resolved(right, row, scope);
    if (literal == null && !mayBeLiteral(right, row, scope)) {
      return new Obstacle(
          Constants.negative(right)
              ? "a negative number is no literal; hold it in a variable"
              : "the right side is not a literal",
          right.place());
    }
    if (literal instanceof Expression.Moment || literal instanceof Expression.Span) {
      return new Obstacle(
          column.equals("_time")
              ? "times are not pushed down; narrow the range instead"
              : "times and durations are not pushed down",
          place);
    }
    boolean value = column.equals("_value");
    if (!value
        && binary.operator().equals("==")
        && literal instanceof Expression.Text text
        && text.value().isEmpty()) {
      return new Obstacle("a tag is never the empty text; ask 'not exists' instead", place);
    }
    if (MATCHES.contains(binary.operator()) || (value && COMPARISONS.contains(binary.operator()))) {
      return null;
    }
    return new Obstacle(
        COMPARISONS.contains(binary.operator())
            ? "'" + binary.operator() + "' is pushed down only of _value"
            : "'" + binary.operator() + "' is computed",
        place);
  }

  /** The literal that the planner sees here: also behind a variable, also a negative one there. */
  private static @Nullable Expression resolved(Expression right, String row, Bindings scope) {
    if (Constants.literal(right)) {
      return right;
    }
    Meaning meaning = meaning(right, row, scope);
    if (meaning instanceof Meaning.Constant constant
        && !(constant.value() instanceof Expression.Array)) {
      return constant.value() instanceof Expression.Unary unary
              && unary.operand() instanceof Expression.Span
          ? unary.operand()
          : constant.value();
    }
    return meaning instanceof Meaning.Bound bound && !(bound.value() instanceof Expression.Array)
        ? bound.value() instanceof Expression.Unary unary ? unary.operand() : bound.value()
        : null;
  }

  /** A value that is known before the planner runs, if not here. */
  private static boolean mayBeLiteral(Expression right, String row, Bindings scope) {
    return meaning(right, row, scope) instanceof Meaning.Unknown
        || (right instanceof Expression.Member member
            && member.object() instanceof Expression.Name name
            && name.name().equals("params")
            && scope.find("params") instanceof Meaning.Builtin);
  }

  /**
   * What a name or a member of one stands for; of all else nothing is said. Nor of the row, which
   * hides a variable of its name.
   */
  static @Nullable Meaning meaning(Expression expression, String row, Bindings scope) {
    if (expression instanceof Expression.Name name) {
      if (name.name().equals(row)) {
        return null;
      }
      Meaning meaning = scope.find(name.name());
      boolean truth = name.name().equals("true") || name.name().equals("false");
      return truth && meaning instanceof Meaning.Builtin ? new Meaning.Constant(name) : meaning;
    }
    return expression instanceof Expression.Member member
            && meaning(member.object(), row, scope) instanceof Meaning.Fields fields
        ? fields.values().get(member.name())
        : null;
  }

  /** Why something is left to the query engine. */
  record Obstacle(String reason, Place place) {}
}
