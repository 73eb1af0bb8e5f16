package dev.aquifer.tsquery.flux;

import java.time.OffsetDateTime;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What has a value. Parentheses are not kept: the shape of the tree says what they said. {@code
 * r.tag} and {@code r["tag"]} are the same node, as are {@code {a: 1}} and {@code {"a": 1}}.
 */
sealed interface Expression {
  // Where it begins; of an operator or a pipe, where its first operand begins.
  Place place();

  // A name that is not a keyword; true and false are names.
  record Name(String name, Place place) implements Expression {}

  // A text.
  record Text(String value, Place place) implements Expression {}

  // A text with expressions in it; at least one of the parts is a hole.
  record Interpolated(List<Part> parts, Place place) implements Expression {
    public Interpolated {
      parts = List.copyOf(parts);
    }
  }

  // A run of characters, or an expression.
  sealed interface Part {
    // Never empty.
    record Chunk(String value) implements Part {}

    // What stands between ${ and }.
    record Hole(Expression value) implements Part {}
  }

  // A whole number, never negative.
  record Int(long value, Place place) implements Expression {}

  // A finite number, never negative.
  record Decimal(double value, Place place) implements Expression {}

  // A time.
  record Moment(OffsetDateTime value, Place place) implements Expression {}

  // A duration.
  record Span(List<Amount> amounts, Place place) implements Expression {
    public Span {
      amounts = List.copyOf(amounts);
    }
  }

  // One of the amounts of a duration.
  record Amount(long magnitude, String unit) {}

  // A regular expression, as FluxLiteral.canonicalPattern has it.
  record Regex(String pattern, Place place) implements Expression {}

  // <-, the default of the parameter that a pipe feeds.
  record PipeInput(Place place) implements Expression {}

  // [a, b].
  record Array(List<Expression> elements, Place place) implements Expression {
    public Array {
      elements = List.copyOf(elements);
    }
  }

  // [k: v].
  record Dictionary(List<Entry> entries, Place place) implements Expression {
    public Dictionary {
      entries = List.copyOf(entries);
    }
  }

  // One of a dictionary's entries.
  record Entry(Expression key, Expression value) {}

  // {base with a: 1}.
  record Fields(@Nullable Name base, List<Property> properties, Place place) implements Expression {
    public Fields {
      properties = List.copyOf(properties);
    }
  }

  // key: value, or a key alone, which stands for the variable of that name.
  record Property(String key, @Nullable Expression value, Place place) {}

  // A function; where it is not a block, its body is the one return of its value.
  record Function(List<Parameter> parameters, List<Statement> body, boolean block, Place place)
      implements Expression {
    public Function {
      parameters = List.copyOf(parameters);
      body = List.copyOf(body);
    }
  }

  // A parameter of a function.
  record Parameter(String name, @Nullable Expression byDefault, Place place) {}

  // A call with named arguments.
  record Call(Expression callee, List<Property> arguments, Place place) implements Expression {
    public Call {
      arguments = List.copyOf(arguments);
    }
  }

  // source |> a() |> b(); at least one stage.
  record Pipe(Expression source, List<Call> stages, Place place) implements Expression {
    public Pipe {
      stages = List.copyOf(stages);
    }
  }

  // object.name.
  record Member(Expression object, String name, Place place) implements Expression {}

  // array[index]; the index is not a text, which would make it a member.
  record Index(Expression array, Expression index, Place place) implements Expression {}

  // -, +, not or exists.
  record Unary(String operator, Expression operand, Place place) implements Expression {}

  // A comparison or arithmetic.
  record Binary(String operator, Expression left, Expression right, Place place)
      implements Expression {}

  // and or or of two or more.
  record Logical(String operator, List<Expression> operands, Place place) implements Expression {
    public Logical {
      operands = List.copyOf(operands);
    }
  }

  // if test then yes else no.
  record Conditional(Expression test, Expression yes, Expression no, Place place)
      implements Expression {}
}
