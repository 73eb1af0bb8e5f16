package dev.aquifer.tsquery.flux;

import static org.assertj.core.api.Assertions.assertThat;

import dev.aquifer.testkit.Proof;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.atomic.LongAdder;
import java.util.random.RandomGenerator;
import org.junit.jupiter.api.Test;

class FilterRunTest {
  /** Storage and query engine know a missing tag otherwise; the rows that pass are the same. */
  @Test
  void optimized_ofRandomFilters_letsTheSameRowsThrough() {
    LongAdder rewritten = new LongAdder();
    LongAdder whole = new LongAdder();
    Proof.of("flux-filters")
        .tries(1_000, 1_000_000)
        .each(
            random -> {
              FluxScript script = FluxScript.parse(FilterScripts.own(random, false, ""));
              FluxScript optimized = script.optimized();
              if (!optimized.equals(script)) {
                rewritten.increment();
                if (optimized.explain().reads().get(0).left() == null) {
                  whole.increment();
                }
              }
              FilterModel model =
                  new FilterModel(Tracer.trace(script.statements(), Map.of()).names());
              Filters before = filters(script).get(0);
              Filters after = filters(optimized).get(0);
              for (int i = 0; i < 12; i++) {
                Map<String, Object> row = row(random);
                assertThat(after.pass(model, row))
                    .as("%s%n%s%n%s", row, script, optimized)
                    .isEqualTo(before.pass(model, row));
              }
            });
    assertThat(rewritten.sum()).isPositive();
    assertThat(whole.sum()).isPositive();
  }

  /** What several uses do to a shared read is the query engine's, until each has its own. */
  @Test
  void optimized_ofASharedRead_letsTheSameRowsThrough() {
    LongAdder split = new LongAdder();
    Proof.of("flux-shared-filters")
        .tries(1_000, 300_000)
        .each(
            random -> {
              String text = FilterScripts.shared(random, false, List.of(" |> max()", " |> min()"));
              FluxScript script = FluxScript.parse(text);
              FluxScript optimized = script.optimized();
              List<Filters> before = filters(script);
              List<Filters> after = filters(optimized);
              if (after.get(0).reach() > before.get(0).reach()) {
                split.increment();
              }
              FilterModel model =
                  new FilterModel(Tracer.trace(script.statements(), Map.of()).names());
              for (int i = 0; i < 12; i++) {
                Map<String, Object> row = row(random);
                for (int j = 0; j < before.size(); j++) {
                  assertThat(after.get(j).pass(model, row))
                      .as("%s%n%s%n%s", row, script, optimized)
                      .isEqualTo(before.get(j).pass(model, row));
                }
              }
            });
    assertThat(split.sum()).isPositive();
  }

  private static Map<String, Object> row(RandomGenerator random) {
    Map<String, Object> row = new HashMap<>();
    row.put("_field", random.nextBoolean() ? "f" : "g");
    row.put(
        "_value",
        random.nextBoolean()
            ? (Object) (double) random.nextInt(-8, 10)
            : (long) random.nextInt(10));
    row.put("_time", Instant.parse("2026-03-01T01:00:00Z"));
    row.put("device", random.nextBoolean() ? "d1" : "d2");
    row.put("tenant", random.nextBoolean() ? "t1" : "t2");
    if (random.nextInt(3) > 0) {
      row.put("ward", Set.of("icu", "er", "d", "none").toArray()[random.nextInt(4)]);
    }
    return row;
  }

  /** The filters that a read's rows go through, and how many of them storage may take. */
  private record Filters(List<Expression.Call> all, int reach) {
    boolean pass(FilterModel model, Map<String, Object> row) {
      return model.passes(all, reach, row);
    }
  }

  private static List<Filters> filters(FluxScript script) {
    List<Filters> reads = new ArrayList<>();
    List<Expression.Call> shared = List.of();
    for (Statement statement : script.statements()) {
      if (statement instanceof Statement.Assign assign
          && assign.value() instanceof Expression.Pipe pipe) {
        shared = filters(pipe);
      } else if (statement instanceof Statement.Evaluate evaluate) {
        Expression.Pipe pipe = (Expression.Pipe) evaluate.value();
        List<Expression.Call> all = new ArrayList<>(filters(pipe));
        boolean own = pipe.source() instanceof Expression.Call;
        if (!own) {
          all.addAll(0, shared);
        }
        reads.add(new Filters(all, own ? all.size() : shared.size()));
      }
    }
    return reads;
  }

  private static List<Expression.Call> filters(Expression.Pipe pipe) {
    return pipe.stages().stream().filter(stage -> FilterRun.body(stage) != null).toList();
  }
}
