package dev.aquifer.tsquery.flux;

import static org.assertj.core.api.Assertions.assertThat;

import dev.aquifer.testkit.Proof;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.atomic.LongAdder;
import java.util.random.RandomGenerator;
import org.junit.jupiter.api.Test;

class FilterRunTest {
  private static final String DEFINED =
      "x = \"d\" negative = -5.0 isD1 = (r) => r.device == \"d1\" ";

  private static final String[] PARTS = {
    "r.tenant == \"t1\"",
    "\"t1\" == r.tenant",
    "\"t1\" != r.tenant",
    "r.ward != \"icu\"",
    "\"icu\" != r.ward",
    "r.ward =~ /i*/",
    "r.ward =~ /icu|er/",
    "r.ward =~ /(i|)/",
    "r.ward !~ /^i/",
    "not (r.ward == \"icu\")",
    "not (r.ward != \"icu\")",
    "not (r.ward =~ /ic/)",
    "not (r.ward !~ /ic/)",
    "not (\"icu\" == r.ward)",
    "exists r.ward",
    "not exists r.ward",
    "contains(value: r.ward, set: [\"icu\", \"none\"])",
    "contains(value: r.ward, set: [x, \"er\"])",
    "not contains(value: r.ward, set: [\"icu\", \"none\"])",
    "not contains(value: r._field, set: [\"g\"])",
    "contains(value: r._value, set: [1.0, 5.0])",
    "not contains(value: r._value, set: [1.0, 5.0])",
    "strings.hasPrefix(v: r.device, prefix: \"d\")",
    "strings.hasPrefix(v: r.device, prefix: \"d1\")",
    "r.device == \"d\" + \"1\"",
    "r.device != \"${x}1\"",
    "isD1(r: r)",
    "not isD1(r: r)",
    "(r.ward == \"icu\" or \"d2\" == r.device)",
    "(contains(value: r.ward, set: [\"er\"]) or r.ward != \"icu\")",
    "(not exists r.ward or r._value > 4)",
    "(if r.device == \"d1\" then true else false)",
    "(if r.ward == \"icu\" then false else true)",
    "r.ward == \"\"",
    "r.ward != \"\"",
    "\"f\" != r._field",
    "r._value > 5.0",
    "5.0 >= r._value",
    "not (r._value < 5.0)",
    "(5.0 == r._value or r.ward =~ /e?/)",
    "r._value > negative",
  };

  /** Storage and query engine know a missing tag otherwise; the rows that pass are the same. */
  @Test
  void optimized_ofRandomFilters_letsTheSameRowsThrough() {
    LongAdder rewritten = new LongAdder();
    LongAdder whole = new LongAdder();
    Proof.of("flux-filters")
        .tries(1_000, 1_000_000)
        .each(
            random -> {
              FluxScript script = FluxScript.parse(DEFINED + script(random));
              FluxScript optimized = script.optimized();
              if (!optimized.equals(script)) {
                rewritten.increment();
                if (optimized.explain().reads().get(0).left() == null) {
                  whole.increment();
                }
              }
              FilterModel model =
                  new FilterModel(Tracer.trace(script.statements(), Map.of()).names());
              for (int i = 0; i < 12; i++) {
                Map<String, Object> row = row(random);
                assertThat(model.passes(filters(optimized), row))
                    .as("%s%n%s%n%s", row, script, optimized)
                    .isEqualTo(model.passes(filters(script), row));
              }
            });
    assertThat(rewritten.sum()).isPositive();
    assertThat(whole.sum()).isPositive();
  }

  private static String script(RandomGenerator random) {
    StringBuilder text = new StringBuilder("from(bucket: \"b\") |> range(start: -1h)");
    for (int i = random.nextInt(1, 5); i > 0; i--) {
      List<String> parts = new ArrayList<>();
      for (int j = random.nextInt(1, 4); j > 0; j--) {
        parts.add(PARTS[random.nextInt(PARTS.length)]);
      }
      text.append(" |> filter(fn: (r) => ").append(String.join(" and ", parts)).append(')');
    }
    return text.toString();
  }

  private static Map<String, Object> row(RandomGenerator random) {
    Map<String, Object> row = new HashMap<>();
    row.put("_field", random.nextBoolean() ? "f" : "g");
    row.put(
        "_value",
        random.nextBoolean()
            ? (Object) (double) random.nextInt(-8, 10)
            : (long) random.nextInt(10));
    row.put("device", random.nextBoolean() ? "d1" : "d2");
    row.put("tenant", random.nextBoolean() ? "t1" : "t2");
    if (random.nextInt(3) > 0) {
      row.put("ward", Set.of("icu", "er", "d", "none").toArray()[random.nextInt(4)]);
    }
    return row;
  }

  private static List<Expression.Call> filters(FluxScript script) {
    List<Statement> statements = script.statements();
    Statement last = statements.get(statements.size() - 1);
    Expression.Pipe pipe = (Expression.Pipe) ((Statement.Evaluate) last).value();
    return pipe.stages().subList(1, pipe.stages().size());
  }
}
