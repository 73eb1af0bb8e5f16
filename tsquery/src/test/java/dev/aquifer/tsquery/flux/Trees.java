package dev.aquifer.tsquery.flux;

import java.time.Instant;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Supplier;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;

/** Random trees of all kinds of nodes, as a parser could have made them. */
final class Trees {
  private static final String[] NAMES = {
    "a", "b2", "_r", "r", "tables", "with", "where", "extends", "stream", "true", "αβ", "from"
  };
  private static final String[] KEYS = {
    "a", "with", "in", "empty", "two words", "1a", "", "_value", "say \"hi\"", "${x}", "名"
  };
  private static final String[] BINARY = {
    "==", "!=", "<", "<=", ">", ">=", "=~", "!~", "+", "-", "*", "/", "%", "^"
  };
  private static final String[] UNITS = {"y", "mo", "w", "d", "h", "m", "s", "ms", "us", "ns"};
  private static final String[] TYPES = {
    "int",
    "(<-tables: stream[A], ?n: int, x: [string: {A with b: int}]) => stream[{B with c: bool}]"
        + " where A: Record, B: Record + Addable",
    "[{a: int, \"b c\": () => float}]"
  };

  private final RandomGenerator random;

  Trees(RandomGenerator random) {
    this.random = random;
  }

  FluxScript script() {
    List<Statement> statements = new ArrayList<>();
    if (random.nextInt(4) == 0) {
      statements.add(new Statement.PackageClause(name(), Place.NONE));
    }
    for (int i = random.nextInt(3); i > 0; i--) {
      String alias = random.nextBoolean() ? name() : null;
      statements.add(attributed(new Statement.Import(alias, text(), Place.NONE)));
    }
    for (int i = random.nextInt(6); i > 0; i--) {
      statements.add(attributed(statement(3)));
    }
    return new FluxScript(statements);
  }

  private Statement attributed(Statement statement) {
    // Without arguments, an attribute would take what begins with a parenthesis for them.
    return random.nextInt(12) == 0
        ? new Statement.Attributed(
            "edition", List.of(new Expression.Text(text(), Place.NONE)), statement, Place.NONE)
        : statement;
  }

  private Statement statement(int depth) {
    Place none = Place.NONE;
    return switch (random.nextInt(12)) {
      case 0 ->
          new Statement.Option(
              random.nextBoolean() ? name() : null, name(), expression(depth), none);
      case 1 -> new Statement.Builtin("x", TYPES[random.nextInt(TYPES.length)], none);
      case 2 -> new Statement.Test(name(), expression(depth), none);
      case 3 ->
          new Statement.TestCase(
              "t", random.nextBoolean() ? text() : null, block(depth, false), none);
      // What begins otherwise than with a name could continue the statement before it.
      case 4, 5, 6 -> new Statement.Evaluate(call(new Expression.Name(name(), none), depth), none);
      case 7 ->
          new Statement.Evaluate(
              new Expression.Pipe(new Expression.Name(name(), none), stages(depth), none), none);
      default -> new Statement.Assign("v" + random.nextInt(9), expression(depth), none);
    };
  }

  private List<Statement> block(int depth, boolean function) {
    List<Statement> statements = new ArrayList<>(list(2, () -> statement(depth - 1)));
    if (function) {
      statements.add(new Statement.Return(expression(depth - 1), Place.NONE));
    }
    return statements;
  }

  Expression expression(int depth) {
    Place none = Place.NONE;
    Supplier<Expression> inner = () -> expression(depth - 1);
    return switch (random.nextInt(depth <= 0 ? 9 : 23)) {
      case 0, 1 -> new Expression.Name(name(), none);
      case 2 -> new Expression.Text(text(), none);
      case 3 -> new Expression.Int(random.nextLong() >>> random.nextInt(1, 64), none);
      case 4 -> new Expression.Decimal(Math.abs(finite()), none);
      case 5 -> new Expression.Moment(moment().atOffset(offset()), none);
      case 6 -> new Expression.Span(amounts(), none);
      case 7 -> new Expression.Regex(FluxLiteral.canonicalPattern(pattern()), none);
      case 8 -> new Expression.PipeInput(none);
      case 9 -> new Expression.Array(list(3, inner), none);
      case 10 ->
          new Expression.Dictionary(
              list(3, () -> new Expression.Entry(inner.get(), inner.get())), none);
      case 11 ->
          new Expression.Fields(
              random.nextBoolean() ? new Expression.Name(name(), none) : null,
              properties(depth),
              none);
      case 12 -> function(depth);
      case 13 -> call(inner.get(), depth);
      case 14 -> new Expression.Pipe(inner.get(), stages(depth), none);
      case 15 -> new Expression.Member(inner.get(), key(), none);
      case 16 -> {
        Expression index = inner.get();
        yield index instanceof Expression.Text
            ? index
            : new Expression.Index(inner.get(), index, none);
      }
      case 17 -> new Expression.Unary(one("-", "+", "not", "exists"), inner.get(), none);
      case 18, 19 ->
          new Expression.Binary(
              BINARY[random.nextInt(BINARY.length)], inner.get(), inner.get(), none);
      case 20 -> {
        List<Expression> operands = new ArrayList<>(list(2, inner));
        operands.add(inner.get());
        operands.add(inner.get());
        yield new Expression.Logical(one("and", "or"), operands, none);
      }
      case 21 -> new Expression.Conditional(inner.get(), inner.get(), inner.get(), none);
      default -> interpolated(inner);
    };
  }

  private Expression interpolated(Supplier<Expression> inner) {
    List<Expression.Part> parts = new ArrayList<>();
    for (int i = random.nextInt(1, 4); i > 0; i--) {
      String chunk = text();
      if (!chunk.isEmpty()) {
        parts.add(new Expression.Part.Chunk(chunk));
      }
      parts.add(new Expression.Part.Hole(inner.get()));
    }
    return new Expression.Interpolated(parts, Place.NONE);
  }

  private Expression function(int depth) {
    List<Expression.Parameter> parameters =
        list(
            3,
            () -> {
              Expression byDefault = random.nextInt(3) == 0 ? expression(depth - 1) : null;
              return new Expression.Parameter(name(), byDefault, Place.NONE);
            });
    if (random.nextInt(3) == 0) {
      return new Expression.Function(parameters, block(depth, true), true, Place.NONE);
    }
    Statement value = new Statement.Return(expression(depth - 1), Place.NONE);
    return new Expression.Function(parameters, List.of(value), false, Place.NONE);
  }

  private Expression.Call call(Expression callee, int depth) {
    return new Expression.Call(callee, properties(depth), Place.NONE);
  }

  private List<Expression.Call> stages(int depth) {
    List<Expression.Call> stages = new ArrayList<>();
    for (int i = random.nextInt(1, 4); i > 0; i--) {
      stages.add(call(new Expression.Name(name(), Place.NONE), depth));
    }
    return stages;
  }

  private List<Expression.Property> properties(int depth) {
    return list(
        3,
        () -> {
          String key = key();
          @Nullable Expression value =
              Lexer.isPlainName(key) && random.nextInt(4) == 0 ? null : expression(depth - 1);
          return new Expression.Property(key, value, Place.NONE);
        });
  }

  private <T> List<T> list(int most, Supplier<T> each) {
    List<T> list = new ArrayList<>();
    for (int i = random.nextInt(most + 1); i > 0; i--) {
      list.add(each.get());
    }
    return list;
  }

  private List<Expression.Amount> amounts() {
    List<Expression.Amount> amounts = new ArrayList<>();
    for (int i = random.nextInt(1, 4); i > 0; i--) {
      long magnitude = random.nextLong() >>> random.nextInt(1, 64);
      amounts.add(new Expression.Amount(magnitude, UNITS[random.nextInt(UNITS.length)]));
    }
    return amounts;
  }

  private double finite() {
    double any = Double.longBitsToDouble(random.nextLong());
    return Double.isFinite(any) ? any : random.nextInt(100) / 4.0;
  }

  private Instant moment() {
    return Instant.ofEpochSecond(
        random.nextLong(-60_000_000_000L, 250_000_000_000L),
        random.nextBoolean() ? 0 : random.nextInt(1_000_000_000));
  }

  private ZoneOffset offset() {
    return random.nextBoolean()
        ? ZoneOffset.UTC
        : ZoneOffset.ofTotalSeconds(60 * random.nextInt(-1_080, 1_081));
  }

  /** Ends in no half escape. */
  private String pattern() {
    String pattern = HostileText.of(random).replace("\0", "") + "x";
    return random.nextBoolean() ? pattern : pattern + "\\\\";
  }

  private String name() {
    return NAMES[random.nextInt(NAMES.length)];
  }

  private String key() {
    return random.nextInt(3) == 0 ? text() : KEYS[random.nextInt(KEYS.length)];
  }

  private String text() {
    return HostileText.of(random);
  }

  private String one(String... of) {
    return of[random.nextInt(of.length)];
  }
}
