package dev.aquifer.tsquery.flux;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assertions.assertTimeoutPreemptively;

import java.time.Duration;
import org.junit.jupiter.api.Test;

/** Scripts that a careless optimizer would take forever for, or all of the memory or stack. */
class HostileScriptTest {
  private static final String READ = "from(bucket: \"b\") |> range(start: -1h)";

  @Test
  void optimized_ofALongSum_visitsEachOperandOnce() {
    optimized(READ + " |> filter(fn: (r) => r.tag == r.x" + " + \"a\"".repeat(60) + ")");
    optimized(READ + " |> filter(fn: (r) => r.tag == \"a\"" + " + \"a\"".repeat(350) + ")");
  }

  @Test
  void optimized_ofRecordsThatShareRecords_endsInTime() {
    optimized(lines("a0 = {x: 1, y: 1}", "aN = {x: aP, y: aP}", 60) + READ + " |> set(key: a60)");
    optimized(lines("a0 = " + READ, "aN = {x: aP, y: aP}", 60) + "union(tables: a60)");
    optimized(lines("a0 = {x: 1, y: 1}", "aN = {x: aP, y: aP}", 60) + "unknown(key: a60)\n" + READ);
  }

  @Test
  void optimized_ofTablesInRecords_knowsEachOfTheirUses() {
    String twice = "s = " + READ + "\nt = {a: s}\nunion(tables: {x: t, y: t})";
    assertThat(FluxScript.parse(twice).explain().toString()).contains("used 2 times");
  }

  @Test
  void optimized_ofRecordsWithinRecords_needsNoStackForThem() {
    optimized(lines("a0 = {x: 1}", "aN = {x: aP}", 40_000) + READ + " |> set(key: a40000)");
  }

  @Test
  void optimized_ofRecordsThatExtendRecords_keepsNotAllOfThem() {
    optimized(lines("a0 = {x: 1}", "aN = {aP with xN: 1}", 30_000) + READ);
  }

  @Test
  void optimized_ofTextsThatDouble_doesNotHoldThem() {
    optimized(lines("a0 = \"xxxxxxxxxx\"", "aN = aP + aP", 40) + READ);
    String folded = lines("a0 = \"xxxxxxxxxx\"", "aN = aP + aP", 8) + READ;
    optimized(folded + " |> filter(fn: (r) => r.tag == a8" + " + a8".repeat(300) + ")");
    optimized(folded + " |> filter(fn: (r) => r.tag == \"" + "${a8}".repeat(1_000) + "\")");
  }

  @Test
  void optimized_ofCallsWithinSums_needsLittleStack() {
    StringBuilder text = new StringBuilder("f60 = () => 1\n");
    for (int i = 59; i >= 0; i--) {
      text.append("f%d = () => f%d()%s\n".formatted(i, i + 1, " + 1".repeat(380)));
    }
    optimized(text + "x = f0()\n" + READ);
  }

  @Test
  void optimized_ofADefaultThatCallsItsFunction_needsLittleStack() {
    optimized("f = (x=f()) => x\ny = f()\n" + READ);
  }

  @Test
  void optimized_ofAFunctionThatReadsForManyCalls_endsInTime() {
    String calls = "f = () => " + READ + "\n" + "f()\n".repeat(20_000);
    FluxScript script = FluxScript.parse(calls + READ + " |> filter(fn: (r) => \"x\" == r.t)");
    assertThat(optimized(script.text())).isEqualTo(script);
  }

  @Test
  void optimized_ofAChainOfReads_copiesFewStages() {
    optimized(lines("a0 = " + READ, "aN=aP|>min()", 45_000) + "a45000 |> min()");
  }

  @Test
  void optimized_ofManyUsesOfALongRead_copiesFewStages() {
    String read = "a = " + READ + " |> b()".repeat(100_000);
    optimized(read + "\na|>b()".repeat(30_000));
  }

  private static String lines(String first, String next, int count) {
    StringBuilder text = new StringBuilder(first).append('\n');
    for (int i = 1; i <= count; i++) {
      text.append(next.replace("N", "" + i).replace("P", "" + (i - 1))).append('\n');
    }
    return text.toString();
  }

  private static FluxScript optimized(String text) {
    FluxScript script = FluxScript.parse(text);
    return assertTimeoutPreemptively(Duration.ofSeconds(10), () -> script.optimized());
  }
}
