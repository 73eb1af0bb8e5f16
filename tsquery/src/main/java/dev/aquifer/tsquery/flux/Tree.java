package dev.aquifer.tsquery.flux;

import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import java.util.function.Consumer;

/** What every walk over a tree needs. */
final class Tree {
  /** How high a tree may be; printing, comparing and guarding recurse no deeper. */
  static final int MAX_HEIGHT = 400;

  private Tree() {}

  /** Refuses what is too high; does not recurse itself. */
  static void requireHeight(List<Statement> statements) {
    record Found(Expression expression, int height) {}
    Deque<Found> open = new ArrayDeque<>();
    for (Statement statement : statements) {
      children(statement, child -> open.push(new Found(child, 1)));
    }
    while (!open.isEmpty()) {
      Found found = open.pop();
      if (found.height > MAX_HEIGHT) {
        throw new RefusedScriptException(
            "an expression has more than " + MAX_HEIGHT + " levels", found.expression.place());
      }
      children(found.expression, child -> open.push(new Found(child, found.height + 1)));
    }
  }

  /** Calls {@code each} with the expressions of a statement, also of those within it. */
  static void children(Statement statement, Consumer<Expression> each) {
    if (statement instanceof Statement.Assign assign) {
      each.accept(assign.value());
    } else if (statement instanceof Statement.Option option) {
      each.accept(option.value());
    } else if (statement instanceof Statement.Evaluate evaluate) {
      each.accept(evaluate.value());
    } else if (statement instanceof Statement.Return returned) {
      each.accept(returned.value());
    } else if (statement instanceof Statement.Test test) {
      each.accept(test.value());
    } else if (statement instanceof Statement.TestCase testCase) {
      testCase.body().forEach(inner -> children(inner, each));
    } else if (statement instanceof Statement.Attributed attributed) {
      attributed.arguments().forEach(each);
      children(attributed.statement(), each);
    }
  }

  /** Calls {@code each} with the expressions right below this one. */
  static void children(Expression parent, Consumer<Expression> each) {
    if (parent instanceof Expression.Interpolated text) {
      for (Expression.Part part : text.parts()) {
        if (part instanceof Expression.Part.Hole hole) {
          each.accept(hole.value());
        }
      }
    } else if (parent instanceof Expression.Array array) {
      array.elements().forEach(each);
    } else if (parent instanceof Expression.Dictionary dictionary) {
      for (Expression.Entry entry : dictionary.entries()) {
        each.accept(entry.key());
        each.accept(entry.value());
      }
    } else if (parent instanceof Expression.Fields record) {
      if (record.base() != null) {
        each.accept(record.base());
      }
      properties(record.properties(), each);
    } else if (parent instanceof Expression.Function function) {
      for (Expression.Parameter parameter : function.parameters()) {
        if (parameter.byDefault() != null) {
          each.accept(parameter.byDefault());
        }
      }
      function.body().forEach(statement -> children(statement, each));
    } else if (parent instanceof Expression.Call call) {
      each.accept(call.callee());
      properties(call.arguments(), each);
    } else if (parent instanceof Expression.Pipe pipe) {
      each.accept(pipe.source());
      pipe.stages().forEach(each);
    } else if (parent instanceof Expression.Member member) {
      each.accept(member.object());
    } else if (parent instanceof Expression.Index index) {
      each.accept(index.array());
      each.accept(index.index());
    } else if (parent instanceof Expression.Unary unary) {
      each.accept(unary.operand());
    } else if (parent instanceof Expression.Binary binary) {
      each.accept(binary.left());
      each.accept(binary.right());
    } else if (parent instanceof Expression.Logical logical) {
      logical.operands().forEach(each);
    } else if (parent instanceof Expression.Conditional conditional) {
      each.accept(conditional.test());
      each.accept(conditional.yes());
      each.accept(conditional.no());
    }
  }

  private static void properties(List<Expression.Property> properties, Consumer<Expression> each) {
    for (Expression.Property property : properties) {
      if (property.value() != null) {
        each.accept(property.value());
      }
    }
  }
}
