package dev.aquifer.docs;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.aquifer.tsquery.flux.FluxQuery;
import dev.aquifer.tsquery.flux.FluxScript;
import dev.aquifer.tsquery.flux.RefusedScriptException;
import java.time.Instant;
import java.util.Map;
import org.junit.jupiter.api.Test;

class FluxTest {
  @Test
  void confined() {
    // snippet: flux-confined
    FluxScript script =
        FluxScript.parse(
            """
            from(bucket: "vitals")
              |> range(start: -1h)
              |> filter(fn: (r) => r._field == "heart_rate")
              |> aggregateWindow(every: 1m, fn: mean)
            """);

    String text = script.confinedTo("tenant", "t1").text();
    // end

    EmittedFlux.accepted("flux-confined", text, Map.of());
    assertThat(text)
        .isEqualTo(
            """
            from(bucket: "vitals")
              |> range(start: -1h)
              |> filter(fn: (r) => r.tenant == "t1")
              |> filter(fn: (r) => r._field == "heart_rate")
              |> aggregateWindow(every: 1m, fn: mean)
            """);
    assertThatThrownBy(() -> FluxScript.parse("buckets()").confinedTo("tenant", "t1"))
        .isInstanceOf(RefusedScriptException.class)
        .hasMessageContaining("line 1, column 1");
  }

  @Test
  void bound() {
    // snippet: flux-bound
    FluxQuery query =
        FluxQuery.of(
                """
                from(bucket: "vitals")
                  |> range(start: params.since)
                  |> filter(fn: (r) => r.device == params.device)
                """)
            .bind("since", Instant.parse("2026-03-01T00:00:00Z"))
            .bind("device", "d1\" or true //")
            .confinedTo("tenant", "t1");

    String text = query.text(); // has none of the values
    String extern = query.extern(); // has them all: the request's "extern"
    // end

    EmittedFlux.accepted(
        "flux-bound", text, Map.of("since", Instant.EPOCH, "device", "", "_tenant", ""));
    assertThat(text).doesNotContain("d1", "t1", "2026").contains("params._tenant");
    assertThat(extern).contains("d1\\\" or true //", "\"t1\"", "2026-03-01T00:00:00Z");
  }
}
