package dev.aquifer.tsquery.flux;

import dev.aquifer.tsquery.flux.Token.Kind;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Reads expressions by recursive descent. From the loosest: conditional, {@code or}, {@code and},
 * {@code not} and {@code exists}, comparisons, {@code + -}, <code>* / %</code>, {@code ^}, {@code
 * |>}, unary {@code + -}, then calls, members and indexes. Binary operators group to the left.
 */
final class ExpressionParser {
  /** The binary operators and how tight each is. */
  private static final Map<String, Integer> BINARY =
      Map.ofEntries(
          Map.entry("==", 0),
          Map.entry("!=", 0),
          Map.entry("<", 0),
          Map.entry("<=", 0),
          Map.entry(">", 0),
          Map.entry(">=", 0),
          Map.entry("=~", 0),
          Map.entry("!~", 0),
          Map.entry("+", 1),
          Map.entry("-", 1),
          Map.entry("*", 2),
          Map.entry("/", 2),
          Map.entry("%", 2),
          Map.entry("^", 3));

  private final Cursor cursor;
  private final StatementParser statements;
  private final LiteralParser literals;

  ExpressionParser(Cursor cursor, StatementParser statements) {
    this.cursor = cursor;
    this.statements = statements;
    this.literals = new LiteralParser(cursor, this);
  }

  Expression expression() {
    cursor.enter();
    Expression result = cursor.at("if") ? conditional() : logical("or", null);
    cursor.leave();
    return result;
  }

  /** Any number of {@code else if} is one level here. */
  private Expression conditional() {
    record Branch(Expression test, Expression yes, Place place) {}
    Deque<Branch> branches = new ArrayDeque<>();
    while (cursor.at("if")) {
      Place place = cursor.take().place();
      Expression test = expression();
      cursor.expect("then");
      branches.push(new Branch(test, expression(), place));
      cursor.expect("else");
    }
    Expression result = logical("or", null);
    for (Branch branch : branches) {
      result = new Expression.Conditional(branch.test, branch.yes, result, branch.place);
    }
    return result;
  }

  // Each level may be given what it begins with: a name that was taken already.

  private Expression logical(String operator, @Nullable Expression start) {
    boolean or = operator.equals("or");
    Expression first = or ? logical("and", start) : logicalUnary(start);
    if (!cursor.at(operator)) {
      return first;
    }
    List<Expression> operands = new ArrayList<>(List.of(first));
    while (cursor.takeIf(operator)) {
      operands.add(or ? logical("and", null) : logicalUnary(null));
    }
    return new Expression.Logical(operator, operands, first.place());
  }

  private Expression logicalUnary(@Nullable Expression start) {
    if (start != null || (!cursor.at("not") && !cursor.at("exists"))) {
      return binary(0, start);
    }
    cursor.enter();
    Token operator = cursor.take();
    Expression operand = logicalUnary(null);
    cursor.leave();
    return new Expression.Unary(operator.text(), operand, operator.place());
  }

  /** Operators of this level or tighter, by climbing. */
  private Expression binary(int loosest, @Nullable Expression start) {
    Expression left = pipe(start);
    int level = level();
    while (level >= loosest) {
      String operator = cursor.take().text();
      left = new Expression.Binary(operator, left, binary(level + 1, null), left.place());
      level = level();
    }
    return left;
  }

  /** How tight the binary operator ahead is, or -1. */
  private int level() {
    return cursor.at(Kind.SYMBOL) ? BINARY.getOrDefault(cursor.peek().text(), -1) : -1;
  }

  private Expression pipe(@Nullable Expression start) {
    Expression source = unary(start);
    if (!cursor.at("|>")) {
      return source;
    }
    List<Expression.Call> stages = new ArrayList<>();
    while (cursor.takeIf("|>")) {
      Token first = cursor.peek();
      if (!(unary(null) instanceof Expression.Call call)) {
        throw new RefusedScriptException(
            "what follows '|>' must be the call of a function", first.place());
      }
      stages.add(call);
    }
    return new Expression.Pipe(source, stages, source.place());
  }

  private Expression unary(@Nullable Expression start) {
    if (start != null) {
      return postfix(start);
    }
    if (!cursor.at("-") && !cursor.at("+")) {
      return postfix(primary());
    }
    cursor.enter();
    Token operator = cursor.take();
    Expression operand = unary(null);
    cursor.leave();
    return new Expression.Unary(operator.text(), operand, operator.place());
  }

  private Expression postfix(Expression start) {
    Expression result = start;
    while (true) {
      if (cursor.takeIf(".")) {
        result = new Expression.Member(result, cursor.expectName().text(), start.place());
      } else if (cursor.takeIf("(")) {
        List<Expression.Property> arguments = properties(")");
        result = new Expression.Call(result, arguments, start.place());
      } else if (cursor.takeIf("[")) {
        Expression index = expression();
        cursor.expect("]");
        result =
            index instanceof Expression.Text text
                ? new Expression.Member(result, text.value(), start.place())
                : new Expression.Index(result, index, start.place());
      } else {
        return result;
      }
    }
  }

  Expression primary() {
    Token token = cursor.peek();
    Place place = token.place();
    if (token.kind() == Kind.NAME) {
      cursor.take();
      return new Expression.Name(token.text(), place);
    }
    if (token.is("(")) {
      return parenthesis();
    }
    if (token.is("{")) {
      return record();
    }
    if (token.is("[")) {
      return arrayOrDictionary();
    }
    if (token.is("<-")) {
      cursor.take();
      return new Expression.PipeInput(place);
    }
    return literals.literal();
  }

  /** A function, or an expression in parentheses: what follows the first name tells. */
  private Expression parenthesis() {
    Place place = cursor.expect("(").place();
    if (cursor.takeIf(")")) {
      return function(List.of(), place);
    }
    if (!cursor.at(Kind.NAME)) {
      Expression inner = expression();
      cursor.expect(")");
      return inner;
    }
    cursor.enter();
    Expression result;
    Token name = cursor.take();
    if (cursor.at("=") || cursor.at(",")) {
      result = function(parameters(name), place);
    } else if (cursor.takeIf(")")) {
      result =
          cursor.at("=>")
              ? function(List.of(new Expression.Parameter(name.text(), null, name.place())), place)
              : new Expression.Name(name.text(), name.place());
    } else {
      result = continued(new Expression.Name(name.text(), name.place()));
      cursor.expect(")");
    }
    cursor.leave();
    return result;
  }

  /** The expression that begins with a name that was taken already. */
  Expression continued(Expression.Name name) {
    return logical("or", name);
  }

  private List<Expression.Parameter> parameters(Token first) {
    List<Expression.Parameter> parameters = new ArrayList<>();
    Token name = first;
    while (true) {
      Expression byDefault = cursor.takeIf("=") ? expression() : null;
      parameters.add(new Expression.Parameter(name.text(), byDefault, name.place()));
      if (!cursor.takeIf(",") || cursor.at(")")) {
        break;
      }
      name = cursor.expectName();
    }
    cursor.expect(")");
    return parameters;
  }

  private Expression function(List<Expression.Parameter> parameters, Place place) {
    cursor.expect("=>");
    if (cursor.at("{")) {
      return new Expression.Function(parameters, statements.functionBlock(), true, place);
    }
    Expression value = expression();
    List<Statement> body = List.of(new Statement.Return(value, value.place()));
    return new Expression.Function(parameters, body, false, place);
  }

  private Expression record() {
    Place place = cursor.expect("{").place();
    if (!cursor.at(Kind.NAME)) {
      return new Expression.Fields(null, properties("}"), place);
    }
    Token first = cursor.take();
    if (!cursor.at(Kind.NAME)) {
      return new Expression.Fields(null, properties("}", first), place);
    }
    if (!cursor.atWord("with")) {
      throw cursor.expected("',', ':' or 'with'");
    }
    cursor.take();
    Expression.Name base = new Expression.Name(first.text(), first.place());
    return new Expression.Fields(base, properties("}"), place);
  }

  private List<Expression.Property> properties(String end) {
    if (cursor.takeIf(end)) {
      return List.of();
    }
    return properties(end, key());
  }

  private List<Expression.Property> properties(String end, Token first) {
    List<Expression.Property> properties = new ArrayList<>();
    Token key = first;
    while (true) {
      @Nullable Expression value = null;
      if (cursor.takeIf(":")) {
        value = expression();
      } else if (key.kind() == Kind.TEXT) {
        throw cursor.expected("':'");
      }
      properties.add(new Expression.Property(key.text(), value, key.place()));
      if (!cursor.takeIf(",") || cursor.at(end)) {
        break;
      }
      key = key();
    }
    cursor.expect(end);
    return properties;
  }

  private Token key() {
    if (!cursor.at(Kind.NAME) && !cursor.at(Kind.TEXT)) {
      throw cursor.expected("a name and ':'");
    }
    return cursor.take();
  }

  private Expression arrayOrDictionary() {
    Place place = cursor.expect("[").place();
    if (cursor.takeIf("]")) {
      return new Expression.Array(List.of(), place);
    }
    if (cursor.takeIf(":")) {
      cursor.expect("]");
      return new Expression.Dictionary(List.of(), place);
    }
    Expression first = expression();
    return cursor.at(":") ? dictionary(first, place) : array(first, place);
  }

  private Expression array(Expression first, Place place) {
    List<Expression> elements = new ArrayList<>(List.of(first));
    while (cursor.takeIf(",") && !cursor.at("]")) {
      elements.add(expression());
    }
    cursor.expect("]");
    return new Expression.Array(elements, place);
  }

  private Expression dictionary(Expression first, Place place) {
    List<Expression.Entry> entries = new ArrayList<>();
    Expression key = first;
    while (true) {
      cursor.expect(":");
      entries.add(new Expression.Entry(key, expression()));
      if (!cursor.takeIf(",") || cursor.at("]")) {
        break;
      }
      key = expression();
    }
    cursor.expect("]");
    return new Expression.Dictionary(entries, place);
  }
}
