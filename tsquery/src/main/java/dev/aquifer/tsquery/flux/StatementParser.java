package dev.aquifer.tsquery.flux;

import dev.aquifer.tsquery.flux.Token.Kind;
import java.util.ArrayList;
import java.util.List;

/** Reads statements. Nothing ends a statement but the beginning of what cannot continue it. */
final class StatementParser {
  private final Cursor cursor;
  private final ExpressionParser expressions;
  private final TypeParser types;

  StatementParser(Cursor cursor) {
    this.cursor = cursor;
    this.expressions = new ExpressionParser(cursor, this);
    this.types = new TypeParser(cursor);
  }

  /** The whole script: package, imports, statements. */
  List<Statement> script() {
    List<Statement> statements = new ArrayList<>();
    int stage = 0;
    while (!cursor.at(Kind.END)) {
      Statement statement = statement();
      int order = order(statement);
      if (order < stage || (order == 0 && !statements.isEmpty())) {
        throw new RefusedScriptException(
            order == 0
                ? "the package must come first"
                : "imports must come before other statements",
            statement.place());
      }
      stage = order;
      statements.add(statement);
    }
    return statements;
  }

  private static int order(Statement statement) {
    Statement bare = statement;
    while (bare instanceof Statement.Attributed attributed) {
      bare = attributed.statement();
    }
    return bare instanceof Statement.PackageClause ? 0 : bare instanceof Statement.Import ? 1 : 2;
  }

  /** A function's block: its last statement is the only return in it. */
  List<Statement> functionBlock() {
    Place place = cursor.peek().place();
    cursor.enter();
    cursor.expect("{");
    List<Statement> statements = new ArrayList<>();
    while (!cursor.at("return")) {
      if (cursor.at("}")) {
        throw new RefusedScriptException("the function's block has no return", place);
      }
      statements.add(inner());
    }
    Place at = cursor.take().place();
    statements.add(new Statement.Return(expressions.expression(), at));
    cursor.expect("}");
    cursor.leave();
    return statements;
  }

  private Statement inner() {
    Statement statement = statement();
    if (order(statement) < 2) {
      throw new RefusedScriptException(
          "packages and imports stand at the beginning of a script", statement.place());
    }
    return statement;
  }

  private Statement statement() {
    Token token = cursor.peek();
    Place place = token.place();
    if (token.kind() == Kind.NAME) {
      return named(cursor.take());
    }
    if (token.kind() == Kind.ATTRIBUTE) {
      return attributed();
    }
    if (token.kind() == Kind.KEYWORD) {
      switch (token.text()) {
        case "package" -> {
          cursor.take();
          return new Statement.PackageClause(cursor.expectName().text(), place);
        }
        case "import" -> {
          cursor.take();
          String alias = cursor.at(Kind.NAME) ? cursor.take().text() : null;
          return new Statement.Import(alias, cursor.expectText().text(), place);
        }
        case "option" -> {
          cursor.take();
          return option(place);
        }
        case "builtin" -> {
          cursor.take();
          String name = cursor.expectName().text();
          cursor.expect(":");
          return new Statement.Builtin(name, types.type(), place);
        }
        case "test" -> {
          cursor.take();
          String name = cursor.expectName().text();
          cursor.expect("=");
          return new Statement.Test(name, expressions.expression(), place);
        }
        case "testcase" -> {
          cursor.take();
          return testCase(place);
        }
        case "return" ->
            throw new RefusedScriptException("return stands outside of a function", place);
        default -> {}
      }
    }
    return new Statement.Evaluate(expressions.expression(), place);
  }

  private Statement named(Token name) {
    if (cursor.takeIf("=")) {
      return new Statement.Assign(name.text(), expressions.expression(), name.place());
    }
    Expression.Name start = new Expression.Name(name.text(), name.place());
    return new Statement.Evaluate(expressions.continued(start), name.place());
  }

  private Statement option(Place place) {
    String name = cursor.expectName().text();
    String of = null;
    if (cursor.takeIf(".")) {
      of = name;
      name = cursor.expectName().text();
    }
    cursor.expect("=");
    return new Statement.Option(of, name, expressions.expression(), place);
  }

  private Statement testCase(Place place) {
    String name = cursor.expectName().text();
    String base = null;
    if (cursor.atWord("extends")) {
      cursor.take();
      base = cursor.expectText().text();
    }
    cursor.enter();
    cursor.expect("{");
    List<Statement> body = new ArrayList<>();
    while (!cursor.takeIf("}")) {
      body.add(inner());
    }
    cursor.leave();
    return new Statement.TestCase(name, base, body, place);
  }

  private Statement attributed() {
    Token attribute = cursor.take();
    cursor.enter();
    List<Expression> arguments = new ArrayList<>();
    if (cursor.takeIf("(")) {
      while (!cursor.at(")")) {
        arguments.add(expressions.primary());
        if (!cursor.takeIf(",")) {
          break;
        }
      }
      cursor.expect(")");
    }
    if (cursor.at(Kind.END)) {
      throw cursor.expected("a statement after the attribute");
    }
    Statement statement = statement();
    cursor.leave();
    return new Statement.Attributed(attribute.text(), arguments, statement, attribute.place());
  }
}
