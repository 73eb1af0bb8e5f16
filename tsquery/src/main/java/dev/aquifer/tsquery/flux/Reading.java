package dev.aquifer.tsquery.flux;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** What storage does for one {@code from}, as the server's planner would have it. */
final class Reading {
  static final String RANGE = "ReadRange";
  static final String GROUP = "ReadGroup";
  static final String GROUP_AGGREGATE = "ReadGroupAggregate";
  static final String WINDOW_AGGREGATE = "ReadWindowAggregate";
  static final String WINDOW_AGGREGATE_BY_TIME = "ReadWindowAggregateByTime";
  static final String TAG_KEYS = "ReadTagKeys";
  static final String TAG_VALUES = "ReadTagValues";

  private final Step from;
  private final List<Step> pushed = new ArrayList<>();
  private String node = "from";
  private final List<Taken> taken = new ArrayList<>();
  private @Nullable String aggregate;
  private @Nullable Step window;
  private @Nullable List<String> groupBy;
  private @Nullable String timeColumn;
  private boolean forced;
  private boolean undecided;
  private @Nullable Step left;
  private Predicates.@Nullable Obstacle obstacle;
  private final Map<Step, List<Step>> consumers;

  /**
   * @param consumers what works on what each step gives
   */
  Reading(Step from, Map<Step, List<Step>> consumers) {
    this.from = from;
    this.consumers = consumers;
    pushed.add(from);
  }

  void absorb(Step step, String becomes) {
    pushed.add(step);
    node = becomes;
  }

  /** Parts of a filter went into the read; the filter itself only where that was all of it. */
  void filter(Taken filter) {
    taken.add(filter);
    if (filter.whole()) {
      pushed.add(filter.step());
    }
  }

  /**
   * What storage evaluates of a filter.
   *
   * @param row the name of its row
   * @param scope what names in it stand for
   * @param whole whether that is all of it
   */
  record Taken(Step step, String row, List<Expression> parts, Bindings scope, boolean whole) {}

  /** Of a filter it is not known whether the server takes it as it is thought here. */
  void undecide() {
    undecided = true;
  }

  boolean undecided() {
    return undecided;
  }

  List<Taken> taken() {
    return taken;
  }

  /**
   * The first part that has alternatives of tags and of the value, where storage loses points by
   * it: it then has no condition of its own for a series whose tags are enough, and in all shards
   * but the first applies that of a series before. A condition of the value alone beside it is one.
   */
  @Nullable Expression losesPoints() {
    Expression first = null;
    for (Taken filter : taken) {
      for (Expression part : filter.parts()) {
        if (Predicates.ofValueAlone(part, filter.row())) {
          return null;
        }
        if (first == null && Predicates.mixed(part, filter.row())) {
          first = part;
        }
      }
    }
    return first;
  }

  void aggregated(String by) {
    aggregate = by;
  }

  void windowed(Step by) {
    window = by;
  }

  void grouped(List<String> by) {
    groupBy = List.copyOf(by);
  }

  void labelled(String column) {
    timeColumn = column;
  }

  void force(Step step) {
    pushed.add(step);
    forced = true;
  }

  /** From this step on the query engine works. */
  void leave(Step step, String reason, Place place) {
    left = step;
    obstacle = new Predicates.Obstacle(reason, place);
  }

  Step from() {
    return from;
  }

  List<Step> pushed() {
    return pushed;
  }

  /** The kind of the plan's node, without merged filters. */
  String node() {
    return node;
  }

  /** The name of the plan's node. */
  String name() {
    int filters = filters();
    return filters > 0 && node.equals(RANGE) ? "merged_" + node + "_filter".repeat(filters) : node;
  }

  int filters() {
    return (int) taken.stream().filter(Taken::whole).count();
  }

  boolean partial() {
    return taken.stream().anyMatch(filter -> !filter.whole());
  }

  @Nullable String aggregate() {
    return aggregate;
  }

  @Nullable Step window() {
    return window;
  }

  @Nullable List<String> groupBy() {
    return groupBy;
  }

  String timeColumn() {
    return timeColumn == null ? "" : timeColumn;
  }

  boolean forced() {
    return forced;
  }

  @Nullable Step left() {
    return left;
  }

  Predicates.@Nullable Obstacle obstacle() {
    return obstacle;
  }

  /** All that works on what it gives, in the query engine. */
  List<Step> rest() {
    Set<Step> seen = new LinkedHashSet<>();
    Deque<Step> open = new ArrayDeque<>();
    open.push(pushed.get(pushed.size() - 1));
    while (!open.isEmpty()) {
      for (Step step : consumers.getOrDefault(open.pop(), List.of())) {
        if (seen.add(step)) {
          open.push(step);
        }
      }
    }
    return List.copyOf(seen);
  }
}
