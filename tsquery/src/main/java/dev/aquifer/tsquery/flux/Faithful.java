package dev.aquifer.tsquery.flux;

import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Writes the parts of a filter so that storage takes them, and so that it makes no difference
 * whether it does. Two things stand between a predicate and storage. Its shape: the literal must be
 * on the right, functions must be gone. And its meaning where a tag is missing: the query engine
 * compares null, which is never true, while storage compares the empty text, so that {@code !=},
 * {@code !~} and patterns that match the empty text are true of it there. So what is written here
 * of those says {@code exists} as well.
 *
 * <p>A row is let through where the predicate is true; false and null are the same. That holds for
 * what is below {@code and} and {@code or}, and for nothing else.
 */
final class Faithful {
  /** The longest list that becomes alternatives. */
  static final int MAX_ALTERNATIVES = 128;

  private static final int MAX_INLINED = 8;
  private static final Set<String> ALWAYS_THERE = Set.of("_measurement", "_field");
  private static final Set<String> NEVER_TEXTS = Set.of("_time", "_start", "_stop");

  private final String row;
  private final Bindings scope;
  private final Set<String> shadowed;
  private final List<String> rules = new ArrayList<>();

  /**
   * @param shadowed what the script defines: where {@code contains} is among it, it means another
   *     function
   */
  Faithful(String row, Bindings scope, Set<String> shadowed) {
    this.row = row;
    this.scope = scope;
    this.shadowed = shadowed;
  }

  /** The names of the rules that were used so far. */
  List<String> rules() {
    return rules;
  }

  /** Whether it makes no difference who evaluates the part as it is written. */
  boolean stays(Expression part) {
    int before = rules.size();
    Expression written = written(part);
    rules.subList(before, rules.size()).clear();
    return part.equals(written);
  }

  /** The part as storage may have it; null where there is no such. */
  @Nullable Expression of(Expression part) {
    int before = rules.size();
    Expression plain = new Inlining(row, scope, shadowed, MAX_INLINED, rules).of(part);
    Expression written = written(plain);
    if (written == null) {
      rules.subList(before, rules.size()).clear();
    }
    return written;
  }

  private @Nullable Expression written(Expression part) {
    Place place = part.place();
    if (part instanceof Expression.Logical logical) {
      List<Expression> operands = new ArrayList<>();
      for (Expression operand : logical.operands()) {
        Expression changed = written(operand);
        if (changed == null) {
          return null;
        }
        operands.add(changed);
      }
      return new Expression.Logical(logical.operator(), operands, place);
    } else if (part instanceof Expression.Binary binary) {
      return comparison(binary.operator(), binary.left(), binary.right(), place);
    } else if (part instanceof Expression.Unary unary) {
      return unary.operator().equals("exists") ? exists(unary) : not(unary);
    } else if (part instanceof Expression.Call call) {
      return contains(call, false);
    } else if (part instanceof Expression.Conditional conditional
        && truth(conditional.yes(), "true")
        && truth(conditional.no(), "false")) {
      rules.add(Rules.FOLDED);
      return written(conditional.test());
    }
    return null;
  }

  private boolean truth(Expression expression, String word) {
    return expression instanceof Expression.Name name
        && name.name().equals(word)
        && !shadowed.contains(word);
  }

  private @Nullable Expression exists(Expression.Unary unary) {
    String column = Predicates.column(unary.operand(), row);
    return column == null || column.equals("_value") || NEVER_TEXTS.contains(column) ? null : unary;
  }

  private @Nullable Expression not(Expression.Unary unary) {
    Expression operand = unary.operand();
    if (!unary.operator().equals("not")) {
      return null;
    }
    if (operand instanceof Expression.Unary inner && inner.operator().equals("exists")) {
      return exists(inner) == null ? null : unary;
    } else if (operand instanceof Expression.Binary binary) {
      String opposite =
          switch (binary.operator()) {
            case "==" -> "!=";
            case "!=" -> "==";
            case "=~" -> "!~";
            case "!~" -> "=~";
            default -> null;
          };
      Expression changed =
          opposite == null
              ? null
              : comparison(opposite, binary.left(), binary.right(), unary.place());
      if (changed != null) {
        rules.add(Rules.NEGATION);
      }
      return changed;
    }
    return operand instanceof Expression.Call call ? contains(call, true) : null;
  }

  private @Nullable Expression comparison(
      String operator, Expression left, Expression right, Place place) {
    if (Predicates.column(left, row) == null && Predicates.column(right, row) != null) {
      String mirrored =
          switch (operator) {
            case "==", "!=" -> operator;
            default -> null;
          };
      Expression changed = mirrored == null ? null : comparison(mirrored, right, left, place);
      if (changed != null) {
        rules.add(Rules.LITERAL_RIGHT);
      }
      return changed;
    }
    String column = Predicates.column(left, row);
    Expression same = new Expression.Binary(operator, left, right, place);
    // Storage compares _value with no unsigned number truly, and what a field is, is not known
    // here.
    if (column == null
        || column.equals("_value")
        || NEVER_TEXTS.contains(column)
        || Predicates.obstacle(same, row, scope) != null) {
      return null;
    }
    // Only where the literal's kind is known is it known what storage makes of it.
    Expression literal = literal(right);
    return switch (operator) {
      case "==" -> literal instanceof Expression.Text text && !text.value().isEmpty() ? same : null;
      case "!=" ->
          literal instanceof Expression.Text text && !text.value().isEmpty()
              ? there(column, left, same)
              : null;
      case "=~" ->
          literal instanceof Expression.Regex regex
              ? needsMore(regex.pattern()) ? same : there(column, left, same)
              : null;
      case "!~" -> literal instanceof Expression.Regex ? there(column, left, same) : null;
      default -> null;
    };
  }

  private @Nullable Expression literal(Expression right) {
    if (Constants.literal(right)) {
      return right;
    }
    Meaning meaning = Predicates.meaning(right, row, scope);
    if (meaning instanceof Meaning.Bound bound) {
      return bound.value();
    }
    return meaning instanceof Meaning.Constant constant ? constant.value() : null;
  }

  private static Expression there(String column, Expression member, Expression comparison) {
    return ALWAYS_THERE.contains(column)
        ? comparison
        : new Expression.Logical(
            "and",
            List.of(new Expression.Unary("exists", member, comparison.place()), comparison),
            comparison.place());
  }

  /** Whether a pattern is known not to match the empty text: some character in each alternative. */
  private static boolean needsMore(String pattern) {
    for (String alternative : pattern.split("\\|", -1)) {
      if (!alternative.matches("[\\^$()]*[A-Za-z0-9_ :-][A-Za-z0-9_ :^$()-]*")) {
        return false;
      }
    }
    return true;
  }

  /**
   * A row without the column is not in any set; {@code contains} itself says false of it, so that
   * {@code not contains} lets it through.
   */
  private @Nullable Expression contains(Expression.Call call, boolean negated) {
    if (!(call.callee() instanceof Expression.Name name)
        || !name.name().equals("contains")
        || shadowed.contains("contains")
        || call.arguments().size() != 2) {
      return null;
    }
    Expression value = null;
    Expression set = null;
    for (Expression.Property argument : call.arguments()) {
      if (argument.key().equals("value")) {
        value = argument.value();
      } else if (argument.key().equals("set")) {
        set = argument.value();
      }
    }
    String column = value == null ? null : Predicates.column(value, row);
    List<Expression> elements = set == null ? null : elements(set);
    if (value == null || column == null || elements == null) {
      return null;
    }
    List<Expression> comparisons = new ArrayList<>();
    for (Expression element : elements) {
      Expression one = comparison("==", value, element, call.place());
      if (one == null) {
        return null;
      }
      comparisons.add(negated ? new Expression.Binary("!=", value, element, call.place()) : one);
    }
    rules.add(Rules.CONTAINS);
    if (!negated) {
      return joined("or", comparisons, call.place());
    }
    Expression none = joined("and", comparisons, call.place());
    if (ALWAYS_THERE.contains(column)) {
      return none;
    }
    Expression missing =
        new Expression.Unary(
            "not", new Expression.Unary("exists", value, call.place()), call.place());
    return new Expression.Logical("or", List.of(missing, none), call.place());
  }

  private static Expression joined(String operator, List<Expression> operands, Place place) {
    return operands.size() == 1
        ? operands.get(0)
        : new Expression.Logical(operator, operands, place);
  }

  /** What a set lists, each once, of one kind; null where it lists nothing or too much. */
  private @Nullable List<Expression> elements(Expression set) {
    Expression known = set;
    if (Predicates.meaning(set, row, scope) instanceof Meaning.Constant constant) {
      known = constant.value();
    }
    if (!(known instanceof Expression.Array array)
        || array.elements().isEmpty()
        || array.elements().size() > MAX_ALTERNATIVES) {
      return null;
    }
    List<Expression> elements = new ArrayList<>();
    for (Expression element : array.elements()) {
      boolean plain =
          element instanceof Expression.Text
              || element instanceof Expression.Int
              || element instanceof Expression.Decimal;
      if (!plain || element.getClass() != array.elements().get(0).getClass()) {
        return null;
      }
      if (!elements.contains(element)) {
        elements.add(element);
      }
    }
    return elements;
  }
}
