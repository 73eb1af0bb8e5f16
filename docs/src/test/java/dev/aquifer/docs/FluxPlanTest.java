package dev.aquifer.docs;

import static org.assertj.core.api.Assertions.assertThat;

import dev.aquifer.tsquery.flux.FloatSums;
import dev.aquifer.tsquery.flux.FluxPlan;
import dev.aquifer.tsquery.flux.FluxScript;
import java.util.Map;
import org.junit.jupiter.api.Test;

class FluxPlanTest {
  private static final String TEXT =
      """
      from(bucket: "flights")
        |> range(start: -30d)
        |> filter(fn: (r) => contains(value: r.origin, set: ["DFW", "ORD"]))
        |> aggregateWindow(every: 1d, fn: max)
      """;

  @Test
  void explained() {
    String text = TEXT;
    // snippet: flux-explained
    FluxPlan plan = FluxScript.parse(text).explain();
    FluxPlan.Read read = plan.reads().get(0);

    assertThat(read.node()).isEqualTo("ReadRange");
    assertThat(read.left().call()).isEqualTo("filter");
    assertThat(read.left().reason()).isEqualTo("the function 'contains' is called");
    // end

    EmittedFlux.accepted("flux-explained", text, Map.of());
    assertThat(plan)
        .hasToString(
            """
            read at 1:1: storage gives the rows of the range (ReadRange), taking over from, range
              from 'filter' on the query engine works: the function 'contains' is called (3:24)
            contains-to-or at 3:6
              before filter(fn: (r) => contains(value: r.origin, set: ["DFW", "ORD"]))
              after  filter(fn: (r) => r.origin == "DFW" or r.origin == "ORD")
            """);
  }

  @Test
  void optimized() {
    String text = TEXT;
    // snippet: flux-optimized
    FluxScript script = FluxScript.parse(text).optimized().confinedTo("tenant", "t1");
    // end

    EmittedFlux.accepted("flux-optimized", script.text(), Map.of());
    assertThat(script.text())
        .isEqualTo(
            """
            from(bucket: "flights")
              |> range(start: -30d)
              |> filter(fn: (r) => r.tenant == "t1")
              |> filter(fn: (r) => r.origin == "DFW" or r.origin == "ORD")
              |> aggregateWindow(every: 1d, fn: max)
            """);
    assertThat(script.explain().reads().get(0).storage())
        .isEqualTo(FluxPlan.Storage.WINDOW_AGGREGATE);
    FluxScript means = FluxScript.parse(text.replace("max", "mean"));
    assertThat(means.optimized()).isEqualTo(means);
    assertThat(means.optimized(FloatSums.LAST_DIGITS_MAY_DIFFER)).isNotEqualTo(means);
  }
}
