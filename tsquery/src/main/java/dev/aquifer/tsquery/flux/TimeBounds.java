package dev.aquifer.tsquery.flux;

import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Takes comparisons of {@code _time} out of the filters after a range. One that the range implies
 * goes. Another narrows the range, but only where the columns {@code _start} and {@code _stop},
 * which say what the range was, are dropped before anything has looked at them: windows are cut by
 * them, and they are part of the answer.
 */
final class TimeBounds {
  /** Stages that neither look at the bounds of the range nor keep them from being dropped. */
  private static final Set<String> BLIND =
      Set.of("count", "sum", "mean", "min", "max", "first", "last", "limit", "tail", "filter");

  private TimeBounds() {}

  /**
   * The stages from the range on, changed.
   *
   * @param filters how many of the filters after the range are left
   * @param reach how many of those are of the first so many
   */
  record Result(List<Expression.Call> stages, int filters, int reach) {}

  /** Null where nothing changes. */
  static @Nullable Result of(
      List<Expression.Call> stages, int filters, int reach, Set<String> defined) {
    Expression.Call range = stages.get(0);
    @Nullable Expression start = argument(range, "start");
    @Nullable Expression stop = argument(range, "stop");
    if (range.arguments().size() != (stop == null ? 1 : 2)
        || !(start instanceof Expression.Moment from)
        || !(stop instanceof Expression.Moment to)
        || !from.value().toInstant().isBefore(to.value().toInstant())) {
      return null;
    }
    Instant low = from.value().toInstant();
    Instant high = to.value().toInstant();
    if (!fits(low) || !fits(high)) {
      return null;
    }
    boolean forgotten = forgotten(stages.subList(1, stages.size()), defined);
    List<Expression.Call> changed = new ArrayList<>();
    boolean any = false;
    int reached = 0;
    for (int i = 0; i < filters; i++) {
      Expression.Call filter = stages.get(1 + i);
      Predicates.Body body = FilterRun.body(filter);
      if (body == null) {
        return null;
      }
      List<Expression> kept = new ArrayList<>();
      for (Expression part : Predicates.parts(body.value())) {
        Bound bound = bound(part, body.row());
        if (bound == null) {
          kept.add(part);
          continue;
        }
        Instant lower = bound.from != null && bound.from.isAfter(low) ? bound.from : low;
        Instant upper = bound.to != null && bound.to.isBefore(high) ? bound.to : high;
        boolean implied = lower.equals(low) && upper.equals(high);
        if (implied || (forgotten && lower.isBefore(upper))) {
          low = lower;
          high = upper;
          any = true;
        } else {
          kept.add(part);
        }
      }
      if (!kept.isEmpty()) {
        changed.add(filter(filter, kept));
        reached += i < reach ? 1 : 0;
      }
    }
    if (!any) {
      return null;
    }
    int left = changed.size();
    changed.add(0, range(range, from, low, to, high));
    changed.addAll(stages.subList(1 + filters, stages.size()));
    return new Result(changed, left, reached);
  }

  /** Whether it is a time to the server, and the next nanosecond is, too. */
  private static boolean fits(Instant time) {
    return FluxLiteral.fits(time) && FluxLiteral.fits(time.plusNanos(1));
  }

  /** From, inclusive, and to, exclusive. */
  private record Bound(@Nullable Instant from, @Nullable Instant to) {}

  private static @Nullable Bound bound(Expression part, String row) {
    if (!(part instanceof Expression.Binary binary)) {
      return null;
    }
    boolean left = "_time".equals(Predicates.column(binary.left(), row));
    boolean right = "_time".equals(Predicates.column(binary.right(), row));
    Expression other = left ? binary.right() : binary.left();
    if (left == right || !(other instanceof Expression.Moment moment)) {
      return null;
    }
    Instant time = moment.value().toInstant();
    if (!fits(time)) {
      return null;
    }
    String operator = binary.operator();
    boolean above = operator.startsWith(left ? ">" : "<");
    boolean inclusive = operator.endsWith("=");
    return switch (operator) {
      case ">", ">=", "<", "<=" ->
          above
              ? new Bound(inclusive ? time : time.plusNanos(1), null)
              : new Bound(null, inclusive ? time.plusNanos(1) : time);
      default -> null;
    };
  }

  private static boolean forgotten(List<Expression.Call> stages, Set<String> defined) {
    for (Expression.Call stage : stages) {
      if (!(stage.callee() instanceof Expression.Name name) || defined.contains(name.name())) {
        return false;
      }
      boolean mentions = mentions(stage);
      if (name.name().equals("keep") && !mentions && list(stage) != null) {
        return true;
      }
      if (name.name().equals("drop")) {
        List<String> columns = list(stage);
        if (columns == null) {
          return false;
        }
        return columns.contains("_start") && columns.contains("_stop");
      }
      boolean blind = BLIND.contains(name.name()) || (name.name().equals("group") && by(stage));
      if (!blind || mentions) {
        return false;
      }
    }
    return false;
  }

  private static boolean by(Expression.Call group) {
    return argument(group, "mode") == null && (group.arguments().isEmpty() || list(group) != null);
  }

  /** The one argument, a list of texts. */
  private static @Nullable List<String> list(Expression.Call stage) {
    if (stage.arguments().size() != 1
        || !(argument(stage, "columns") instanceof Expression.Array array)) {
      return null;
    }
    List<String> texts = new ArrayList<>();
    for (Expression element : array.elements()) {
      if (!(element instanceof Expression.Text text)) {
        return null;
      }
      texts.add(text.value());
    }
    return texts;
  }

  /** Whether a stage speaks of the bounds, or of rows as a whole, or calls what is not known. */
  private static boolean mentions(Expression.Call stage) {
    boolean[] found = new boolean[1];
    stage
        .arguments()
        .forEach(
            argument -> {
              if (argument.value() != null) {
                look(argument.value(), found);
              }
            });
    return found[0];
  }

  private static void look(Expression expression, boolean[] found) {
    if (expression instanceof Expression.Text text) {
      found[0] |= text.value().equals("_start") || text.value().equals("_stop");
    } else if (expression instanceof Expression.Member member
        && member.object() instanceof Expression.Name) {
      found[0] |= member.name().equals("_start") || member.name().equals("_stop");
    } else if (expression instanceof Expression.Name name) {
      found[0] |= !name.name().equals("true") && !name.name().equals("false");
    } else if (expression instanceof Expression.Call call) {
      call.arguments()
          .forEach(
              argument -> {
                if (argument.value() != null) {
                  look(argument.value(), found);
                }
              });
    } else {
      Tree.children(expression, child -> look(child, found));
    }
  }

  static @Nullable Expression argument(Expression.Call call, String key) {
    for (Expression.Property argument : call.arguments()) {
      if (argument.key().equals(key)) {
        return argument.value();
      }
    }
    return null;
  }

  private static Expression.Call range(
      Expression.Call range,
      Expression.Moment from,
      Instant low,
      Expression.Moment to,
      Instant high) {
    List<Expression.Property> arguments = new ArrayList<>();
    for (Expression.Property argument : range.arguments()) {
      Expression.Moment old = argument.key().equals("start") ? from : to;
      Instant now = argument.key().equals("start") ? low : high;
      Expression value =
          old.value().toInstant().equals(now)
              ? old
              : new Expression.Moment(now.atOffset(old.value().getOffset()), old.place());
      arguments.add(new Expression.Property(argument.key(), value, argument.place()));
    }
    return new Expression.Call(range.callee(), arguments, range.place());
  }

  private static Expression.Call filter(Expression.Call like, List<Expression> parts) {
    return Rebuild.call(
        like,
        value ->
            value instanceof Expression.Function function
                ? new Expression.Function(
                    function.parameters(),
                    List.of(
                        new Statement.Return(
                            Predicates.all(parts, function.place()), function.place())),
                    false,
                    function.place())
                : value);
  }
}
