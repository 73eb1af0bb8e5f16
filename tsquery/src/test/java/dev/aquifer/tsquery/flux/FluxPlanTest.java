package dev.aquifer.tsquery.flux;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

class FluxPlanTest {
  private static final Set<String> PLANNED =
      Set.of("window", "calendar", "stage", "predicate", "edge", "flights");

  private static final Pattern WINDOWS =
      Pattern.compile(
          "every = (.*), aggregates = \\[(.*)\\], createEmpty = (.*), timeColumn = \"(.*)\","
              + " forceAggregate = (.*)\\)");
  private static final Pattern GROUPS =
      Pattern.compile("GroupKeys: \\[(.*)\\], AggregateMethod: \"(.*)\"\\)");

  /** The server's own plan, of every case that has one. */
  @Test
  void planner_ofEveryRecordedPlan_isTheServers() {
    int compared = 0;
    for (Recorded.Case each : Recorded.scripts()) {
      List<String> recorded = Recorded.plans().get(each.id());
      if (recorded == null) {
        assertThat(PLANNED).as(each.id()).doesNotContain(each.group());
        continue;
      }
      List<Planner.Plan> plans = plans(each.flux());
      List<String> nodes = new ArrayList<>();
      List<String> details = new ArrayList<>();
      plans.forEach(plan -> nodes.addAll(plan.nodes()));
      plans.forEach(plan -> plan.reads().forEach(read -> details.addAll(details(read))));
      assertThat(nodes).as(each.id()).isEqualTo(recorded.stream().map(FluxPlanTest::kind).toList());
      assertThat(details)
          .as(each.id())
          .isEqualTo(recorded.stream().flatMap(node -> details(node).stream()).toList());
      compared++;
    }
    assertThat(compared).isEqualTo(180);
  }

  private static List<Planner.Plan> plans(String flux) {
    return Planner.plan(Tracer.trace(FluxScript.parse(flux).statements(), Map.of()));
  }

  /** A map is the same with vectors; one function is called otherwise within. */
  private static String kind(String node) {
    String kind = node.replaceAll(" \\(.*", "");
    return switch (kind) {
      case "vectorizedMap" -> "map";
      case "linearInterpolateKind" -> "interpolate.linear";
      default -> kind;
    };
  }

  private static List<String> details(String node) {
    Matcher windows = WINDOWS.matcher(node);
    if (windows.find()) {
      String every = windows.group(1).startsWith("15250w") ? "inf" : length(windows.group(1));
      return List.of(
          String.join(
              " ", every, windows.group(2), windows.group(3), windows.group(4), windows.group(5)));
    }
    Matcher groups = GROUPS.matcher(node);
    return groups.find() ? List.of(groups.group(1) + " " + groups.group(2)) : List.of();
  }

  private static List<String> details(Reading read) {
    Step window = read.window();
    List<String> groupBy = read.groupBy();
    if (groupBy != null) {
      String aggregate = read.aggregate() == null ? "" : read.aggregate();
      return List.of(String.join(" ", groupBy) + " " + aggregate);
    } else if (read.aggregate() == null) {
      return List.of();
    }
    Expression every = window == null ? null : window.constant("every");
    return List.of(
        String.join(
            " ",
            every == null ? "inf" : length(Printer.print(every)),
            read.aggregate(),
            Boolean.toString(window != null && window.is("createEmpty", true, false)),
            read.timeColumn(),
            Boolean.toString(read.forced())));
  }

  /** In nanoseconds, where it has a length. */
  private static String length(String span) {
    Statement statement = FluxScript.parse("x = " + span).statements().get(0);
    @Nullable Long nanos = Constants.nanos(((Statement.Assign) statement).value());
    return nanos == null ? span : nanos.toString();
  }

  /** Each of these was one storage read, whatever its value. */
  @Test
  void explain_ofBoundAndLiteralValues_isAReadThatTakesAll() {
    for (Recorded.Bound bound : Recorded.bound()) {
      FluxPlan plan = FluxQuery.of(bound.flux()).bind("tenant", bound.value()).explain();
      FluxPlan.Read read = plan.reads().get(0);
      assertThat(read.node()).isEqualTo("merged_ReadRange_filter");
      assertThat(read.left()).isNull();
      assertThat(plan.rewrites()).isEmpty();
    }
    for (Recorded.Case each : Recorded.scripts()) {
      if (each.group().equals("literal")) {
        FluxPlan plan = FluxScript.parse(each.flux()).explain();
        assertThat(plan.reads()).as(each.id()).hasSize(1);
        assertThat(plan.reads().get(0).left()).as(each.id()).isNull();
      }
    }
  }

  @Test
  void explain_saysWhatIsLeftAndWhy() {
    assertLeft(
        "|> filter(fn: (r) => r.a == \"x\" and \"y\" == r.b)", "filter", 1, 73, "on the left");
    assertLeft(
        "|> filter(fn: (r) => contains(value: r.a, set: [\"x\"]))",
        "filter",
        1,
        58,
        "'contains' is called");
    assertLeft(
        "|> filter(fn: (r) => not (r.a == \"x\"))", "filter", 1, 58, "the opposite comparison");
    assertLeft("|> filter(fn: (r) => r.a == \"\")", "filter", 1, 58, "never the empty text");
    assertLeft("|> filter(fn: (r) => r._time > 2026-03-01)", "filter", 1, 58, "narrow the range");
    assertLeft(
        "|> filter(fn: (r) => if r.a == \"x\" then true else false)", "filter", 1, 58, "'if'");
    assertLeft("|> filter(fn: (r) => r.a == \"x\", onEmpty: \"keep\")", "filter", 1, 40, "onEmpty");
    assertLeft("|> filter(fn: (r) => r.a < \"x\")", "filter", 1, 58, "only of _value");
    assertLeft("|> filter(fn: (r) => r._value > -5)", "filter", 1, 69, "hold it in a variable");
    assertLeft(
        "|> aggregateWindow(every: 1m, period: 2m, fn: count)", "aggregateWindow", 1, 40, "period");
    assertLeft(
        "|> aggregateWindow(every: 1m, offset: -2s, fn: count)",
        "aggregateWindow",
        1,
        40,
        "negative offset");
    assertLeft("|> aggregateWindow(every: 1m, fn: spread)", "aggregateWindow", 1, 40, "'spread'");
    assertLeft(
        "|> group() |> aggregateWindow(every: 1m, fn: count)", "aggregateWindow", 1, 51, "grouped");
    assertLeft("|> group(mode: \"except\", columns: [\"a\"])", "group", 1, 40, "by columns");
    assertLeft("|> group(columns: [\"_value\"])", "group", 1, 40, "by tags");
    assertLeft("|> count(column: \"a\")", "count", 1, 40, "_value");
    assertLeft("|> map(fn: (r) => r)", "map", 1, 40, "no such operation");
    assertLeft("|> count() |> limit(n: 1)", "limit", 1, 51, "aggregated");
  }

  private static void assertLeft(String stages, String call, int line, int column, String reason) {
    String text = "from(bucket: \"b\") |> range(start: -1h) " + stages;
    FluxPlan.Left left = FluxScript.parse(text).explain().reads().get(0).left();
    assertThat(left).as(text).isNotNull();
    assertThat(left.call()).as(text).isEqualTo(call);
    assertThat(left.reason()).as(text).contains(reason);
    assertThat(left.line() + ":" + left.column()).as(text).isEqualTo(line + ":" + (column + 3));
  }

  @Test
  void explain_followsVariablesAndFunctions() {
    String script =
        """
        read = (bucket, tables=<-) => from(bucket: bucket) |> range(start: -1h)
        data = read(bucket: "b")
        windows = (tables=<-, every) => tables |> aggregateWindow(every: every, fn: mean)
        data |> windows(every: 1m)
        """;
    assertThat(nodes(script)).containsExactly("ReadWindowAggregateByTime");
    assertThat(nodes("f = () => f() f() |> count()")).isEmpty();
    assertThat(
            nodes(
                "from(bucket: \"b\") |> range(start: -1h) |> keys() |> keep(columns: [\"_value\"]) |> distinct()"))
        .containsExactly("ReadTagKeys");
    assertThat(
            nodes(
                "from(bucket: \"b\") |> range(start: -1h) |> keep(columns: [\"a\"]) |> group() |> distinct(column: \"a\")"))
        .containsExactly("ReadTagValues");
    assertThat(
            nodes(
                "d = from(bucket: \"b\") |> range(start: -1h) x = d |> findRecord(fn: (key) => true, idx: 0) d |> max()"))
        .containsExactly("ReadWindowAggregate", "ReadRange");
  }

  private static List<String> nodes(String script) {
    return FluxScript.parse(script).explain().reads().stream()
        .map(FluxPlan.Read::node)
        .collect(Collectors.toList());
  }

  /** On a real server, 160 points of a series became 97. */
  @Test
  void explain_ofAlternativesOfTagAndValue_hasACaution() {
    String read = "from(bucket: \"b\") |> range(start: -1h) |> filter(fn: (r) => ";
    String mixed = "(r.ward == \"icu\" or r._value > 3)";
    FluxPlan plan = FluxScript.parse(read + "r.a == \"x\" and " + mixed + ")").explain();
    FluxPlan.Caution caution = plan.reads().get(0).caution();
    assertThat(caution).isNotNull();
    assertThat(caution.reason()).contains("alternatives are of tags and of _value", "always holds");
    assertThat(caution.line()).isEqualTo(1);
    assertThat(caution.column()).isEqualTo(read.length() + "r.a == \"x\" and (".length() + 1);
    assertThat(plan.toString()).contains("caution: where alternatives");
    for (String other :
        List.of(
            mixed + " and (r._value > 3 or r._value <= 3)",
            mixed + " and r._value < 9",
            "r.ward == \"icu\" or r.ward == \"er\"",
            "r._value > 3 or r._value < 1",
            "r.ward == \"icu\" and r._value > 3",
            "strings.hasPrefix(v: r.ward, prefix: \"i\") or r._value > 3")) {
      FluxPlan.Read sound = FluxScript.parse(read + other + ")").explain().reads().get(0);
      assertThat(sound.caution()).as(other).isNull();
    }
    FluxPlan.Read later =
        FluxScript.parse(read + mixed + ") |> filter(fn: (q) => q._value != 5)")
            .explain()
            .reads()
            .get(0);
    assertThat(later.caution()).isNull();
  }
}
