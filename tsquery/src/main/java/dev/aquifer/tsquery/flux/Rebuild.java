package dev.aquifer.tsquery.flux;

import java.util.ArrayList;
import java.util.List;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;

/** The same node with other children; the node itself where no child changed. */
final class Rebuild {
  private Rebuild() {}

  static Statement statement(Statement statement, UnaryOperator<Expression> each) {
    Place place = statement.place();
    if (statement instanceof Statement.Assign assign) {
      Expression value = each.apply(assign.value());
      return value == assign.value() ? assign : new Statement.Assign(assign.name(), value, place);
    } else if (statement instanceof Statement.Option option) {
      Expression value = each.apply(option.value());
      return value == option.value()
          ? option
          : new Statement.Option(option.of(), option.name(), value, place);
    } else if (statement instanceof Statement.Evaluate evaluate) {
      Expression value = each.apply(evaluate.value());
      return value == evaluate.value() ? evaluate : new Statement.Evaluate(value, place);
    } else if (statement instanceof Statement.Return returned) {
      Expression value = each.apply(returned.value());
      return value == returned.value() ? returned : new Statement.Return(value, place);
    }
    return statement;
  }

  static Expression children(Expression parent, UnaryOperator<Expression> each) {
    Place place = parent.place();
    if (parent instanceof Expression.Interpolated text) {
      List<Expression.Part> parts =
          list(
              text.parts(),
              part ->
                  part instanceof Expression.Part.Hole hole
                      ? hole(hole, each.apply(hole.value()))
                      : part);
      return parts == text.parts() ? text : new Expression.Interpolated(parts, place);
    } else if (parent instanceof Expression.Array array) {
      List<Expression> elements = list(array.elements(), each);
      return elements == array.elements() ? array : new Expression.Array(elements, place);
    } else if (parent instanceof Expression.Dictionary dictionary) {
      List<Expression.Entry> entries = list(dictionary.entries(), entry -> entry(entry, each));
      return entries == dictionary.entries()
          ? dictionary
          : new Expression.Dictionary(entries, place);
    } else if (parent instanceof Expression.Fields record) {
      List<Expression.Property> properties = properties(record.properties(), each);
      return properties == record.properties()
          ? record
          : new Expression.Fields(record.base(), properties, place);
    } else if (parent instanceof Expression.Function function) {
      return function(function, each);
    } else if (parent instanceof Expression.Call call) {
      return call(call, each);
    } else if (parent instanceof Expression.Pipe pipe) {
      Expression source = each.apply(pipe.source());
      List<Expression.Call> stages =
          list(
              pipe.stages(),
              stage -> each.apply(stage) instanceof Expression.Call changed ? changed : stage);
      return source == pipe.source() && stages == pipe.stages()
          ? pipe
          : new Expression.Pipe(source, stages, place);
    } else if (parent instanceof Expression.Member member) {
      Expression object = each.apply(member.object());
      return object == member.object()
          ? member
          : new Expression.Member(object, member.name(), place);
    } else if (parent instanceof Expression.Index index) {
      Expression array = each.apply(index.array());
      Expression at = each.apply(index.index());
      return array == index.array() && at == index.index()
          ? index
          : new Expression.Index(array, at, place);
    } else if (parent instanceof Expression.Unary unary) {
      Expression operand = each.apply(unary.operand());
      return operand == unary.operand()
          ? unary
          : new Expression.Unary(unary.operator(), operand, place);
    } else if (parent instanceof Expression.Binary binary) {
      Expression left = each.apply(binary.left());
      Expression right = each.apply(binary.right());
      return left == binary.left() && right == binary.right()
          ? binary
          : new Expression.Binary(binary.operator(), left, right, place);
    } else if (parent instanceof Expression.Logical logical) {
      List<Expression> operands = list(logical.operands(), each);
      return operands == logical.operands()
          ? logical
          : new Expression.Logical(logical.operator(), operands, place);
    } else if (parent instanceof Expression.Conditional conditional) {
      Expression test = each.apply(conditional.test());
      Expression yes = each.apply(conditional.yes());
      Expression no = each.apply(conditional.no());
      return test == conditional.test() && yes == conditional.yes() && no == conditional.no()
          ? conditional
          : new Expression.Conditional(test, yes, no, place);
    }
    return parent;
  }

  private static Expression.Part hole(Expression.Part.Hole hole, Expression value) {
    return value == hole.value() ? hole : new Expression.Part.Hole(value);
  }

  private static Expression.Entry entry(Expression.Entry entry, UnaryOperator<Expression> each) {
    Expression key = each.apply(entry.key());
    Expression value = each.apply(entry.value());
    return key == entry.key() && value == entry.value() ? entry : new Expression.Entry(key, value);
  }

  private static Expression function(Expression.Function function, UnaryOperator<Expression> each) {
    List<Expression.Parameter> parameters =
        list(
            function.parameters(),
            parameter -> {
              @Nullable Expression byDefault = parameter.byDefault();
              Expression changed = byDefault == null ? null : each.apply(byDefault);
              return changed == byDefault
                  ? parameter
                  : new Expression.Parameter(parameter.name(), changed, parameter.place());
            });
    List<Statement> body = list(function.body(), inner -> statement(inner, each));
    return parameters == function.parameters() && body == function.body()
        ? function
        : new Expression.Function(parameters, body, function.block(), function.place());
  }

  static Expression.Call call(Expression.Call call, UnaryOperator<Expression> each) {
    Expression callee = each.apply(call.callee());
    List<Expression.Property> arguments = properties(call.arguments(), each);
    return callee == call.callee() && arguments == call.arguments()
        ? call
        : new Expression.Call(callee, arguments, call.place());
  }

  private static List<Expression.Property> properties(
      List<Expression.Property> properties, UnaryOperator<Expression> each) {
    return list(
        properties,
        property -> {
          @Nullable Expression value = property.value();
          Expression changed = value == null ? null : each.apply(value);
          return changed == value
              ? property
              : new Expression.Property(property.key(), changed, property.place());
        });
  }

  private static <T> List<T> list(List<T> from, UnaryOperator<T> each) {
    List<T> changed = new ArrayList<>(from.size());
    boolean same = true;
    for (T element : from) {
      T other = each.apply(element);
      same &= other == element;
      changed.add(other);
    }
    return same ? from : changed;
  }
}
