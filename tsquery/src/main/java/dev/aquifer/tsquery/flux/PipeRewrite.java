package dev.aquifer.tsquery.flux;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/** The rewrites within one {@code from(…) |> range(…) |> …}, each where it changes no answer. */
final class PipeRewrite {
  private final Bindings scope;
  private final Set<String> defined;
  private final boolean inUtc;
  private final List<FluxPlan.Rewrite> rewrites = new ArrayList<>();
  private final IdentityHashMap<Expression.Call, Set<Expression.Call>> approved =
      new IdentityHashMap<>();

  PipeRewrite(Bindings scope, Set<String> defined, boolean inUtc) {
    this.scope = scope;
    this.defined = defined;
    this.inUtc = inUtc;
  }

  List<FluxPlan.Rewrite> rewrites() {
    return rewrites;
  }

  /**
   * The stages after {@code from}, the first of which is the range.
   *
   * @param reach how many of the stages are all of the read's own today
   */
  List<Expression.Call> of(Expression.Call from, List<Expression.Call> given, int reach) {
    List<Expression.Call> stages = filters(from, given, reach);
    stages = offset(stages);
    return latest(stages);
  }

  /** Filters that storage takes of this read by what {@link FilterRun} made of them. */
  Set<Expression.Call> approved(Expression.Call from) {
    return approved.getOrDefault(from, Set.of());
  }

  private List<Expression.Call> filters(
      Expression.Call from, List<Expression.Call> given, int stagesReached) {
    List<Expression.Call> stages = given;
    int filters = run(stages);
    int reach = reach(stages.subList(1, 1 + Math.min(filters, stagesReached - 1)));
    TimeBounds.Result timed = filters == 0 ? null : TimeBounds.of(stages, filters, reach, defined);
    if (timed != null) {
      add(
          Rules.TIME_INTO_RANGE,
          stages.subList(0, 1 + filters),
          timed.stages().subList(0, 1 + timed.filters()));
      stages = timed.stages();
      filters = timed.filters();
      reach = timed.reach();
    }
    if (filters == 0) {
      return stages;
    }
    List<Expression.Call> before = stages.subList(1, 1 + filters);
    Set<Expression.Call> known = new HashSet<>(before.subList(0, reach));
    approved.put(from, known);
    FilterRun.Result result = FilterRun.of(before, reach, scope, defined);
    if (result == null) {
      return stages;
    }
    for (String rule : result.rules()) {
      add(rule, before, result.stages());
    }
    known.add(result.stages().get(0));
    List<Expression.Call> changed = new ArrayList<>();
    changed.add(stages.get(0));
    changed.addAll(result.stages());
    changed.addAll(stages.subList(1 + filters, stages.size()));
    return changed;
  }

  /** How many of the filters storage looks at today: to the first that it does not take whole. */
  private int reach(List<Expression.Call> filters) {
    int reach = 0;
    while (reach < filters.size()) {
      reach++;
      if (!pushed(filters.get(reach - 1))) {
        break;
      }
    }
    return reach;
  }

  /** How many filters follow the range. */
  private static int run(List<Expression.Call> stages) {
    int filters = 0;
    String row = null;
    while (1 + filters < stages.size()) {
      Predicates.Body body = FilterRun.body(stages.get(1 + filters));
      if (body == null || (row != null && !row.equals(body.row()))) {
        break;
      }
      row = body.row();
      filters++;
    }
    return filters;
  }

  /**
   * Windows do not change when they are moved by their own length, where that is always the same.
   */
  private List<Expression.Call> offset(List<Expression.Call> stages) {
    List<Expression.Call> changed = new ArrayList<>();
    for (Expression.Call stage : stages) {
      Expression.Call moved = inUtc ? moved(stage) : null;
      changed.add(moved == null ? stage : moved);
      if (moved != null) {
        add(Rules.OFFSET_POSITIVE, List.of(stage), List.of(moved));
      }
    }
    return changed;
  }

  private Expression.@Nullable Call moved(Expression.Call stage) {
    if (!calls(stage, "aggregateWindow") && !calls(stage, "window")) {
      return null;
    }
    Expression offset = TimeBounds.argument(stage, "offset");
    Long nanos = Constants.nanos(offset);
    Long every = Constants.nanos(TimeBounds.argument(stage, "every"));
    if (offset == null
        || nanos == null
        || every == null
        || nanos >= 0
        || every <= 0
        || TimeBounds.argument(stage, "location") != null) {
      return null;
    }
    Expression positive = Constants.span(Math.floorMod(nanos, every), offset.place());
    return Rebuild.call(stage, value -> value == offset ? positive : value);
  }

  /** Rows of one series never have the same time, so the latest is one. */
  private List<Expression.Call> latest(List<Expression.Call> stages) {
    int at = 1;
    while (at < stages.size() && pushed(stages.get(at))) {
      at++;
    }
    if (at + 1 >= stages.size()) {
      return stages;
    }
    String selector = selector(stages.get(at), stages.get(at + 1));
    if (selector == null || defined.contains(selector)) {
      return stages;
    }
    Place place = stages.get(at).place();
    List<Expression.Call> changed = new ArrayList<>(stages);
    Expression.Call selects =
        new Expression.Call(new Expression.Name(selector, place), List.of(), place);
    changed.subList(at, at + 2).clear();
    changed.add(at, selects);
    add(Rules.LATEST_ROW, stages.subList(at, at + 2), List.of(selects));
    return changed;
  }

  private boolean pushed(Expression.Call stage) {
    Predicates.Body body = FilterRun.body(stage);
    return body != null
        && Predicates.parts(body.value()).stream()
            .allMatch(part -> Predicates.obstacle(part, body.row(), scope) == null);
  }

  private @Nullable String selector(Expression.Call sort, Expression.Call limit) {
    boolean byTime =
        calls(sort, "sort")
            && TimeBounds.argument(sort, "columns") instanceof Expression.Array columns
            && columns.elements().equals(List.of(new Expression.Text("_time", Place.NONE)));
    boolean one =
        calls(limit, "limit")
            && TimeBounds.argument(limit, "n") instanceof Expression.Int n
            && n.value() == 1
            && limit.arguments().size() == 1;
    if (!byTime || !one) {
      return null;
    }
    Expression desc = TimeBounds.argument(sort, "desc");
    if (desc == null) {
      return sort.arguments().size() == 1 ? "first" : null;
    }
    return desc instanceof Expression.Name word
            && word.name().equals("true")
            && !defined.contains("true")
            && sort.arguments().size() == 2
        ? "last"
        : null;
  }

  private boolean calls(Expression.Call call, String name) {
    return call.callee() instanceof Expression.Name callee
        && callee.name().equals(name)
        && !defined.contains(name);
  }

  private void add(String rule, List<Expression.Call> before, List<Expression.Call> after) {
    Place place = before.get(0).place();
    rewrites.add(
        new FluxPlan.Rewrite(rule, place.line(), place.column(), shown(before), shown(after)));
  }

  private static String shown(List<Expression.Call> stages) {
    return stages.stream().map(Printer::print).collect(Collectors.joining(" |> "));
  }
}
