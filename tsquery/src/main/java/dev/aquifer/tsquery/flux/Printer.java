package dev.aquifer.tsquery.flux;

import java.util.Iterator;
import java.util.List;

/**
 * Writes a tree as text that reads back as an equal tree. Texts are written by {@link FluxLiteral},
 * so that no reader can take one for anything else.
 */
final class Printer {
  private static final int ANY = 0;
  private static final int OR = 1;
  private static final int AND = 2;
  private static final int NOT = 3;
  private static final int COMPARISON = 4;
  private static final int SUM = 5;
  private static final int PRODUCT = 6;
  private static final int POWER = 7;
  private static final int PIPE = 8;
  private static final int SIGN = 9;
  private static final int POSTFIX = 10;

  private final StringBuilder out = new StringBuilder();
  private int indent;

  static String print(List<Statement> script) {
    Printer printer = new Printer();
    printer.statements(script);
    return printer.out.toString();
  }

  static String print(Expression expression) {
    Printer printer = new Printer();
    printer.expression(expression, ANY);
    return printer.out.toString();
  }

  private void statements(List<Statement> statements) {
    boolean afterBuiltin = false;
    for (Statement statement : statements) {
      out.append("  ".repeat(indent));
      statement(statement, afterBuiltin);
      out.append('\n');
      Statement bare = statement;
      while (bare instanceof Statement.Attributed attributed) {
        bare = attributed.statement();
      }
      afterBuiltin = bare instanceof Statement.Builtin;
    }
  }

  private void statement(Statement statement, boolean afterBuiltin) {
    if (statement instanceof Statement.PackageClause named) {
      out.append("package ").append(named.name());
    } else if (statement instanceof Statement.Import imported) {
      out.append("import ").append(imported.alias() == null ? "" : imported.alias() + " ");
      out.append(FluxLiteral.text(imported.path()));
    } else if (statement instanceof Statement.Assign assign) {
      out.append(assign.name()).append(" = ");
      expression(assign.value(), ANY);
    } else if (statement instanceof Statement.Option option) {
      out.append("option ").append(option.of() == null ? "" : option.of() + ".");
      out.append(option.name()).append(" = ");
      expression(option.value(), ANY);
    } else if (statement instanceof Statement.Evaluate evaluate) {
      // A builtin's type would take a first word "where" for its own.
      expression(evaluate.value(), afterBuiltin ? POSTFIX + 1 : ANY);
    } else if (statement instanceof Statement.Return returned) {
      out.append("return ");
      expression(returned.value(), ANY);
    } else if (statement instanceof Statement.Builtin builtin) {
      out.append("builtin ").append(builtin.name()).append(" : ").append(builtin.type());
    } else if (statement instanceof Statement.Test test) {
      out.append("test ").append(test.name()).append(" = ");
      expression(test.value(), ANY);
    } else if (statement instanceof Statement.TestCase testCase) {
      out.append("testcase ").append(testCase.name()).append(' ');
      if (testCase.base() != null) {
        out.append("extends ").append(FluxLiteral.text(testCase.base())).append(' ');
      }
      block(testCase.body());
    } else if (statement instanceof Statement.Attributed attributed) {
      out.append('@').append(attributed.name());
      if (!attributed.arguments().isEmpty()) {
        list("(", attributed.arguments(), ")");
      }
      out.append('\n').append("  ".repeat(indent));
      statement(attributed.statement(), false);
    }
  }

  private void block(List<Statement> body) {
    out.append("{\n");
    indent++;
    statements(body);
    indent--;
    out.append("  ".repeat(indent)).append('}');
  }

  private void expression(Expression expression, int loosest) {
    boolean parentheses = level(expression) < loosest;
    if (parentheses) {
      out.append('(');
    }
    bare(expression);
    if (parentheses) {
      out.append(')');
    }
  }

  private static int level(Expression expression) {
    if (expression instanceof Expression.Function function) {
      return function.block() ? POSTFIX : ANY;
    } else if (expression instanceof Expression.Conditional) {
      return ANY;
    } else if (expression instanceof Expression.Logical logical) {
      return logical.operator().equals("or") ? OR : AND;
    } else if (expression instanceof Expression.Unary unary) {
      return sign(unary) ? SIGN : NOT;
    } else if (expression instanceof Expression.Binary binary) {
      return level(binary.operator());
    }
    return expression instanceof Expression.Pipe ? PIPE : POSTFIX;
  }

  private static int level(String operator) {
    return switch (operator) {
      case "+", "-" -> SUM;
      case "*", "/", "%" -> PRODUCT;
      case "^" -> POWER;
      default -> COMPARISON;
    };
  }

  private static boolean sign(Expression.Unary unary) {
    return unary.operator().equals("-") || unary.operator().equals("+");
  }

  private void bare(Expression expression) {
    if (expression instanceof Expression.Pipe pipe) {
      pipe(pipe);
    } else if (expression instanceof Expression.Call call) {
      expression(call.callee(), POSTFIX);
      out.append('(');
      properties(call.arguments());
      out.append(')');
    } else if (expression instanceof Expression.Member member) {
      member(member);
    } else if (expression instanceof Expression.Index index) {
      expression(index.array(), POSTFIX);
      out.append('[');
      expression(index.index(), ANY);
      out.append(']');
    } else if (expression instanceof Expression.Binary binary) {
      int level = level(binary.operator());
      expression(binary.left(), level);
      out.append(' ').append(binary.operator()).append(' ');
      expression(binary.right(), level + 1);
    } else if (expression instanceof Expression.Logical logical) {
      int level = level(logical);
      String between = "";
      for (Expression operand : logical.operands()) {
        out.append(between);
        expression(operand, level + 1);
        between = " " + logical.operator() + " ";
      }
    } else if (expression instanceof Expression.Unary unary) {
      out.append(unary.operator()).append(sign(unary) ? "" : " ");
      expression(unary.operand(), level(unary));
    } else if (expression instanceof Expression.Conditional conditional) {
      out.append("if ");
      expression(conditional.test(), ANY);
      out.append(" then ");
      expression(conditional.yes(), ANY);
      out.append(" else ");
      expression(conditional.no(), ANY);
    } else if (expression instanceof Expression.Function function) {
      function(function);
    } else if (expression instanceof Expression.Fields record) {
      out.append('{');
      if (record.base() != null) {
        out.append(record.base().name()).append(" with ");
      }
      properties(record.properties());
      out.append('}');
    } else if (expression instanceof Expression.Array array) {
      list("[", array.elements(), "]");
    } else if (expression instanceof Expression.Dictionary dictionary) {
      dictionary(dictionary);
    } else {
      leaf(expression);
    }
  }

  private void leaf(Expression expression) {
    if (expression instanceof Expression.Name name) {
      out.append(name.name());
    } else if (expression instanceof Expression.Text text) {
      out.append(FluxLiteral.text(text.value()));
    } else if (expression instanceof Expression.Int number) {
      out.append(FluxLiteral.integer(number.value()));
    } else if (expression instanceof Expression.Decimal number) {
      out.append(FluxLiteral.decimal(number.value()));
    } else if (expression instanceof Expression.Moment moment) {
      out.append(FluxLiteral.time(moment.value()));
    } else if (expression instanceof Expression.Span span) {
      span.amounts().forEach(amount -> out.append(amount.magnitude()).append(amount.unit()));
    } else if (expression instanceof Expression.Regex regex) {
      out.append(FluxLiteral.regex(regex.pattern()));
    } else if (expression instanceof Expression.PipeInput) {
      out.append("<-");
    } else if (expression instanceof Expression.Interpolated text) {
      interpolated(text);
    }
  }

  private void interpolated(Expression.Interpolated text) {
    out.append('"');
    for (Expression.Part part : text.parts()) {
      if (part instanceof Expression.Part.Chunk chunk) {
        FluxLiteral.appendText(chunk.value(), out);
      } else if (part instanceof Expression.Part.Hole hole) {
        out.append("${");
        expression(hole.value(), ANY);
        out.append('}');
      }
    }
    out.append('"');
  }

  private void pipe(Expression.Pipe pipe) {
    expression(pipe.source(), SIGN);
    indent++;
    for (Expression.Call stage : pipe.stages()) {
      out.append('\n').append("  ".repeat(indent)).append("|> ");
      bare(stage);
    }
    indent--;
  }

  private void member(Expression.Member member) {
    // "1.a" would be a float and a name.
    boolean number =
        member.object() instanceof Expression.Int || member.object() instanceof Expression.Decimal;
    expression(member.object(), number ? POSTFIX + 1 : POSTFIX);
    if (Lexer.isPlainName(member.name())) {
      out.append('.').append(member.name());
    } else {
      out.append('[').append(FluxLiteral.text(member.name())).append(']');
    }
  }

  private void function(Expression.Function function) {
    out.append('(');
    String between = "";
    for (Expression.Parameter parameter : function.parameters()) {
      out.append(between).append(parameter.name());
      if (parameter.byDefault() != null) {
        out.append('=');
        expression(parameter.byDefault(), ANY);
      }
      between = ", ";
    }
    out.append(") => ");
    if (function.block()) {
      block(function.body());
      return;
    }
    Expression value = ((Statement.Return) function.body().get(0)).value();
    int start = out.length();
    expression(value, ANY);
    if (out.charAt(start) == '{') {
      // A brace would begin a block.
      out.insert(start, '(').append(')');
    }
  }

  private void properties(List<Expression.Property> properties) {
    String between = "";
    for (Expression.Property property : properties) {
      out.append(between);
      String key = property.key();
      // Without a value it names a variable.
      boolean bare = property.value() == null || Lexer.isPlainName(key);
      out.append(bare ? key : FluxLiteral.text(key));
      if (property.value() != null) {
        out.append(": ");
        expression(property.value(), ANY);
      }
      between = ", ";
    }
  }

  private void dictionary(Expression.Dictionary dictionary) {
    out.append('[');
    String between = "";
    for (Expression.Entry entry : dictionary.entries()) {
      out.append(between);
      expression(entry.key(), ANY);
      out.append(": ");
      expression(entry.value(), ANY);
      between = ", ";
    }
    out.append(dictionary.entries().isEmpty() ? ":" : "").append(']');
  }

  private void list(String open, List<Expression> elements, String close) {
    out.append(open);
    for (Iterator<Expression> each = elements.iterator(); each.hasNext(); ) {
      expression(each.next(), ANY);
      out.append(each.hasNext() ? ", " : "");
    }
    out.append(close);
  }
}
