package dev.aquifer.tsquery.flux;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Deque;
import java.util.HashSet;
import java.util.IdentityHashMap;
import java.util.Iterator;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Says what InfluxDB 2.9's planner makes of a script's steps (the rules are those of {@code
 * rules.go} in influxdata/influxdb and of {@code aggregate_window.go} in influxdata/flux 0.200).
 * Each rule takes a step into the read before it, where that read has no other successor; so a read
 * grows along its only chain of successors until a step is not taken.
 */
final class Planner {
  private static final Set<String> WINDOWED =
      Set.of("count", "sum", "mean", "min", "max", "first", "last");
  private static final Set<String> GROUPED = Set.of("count", "sum", "min", "max", "first", "last");
  private static final Set<String> ENGINE_WINDOWS = Set.of("mean", "sum", "count");
  private static final Set<String> NO_TAGS = Set.of("_time", "_value", "_start", "_stop");

  private final List<Step> order = new ArrayList<>();
  private final IdentityHashMap<Step, List<Step>> consumers = new IdentityHashMap<>();
  private final boolean utc;

  /** The nodes of a plan in order, and its reads. */
  record Plan(List<String> nodes, List<Reading> reads) {}

  private Planner(List<Step> sinks, boolean utc) {
    this.utc = utc;
    order(sinks);
    for (Step step : order) {
      for (Step input : step.inputs()) {
        consumers.computeIfAbsent(input, none -> new ArrayList<>()).add(step);
      }
    }
  }

  /** A plan for the results and one for each table that the script looks into. */
  static List<Plan> plan(Tracer.Trace trace) {
    List<Plan> plans = new ArrayList<>();
    for (List<Step> sinks : trace.plans()) {
      plans.add(new Planner(sinks, Windows.utc(trace.location())).plan());
    }
    return plans;
  }

  static List<Reading> reads(Tracer.Trace trace) {
    return plan(trace).stream().flatMap(plan -> plan.reads().stream()).toList();
  }

  /** Inputs before what they feed; without recursion, since pipes are long. */
  private void order(List<Step> sinks) {
    record Open(Step step, Iterator<Step> inputs) {}
    Set<Step> seen = Collections.newSetFromMap(new IdentityHashMap<>());
    Deque<Open> open = new ArrayDeque<>();
    for (Step sink : sinks) {
      if (seen.add(sink)) {
        open.push(new Open(sink, sink.inputs().iterator()));
      }
      while (!open.isEmpty()) {
        Iterator<Step> inputs = open.peek().inputs();
        if (inputs.hasNext()) {
          Step input = inputs.next();
          if (seen.add(input)) {
            open.push(new Open(input, input.inputs().iterator()));
          }
        } else {
          order.add(open.pop().step());
        }
      }
    }
  }

  private Plan plan() {
    List<Reading> reads = new ArrayList<>();
    IdentityHashMap<Step, String> nodes = new IdentityHashMap<>();
    Set<Step> gone = Collections.newSetFromMap(new IdentityHashMap<>());
    for (Step step : order) {
      if (step.kind().equals("from")) {
        Reading read = new Reading(step, consumers);
        grow(read);
        reads.add(read);
        gone.addAll(read.pushed());
        nodes.put(read.pushed().get(read.pushed().size() - 1), read.name());
      }
    }
    List<String> names = new ArrayList<>();
    for (Step step : order) {
      String node = nodes.get(step);
      if (node != null) {
        names.add(node);
      } else if (!gone.contains(step)) {
        names.add(step.kind());
        engine(step, names, gone);
      }
    }
    return new Plan(names, reads);
  }

  /** What the query engine merges of its own: an aggregate of windows, a sort and its limit. */
  private void engine(Step step, List<String> names, Set<Step> gone) {
    Step second = only(step);
    if (step.kind().equals("limit") && step.inputs().size() == 1) {
      Step sort = step.inputs().get(0);
      boolean all =
          !step.has("offset")
              || (step.constant("offset") instanceof Expression.Int offset && offset.value() == 0);
      if (sort.kind().equals("sort") && only(sort) == step && !gone.contains(sort) && all) {
        names.remove(names.size() - 1);
        names.set(names.size() - 1, "merged_sort_limit");
      }
    } else if (second != null
        && step.kind().equals("window")
        && Windows.standard(step)
        && !Windows.infinite(step)
        && ENGINE_WINDOWS.contains(second.kind())) {
      Step third = only(second);
      if (third != null && third.kind().equals("experimental/table.fill")) {
        third = only(third);
      }
      Step last = third == null ? null : only(third);
      if (last != null && third != null && labels(third, last)) {
        names.set(names.size() - 1, "aggregateWindow");
        for (Step taken = second; taken != null && taken != last; taken = only(taken)) {
          gone.add(taken);
        }
        gone.add(last);
      }
    }
  }

  private @Nullable Step only(Step step) {
    List<Step> after = consumers.getOrDefault(step, List.of());
    return after.size() == 1 ? after.get(0) : null;
  }

  private void grow(Reading read) {
    Step from = read.from();
    if (from.has("host")) {
      read.leave(from, "'host' reads from another server", from.place());
      return;
    }
    Step range = only(from);
    if (range == null || !range.kind().equals("range")) {
      Step at = range == null ? from : range;
      read.leave(
          at,
          range == null
              ? "the 'from' feeds several calls; give each a 'from' of its own"
              : "'range' must follow 'from' at once",
          at.place());
      return;
    }
    read.absorb(range, Reading.RANGE);
    Step at = range;
    while (at != null) {
      List<Step> after = consumers.getOrDefault(at, List.of());
      if (after.size() > 1) {
        shared(read, after);
        return;
      }
      Step step = only(at);
      at = step == null ? null : take(read, step);
    }
  }

  private static void shared(Reading read, List<Step> after) {
    Step second = after.get(1);
    read.leave(
        second,
        "its tables are used %d times, and a read is pushed on only where it is used once; give each use a read of its own"
            .formatted(after.size()),
        second.place());
  }

  /** Takes the step into the read and returns where the read now ends; null where it stays. */
  private @Nullable Step take(Reading read, Step step) {
    return switch (read.node()) {
      case Reading.RANGE -> afterRange(read, step);
      case Reading.GROUP -> afterGroup(read, step);
      case Reading.WINDOW_AGGREGATE -> afterWindows(read, step);
      default -> {
        after(read, step);
        yield null;
      }
    };
  }

  private void after(Reading read, Step step) {
    if (!step.kind().equals("yield") || only(step) != null) {
      read.leave(step, "it works on what storage has aggregated", step.place());
    }
  }

  private @Nullable Step afterRange(Reading read, Step step) {
    String kind = step.kind();
    if (kind.equals("filter")) {
      return filter(read, step);
    } else if (kind.equals("group")) {
      return group(read, step);
    } else if (kind.equals("window")) {
      return window(read, step);
    } else if (WINDOWED.contains(kind)) {
      if (!Windows.ofValue(step)) {
        read.leave(step, "only the column _value is aggregated by storage", step.place());
        return null;
      }
      read.absorb(step, Reading.WINDOW_AGGREGATE);
      read.aggregated(kind);
      return step;
    } else if (kind.equals("keys") || kind.equals("keep")) {
      Step last = kind.equals("keys") ? tagKeys(step) : tagValues(step);
      if (last != null) {
        for (Step each = step; each != null && each != last; each = only(each)) {
          read.absorb(each, Reading.RANGE);
        }
        read.absorb(last, kind.equals("keys") ? Reading.TAG_KEYS : Reading.TAG_VALUES);
        return last;
      }
    }
    if (!kind.equals("yield") || only(step) != null) {
      read.leave(step, "storage has no such operation", step.place());
    }
    return null;
  }

  private @Nullable Step filter(Reading read, Step step) {
    if (step.has("onEmpty") && !"drop".equals(step.text("onEmpty", "drop"))) {
      read.leave(step, "onEmpty keeps empty tables, of which storage knows nothing", step.place());
      return null;
    }
    Meaning fn = step.argument("fn");
    Predicates.Body body =
        fn instanceof Meaning.Closure closure ? Predicates.body(closure.function()) : null;
    if (body == null || !(fn instanceof Meaning.Closure closure)) {
      read.leave(step, "its function is not one expression of one row", step.place());
      return null;
    }
    Predicates.Obstacle first = null;
    List<Expression> taken = new ArrayList<>();
    for (Expression part : Predicates.parts(body.value())) {
      Predicates.Obstacle obstacle = Predicates.obstacle(part, body.row(), closure.scope());
      if (Predicates.undecided(part, body.row(), closure.scope())) {
        read.undecide();
      }
      if (obstacle == null) {
        taken.add(part);
      } else if (first == null) {
        first = obstacle;
      }
    }
    if (!taken.isEmpty()) {
      read.filter(new Reading.Taken(step, body.row(), taken, closure.scope(), first == null));
    }
    if (first == null) {
      return step;
    }
    read.leave(step, first.reason(), first.place());
    return null;
  }

  private @Nullable Step group(Reading read, Step step) {
    Step at = step;
    // Of groups that follow each other only the last counts.
    for (Step after = only(at); after != null && after.kind().equals("group"); ) {
      at = after;
      after = only(at);
    }
    List<String> columns = at.has("columns") ? at.texts("columns") : List.of();
    if (!"by".equals(at.text("mode", "by"))) {
      read.leave(at, "only groups by columns are pushed down", at.place());
      return null;
    }
    if (columns == null || columns.contains("_time") || columns.contains("_value")) {
      read.leave(
          at,
          columns == null
              ? "its columns are not known before it runs"
              : "storage groups by tags, not by _time or _value",
          at.place());
      return null;
    }
    for (Step each = step; each != null && each != at; each = only(each)) {
      read.absorb(each, Reading.GROUP);
    }
    read.absorb(at, Reading.GROUP);
    read.grouped(columns);
    return at;
  }

  private @Nullable Step afterGroup(Reading read, Step step) {
    if (GROUPED.contains(step.kind()) && Windows.ofValue(step)) {
      read.absorb(step, Reading.GROUP_AGGREGATE);
      read.aggregated(step.kind());
      return step;
    }
    if (!step.kind().equals("yield") || only(step) != null) {
      read.leave(
          step,
          step.kind().equals("window")
              ? "storage has no windows of grouped tables; a group after the windows keeps them pushed down, where the answer may be one a series"
              : step.kind().equals("mean")
                  ? "storage has no mean of grouped tables"
                  : "storage has no such operation of grouped tables",
          step.place());
    }
    return null;
  }

  private @Nullable Step window(Reading read, Step step) {
    Step aggregate = only(step);
    Predicates.Obstacle obstacle = Windows.obstacle(step, utc);
    if (aggregate == null || !WINDOWED.contains(aggregate.kind())) {
      read.leave(
          step,
          aggregate == null
              ? "the windows are not aggregated by one function"
              : "'" + aggregate.kind() + "' of windows is not computed by storage",
          step.place());
      return null;
    }
    if (obstacle != null || !Windows.ofValue(aggregate)) {
      read.leave(
          step,
          obstacle == null ? "only the column _value is aggregated by storage" : obstacle.reason(),
          obstacle == null ? step.place() : obstacle.place());
      return null;
    }
    read.absorb(step, Reading.RANGE);
    read.windowed(step);
    read.absorb(aggregate, Reading.WINDOW_AGGREGATE);
    read.aggregated(aggregate.kind());
    return aggregate;
  }

  private @Nullable Step afterWindows(Reading read, Step step) {
    Step at = step;
    if (read.window() != null && at.kind().equals("experimental/table.fill")) {
      read.force(at);
      return at;
    }
    Step last = only(at);
    if (last != null && at.kind().equals("duplicate") && labels(at, last)) {
      read.absorb(at, Reading.WINDOW_AGGREGATE);
      read.absorb(last, Reading.WINDOW_AGGREGATE_BY_TIME);
      String column = at.text("column", null);
      read.labelled(column == null ? "" : column);
      return last;
    }
    after(read, step);
    return null;
  }

  /** Whether windows get their bounds as times, and become one table again. */
  private static boolean labels(Step duplicate, Step window) {
    String column = duplicate.text("column", null);
    return duplicate.kind().equals("duplicate")
        && "_time".equals(duplicate.text("as", null))
        && ("_start".equals(column) || "_stop".equals(column))
        && window.kind().equals("window")
        && Windows.infinite(window)
        && Windows.standard(window)
        && window.is("createEmpty", false, true);
  }

  private @Nullable Step tagKeys(Step keys) {
    String column = keys.text("column", "_value");
    Step keep = only(keys);
    Step distinct = keep == null ? null : only(keep);
    return column != null
            && keep != null
            && distinct != null
            && keep.kind().equals("keep")
            && List.of(column).equals(keep.texts("columns"))
            && distinct.kind().equals("distinct")
            && column.equals(distinct.text("column", "_value"))
        ? distinct
        : null;
  }

  private @Nullable Step tagValues(Step keep) {
    List<String> columns = keep.texts("columns");
    Step group = only(keep);
    Step distinct = group == null ? null : only(group);
    return columns != null
            && new HashSet<>(columns).size() == 1
            && columns.size() == 1
            && !NO_TAGS.contains(columns.get(0))
            && group != null
            && distinct != null
            && group.kind().equals("group")
            && "by".equals(group.text("mode", "by"))
            && (!group.has("columns") || List.of().equals(group.texts("columns")))
            && distinct.kind().equals("distinct")
            && columns.get(0).equals(distinct.text("column", "_value"))
        ? distinct
        : null;
  }
}
