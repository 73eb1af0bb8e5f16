package dev.aquifer.tsquery.flux;

import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Replaces calls of a script's own one-line functions by what they return, and expressions of
 * literals by the literal. Only where each name means the same in both places, and only for
 * arguments that cannot fail.
 */
final class Inlining {
  /** The most functions that are written out for one part of a filter. */
  private static final int MAX_INLINED = 64;

  /** The longest function that is, in nodes. */
  private static final int MAX_NODES = 200;

  private final String row;
  private final Bindings scope;
  private final Set<String> defined;
  private final int depth;
  private final List<String> rules;

  Inlining(String row, Bindings scope, Set<String> defined, int depth, List<String> rules) {
    this.row = row;
    this.scope = scope;
    this.defined = defined;
    this.depth = depth;
    this.rules = rules;
  }

  /** Below operators alone; within functions and arguments nothing is touched. */
  Expression of(Expression expression) {
    if (expression instanceof Expression.Logical
        || expression instanceof Expression.Unary
        || expression instanceof Expression.Conditional) {
      return Rebuild.children(expression, this::of);
    } else if (expression instanceof Expression.Binary binary) {
      return computed(binary.operator(), of(binary.left()), of(binary.right()), binary);
    } else if (expression instanceof Expression.Interpolated text) {
      Expression inner =
          Rebuild.children(
              text,
              hole -> {
                Expression known = constant(computable(hole) ? of(hole) : hole);
                return known == null ? hole : known;
              });
      Expression joined =
          inner instanceof Expression.Interpolated known
              ? Constants.join(known.parts(), text.place())
              : null;
      return joined == null ? expression : folded(joined);
    } else if (expression instanceof Expression.Call call) {
      Expression body = inlined(call);
      return body == null ? call : new Inlining(row, scope, defined, depth - 1, rules).of(body);
    }
    return expression;
  }

  /** An operator of operands in which all is inlined, so that none of them is visited again. */
  private Expression computed(
      String operator, Expression left, Expression right, Expression.Binary written) {
    Expression first = constant(left);
    Expression second = constant(right);
    Expression literal =
        first == null || second == null
            ? null
            : Constants.combine(operator, first, second, written.place());
    if (literal != null) {
      return folded(literal);
    }
    return left == written.left() && right == written.right()
        ? written
        : new Expression.Binary(operator, left, right, written.place());
  }

  private static boolean computable(Expression expression) {
    return expression instanceof Expression.Binary || expression instanceof Expression.Interpolated;
  }

  private Expression folded(Expression literal) {
    rules.add(Rules.FOLDED);
    return literal;
  }

  /** The literal that an operand is; never a bound value, which must not get into the text. */
  private @Nullable Expression constant(Expression operand) {
    Expression known =
        Predicates.meaning(operand, row, scope) instanceof Meaning.Constant constant
            ? constant.value()
            : operand;
    return Constants.literal(known) ? known : null;
  }

  private @Nullable Expression inlined(Expression.Call call) {
    if (depth == 0
        || rules.size() >= MAX_INLINED
        || !(call.callee() instanceof Expression.Name callee)
        || callee.name().equals(row)
        || !(scope.find(callee.name()) instanceof Meaning.Closure closure)
        || closure.scope() != scope) {
      return null;
    }
    Expression.Function function = closure.function();
    if (function.body().size() != 1
        || !(function.body().get(0) instanceof Statement.Return returned)) {
      return null;
    }
    Map<String, Expression> arguments = new HashMap<>();
    for (Expression.Property argument : call.arguments()) {
      Expression value =
          argument.value() == null
              ? new Expression.Name(argument.key(), argument.place())
              : argument.value();
      if (!plain(value)) {
        return null;
      }
      arguments.put(argument.key(), value);
    }
    for (Expression.Parameter parameter : function.parameters()) {
      Expression byDefault = parameter.byDefault();
      if (!arguments.containsKey(parameter.name())) {
        if (byDefault == null || !Constants.literal(byDefault)) {
          return null;
        }
        arguments.put(parameter.name(), byDefault);
      }
    }
    if (arguments.size() != function.parameters().size()) {
      return null;
    }
    Substitution substitution = new Substitution(arguments);
    Expression body = substitution.of(returned.value());
    // Defined where it is called: what is free in it means the same, but for the row's name.
    if (!substitution.simple() || substitution.free().contains(row)) {
      return null;
    }
    rules.add(Rules.INLINED);
    return body;
  }

  private static boolean plain(Expression value) {
    return value instanceof Expression.Name
        || Constants.literal(value)
        || (value instanceof Expression.Member member
            && member.object() instanceof Expression.Name);
  }

  /** Puts arguments in the place of parameters. */
  private static final class Substitution {
    private final Map<String, Expression> arguments;
    private final Set<String> free = new HashSet<>();
    private boolean simple = true;
    private int nodes;

    Substitution(Map<String, Expression> arguments) {
      this.arguments = arguments;
    }

    Expression of(Expression expression) {
      if (++nodes > MAX_NODES) {
        simple = false;
        return expression;
      }
      if (expression instanceof Expression.Name name) {
        Expression argument = arguments.get(name.name());
        if (argument == null) {
          free.add(name.name());
          return name;
        }
        return argument;
      }
      if (expression instanceof Expression.Function
          || expression instanceof Expression.Fields
          || expression instanceof Expression.PipeInput) {
        // Names of their own, or names as keys.
        simple = false;
        return expression;
      }
      if (expression instanceof Expression.Call call
          && call.arguments().stream().anyMatch(argument -> argument.value() == null)) {
        simple = false;
      }
      return Rebuild.children(expression, this::of);
    }

    boolean simple() {
      return simple;
    }

    Set<String> free() {
      return free;
    }
  }
}
