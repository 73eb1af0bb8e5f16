package dev.aquifer.tsquery.flux;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import dev.aquifer.testkit.Proof;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.atomic.LongAdder;
import java.util.random.RandomGenerator;
import org.junit.jupiter.api.Test;

class FluxScriptTest {
  private static final EmittedFlux PRINTED = EmittedFlux.of("printed", 300);
  private static final EmittedFlux TREES = EmittedFlux.of("printed-trees", 300);

  @Test
  void text_ofEveryRecordedScript_readsBackEqual() {
    assertThat(Recorded.scripts()).hasSize(237);
    for (Recorded.Case each : Recorded.scripts()) {
      FluxScript script = FluxScript.parse(each.flux());
      PRINTED.acceptedLike(each.flux(), script.text());
      assertThat(FluxScript.parse(script.text())).as(each.id()).isEqualTo(script);
      assertThat(FluxScript.parse(script.text()).text()).isEqualTo(script.text());
    }
  }

  /** InfluxDB knows the letters of Unicode 5.1. */
  @Test
  void text_ofNamesWithOtherLetters_isQuoted() {
    FluxScript script = FluxScript.parse("x = {r with \ud820\ude1c: r.ü} y = r.u");
    assertThat(script.text())
        .isEqualTo("x = {r with \"\\xf0\\x98\\x88\\x9c\": r[\"\\xc3\\xbc\"]}\ny = r.u\n");
    assertThat(FluxScript.parse(script.text())).isEqualTo(script);
  }

  /** The recorded one that is not Flux; the server names the same place. */
  @Test
  void parse_ofTheRecordedSyntaxError_isRefusedAtItsPlace() {
    Recorded.Case broken =
        Recorded.cases().stream().filter(each -> each.id().equals("error/syntax")).findAny().get();
    assertRefused(broken.flux(), 2, 1, "expected ')', found the end of the script");
  }

  @Test
  void text_ofRandomTrees_readsBackEqual() {
    Proof.of("flux-round-trip")
        .tries(5_000, 500_000)
        .each(
            random -> {
              FluxScript script = new Trees(random).script();
              TREES.read(script.text());
              assertThat(FluxScript.parse(script.text())).isEqualTo(script);
            });
  }

  @Test
  void parse_ofMutatedScripts_isATreeOrARefusal() {
    List<String> seeds = new ArrayList<>();
    Recorded.cases().forEach(each -> seeds.add(each.flux()));
    seeds.add(SAMPLE);
    LongAdder read = new LongAdder();
    LongAdder refused = new LongAdder();
    Proof.of("flux-mutations")
        .tries(30_000, 1_000_000)
        .each(
            random -> {
              String text = mutated(random, seeds);
              try {
                FluxScript script = FluxScript.parse(text);
                assertThat(FluxScript.parse(script.text())).isEqualTo(script);
                read.increment();
                script.confinedTo("tenant", "t1");
              } catch (RefusedScriptException e) {
                assertThat(e.line()).isPositive();
                assertThat(e.column()).isPositive();
                refused.increment();
              }
            });
    assertThat(read.sum()).isPositive();
    assertThat(refused.sum()).isPositive();
  }

  private static final String SAMPLE =
      """
      package main
      import s "strings"
      option location = {zone: "UTC", offset: -5h}
      f = (tables=<-, n=1) => { m = n + 1 return tables |> limit(n: m) }
      d = ["a": 1, "b": 2]
      x = "in ${if d == [:] then "a" else r["b c"]} $$ \\${"
      from(bucket: "b") |> range(start: -1mo2w, stop: 2026-03-01)
        |> filter(fn: (r) => r.a =~ /x\\/[a-z]+/ and not exists r.b or -1.5 ^ 2.0 < .5) // end
        |> map(fn: (r) => ({r with c: [1, 2][0]}))
      testcase t { a = 1 }
      """;

  private static String mutated(RandomGenerator random, List<String> seeds) {
    StringBuilder text = new StringBuilder(seeds.get(random.nextInt(seeds.size())));
    for (int i = random.nextInt(1, 4); i > 0; i--) {
      int at = random.nextInt(text.length() + 1);
      int end = Math.min(text.length(), at + random.nextInt(12));
      switch (random.nextInt(5)) {
        case 0 -> text.delete(at, end);
        case 1 -> text.insert(at, HostileText.of(random));
        case 2 -> text.insert(random.nextInt(text.length() + 1), text.substring(at, end));
        case 3 -> text.insert(at, (char) random.nextInt(0x1_0000));
        default -> {
          String other = seeds.get(random.nextInt(seeds.size()));
          int from = random.nextInt(other.length() + 1);
          text.insert(at, other.substring(from, Math.min(other.length(), from + 30)));
        }
      }
    }
    return text.toString();
  }

  /** Shapes that a careless reader takes quadratic time or a deep stack for. */
  @Test
  void parse_ofLongHostileScripts_isDoneInLinearTimeOnALittleStack() throws Exception {
    int length = FluxScript.MAX_LENGTH / 4;
    List<String> shapes = new ArrayList<>();
    for (String unit :
        List.of(
            "if a then b else ",
            "(",
            "[",
            "{",
            "a(b:",
            "-",
            "not ",
            "(a)=>",
            "() => {",
            "\"${",
            "a.",
            "a or ",
            "a and ",
            "1+",
            "a |> b() ",
            "|> b()",
            "a[0]",
            "()",
            "\"",
            "\"$",
            "/",
            "/ /",
            "\\",
            "//",
            "if ",
            "x = ",
            "x = 1 ",
            "@a ",
            "@a(",
            "{a with ",
            "a, ",
            "1h",
            "0",
            "9",
            "\"a\" ",
            "[a:",
            "<-",
            "testcase a {",
            "builtin a : [",
            "builtin a : ",
            "import \"a\" ",
            "a == ",
            "\n",
            " ")) {
      shapes.add(unit.repeat(length / unit.length()));
      shapes.add("x = " + unit.repeat(length / unit.length() - 4));
      shapes.add("x = " + unit.repeat(100) + "1");
    }
    AtomicReference<Throwable> failure = new AtomicReference<>();
    Thread thread =
        new Thread(
            null, () -> shapes.forEach(FluxScriptTest::readOrRefused), "little stack", 512 * 1024);
    thread.setUncaughtExceptionHandler((t, e) -> failure.set(e));
    thread.start();
    thread.join(120_000);
    assertThat(thread.isAlive()).isFalse();
    assertThat(failure.get()).isNull();
  }

  private static void readOrRefused(String text) {
    try {
      FluxScript script = FluxScript.parse(text);
      String written = script.text();
      if (written.length() <= FluxScript.MAX_LENGTH) {
        assertThat(FluxScript.parse(written).equals(script)).isTrue();
      }
      assertThat(script.hashCode()).isEqualTo(FluxScript.parse(text).hashCode());
      script.confinedTo("tenant", "t1");
    } catch (RefusedScriptException e) {
      assertThat(e.line()).isPositive();
    }
  }

  @Test
  void parse_knowsPrecedence() {
    same("a + b * c ^ d |> f()", "a + (b * (c ^ (d |> f())))");
    same("a - b - c", "(a - b) - c");
    same("not a == b and c or d", "((not (a == b)) and c) or d");
    same("exists r.x and y", "(exists (r.x)) and y");
    same("-a |> f()", "(-a) |> f()");
    same("-a.b[0](c: 1)", "-(((a.b)[0])(c: 1))");
    same("if a then b else c or d", "if a then b else (c or d)");
    same("(r) => r.a and r.b", "(r) => (r.a and r.b)");
    same("a < b == c", "(a < b) == c");
    same("r.tenant", "r[\"tenant\"]");
    different("a or (b or c)", "a or b or c");
    different("a - (b - c)", "a - b - c");
    different("(a ^ b) |> f()", "a ^ b |> f()");
    different("not (a and b)", "not a and b");
  }

  private static void same(String one, String other) {
    assertThat(FluxScript.parse("x = " + one)).isEqualTo(FluxScript.parse("x = " + other));
  }

  private static void different(String one, String other) {
    assertThat(FluxScript.parse("x = " + one)).isNotEqualTo(FluxScript.parse("x = " + other));
  }

  @Test
  void parse_ofWhatIsNotFlux_namesThePlace() {
    assertRefused("x = (1 + ", 1, 10, "expected an expression, found the end of the script");
    assertRefused("x = 1\ny = )", 2, 5, "expected an expression, found ')'");
    assertRefused("f(1)", 1, 3, "expected a name and ':', found '1'");
    assertRefused("a |> b", 1, 6, "what follows '|>' must be the call of a function");
    assertRefused("x = \"abc", 1, 5, "the text has no end");
    assertRefused("x = /abc", 1, 5, "the regular expression has no end");
    assertRefused("x = r.in", 1, 7, "expected a name, found the keyword 'in'");
    assertRefused("x = 007", 1, 5, "begins with 0");
    assertRefused("x = 9223372036854775808", 1, 5, "is above 9223372036854775807");
    assertRefused("x = 2026-02-30", 1, 5, "is not a time");
    assertRefused("x = 1h5", 1, 5, "a duration ends in a number without unit");
    assertRefused("x = 1e5", 1, 5, "a number runs into a name");
    assertRefused("x = \"\\q\"", 1, 6, "a backslash that escapes nothing");
    assertRefused("x = \"\\xff\"", 1, 5, "the bytes of a text are not UTF-8");
    assertRefused("a = 1\nimport \"b\"", 2, 1, "imports must come before other statements");
    assertRefused("f = () => { x = 1 }", 1, 11, "the function's block has no return");
    assertRefused("x = a \u00a7 b", 1, 7, "U+00A7 is not part of Flux");
    assertRefused("x = \"\0\"", 1, 6, "U+0000 is not part of Flux");
    assertRefused("x = \"\ud800\"", 1, 6, "U+D800 is not part of Flux");
    assertRefused(" ".repeat(FluxScript.MAX_LENGTH + 1), 1, 1, "at most 1,000,000 are read");
  }

  /**
   * InfluxData's scanner reads each of these otherwise than it looks: a dollar sign takes the next
   * character with it, and the longest match goes on past a slash that a backslash precedes.
   */
  @Test
  void parse_ofWhatTheServerReadsOtherwise_isRefused() {
    assertRefused("x = \"$\\\\\" or exists r.tenant) //\"", 1, 6, "write \\x24 for it");
    assertRefused("x = r =~ /a\\\\/ and r.b =~ /c/", 1, 10, "write [\\\\]");
    same("/a\\x5c\\x41\\/\\x2e/", "/a\\A\\/./");
    same("\"$${a}\"", "\"\\x24\\x24{a}\"");
  }

  @Test
  void parse_ofDeepNesting_isRefusedAtItsPlace() {
    String deep = "x = " + "(".repeat(5_000) + "1" + ")".repeat(5_000);
    assertThatThrownBy(() -> FluxScript.parse(deep))
        .isInstanceOf(RefusedScriptException.class)
        .hasMessageContaining("nested deeper than 100 levels");
    String chain = "x = 1" + " + 1".repeat(5_000);
    assertThatThrownBy(() -> FluxScript.parse(chain))
        .isInstanceOf(RefusedScriptException.class)
        .hasMessageContaining("more than 400 levels");
    FluxScript.parse("x = " + "if a then b else ".repeat(300) + "c");
    // A long list of alternatives is one level.
    FluxScript.parse("x = a" + " or a".repeat(50_000));
    FluxScript.parse("a" + " |> b()".repeat(50_000));
  }

  private static void assertRefused(String text, int line, int column, String reason) {
    RefusedScriptException refused =
        catchThrowableOfType(RefusedScriptException.class, () -> FluxScript.parse(text));
    assertThat(refused).as(text.length() > 99 ? "long" : text).isNotNull();
    assertThat(refused).hasMessageContaining(reason);
    assertThat(refused.line() + ":" + refused.column()).as(text).isEqualTo(line + ":" + column);
  }
}
