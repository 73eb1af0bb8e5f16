package dev.aquifer.tsquery.flux;

import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * The filters right after a range, made into one that storage takes whole and one with what is
 * left. Three kinds of parts:
 *
 * <ul>
 *   <li>what storage takes today stays as it is written, and is taken still;
 *   <li>what the query engine evaluates today, because of its shape or because something before it
 *       was not taken, goes to storage where {@link Faithful} can say it so that it does not matter
 *       who evaluates it;
 *   <li>the rest stays behind, in its order. What is left only because of something before it, and
 *       may not go, stays behind that.
 * </ul>
 */
final class FilterRun {
  private final List<Expression.Call> filters;
  private final int reach;
  private final Bindings scope;
  private final Set<String> defined;
  private final List<Expression> taken = new ArrayList<>();
  private final List<Expression> left = new ArrayList<>();
  private final List<Expression> behind = new ArrayList<>();
  private final List<String> rules = new ArrayList<>();

  /**
   * The stages that take the place of the run's, the first for storage; the rules that made them.
   */
  record Result(List<Expression.Call> stages, List<String> rules) {}

  private FilterRun(List<Expression.Call> filters, int reach, Bindings scope, Set<String> defined) {
    this.filters = filters;
    this.reach = reach;
    this.scope = scope;
    this.defined = defined;
  }

  /** The predicate of a filter that can be part of a run; null of any other stage. */
  static Predicates.@Nullable Body body(Expression.Call stage) {
    if (!(stage.callee() instanceof Expression.Name name) || !name.name().equals("filter")) {
      return null;
    }
    Predicates.Body body = null;
    for (Expression.Property argument : stage.arguments()) {
      if (argument.key().equals("fn") && argument.value() instanceof Expression.Function function) {
        body = Predicates.body(function);
      } else if (!argument.key().equals("onEmpty")
          || !(argument.value() instanceof Expression.Text text)
          || !text.value().equals("drop")) {
        return null;
      }
    }
    return body;
  }

  /**
   * Null where nothing would change.
   *
   * @param reach how many of the filters storage looks at today; what it can take of these, it does
   */
  static @Nullable Result of(
      List<Expression.Call> filters, int reach, Bindings scope, Set<String> defined) {
    FilterRun run = new FilterRun(filters, reach, scope, defined);
    return run.sort() ? run.result() : null;
  }

  /** Sorts the parts; false where nothing is won, or would change what is let through. */
  private boolean sort() {
    Predicates.Body first = body(filters.get(0));
    if (first == null) {
      return false;
    }
    String row = first.row();
    boolean blocked = false;
    for (int i = 0; i < filters.size(); i++) {
      Predicates.Body body = body(filters.get(i));
      if (body == null || !body.row().equals(row)) {
        return false;
      }
      boolean blocks = false;
      for (Expression part : Predicates.parts(body.value())) {
        boolean pushable = Predicates.obstacle(part, row, scope) == null;
        blocks |= !pushable;
        if (pushable && i < reach) {
          taken.add(part);
          continue;
        }
        Faithful faithful = new Faithful(row, scope, defined);
        Expression written = faithful.of(part);
        if (written != null) {
          taken.addAll(Predicates.parts(written));
          rules.addAll(faithful.rules());
        } else if (pushable) {
          behind.add(part);
        } else {
          left.add(part);
        }
        if (written != null && blocked) {
          rules.add(Rules.PUSHABLE_FIRST);
        } else if (written != null && faithful.rules().isEmpty() && !written.equals(part)) {
          rules.add(Rules.MISSING_TAG);
        }
      }
      blocked |= blocks;
    }
    // Without what it stood behind, storage would take it, and mean something else by it.
    return !rules.isEmpty() && (behind.isEmpty() || !left.isEmpty());
  }

  private Result result() {
    Expression.Call first = filters.get(0);
    List<Expression.Call> stages = new ArrayList<>();
    for (List<Expression> parts : List.of(taken, left, behind)) {
      if (!parts.isEmpty()) {
        Expression.Call at = stages.isEmpty() ? first : at(parts);
        stages.add(filter(at, parts));
      }
    }
    return new Result(stages, rules.stream().distinct().toList());
  }

  /** The filter that the first of these parts stood in. */
  private Expression.Call at(List<Expression> parts) {
    for (Expression.Call filter : filters) {
      Predicates.Body body = body(filter);
      if (body != null
          && Predicates.parts(body.value()).stream().anyMatch(p -> p == parts.get(0))) {
        return filter;
      }
    }
    return filters.get(filters.size() - 1);
  }

  private static Expression.Call filter(Expression.Call like, List<Expression> parts) {
    List<Expression.Property> arguments = new ArrayList<>();
    for (Expression.Property argument : like.arguments()) {
      if (argument.value() instanceof Expression.Function function) {
        Place place = function.place();
        Statement value = new Statement.Return(Predicates.all(parts, place), place);
        Expression predicate =
            new Expression.Function(function.parameters(), List.of(value), false, place);
        arguments.add(new Expression.Property("fn", predicate, argument.place()));
      }
    }
    return new Expression.Call(like.callee(), arguments, like.place());
  }
}
