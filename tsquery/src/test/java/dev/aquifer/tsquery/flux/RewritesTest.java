package dev.aquifer.tsquery.flux;

import static org.assertj.core.api.Assertions.assertThat;

import dev.aquifer.testkit.Proof;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.Test;

class RewritesTest {
  private static final EmittedFlux EMITTED = EmittedFlux.of("optimized", 800);
  private static final EmittedFlux TREES = EmittedFlux.of("optimized-trees", 200);

  /** A case of {@code rewrites.txt}; {@code after} is empty where nothing may change. */
  private record Case(
      String name, FloatSums sums, String before, List<String> rules, String after) {}

  private static List<Case> cases() {
    String text;
    try (InputStream in = RewritesTest.class.getResourceAsStream("/flux/rewrites.txt")) {
      text = new String(in.readAllBytes(), StandardCharsets.UTF_8);
    } catch (java.io.IOException e) {
      throw new java.io.UncheckedIOException(e);
    }
    List<Case> cases = new ArrayList<>();
    String[] blocks = text.split("(?m)^# ", -1);
    for (int i = 1; i < blocks.length; i++) {
      String name = blocks[i].substring(0, blocks[i].indexOf('\n'));
      String[] sides = blocks[i].substring(name.length()).split("(?m)^---", 2);
      String after = sides[1].substring(sides[1].indexOf('\n')).strip();
      String rules = sides[1].substring(0, sides[1].indexOf('\n')).strip();
      FloatSums sums = name.contains("[sums]") ? FloatSums.LAST_DIGITS_MAY_DIFFER : FloatSums.EXACT;
      cases.add(
          new Case(
              name,
              sums,
              sides[0].strip(),
              rules.isEmpty() ? List.of() : List.of(rules.split(", ", -1)),
              after));
    }
    return cases;
  }

  @Test
  void optimized_isAsWritten() {
    assertThat(cases()).hasSizeGreaterThan(60);
    for (Case each : cases()) {
      FluxScript before = FluxScript.parse(each.before());
      FluxScript after = before.optimized(each.sums());
      FluxScript expected = each.after().isEmpty() ? before : FluxScript.parse(each.after());
      EMITTED.acceptedLike(each.before(), after.text());
      assertThat(after.text()).as(each.name()).isEqualTo(expected.text());
      Set<String> rules = new TreeSet<>();
      for (FluxPlan.Rewrite rewrite : before.explain().rewrites()) {
        if (each.sums().compareTo(rewrite.needs()) >= 0) {
          rules.add(rewrite.rule());
        }
      }
      assertThat(rules).as(each.name()).isEqualTo(new TreeSet<>(each.rules()));
    }
  }

  /** Where the guard comes before, and where it comes after. */
  @Test
  void optimized_isConfinedAsBefore() {
    List<String> scripts = new ArrayList<>();
    cases().forEach(each -> scripts.add(each.before()));
    Recorded.scripts().forEach(each -> scripts.add(each.flux()));
    int confined = 0;
    for (String text : scripts) {
      FluxScript script = FluxScript.parse(text);
      for (FloatSums sums : FloatSums.values()) {
        FluxScript optimized = script.optimized(sums);
        EMITTED.acceptedLike(text, optimized.text());
        assertThat(FluxScript.parse(optimized.text())).as(text).isEqualTo(optimized);
        assertThat(optimized.optimized(sums)).as(text).isEqualTo(optimized);
        assertThat(refusal(optimized) == null).as(text).isEqualTo(refusal(script) == null);
        if (refusal(script) == null) {
          FluxScript guarded = script.confinedTo("tenant", "t9").optimized(sums);
          EMITTED.acceptedLike(text, guarded.text());
          assertThat(guarded.confinedTo("tenant", "t9")).as(text).isEqualTo(guarded);
          FluxScript later = optimized.confinedTo("tenant", "t9");
          assertThat(reads(later)).as(text).isEqualTo(reads(guarded));
          confined++;
        }
      }
    }
    assertThat(confined).isGreaterThan(400);
  }

  private static int reads(FluxScript script) {
    return script.text().split("r.tenant == \"t9\"", -1).length;
  }

  private static @org.jspecify.annotations.Nullable String refusal(FluxScript script) {
    try {
      script.confinedTo("tenant", "t9");
      return null;
    } catch (RefusedScriptException e) {
      return e.getMessage();
    }
  }

  @Test
  void optimized_ofRandomTrees_endsInAScriptThatReadsBack() {
    Proof.of("flux-optimized")
        .tries(1_000, 300_000)
        .each(
            random -> {
              FluxScript script = new Trees(random).script();
              FluxScript optimized = script.optimized(FloatSums.LAST_DIGITS_MAY_DIFFER);
              TREES.read(optimized.text());
              assertThat(FluxScript.parse(optimized.text())).isEqualTo(optimized);
              assertThat(script.explain().toString()).isNotNull();
            });
  }

  /** Shapes for which a careless optimizer takes more than time in proportion to their length. */
  @Test
  void optimized_ofLongScripts_isDoneInTimeOnALittleStack() throws Exception {
    String read = "from(bucket: \"b\") |> range(start: -1h) ";
    List<String> shapes = new ArrayList<>();
    shapes.add(read + "|> filter(fn: (r) => \"x\" == r.a) ".repeat(3_000));
    shapes.add(read + "|> map(fn: (r) => r) ".repeat(5_000));
    shapes.add((read + "|> filter(fn: (r) => \"x\" == r.a) |> max()\n").repeat(1_500));
    shapes.add(read + "|> filter(fn: (r) => r.a == \"x\"" + " or \"x\" == r.a".repeat(5_000) + ")");
    shapes.add(
        read + "|> filter(fn: (r) => r.a == \"x\"" + " and \"x\" == r.a".repeat(5_000) + ")");
    shapes.add("union(tables: [" + (read + ", ").repeat(3_000) + "])");
    shapes.add("a = " + read + "a |> max() ".repeat(3_000));
    StringBuilder doubling = new StringBuilder("f0 = (x) => x |> max()\n");
    StringBuilder chain = new StringBuilder("v0 = " + read + "\n");
    StringBuilder predicates = new StringBuilder("p0 = (r) => r.a == \"x\"\n");
    for (int i = 1; i <= 500; i++) {
      doubling.append(
          "f%d = (x) => union(tables: [f%d(x: x), f%d(x: x)])\n".formatted(i, i - 1, i - 1));
      chain.append(
          "v%d = v%d |> filter(fn: (r) => r.a == \"x\")\nv%d |> max()\n".formatted(i, i - 1, i));
      predicates.append("p%d = (r) => p%d(r: r) and p%d(r: r)\n".formatted(i, i - 1, i - 1));
    }
    shapes.add(doubling + "f500(x: " + read + ")");
    shapes.add(chain.toString());
    shapes.add(predicates + read + "|> filter(fn: (r) => p500(r: r))");
    shapes.add(predicates + read + "|> filter(fn: (r) => p7(r: r))".repeat(1_000));
    AtomicReference<Throwable> failure = new AtomicReference<>();
    Thread thread =
        new Thread(null, () -> shapes.forEach(RewritesTest::optimize), "little stack", 1024 * 1024);
    thread.setUncaughtExceptionHandler((t, e) -> failure.set(e));
    thread.start();
    thread.join(120_000);
    assertThat(thread.isAlive()).isFalse();
    assertThat(failure.get()).isNull();
  }

  private static void optimize(String text) {
    FluxScript script = FluxScript.parse(text);
    FluxScript optimized = script.optimized(FloatSums.LAST_DIGITS_MAY_DIFFER);
    assertThat(FluxScript.parse(optimized.text()).equals(optimized)).isTrue();
    assertThat(script.explain().toString()).isNotEmpty();
  }
}
