package dev.aquifer.tsquery.flux;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;

class TenantGuardTest {
  private static final String READ = "from(bucket: \"b\") |> range(start: -1h)";

  private static final EmittedFlux EMITTED = EmittedFlux.of("confined", 300);

  private static final Pattern GUARDED =
      Pattern.compile(
          "from\\(bucket(ID)?: [^)]*\\) \\|> range\\([^)]*\\)"
              + " \\|> filter\\(fn: \\(r\\) => (?<predicate>([^()]|\\([^()]*\\))*)\\)");

  /** What cannot be guarded, and where it says so; all other scripts are guarded. */
  private static final Map<String, String> REFUSED =
      Map.ofEntries(
          Map.entry("confine/wrapped-from", "1:14"),
          Map.entry("confine/renamed-from", "1:5"),
          Map.entry("confine/shadowed-range", "1:47"),
          Map.entry("confine/package-from", "1:1"),
          Map.entry("confine/tag-values", "2:1"),
          Map.entry("confine/measurement-tag-values", "2:1"),
          Map.entry("confine/cardinality", "1:1"),
          Map.entry("confine/buckets", "1:1"),
          Map.entry("confine/secrets", "1:1"),
          Map.entry("error/unknown-function", "1:1"),
          Map.entry("error/no-range", "1:1"),
          Map.entry("error/unknown-import", "1:1"));

  @Test
  void confinedTo_ofEveryRecordedScript_guardsEachReadOrRefuses() {
    Set<String> refused = new TreeSet<>();
    for (Recorded.Case each : Recorded.scripts()) {
      FluxScript script = FluxScript.parse(each.flux());
      try {
        FluxScript confined = script.confinedTo("tenant", "t1");
        EMITTED.acceptedLike(each.flux(), confined.text());
        assertGuarded(confined, each.id());
        assertThat(FluxScript.parse(confined.text())).as(each.id()).isEqualTo(confined);
        assertThat(confined.confinedTo("tenant", "t1")).as(each.id()).isEqualTo(confined);
      } catch (RefusedScriptException e) {
        refused.add(each.id());
        assertThat(e.line() + ":" + e.column()).as(each.id()).isEqualTo(REFUSED.get(each.id()));
      }
    }
    assertThat(refused).isEqualTo(new TreeSet<>(REFUSED.keySet()));
  }

  /** What is confined already is sent as it is, so its answer is the recorded one. */
  @Test
  void confinedTo_ofRecordedScriptsOfOneTenant_changesNothing() {
    int same = 0;
    for (Recorded.Case each : Recorded.scripts()) {
      Set<String> groups = Set.of("window", "calendar", "stage", "edge");
      for (String tenant : new String[] {"t1", "t2"}) {
        String filter =
            "|> filter(fn: (r) => r._measurement == \"%s\" and r._field == \"%s\" and r.tenant == \"%s\")";
        boolean own =
            each.flux().contains(filter.formatted("vitals", "heart_rate", tenant))
                || each.flux().contains(filter.formatted("meter", "kwh", tenant));
        String others = tenant.equals("t1") ? "\"t2\"" : "\"t1\"";
        if (groups.contains(each.group()) && own && !each.flux().contains(others)) {
          FluxScript script = FluxScript.parse(each.flux());
          assertThat(script.confinedTo("tenant", tenant)).as(each.id()).isEqualTo(script);
          same++;
        }
      }
    }
    assertThat(same).isGreaterThan(100);
  }

  @Test
  void confinedTo_addsTheFilterRightAfterTheRange() {
    assertConfined(
        READ + " |> count()", READ + " |> filter(fn: (r) => r[\"tenant\"] == \"t1\") |> count()");
    assertConfined(
        "f = (b, n=5) => (" + READ + ") |> limit(n: n)",
        "f = (b, n=5) => (" + READ + " |> filter(fn: (r) => r.tenant == \"t1\")) |> limit(n: n)");
  }

  @Test
  void confinedTo_whereTheFirstFilterConfines_addsNothing() {
    assertSame(READ + " |> filter(fn: (r) => r.tenant == \"t1\")");
    assertSame(READ + " |> filter(fn: (row) => row.a == \"x\" and row[\"tenant\"] == \"t1\")");
    assertSame(READ + " |> filter(fn: (r) => (r.a == 1 or r.b == 2) and (r.tenant == \"t1\"))");
  }

  /** Looks confined, and lets rows of others through, or names of their series, or sees them. */
  @Test
  void confinedTo_whereTheFirstFilterOnlyLooksLikeIt_addsTheFilter() {
    for (String stage :
        new String[] {
          "filter(fn: (r) => r.tenant == \"t1\" or true)",
          "filter(fn: (r) => not r.tenant == \"t1\")",
          "filter(fn: (r) => r.tenant == \"t2\")",
          "filter(fn: (r) => r.tenant != \"t1\")",
          "filter(fn: (r) => r.tenant =~ /t1/)",
          "filter(fn: (r) => q.tenant == \"t1\")",
          "filter(fn: (r) => { r = {tenant: \"t1\"} return r.tenant == \"t1\" })",
          "filter(fn: (r={tenant: \"t1\"}) => r.tenant == \"t1\")",
          "filter(fn: (r) => r.tenant == \"t1\", onEmpty: \"keep\")",
          "filter(fn: (r) => if r.a then r.tenant == \"t1\" else true)",
          "filter(fn: (r) => (if r.tenant == \"t2\" then die(msg: r.secret) else true)"
              + " and r.tenant == \"t1\")",
          "filter(fn: (r) => r.a == \"x\" and int(v: r.secret) == 1 and r.tenant == \"t1\")",
          "filter(fn: (r) => \"${r.tenant == \"t1\"}\" == \"true\")",
          "map(fn: (r) => ({r with tenant: \"t1\"})) |> filter(fn: (r) => r.tenant == \"t1\")",
        }) {
      String text = "q = {tenant: \"t1\"} x = " + READ;
      FluxScript confined = FluxScript.parse(text + " |> " + stage).confinedTo("tenant", "t1");
      EMITTED.acceptedLike(text + " |> " + stage, confined.text());
      FluxScript guarded =
          FluxScript.parse(text + " |> filter(fn: (r) => r.tenant == \"t1\") |> " + stage);
      assertThat(confined).as(stage).isEqualTo(guarded);
    }
  }

  @Test
  void confinedTo_ofOtherWaysToData_isRefused() {
    assertRefused("x = from", 1, 5, "'from' stands elsewhere");
    assertRefused("x = {from}", 1, 6, "'from' stands elsewhere");
    assertRefused("x = {from: from}", 1, 12, "'from' stands elsewhere");
    assertRefused("f(from)", 1, 1, "'f' is not known");
    assertRefused("x = [from][0]", 1, 6, "'from' stands elsewhere");
    assertRefused("x = \"${from}\"", 1, 8, "'from' stands elsewhere");
    assertRefused("x = (f=from) => f", 1, 8, "'from' stands elsewhere");
    assertRefused("x = () => { y = from return y }", 1, 17, "'from' stands elsewhere");
    assertRefused("x = from(bucket: \"b\")", 1, 5, "'from' stands elsewhere");
    assertRefused("x = range(start: 1, tables: from(bucket: \"b\"))", 1, 29, "'from' stands");
    assertRefused("from(bucket: \"b\") |> limit(n: 1) |> range(start: 1)", 1, 1, "at once");
    assertRefused("from(bucket: \"b\", host: \"h\") |> range(start: 1)", 1, 19, "'host'");
    assertRefused("from(bucket: \"b\", org: \"o\") |> range(start: 1)", 1, 19, "'org'");
    assertRefused(READ + " |> to(bucket: \"c\")", 1, 43, "'to' writes");
    assertRefused(READ + "\n  |> wideTo(bucket: \"c\")", 2, 6, "'wideTo' is not known");
    assertRefused("buckets()", 1, 1, "'buckets' lists what belongs to others");
    for (String path :
        new String[] {
          "sql",
          "http",
          "http/requests",
          "csv",
          "experimental",
          "influxdata/influxdb",
          "socket",
          "influxdata/influxdb/secrets",
          "influxdata/influxdb/tasks",
          "planner",
          "profiler",
          "kafka",
          "influxdata/influxdb/monitor",
          "experimental/http",
          "internal/debug",
          "universe",
          "mqtt"
        }) {
      assertRefused("import x \"" + path + "\"", 1, 1, "the package '" + path + "' may read");
    }
  }

  @Test
  void confinedTo_ofPackagesUsedInPart_refusesTheRest() {
    String schema = "import s \"influxdata/influxdb/schema\"\n";
    FluxScript.parse(schema + READ + " |> s.fieldsAsCols()").confinedTo("tenant", "t1");
    assertRefused(schema + "s.measurements(bucket: \"b\")", 2, 1, "'s.measurements' may read");
    assertRefused(schema + "s[\"tagKeys\"](bucket: \"b\")", 2, 1, "'s.tagKeys' may read");
    assertRefused(schema + "x = s", 2, 5, "the package 's' is used as a value");
    assertRefused(schema + "x = {s with a: 1}", 2, 6, "the package 's' is used as a value");
    assertRefused(schema + "x = {s}", 2, 6, "the package 's' is used as a value");
    assertRefused(schema + "s = 1", 2, 1, "'s' is the name of an imported package");
    assertRefused(schema + "f = (s) => s.tagKeys()", 2, 6, "'s' is the name of an imported");
    assertRefused(schema + "import s \"strings\"", 2, 1, "two packages are imported as 's'");
  }

  @Test
  void confinedTo_whereTheGuardsNamesGetAnotherMeaning_isRefused() {
    for (String name : new String[] {"from", "range", "filter", "params", "buckets", "to"}) {
      assertRefused(name + " = 1", 1, 1, "'" + name + "' is given another meaning");
      assertRefused("f = (" + name + ") => 1", 1, 6, "'" + name + "' is given another meaning");
      assertRefused("f = () => { " + name + " = 1 return 2 }", 1, 13, "another meaning");
      assertRefused("import " + name + " \"strings\"", 1, 1, "another meaning");
      assertRefused("option " + name + " = 1", 1, 1, "is not the script's to set");
    }
    assertRefused("option now = () => 2020-01-01T00:00:00Z", 1, 1, "the option 'now'");
    assertRefused("option a.b = 1", 1, 1, "the option 'b'");
    assertRefused("builtin from : int", 1, 1, "have no place in a query");
    assertRefused("package other", 1, 1, "have no place in a query");
    assertRefused("@edition(\"x\") a = 1", 1, 1, "have no place in a query");
    assertRefused("testcase a { b = 1 }", 1, 1, "have no place in a query");
    assertRefused("test a = 1", 1, 1, "have no place in a query");
  }

  /** A name is known from where it is defined to the end of its block, no further. */
  @Test
  void confinedTo_knowsTheScriptsOwnNamesWhereTheyAreDefined() {
    FluxScript.parse("x = 1 y = x f = (a) => { b = a return b + y } z = f(a: y)")
        .confinedTo("tenant", "t1");
    assertRefused("y = x x = 1", 1, 5, "'x' is not known");
    assertRefused("f = (a) => { b = a return b } z = b", 1, 35, "'b' is not known");
    assertRefused("f = (a) => a z = a", 1, 18, "'a' is not known");
    assertRefused("f = (a, b=a) => a", 1, 11, "'a' is not known");
  }

  private static void assertConfined(String text, String confined) {
    FluxScript script = FluxScript.parse(text).confinedTo("tenant", "t1");
    EMITTED.acceptedLike(text, script.text());
    assertThat(script).isEqualTo(FluxScript.parse(confined));
  }

  private static void assertSame(String text) {
    assertConfined(text, text);
  }

  private static void assertRefused(String text, int line, int column, String reason) {
    FluxScript script = FluxScript.parse(text);
    RefusedScriptException refused =
        catchThrowableOfType(RefusedScriptException.class, () -> script.confinedTo("tenant", "t1"));
    assertThat(refused).as(text).isNotNull().hasMessageContaining(reason);
    assertThat(refused.line() + ":" + refused.column()).as(text).isEqualTo(line + ":" + column);
  }

  /** By the text alone, another way than the guard goes: every read is a range and a filter. */
  private static void assertGuarded(FluxScript confined, String id) {
    String text = confined.text().replaceAll("\\s+", " ");
    int reads = 0;
    Matcher read = GUARDED.matcher(text);
    while (read.find()) {
      String conditions = read.group("predicate").replaceAll("\\([^()]*\\)", "");
      assertThat(conditions.split(" and ")).as(id).contains("r.tenant == \"t1\"");
      assertThat(conditions).as(id).doesNotContain(" or ");
      reads++;
    }
    assertThat(reads).as(id).isEqualTo(text.split("from\\(bucket", -1).length - 1);
  }
}
