package dev.aquifer.tsquery.flux;

import java.util.HashSet;
import java.util.List;
import java.util.Set;

/** The names that a script gives a meaning anywhere, also those of parameters. */
final class Names {
  private final Set<String> defined = new HashSet<>();

  private Names() {}

  static Set<String> defined(List<Statement> script) {
    Names names = new Names();
    script.forEach(names::statement);
    return names.defined;
  }

  /** Whether a name stands anywhere in a script. */
  static boolean mentions(List<Statement> script, String name) {
    boolean[] found = new boolean[1];
    script.forEach(statement -> Tree.children(statement, child -> mentions(child, name, found)));
    return found[0];
  }

  private static void mentions(Expression expression, String name, boolean[] found) {
    found[0] |= expression instanceof Expression.Name word && word.name().equals(name);
    Tree.children(expression, child -> mentions(child, name, found));
  }

  private void statement(Statement statement) {
    if (statement instanceof Statement.Assign assign) {
      defined.add(assign.name());
    } else if (statement instanceof Statement.Option option) {
      defined.add(option.name());
    } else if (statement instanceof Statement.Builtin builtin) {
      defined.add(builtin.name());
    } else if (statement instanceof Statement.Test test) {
      defined.add(test.name());
    } else if (statement instanceof Statement.Import imported) {
      String path = imported.path();
      defined.add(
          imported.alias() == null ? path.substring(path.lastIndexOf('/') + 1) : imported.alias());
    } else if (statement instanceof Statement.TestCase testCase) {
      testCase.body().forEach(this::statement);
      return;
    } else if (statement instanceof Statement.Attributed attributed) {
      statement(attributed.statement());
    }
    Tree.children(statement, this::expression);
  }

  private void expression(Expression expression) {
    if (expression instanceof Expression.Function function) {
      for (Expression.Parameter parameter : function.parameters()) {
        defined.add(parameter.name());
        if (parameter.byDefault() != null) {
          expression(parameter.byDefault());
        }
      }
      function.body().forEach(this::statement);
      return;
    }
    Tree.children(expression, this::expression);
  }
}
