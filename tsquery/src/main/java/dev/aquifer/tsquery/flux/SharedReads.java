package dev.aquifer.tsquery.flux;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.IdentityHashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Writes a read that is held in a variable out where the variable is used, if each use goes on from
 * it with a pipe. A read whose tables are used more than once is pushed on nowhere.
 */
final class SharedReads {
  /** The most calls that are copied to where they are used; each use copies all before it. */
  private static final int MAX_COPIED = 2_000;

  private final Set<String> kept;
  private final Map<String, Expression.Pipe> reads = new LinkedHashMap<>();
  private final Map<String, Integer> uses = new HashMap<>();
  private final IdentityHashMap<Expression.Call, Expression.Call> origins = new IdentityHashMap<>();
  private final IdentityHashMap<Expression.Call, Set<String>> through = new IdentityHashMap<>();
  private final IdentityHashMap<Expression.Call, Integer> reaches = new IdentityHashMap<>();
  private final List<FluxPlan.Rewrite> rewrites = new ArrayList<>();
  private final Map<String, Place> places = new HashMap<>();
  private long copied;

  /**
   * @param kept variables that stay
   */
  SharedReads(Set<String> kept) {
    this.kept = kept;
  }

  /** The {@code from} that this one is a copy of, or itself. */
  Expression.Call origin(Expression.Call from) {
    return origins.getOrDefault(from, from);
  }

  /** The variables with several uses that this {@code from} was held in. */
  Set<String> through(Expression.Call from) {
    return through.getOrDefault(from, Set.of());
  }

  /** How many stages of a pipe from this {@code from} on come before its tables have two uses. */
  int reach(Expression.Call from) {
    return reaches.getOrDefault(from, Integer.MAX_VALUE);
  }

  List<FluxPlan.Rewrite> rewrites() {
    return rewrites;
  }

  List<Statement> of(List<Statement> script) {
    Map<String, Integer> heads = new HashMap<>();
    Map<String, Integer> all = new HashMap<>();
    Map<String, Integer> assigned = new HashMap<>();
    for (Statement statement : script) {
      if (statement instanceof Statement.Assign assign) {
        assigned.merge(assign.name(), 1, Integer::sum);
      }
      Tree.children(statement, child -> count(child, true, heads, all));
    }
    all.forEach(
        (name, count) -> {
          if (count.equals(heads.get(name)) && Integer.valueOf(1).equals(assigned.get(name))) {
            uses.put(name, count);
          }
        });
    List<Statement> written = new ArrayList<>();
    for (Statement statement : script) {
      Statement changed = Rebuild.statement(statement, this::written);
      if (changed instanceof Statement.Assign assign
          && uses.containsKey(assign.name())
          && !kept.contains(assign.name())
          && assign.value() instanceof Expression.Pipe pipe
          && Optimizer.read(pipe)
          && affordable(pipe, uses.getOrDefault(assign.name(), 0))) {
        reads.put(assign.name(), pipe);
        places.put(assign.name(), assign.place());
      } else {
        written.add(changed);
      }
    }
    reads.keySet().forEach(this::tell);
    return reads.isEmpty() ? script : written;
  }

  private boolean affordable(Expression.Pipe pipe, int times) {
    copied += (long) pipe.stages().size() * times;
    return copied <= MAX_COPIED;
  }

  private void tell(String name) {
    Place place = places.getOrDefault(name, Place.NONE);
    int times = uses.getOrDefault(name, 0);
    rewrites.add(
        new FluxPlan.Rewrite(
            times > 1 ? Rules.READ_PER_USE : Rules.READ_INLINED,
            place.line(),
            place.column(),
            "a read held in '%s', used %d times".formatted(Messages.shown(name), times),
            "a read where it is used"));
  }

  /**
   * Counts where names stand: at the head of a pipe outside of functions, and at all. A parameter
   * of the same name counts as a use that is no head, so that such a name is left alone.
   */
  private static void count(
      Expression expression,
      boolean outside,
      Map<String, Integer> heads,
      Map<String, Integer> all) {
    if (expression instanceof Expression.Name name) {
      all.merge(name.name(), 1, Integer::sum);
    } else if (expression instanceof Expression.Pipe pipe
        && outside
        && pipe.source() instanceof Expression.Name name) {
      heads.merge(name.name(), 1, Integer::sum);
    } else if (expression instanceof Expression.Function function) {
      for (Expression.Parameter parameter : function.parameters()) {
        all.merge(parameter.name(), 1, Integer::sum);
      }
      locals(function.body(), all);
    } else if (expression instanceof Expression.Fields fields) {
      shorthand(fields.properties(), all);
    } else if (expression instanceof Expression.Call call) {
      shorthand(call.arguments(), all);
    }
    boolean inside = outside && !(expression instanceof Expression.Function);
    Tree.children(expression, child -> count(child, inside, heads, all));
  }

  private static void locals(List<Statement> body, Map<String, Integer> all) {
    for (Statement statement : body) {
      if (statement instanceof Statement.Assign assign) {
        all.merge(assign.name(), 1, Integer::sum);
      }
    }
  }

  private static void shorthand(List<Expression.Property> properties, Map<String, Integer> all) {
    for (Expression.Property property : properties) {
      if (property.value() == null) {
        all.merge(property.key(), 1, Integer::sum);
      }
    }
  }

  private Expression written(Expression expression) {
    if (expression instanceof Expression.Function) {
      return expression;
    }
    Expression inner = Rebuild.children(expression, this::written);
    if (inner instanceof Expression.Pipe pipe && pipe.source() instanceof Expression.Name name) {
      Expression.Pipe read = reads.get(name.name());
      return read == null ? pipe : joined(name.name(), read, pipe);
    }
    return inner;
  }

  private Expression.Pipe joined(String name, Expression.Pipe read, Expression.Pipe use) {
    Expression source = read.source();
    if (source instanceof Expression.Call from) {
      Expression.Call copy =
          new Expression.Call(from.callee(), new ArrayList<>(from.arguments()), from.place());
      origins.put(copy, origin(from));
      Set<String> names = new HashSet<>(through(from));
      if (uses.getOrDefault(name, 0) > 1) {
        names.add(name);
      }
      through.put(copy, names);
      int reach = uses.getOrDefault(name, 0) > 1 ? read.stages().size() : Integer.MAX_VALUE;
      reaches.put(copy, Math.min(reach(from), reach));
      source = copy;
    }
    List<Expression.Call> stages = new ArrayList<>(read.stages());
    stages.addAll(use.stages());
    return new Expression.Pipe(source, stages, use.place());
  }

  /** The pipe's source where it is {@code from}. */
  static Expression.@Nullable Call from(Expression.Pipe pipe) {
    return pipe.source() instanceof Expression.Call call
            && call.callee() instanceof Expression.Name name
            && name.name().equals("from")
        ? call
        : null;
  }
}
