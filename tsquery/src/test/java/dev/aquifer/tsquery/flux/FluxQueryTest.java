package dev.aquifer.tsquery.flux;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.aquifer.ConfigurationException;
import dev.aquifer.RefusedQueryException;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import org.junit.jupiter.api.Test;

class FluxQueryTest {
  /** With each of these, the server found exactly the row of the value, pushdown kept. */
  @Test
  void extern_ofRecordedValues_isWhatTheServerTook() {
    assertThat(Recorded.bound()).hasSizeGreaterThan(20);
    for (Recorded.Bound bound : Recorded.bound()) {
      FluxQuery query = FluxQuery.of(bound.flux()).bind("tenant", bound.value());
      assertThat(query.extern()).isEqualTo(bound.extern());
      assertThat(query.text()).isEqualTo(bound.flux());
    }
  }

  @Test
  void confinedTo_bindsTheTenant() {
    FluxQuery query =
        FluxQuery.of("from(bucket: params.bucket) |> range(start: -1h) |> count()")
            .bind("bucket", "vitals")
            .confinedTo("tenant", "x\" or exists r.tenant) //");
    assertThat(query.text())
        .isEqualTo(
            """
            from(bucket: params.bucket)
              |> range(start: -1h)
              |> filter(fn: (r) => r.tenant == params._tenant)
              |> count()
            """);
    assertThat(query.extern())
        .contains("\"name\":\"_tenant\"}", "\"value\":\"x\\\" or exists r.tenant) //\"}");
  }

  @Test
  void extern_ofEveryType_isItsNode() {
    assertNode(true, "{'type':'Identifier','name':'true'}");
    assertNode(7L, "{'type':'IntegerLiteral','value':'7'}");
    assertNode(
        -7,
        "{'type':'UnaryExpression','operator':'-',"
            + "'argument':{'type':'IntegerLiteral','value':'7'}}");
    assertNode(1.5, "{'type':'FloatLiteral','value':1.5}");
    assertNode(
        Instant.parse("2026-03-01T00:00:00.5Z"),
        "{'type':'DateTimeLiteral','value':'2026-03-01T00:00:00.5Z'}");
    assertNode(
        Duration.ofMinutes(1),
        "{'type':'DurationLiteral','values':[{'magnitude':60000000000,'unit':'ns'}]}");
    assertNode(
        List.of("a", "b"),
        "{'type':'ArrayExpression','elements':[{'type':'StringLiteral','value':'a'},"
            + "{'type':'StringLiteral','value':'b'}]}");
  }

  private static void assertNode(Object value, String node) {
    String extern = FluxQuery.of("x = params.v").bind("v", value).extern();
    assertThat(extern).contains("\"value\":" + node.replace('\'', '"') + "}]}");
  }

  @Test
  void bind_ofWhatCannotBeBound_isRefused() {
    FluxQuery query = FluxQuery.of("x = 1").bind("a", 1);
    assertThatThrownBy(() -> query.bind("a", 2))
        .isInstanceOf(ConfigurationException.class)
        .hasMessageContaining("bound to 'a' already");
    for (String name : new String[] {"", "_tenant", "in", "a b", "1a"}) {
      assertThatThrownBy(() -> query.bind(name, 2))
          .isInstanceOf(ConfigurationException.class)
          .hasMessageContaining("is no name for a bound value");
    }
    assertThatThrownBy(() -> query.bind("b", new Object()))
        .isInstanceOf(ConfigurationException.class)
        .hasMessageContaining("bound to 'b' is a java.lang.Object");
    assertThatThrownBy(() -> query.bind("b", Double.NaN)).isInstanceOf(RefusedQueryException.class);
    assertThatThrownBy(() -> query.bind("b", "\udc00")).isInstanceOf(RefusedQueryException.class);
    assertThatThrownBy(() -> query.confinedTo("tenant", "a").confinedTo("tenant", "b"))
        .isInstanceOf(ConfigurationException.class)
        .hasMessageContaining("confined to a tenant already");
  }
}
