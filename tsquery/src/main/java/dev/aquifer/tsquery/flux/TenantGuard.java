package dev.aquifer.tsquery.flux;

import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Confines a script to one tenant. The proof has three parts. Rows come into a script through
 * {@code from} alone, since every other name that could bring some is refused: only names known to
 * compute from what they are given are let through. {@code from} stands nowhere but at the head of
 * a pipe whose next stages are {@code range} and a filter for the tenant. And {@code from}, {@code
 * range} and {@code filter} mean what they say, since no script may define them. So the first thing
 * that happens to rows is that those of others go; nothing before it can rename or overwrite the
 * tag, and nothing after it can bring them back.
 *
 * <p>Right after the range the filter is part of the storage's own read, and what follows is pushed
 * down as it was.
 */
final class TenantGuard {
  private final String tag;
  private final Expression value;

  TenantGuard(String tag, Expression value) {
    this.tag = tag;
    this.value = value;
  }

  List<Statement> confine(List<Statement> script) {
    return statements(script, new Scope(null));
  }

  private List<Statement> statements(List<Statement> statements, Scope scope) {
    List<Statement> confined = new ArrayList<>(statements.size());
    for (Statement statement : statements) {
      confined.add(statement(statement, scope));
    }
    return confined;
  }

  private Statement statement(Statement statement, Scope scope) {
    Place place = statement.place();
    if (statement instanceof Statement.Assign assign) {
      Expression assigned = expression(assign.value(), scope);
      scope.define(assign.name(), place);
      return new Statement.Assign(assign.name(), assigned, place);
    } else if (statement instanceof Statement.Evaluate evaluate) {
      return new Statement.Evaluate(expression(evaluate.value(), scope), place);
    } else if (statement instanceof Statement.Return returned) {
      return new Statement.Return(expression(returned.value(), scope), place);
    } else if (statement instanceof Statement.Import imported) {
      importPackage(imported, scope);
      return imported;
    } else if (statement instanceof Statement.Option option) {
      return option(option, scope);
    } else if (statement instanceof Statement.PackageClause named && named.name().equals("main")) {
      return named;
    }
    throw new RefusedScriptException(
        "packages other than main, builtins, tests and attributes have no place in a query", place);
  }

  private static void importPackage(Statement.Import imported, Scope scope) {
    String path = imported.path();
    if (!Harmless.packagePath(path)) {
      throw new RefusedScriptException(
          "the package '" + Messages.shown(path) + "' may read, write or call beyond the tenant",
          imported.place());
    }
    String name =
        imported.alias() != null ? imported.alias() : path.substring(path.lastIndexOf('/') + 1);
    scope.importAs(name, path, imported.place());
  }

  private Statement option(Statement.Option option, Scope scope) {
    if (!scope.outermost() || option.of() != null || !option.name().equals("location")) {
      throw new RefusedScriptException(
          "the option '"
              + Messages.shown(option.name())
              + "' is not the script's to set; only"
              + " location is",
          option.place());
    }
    return new Statement.Option(
        null, option.name(), expression(option.value(), scope), option.place());
  }

  private Expression expression(Expression expression, Scope scope) {
    Place place = expression.place();
    if (expression instanceof Expression.Name name) {
      requireKnown(name.name(), place, scope);
      return name;
    } else if (expression instanceof Expression.Member member) {
      return member(member, scope);
    } else if (expression instanceof Expression.Pipe pipe) {
      return pipe(pipe, scope);
    } else if (expression instanceof Expression.Call call) {
      return call(call, scope);
    } else if (expression instanceof Expression.Function function) {
      return function(function, scope);
    } else if (expression instanceof Expression.Fields record) {
      if (record.base() != null) {
        requireKnown(record.base().name(), record.base().place(), scope);
      }
      return new Expression.Fields(record.base(), properties(record.properties(), scope), place);
    } else if (expression instanceof Expression.Logical logical) {
      return new Expression.Logical(
          logical.operator(), expressions(logical.operands(), scope), place);
    } else if (expression instanceof Expression.Binary binary) {
      return new Expression.Binary(
          binary.operator(),
          expression(binary.left(), scope),
          expression(binary.right(), scope),
          place);
    } else if (expression instanceof Expression.Unary unary) {
      return new Expression.Unary(unary.operator(), expression(unary.operand(), scope), place);
    } else if (expression instanceof Expression.Conditional conditional) {
      return new Expression.Conditional(
          expression(conditional.test(), scope),
          expression(conditional.yes(), scope),
          expression(conditional.no(), scope),
          place);
    } else if (expression instanceof Expression.Index index) {
      return new Expression.Index(
          expression(index.array(), scope), expression(index.index(), scope), place);
    } else if (expression instanceof Expression.Array array) {
      return new Expression.Array(expressions(array.elements(), scope), place);
    } else if (expression instanceof Expression.Dictionary dictionary) {
      List<Expression.Entry> entries = new ArrayList<>();
      for (Expression.Entry entry : dictionary.entries()) {
        entries.add(
            new Expression.Entry(expression(entry.key(), scope), expression(entry.value(), scope)));
      }
      return new Expression.Dictionary(entries, place);
    } else if (expression instanceof Expression.Interpolated text) {
      List<Expression.Part> parts = new ArrayList<>();
      for (Expression.Part part : text.parts()) {
        parts.add(
            part instanceof Expression.Part.Hole hole
                ? new Expression.Part.Hole(expression(hole.value(), scope))
                : part);
      }
      return new Expression.Interpolated(parts, place);
    }
    return literal(expression);
  }

  // Whatever is not a literal has been dealt with; a kind of node added later is refused here.
  private static Expression literal(Expression expression) {
    if (expression instanceof Expression.Text
        || expression instanceof Expression.Int
        || expression instanceof Expression.Decimal
        || expression instanceof Expression.Moment
        || expression instanceof Expression.Span
        || expression instanceof Expression.Regex
        || expression instanceof Expression.PipeInput) {
      return expression;
    }
    throw new IllegalStateException("no guard for " + expression.getClass());
  }

  private List<Expression> expressions(List<Expression> expressions, Scope scope) {
    List<Expression> confined = new ArrayList<>(expressions.size());
    for (Expression expression : expressions) {
      confined.add(expression(expression, scope));
    }
    return confined;
  }

  private List<Expression.Property> properties(List<Expression.Property> properties, Scope scope) {
    List<Expression.Property> confined = new ArrayList<>(properties.size());
    for (Expression.Property property : properties) {
      Expression given = property.value();
      if (given == null) {
        // A key alone stands for the variable of that name.
        requireKnown(property.key(), property.place(), scope);
        confined.add(property);
      } else {
        confined.add(
            new Expression.Property(property.key(), expression(given, scope), property.place()));
      }
    }
    return confined;
  }

  private Expression function(Expression.Function function, Scope scope) {
    Scope inner = new Scope(scope);
    List<Expression.Parameter> parameters = new ArrayList<>();
    for (Expression.Parameter parameter : function.parameters()) {
      @Nullable Expression byDefault =
          parameter.byDefault() == null ? null : expression(parameter.byDefault(), scope);
      parameters.add(new Expression.Parameter(parameter.name(), byDefault, parameter.place()));
    }
    parameters.forEach(parameter -> inner.define(parameter.name(), parameter.place()));
    return new Expression.Function(
        parameters, statements(function.body(), inner), function.block(), function.place());
  }

  private Expression member(Expression.Member member, Scope scope) {
    if (member.object() instanceof Expression.Name name) {
      String path = scope.packageOf(name.name());
      if (path != null) {
        if (!Harmless.member(path, member.name())) {
          throw new RefusedScriptException(
              "'%s.%s' may read beyond the tenant"
                  .formatted(name.name(), Messages.shown(member.name())),
              member.place());
        }
        return member;
      }
    }
    return new Expression.Member(expression(member.object(), scope), member.name(), member.place());
  }

  private Expression.Call call(Expression.Call call, Scope scope) {
    return new Expression.Call(
        expression(call.callee(), scope), properties(call.arguments(), scope), call.place());
  }

  private Expression pipe(Expression.Pipe pipe, Scope scope) {
    if (!(pipe.source() instanceof Expression.Call from && isCallOf("from", from))) {
      List<Expression.Call> stages = new ArrayList<>();
      Expression source = expression(pipe.source(), scope);
      pipe.stages().forEach(stage -> stages.add(call(stage, scope)));
      return new Expression.Pipe(source, stages, pipe.place());
    }
    requireArguments(from, Set.of("bucket", "bucketID"));
    Expression.Call range = pipe.stages().get(0);
    if (!isCallOf("range", range)) {
      throw new RefusedScriptException(
          "'from' must be followed by '|> range(…)' at once, so that the tenant's filter can follow"
              + " it",
          from.place());
    }
    requireArguments(range, Set.of("start", "stop"));
    List<Expression.Call> stages = new ArrayList<>();
    stages.add(call(range, scope));
    if (pipe.stages().size() < 2 || !confines(pipe.stages().get(1))) {
      stages.add(filter(range.place()));
    }
    for (Expression.Call stage : pipe.stages().subList(1, pipe.stages().size())) {
      stages.add(call(stage, scope));
    }
    Expression.Call source =
        new Expression.Call(from.callee(), properties(from.arguments(), scope), from.place());
    return new Expression.Pipe(source, stages, pipe.place());
  }

  private static boolean isCallOf(String name, Expression.Call call) {
    return call.callee() instanceof Expression.Name callee && callee.name().equals(name);
  }

  private static void requireArguments(Expression.Call call, Set<String> allowed) {
    for (Expression.Property argument : call.arguments()) {
      if (!allowed.contains(argument.key())) {
        throw new RefusedScriptException(
            "the argument '" + Messages.shown(argument.key()) + "' may lead to other data",
            argument.place());
      }
    }
  }

  private Expression.Call filter(Place place) {
    Expression row = new Expression.Name("r", place);
    Expression same =
        new Expression.Binary("==", new Expression.Member(row, tag, place), value, place);
    Expression function =
        new Expression.Function(
            List.of(new Expression.Parameter("r", null, place)),
            List.of(new Statement.Return(same, place)),
            false,
            place);
    return new Expression.Call(
        new Expression.Name("filter", place),
        List.of(new Expression.Property("fn", function, place)),
        place);
  }

  /** Whether this stage lets through rows of the tenant alone, and no empty tables of others. */
  private boolean confines(Expression.Call stage) {
    return isCallOf("filter", stage)
        && stage.arguments().size() == 1
        && stage.arguments().get(0).key().equals("fn")
        && stage.arguments().get(0).value() instanceof Expression.Function function
        && function.parameters().size() == 1
        && function.parameters().get(0).byDefault() == null
        && function.body().size() == 1
        && function.body().get(0) instanceof Statement.Return returned
        && confines(returned.value(), function.parameters().get(0).name());
  }

  private boolean confines(Expression predicate, String row) {
    if (predicate instanceof Expression.Logical logical && logical.operator().equals("and")) {
      for (Expression operand : logical.operands()) {
        if (confines(operand, row)) {
          return true;
        }
        // What may fail tells of the row that it fails for, so it must not see others' rows.
        if (Predicates.obstacle(operand, row, new Bindings(null)) != null) {
          return false;
        }
      }
      return false;
    }
    return predicate instanceof Expression.Binary binary
        && binary.operator().equals("==")
        && binary.left() instanceof Expression.Member member
        && member.name().equals(tag)
        && member.object() instanceof Expression.Name name
        && name.name().equals(row)
        && binary.right().equals(value);
  }

  private static void requireKnown(String name, Place place, Scope scope) {
    if (scope.packageOf(name) != null) {
      throw new RefusedScriptException(
          "the package '" + name + "' is used as a value; write its members out", place);
    }
    if (scope.knows(name) || Harmless.name(name)) {
      return;
    }
    throw new RefusedScriptException(
        switch (name) {
          case "from" ->
              "'from' stands elsewhere than in 'from(…) |> range(…)', where the tenant's filter"
                  + " cannot follow it";
          case "buckets" -> "'buckets' lists what belongs to others, too";
          case "to" -> "'to' writes";
          default -> "'" + Messages.shown(name) + "' is not known to stay within the tenant";
        },
        place);
  }
}
