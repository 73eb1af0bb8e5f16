package dev.aquifer.tsquery.flux;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Follows a script's tables through variables and functions, as the server's interpreter does
 * before anything is planned, and keeps what it would plan: the {@link Step}s. What would need data
 * is {@link Meaning#UNKNOWN}.
 *
 * <p>Bounded: a script that calls itself over and over is followed for some 200,000 calls, one that
 * is nested through calls to 1,000 levels.
 */
final class Tracer {
  private static final int MAX_CALLS = 200_000;
  private static final int MAX_DEPTH = 60;

  /** A tree has 400 at most, but a call adds those of the function. */
  private static final int MAX_LEVELS = 1_000;

  /** Of expressions, values in records and characters that are computed. */
  private static final int MAX_VISITS = 4_000_000;

  /** What a value that is copied into another record counts for, since it is kept there. */
  private static final int COPY = 8;

  private final List<List<Step>> plans = new ArrayList<>();
  private final Set<Step> results = new LinkedHashSet<>();
  private final Steps steps = new Steps();
  private boolean lost;
  private int calls;
  private int visits;
  private int depth;
  private int levels;
  private @Nullable Expression location;

  /**
   * What a script does: one plan for its results, one for each table that it looks into.
   *
   * @param complete false where it was not followed to its end: it calls itself too often, or only
   *     the server knows what becomes of some tables
   */
  record Trace(
      List<List<Step>> plans, Bindings names, @Nullable Expression location, boolean complete) {}

  private Tracer() {}

  static Trace trace(List<Statement> script, Map<String, Expression> bound) {
    Tracer tracer = new Tracer();
    Bindings scope = new Bindings(null);
    if (!bound.isEmpty()) {
      Map<String, Meaning> values = new LinkedHashMap<>();
      bound.forEach((name, value) -> values.put(name, new Meaning.Bound(value)));
      scope.define("params", new Meaning.Fields(values));
    }
    tracer.statements(script, scope);
    List<List<Step>> plans = new ArrayList<>();
    plans.add(List.copyOf(tracer.results));
    plans.addAll(tracer.plans);
    return new Trace(plans, scope, tracer.location, tracer.calls < MAX_CALLS && !tracer.lost);
  }

  private Meaning statements(List<Statement> statements, Bindings scope) {
    for (Statement statement : statements) {
      if (statement instanceof Statement.Import imported) {
        String path = imported.path();
        String last = path.substring(path.lastIndexOf('/') + 1);
        scope.define(
            imported.alias() == null ? last : imported.alias(), new Meaning.Imported(last));
      } else if (statement instanceof Statement.Assign assign) {
        scope.define(assign.name(), expression(assign.value(), scope));
      } else if (statement instanceof Statement.Option option) {
        Meaning value = expression(option.value(), scope);
        if (option.of() == null) {
          scope.define(option.name(), value);
          if (option.name().equals("location")) {
            location = option.value();
          }
        }
      } else if (statement instanceof Statement.Return returned) {
        return expression(returned.value(), scope);
      } else if (statement instanceof Statement.Evaluate evaluate
          && expression(evaluate.value(), scope) instanceof Meaning.Rows rows) {
        results.add(rows.step());
      }
    }
    return Meaning.UNKNOWN;
  }

  private Meaning expression(Expression expression, Bindings scope) {
    if (levels == MAX_LEVELS || spent(1)) {
      calls = MAX_CALLS;
      return Meaning.UNKNOWN;
    }
    levels++;
    Meaning meaning = meaning(expression, scope);
    levels--;
    return meaning;
  }

  /** Whether that many visits more are too many; then the script is not followed to its end. */
  private boolean spent(int more) {
    visits = Math.min(visits + more, MAX_VISITS + 1);
    if (visits > MAX_VISITS) {
      calls = MAX_CALLS;
    }
    return visits > MAX_VISITS;
  }

  private Meaning meaning(Expression expression, Bindings scope) {
    if (Constants.literal(expression)) {
      return new Meaning.Constant(expression);
    } else if (expression instanceof Expression.Name name) {
      boolean truth = name.name().equals("true") || name.name().equals("false");
      Meaning meaning = scope.find(name.name());
      return truth && meaning instanceof Meaning.Builtin ? new Meaning.Constant(name) : meaning;
    } else if (expression instanceof Expression.Function function) {
      return new Meaning.Closure(function, scope);
    } else if (expression instanceof Expression.Pipe pipe) {
      Meaning input = expression(pipe.source(), scope);
      for (Expression.Call stage : pipe.stages()) {
        input = call(stage, scope, input);
      }
      return input;
    } else if (expression instanceof Expression.Call call) {
      return call(call, scope, null);
    } else if (expression instanceof Expression.Member member) {
      return member(expression(member.object(), scope), member.name());
    } else if (expression instanceof Expression.Fields fields) {
      return fields(fields, scope);
    } else if (expression instanceof Expression.Array array) {
      return array(array, scope);
    } else if (expression instanceof Expression.Unary unary) {
      return expression(unary.operand(), scope) instanceof Meaning.Constant constant
              && unary.operator().equals("-")
              && !Constants.negative(constant.value())
          ? new Meaning.Constant(new Expression.Unary("-", constant.value(), unary.place()))
          : Meaning.UNKNOWN;
    } else if (expression instanceof Expression.Binary binary) {
      return binary(binary, scope);
    } else if (expression instanceof Expression.Conditional conditional) {
      return conditional(conditional, scope);
    }
    Tree.children(expression, child -> lose(expression(child, scope)));
    return Meaning.UNKNOWN;
  }

  private Meaning binary(Expression.Binary binary, Bindings scope) {
    if (!(expression(binary.left(), scope) instanceof Meaning.Constant left)
        || !(expression(binary.right(), scope) instanceof Meaning.Constant right)) {
      return Meaning.UNKNOWN;
    }
    Expression value =
        Constants.combine(binary.operator(), left.value(), right.value(), binary.place());
    return value == null || (value instanceof Expression.Text text && spent(text.value().length()))
        ? Meaning.UNKNOWN
        : new Meaning.Constant(value);
  }

  private static Meaning member(Meaning object, String name) {
    if (object instanceof Meaning.Imported path) {
      // The one that storage reads for by two names.
      String full = path.path() + "." + name;
      return new Meaning.Builtin(full.equals("influxdb.from") ? "from" : full);
    }
    return object instanceof Meaning.Fields fields
        ? fields.values().getOrDefault(name, Meaning.UNKNOWN)
        : Meaning.UNKNOWN;
  }

  private Meaning fields(Expression.Fields record, Bindings scope) {
    Map<String, Meaning> values = new LinkedHashMap<>();
    if (record.base() != null) {
      if (!(scope.find(record.base().name()) instanceof Meaning.Fields base)) {
        arguments(record.properties(), scope).values().forEach(this::lose);
        return Meaning.UNKNOWN;
      }
      if (spent(COPY * base.values().size())) {
        return Meaning.UNKNOWN;
      }
      values.putAll(base.values());
    }
    values.putAll(arguments(record.properties(), scope));
    return new Meaning.Fields(values);
  }

  private Meaning array(Expression.Array array, Bindings scope) {
    List<Expression> values = new ArrayList<>();
    Map<String, Meaning> rows = new LinkedHashMap<>();
    for (Expression element : array.elements()) {
      Meaning meaning = expression(element, scope);
      if (meaning instanceof Meaning.Constant constant) {
        values.add(constant.value());
      } else if (meaning instanceof Meaning.Rows || meaning instanceof Meaning.Fields) {
        rows.put("[" + rows.size() + "]", meaning);
      }
    }
    if (!rows.isEmpty()) {
      return new Meaning.Fields(rows);
    }
    return values.size() == array.elements().size()
        ? new Meaning.Constant(new Expression.Array(values, array.place()))
        : Meaning.UNKNOWN;
  }

  /** Which of two streams it is, the server knows before it plans; here it may be either. */
  private Meaning conditional(Expression.Conditional conditional, Bindings scope) {
    Meaning test = expression(conditional.test(), scope);
    if (test instanceof Meaning.Constant constant
        && constant.value() instanceof Expression.Name truth) {
      return expression(truth.name().equals("true") ? conditional.yes() : conditional.no(), scope);
    }
    int before = steps.made();
    lose(expression(conditional.yes(), scope));
    lose(expression(conditional.no(), scope));
    lost |= steps.made() > before;
    return Meaning.UNKNOWN;
  }

  /** Nothing is known of it any more, also of tables that it holds. */
  private void lose(Meaning meaning) {
    List<Step> held = new ArrayList<>();
    collect(meaning, held);
    lost |= !held.isEmpty();
  }

  private Map<String, Meaning> arguments(List<Expression.Property> properties, Bindings scope) {
    Map<String, Meaning> values = new LinkedHashMap<>();
    for (Expression.Property property : properties) {
      Expression given = property.value();
      values.put(
          property.key(), given == null ? scope.find(property.key()) : expression(given, scope));
    }
    return values;
  }

  private Meaning call(Expression.Call call, Bindings scope, @Nullable Meaning input) {
    Meaning callee = expression(call.callee(), scope);
    return apply(callee, call, arguments(call.arguments(), scope), input);
  }

  /** Calls a function with a stream from a pipe. */
  private Meaning apply(
      Meaning callee,
      Expression.Call call,
      Map<String, Meaning> arguments,
      @Nullable Meaning input) {
    if (++calls > MAX_CALLS || depth > MAX_DEPTH) {
      calls = MAX_CALLS;
      return Meaning.UNKNOWN;
    }
    if (callee instanceof Meaning.Builtin builtin) {
      return builtin(builtin.name(), call, arguments, input);
    }
    if (!(callee instanceof Meaning.Closure closure)) {
      arguments.values().forEach(this::lose);
      if (input != null) {
        lose(input);
      }
      return Meaning.UNKNOWN;
    }
    Bindings inner = new Bindings(closure.scope());
    for (Expression.Parameter parameter : closure.function().parameters()) {
      Meaning given = arguments.get(parameter.name());
      Expression byDefault = parameter.byDefault();
      if (given == null && byDefault instanceof Expression.PipeInput) {
        given = input;
      } else if (given == null && byDefault != null) {
        given = expression(byDefault, closure.scope());
      }
      inner.define(parameter.name(), given == null ? Meaning.UNKNOWN : given);
    }
    depth++;
    Meaning result = statements(closure.function().body(), inner);
    depth--;
    return result;
  }

  private Meaning builtin(
      String name, Expression.Call call, Map<String, Meaning> arguments, @Nullable Meaning input) {
    List<Step> inputs = new ArrayList<>();
    if (input instanceof Meaning.Rows rows) {
      inputs.add(rows.step());
    }
    arguments.values().forEach(argument -> collect(argument, inputs));
    if (inputs.isEmpty()) {
      return name.equals("from") || name.endsWith(".from")
          ? new Meaning.Rows(steps.of(name, call, inputs, arguments))
          : Meaning.UNKNOWN;
    }
    switch (name) {
      case "tableFind", "findColumn", "findRecord" -> {
        plans.add(List.of(steps.of(name, call, inputs, arguments)));
        return Meaning.UNKNOWN;
      }
      case "yield" -> {
        Step step = steps.of(name, call, inputs, arguments);
        results.add(step);
        return new Meaning.Rows(step);
      }
      case "aggregateWindow" -> {
        Step window = steps.firstWindow(call, inputs, arguments);
        Meaning fn = arguments.getOrDefault("fn", Meaning.UNKNOWN);
        Map<String, Meaning> column =
            Map.of(
                "column",
                arguments.getOrDefault(
                    "column", new Meaning.Constant(new Expression.Text("_value", call.place()))));
        return apply(fn, call, column, new Meaning.Rows(window)) instanceof Meaning.Rows windows
            ? new Meaning.Rows(steps.relabel(call, windows.step(), arguments))
            : new Meaning.Rows(steps.of(name, call, inputs, arguments));
      }
      default -> {
        return new Meaning.Rows(steps.named(name, call, inputs, arguments));
      }
    }
  }

  /** Without recursion and within bounds: records may share records, to any depth. */
  private void collect(Meaning meaning, List<Step> inputs) {
    Deque<Iterator<Meaning>> open = new ArrayDeque<>();
    open.push(List.of(meaning).iterator());
    while (!open.isEmpty() && !spent(1)) {
      if (!open.peek().hasNext()) {
        open.pop();
        continue;
      }
      Meaning next = open.peek().next();
      if (next instanceof Meaning.Rows rows) {
        inputs.add(rows.step());
      } else if (next instanceof Meaning.Fields fields) {
        open.push(fields.values().values().iterator());
      }
    }
  }
}
