package dev.aquifer.tsquery;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.aquifer.InvalidTenantException;
import dev.aquifer.Tenant;
import dev.aquifer.testkit.Proof;
import dev.aquifer.tsquery.flux.EmittedFlux;
import dev.aquifer.tsquery.flux.FluxScript;
import dev.aquifer.tsquery.flux.HostileText;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.random.RandomGenerator;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;

/**
 * Whatever names and values are: a statement that binds values is the same text whatever they are,
 * and one that has them written reads back as the same statement with each as one literal.
 */
class InjectionTest {
  private static final EmittedFlux EMITTED = EmittedFlux.of("injection", 400);
  private static final Instant START = Instant.parse("2026-03-01T00:00:30Z");
  private static final TimeRange RANGE = new TimeRange(START, START.plusSeconds(600));
  private static final Pattern TENANT = Pattern.compile("[A-Za-z0-9_.-]+");
  private static final Pattern FLUX_BOUND = Pattern.compile("params\\.p(\\d+)|\"[^\"]*\"");
  private static final Pattern INFLUXQL_BOUND =
      Pattern.compile("\\$p(\\d+)|\"(?:[^\"\\\\]|\\\\.)*\"");

  /** What a query names, and what it compares with. */
  private record Hostile(
      String measurement,
      String field,
      String tag,
      String group,
      List<String> values,
      boolean ofField) {
    static Hostile of(RandomGenerator random) {
      List<String> values = new ArrayList<>();
      for (int i = 0; i < 4; i++) {
        // Each is another one, and none is empty: that one means that the tag is absent.
        values.add(HostileText.of(random).replace("\0", "") + "abcd".charAt(i));
      }
      return new Hostile(
          name(random) + "m",
          name(random) + "v",
          name(random) + "x",
          name(random) + "y",
          values,
          random.nextBoolean());
    }

    private static String name(RandomGenerator random) {
      return HostileText.of(random).replaceAll("[\\p{Cntrl}\u0080-\u009f]", "");
    }

    Hostile withValues(List<String> others) {
      return new Hostile(measurement, field, tag, group, others, ofField);
    }

    TimeSeriesQuery query() {
      // One condition: several would stand in an order that values have a part in.
      PointPredicate condition =
          ofField
              ? FieldPredicate.in(field, values)
              : PointPredicate.not(TagPredicate.in(tag, values));
      return TimeSeriesQuery.builder(measurement)
          .select(Aggregate.COUNT, field)
          .select(Aggregate.LAST, field)
          .where(condition)
          .groupBy(group)
          .every(Duration.ofMinutes(1))
          .range(RANGE.start(), RANGE.stop())
          .build();
    }

    /** As long as names of columns may be. */
    private static String column(String prefix, String name) {
      String column = prefix + name;
      while (column.getBytes(StandardCharsets.UTF_8).length > 63) {
        column = column.substring(0, column.offsetByCodePoints(column.length(), -1));
      }
      return column;
    }

    SeriesTable table() {
      return SeriesTable.builder(measurement)
          .table(column("t", measurement))
          .time(column("c", group))
          .tenant(column("d", tag))
          .tag(tag, column("e", tag))
          .tag(group, column("f", group))
          .field(field, column("g", field), ValueKind.TEXT)
          .build();
    }
  }

  @Test
  void anyNameOrValue_inAnyLanguage_isOneLiteral() {
    Proof.of("injection")
        .tries(5_000, 1_000_000)
        .each(
            random -> {
              Hostile hostile = Hostile.of(random);
              flux(hostile);
              influxQl(hostile);
              postgres(hostile);
              String tenant = HostileText.of(random);
              if (!TENANT.matcher(tenant).matches()) {
                assertThatThrownBy(() -> Tenant.of(tenant))
                    .isInstanceOf(InvalidTenantException.class);
              }
            });
  }

  private static void flux(Hostile hostile) {
    FluxDialect bound = new FluxDialect("vitals", true, Map.of(), Map.of());
    FluxDialect written = new FluxDialect("vitals", false, Map.of(), Map.of());
    StatementText statement = bound.render(request(hostile));
    assertThat(bound.render(request(plain(hostile))).text()).isEqualTo(statement.text());
    assertThat(statement.values()).containsAll(hostile.values());

    String text = written.render(request(hostile)).text();
    QuotedText read = QuotedText.of(text, QuotedText.Language.FLUX);
    assertThat(read.rest())
        .isEqualTo(
            QuotedText.of(
                    statement.text().replaceAll("params\\.p\\d+", "\"\""), QuotedText.Language.FLUX)
                .rest());
    List<String> expected = inOrder(statement, FLUX_BOUND, QuotedText.Language.FLUX);
    assertThat(read.quoted()).isEqualTo(expected);
    FluxScript script = FluxScript.parse(text);
    assertThat(script.confinedTo("tenant", "t1")).isEqualTo(script);
    EMITTED.readAs(expected, text);
  }

  private static void influxQl(Hostile hostile) {
    StatementText statement = new InfluxQlDialect(true).render(request(hostile)).get(0);
    assertThat(new InfluxQlDialect(true).render(request(plain(hostile))).get(0).text())
        .isEqualTo(statement.text());
    assertThat(statement.values()).containsAll(hostile.values());

    String text = new InfluxQlDialect(false).render(request(hostile)).get(0).text();
    QuotedText read = QuotedText.of(text, QuotedText.Language.INFLUXQL);
    List<String> expected = inOrder(statement, INFLUXQL_BOUND, QuotedText.Language.INFLUXQL);
    assertThat(read.quoted()).isEqualTo(expected);
    assertThat(read.rest())
        .isEqualTo(
            QuotedText.of(
                    INFLUXQL_BOUND.matcher(statement.text()).replaceAll("\"\""),
                    QuotedText.Language.INFLUXQL)
                .rest());
  }

  private static void postgres(Hostile hostile) {
    PostgresDialect dialect = new PostgresDialect(hostile.table());
    StatementText statement = dialect.render(request(hostile));
    assertThat(dialect.render(request(plain(hostile))).text()).isEqualTo(statement.text());
    assertThat(statement.values().toString()).contains(hostile.values().get(0));

    Hostile harmless = new Hostile("m", "v", "x", "y", hostile.values(), hostile.ofField());
    QuotedText read = QuotedText.of(statement.text(), QuotedText.Language.SQL);
    QuotedText same =
        QuotedText.of(
            new PostgresDialect(harmless.table()).render(request(harmless)).text(),
            QuotedText.Language.SQL);
    assertThat(read.rest()).isEqualTo(same.rest());
    Map<String, String> names =
        Map.of(
            "tm", Hostile.column("t", hostile.measurement()),
            "cy", Hostile.column("c", hostile.group()),
            "dx", Hostile.column("d", hostile.tag()),
            "ex", Hostile.column("e", hostile.tag()),
            "fy", Hostile.column("f", hostile.group()),
            "gv", Hostile.column("g", hostile.field()));
    assertThat(read.quoted())
        .isEqualTo(same.quoted().stream().map(name -> names.getOrDefault(name, name)).toList());
  }

  /** The quoted names of a statement and what is bound, in the order in which they stand. */
  private static List<String> inOrder(
      StatementText statement, Pattern pattern, QuotedText.Language language) {
    List<String> texts = new ArrayList<>();
    Matcher matcher = pattern.matcher(statement.text());
    while (matcher.find()) {
      texts.add(
          matcher.group(1) == null
              ? QuotedText.of(matcher.group(), language).quoted().get(0)
              : (String) statement.values().get(Integer.parseInt(matcher.group(1))));
    }
    return texts;
  }

  private static Hostile plain(Hostile hostile) {
    return hostile.withValues(List.of("a", "b", "c", "d"));
  }

  private static FetchRequest request(Hostile hostile) {
    TimeSeriesQuery query = hostile.query();
    return new FetchRequest(
        query,
        "tenant",
        Tenant.of("t1"),
        List.of(Stretches.of(query, RANGE)),
        false,
        Duration.ofSeconds(10));
  }
}
