package dev.aquifer.tsquery.flux;

import java.util.List;
import org.jspecify.annotations.Nullable;

/** A step of a script or of a function's block. */
sealed interface Statement {
  /** Where it begins. */
  Place place();

  /** {@code package name}; the first of a script. */
  record PackageClause(String name, Place place) implements Statement {}

  /** {@code import alias "path"}; after the package, before all else. */
  record Import(@Nullable String alias, String path, Place place) implements Statement {}

  /** {@code name = value}. */
  record Assign(String name, Expression value, Place place) implements Statement {}

  /** {@code option name = value} or {@code option of.name = value}. */
  record Option(@Nullable String of, String name, Expression value, Place place)
      implements Statement {}

  /** An expression alone. */
  record Evaluate(Expression value, Place place) implements Statement {}

  /** {@code return value}; the last of a function's block. */
  record Return(Expression value, Place place) implements Statement {}

  /** {@code builtin name : type}; the type in its canonical text. */
  record Builtin(String name, String type, Place place) implements Statement {}

  /** {@code test name = value}. */
  record Test(String name, Expression value, Place place) implements Statement {}

  /** {@code testcase name extends "other" { … }}. */
  record TestCase(String name, @Nullable String base, List<Statement> body, Place place)
      implements Statement {
    public TestCase {
      body = List.copyOf(body);
    }
  }

  /** {@code @name(arguments)} before another statement. */
  record Attributed(String name, List<Expression> arguments, Statement statement, Place place)
      implements Statement {
    public Attributed {
      arguments = List.copyOf(arguments);
    }
  }
}
