package dev.aquifer.tsquery;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.aquifer.RefusedQueryException;
import dev.aquifer.Tenant;
import dev.aquifer.testkit.Proof;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.random.RandomGenerator;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;

class Influx3DialectTest {
  private static final Instant START = Instant.parse("2026-03-01T00:00:30Z");
  private static final TimeRange RANGE = new TimeRange(START, START.plusSeconds(600));

  /** The tokens of SQL: a quoted name, a text, a parameter, a word or number, or a sign. */
  private static final Pattern TOKEN =
      Pattern.compile("\"(?:[^\"]|\"\")*\"|'(?:[^']|'')*'|\\$\\w+|\\w+|[^\\s\\w]");

  private final Influx3Dialect dialect = new Influx3Dialect();

  @Test
  void render_leftToTheServer_isOneSelectWithoutValues() {
    TimeSeriesQuery query =
        minutes()
            .select(Aggregate.COUNT, "heart_rate")
            .select(Aggregate.MAX, "heart_rate")
            .select(Aggregate.FIRST, "spo2")
            .select(Aggregate.LAST, "spo2")
            .where(TagPredicate.in("ward", List.of("icu", "")))
            .where(PointPredicate.not(TagPredicate.matches("device", "^d[12]$")))
            .offset(Duration.ofSeconds(-20))
            .groupBy("device", "ward")
            .build();

    StatementText statement = render(query);

    assertThat(statement.text())
        .isEqualTo(
            "SELECT w, g0, g1, count(f0) AS count0, max(f0) AS max0,"
                + " first_value(f1 ORDER BY f1 IS NULL, t, f1) AS first1,"
                + " last_value(f1 ORDER BY f1 IS NOT NULL, t, f1) AS last1"
                + " FROM (SELECT date_bin(INTERVAL '60000000000 nanoseconds', \"time\","
                + " TIMESTAMP '1970-01-01T00:00:40') AS w,"
                + " arrow_cast(coalesce(\"device\", ''), 'Utf8') AS g0,"
                + " arrow_cast(coalesce(\"ward\", ''), 'Utf8') AS g1,"
                + " \"time\" AS t, \"heart_rate\" AS f0, \"spo2\" AS f1"
                + " FROM \"m\" WHERE \"tenant\" = $tenant"
                + " AND \"time\" >= TIMESTAMP '2026-03-01T00:00:30'"
                + " AND \"time\" < TIMESTAMP '2026-03-01T00:10:30'"
                + " AND (arrow_cast(coalesce(\"device\", ''), 'Utf8') !~ $p1"
                + " AND (\"ward\" IN ($p2, $p3) OR \"ward\" IS NULL))"
                + " AND (\"heart_rate\" IS NOT NULL OR \"spo2\" IS NOT NULL)) AS p"
                + " GROUP BY w, g0, g1");
    assertThat(statement.values()).containsExactly("t1", "^d[12]$", "", "icu");
  }

  @Test
  void render_several_areOneStatementWithColumnsOfEach() {
    TimeSeriesQuery first =
        minutes()
            .select(Aggregate.COUNT, "a")
            .where(TagPredicate.eq("ward", "icu"))
            .groupBy("device")
            .build();
    TimeSeriesQuery second =
        minutes().select(Aggregate.MEAN, "b").where(TagPredicate.eq("ward", "er")).build();

    StatementText statement =
        dialect.render(List.of(request(first, "tenant", RANGE), request(second, "tenant", RANGE)));

    assertThat(statement.text())
        .startsWith(
            "SELECT 0 AS request, w, g0, count0 AS of0_count0, NULL AS of1_sum0,"
                + " NULL AS of1_about0, NULL AS of1_count0 FROM (SELECT w, g0, count(f0) AS count0")
        .contains(
            ") AS answer UNION ALL SELECT 1 AS request, w, NULL AS g0, NULL AS of0_count0,"
                + " sum0 AS of1_sum0, about0 AS of1_about0, count0 AS of1_count0 FROM (SELECT w,")
        .contains("\"ward\" IN ($p1)", "\"ward\" IN ($p2)")
        .endsWith(" GROUP BY w) AS answer");
    assertThat(statement.values()).containsExactly("t1", "icu", "er");
  }

  @Test
  void render_sumsAndMeans_areRunningOnesInOrder() {
    TimeSeriesQuery query =
        minutes().select(Aggregate.MEAN, "a").select(Aggregate.SUM, "a").groupBy("ward").build();

    assertThat(render(query).text())
        .startsWith(
            "SELECT w, g0, last_value(s0 ORDER BY n0) AS sum0, sum(CAST(f0 AS DOUBLE)) AS about0,"
                + " count(f0) AS count0 FROM (SELECT *, sum(f0) OVER (PARTITION BY w, g0 ORDER BY"
                + " t, f0 ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) AS s0, row_number()"
                + " OVER (PARTITION BY w, g0 ORDER BY t, f0) AS n0 FROM (SELECT date_bin(")
        .endsWith(" AND (\"a\" IS NOT NULL)) AS p) AS p GROUP BY w, g0");
  }

  @Test
  void render_deviations_areAddedUpAsByYoungsAndCramer() {
    TimeSeriesQuery query = minutes().select(Aggregate.STDDEV, "a").build();

    String frame = " ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW)";
    String distance = "(f0 * CAST(1 AS DOUBLE) * k0 - x0)";
    assertThat(render(query).text())
        .startsWith(
            "SELECT w, last_value(q0 ORDER BY n0) AS squares0, count(f0) AS count0 FROM (SELECT *,"
                + (" sum(CASE WHEN k0 > 1 THEN " + distance + " * " + distance)
                + " / (CAST(k0 AS DOUBLE) * (k0 - 1)) END) OVER (PARTITION BY w ORDER BY n0"
                + (frame
                    + " AS q0 FROM (SELECT *, sum(f0 * CAST(1 AS DOUBLE)) OVER (PARTITION BY w")
                + (" ORDER BY n0" + frame + " AS x0 FROM (SELECT *, count(f0) OVER (PARTITION BY w")
                + (" ORDER BY t, f0" + frame + " AS k0, row_number() OVER (PARTITION BY w ORDER BY")
                + " t, f0) AS n0 FROM (SELECT date_bin(");
  }

  @Test
  void render_placesAndDistinctValues() {
    TimeSeriesQuery query =
        minutes()
            .select(Aggregate.MEDIAN, "a")
            .select(Selection.quantile(1e-7, "a"))
            .select(Selection.quantile(0, "a"))
            .select(Aggregate.DISTINCT, "a")
            .select(Aggregate.SPREAD, "a")
            .build();

    assertThat(render(query).text())
        .startsWith(
            "SELECT w, max(CASE WHEN r0 = (c0 + 1) / 2 THEN f0 END) AS low0,"
                + " max(CASE WHEN r0 = c0 / 2 + 1 THEN f0 END) AS high0,"
                + " max(CASE WHEN r0 = ceil(CAST(0.00000010 AS DOUBLE) * c0) THEN f0 END) AS"
                + " quantile1, max(CASE WHEN r0 = 1 THEN f0 END) AS quantile2, count(DISTINCT CASE"
                + " WHEN arrow_typeof(f0) = 'Float64' AND arrow_cast(f0, 'Utf8') = '-0.0' THEN"
                + " '0.0' ELSE arrow_cast(f0, 'Utf8') END) AS distinct0, min(f0) AS min0, max(f0)"
                + " AS max0 FROM (SELECT *, row_number() OVER (PARTITION BY w ORDER BY f0 NULLS"
                + " LAST) AS r0, count(f0) OVER (PARTITION BY w) AS c0 FROM (SELECT date_bin(");
  }

  @Test
  void render_conditionsOnAField_keepLargeWholeNumbersAndBothZeros() {
    TimeSeriesQuery.Builder query = minutes().select(Aggregate.COUNT, "a");

    StatementText in =
        render(query.where(FieldPredicate.in("a", List.of(0, 9_007_199_254_740_993L))).build());
    assertThat(in.text()).contains("AND (\"a\" IN ($p1, $p2) OR \"a\" IN ($p3, $p4)) AND (");
    assertThat(in.values()).containsExactly("t1", 0.0, -0.0, 0L, 9_007_199_254_740_993L);

    StatementText below =
        render(minutes().select(Aggregate.COUNT, "a").where(FieldPredicate.lt("a", 0)).build());
    assertThat(below.text()).contains("AND \"a\" < $p1 AND (");
    assertThat(below.values()).containsExactly("t1", -0.0);
  }

  @Test
  void render_severalRanges_haveBoundsForAllOfThem() {
    TimeSeriesQuery query = minutes().select(Aggregate.COUNT, "a").build();
    TimeRange later = new TimeRange(START.plusSeconds(900), START.plusSeconds(960).plusNanos(1));

    assertThat(dialect.render(request(query, "tenant", RANGE, later)).text())
        .contains(
            "$tenant AND \"time\" >= TIMESTAMP '2026-03-01T00:00:30' AND \"time\" < TIMESTAMP"
                + " '2026-03-01T00:16:30.000000001' AND ((\"time\" >= TIMESTAMP"
                + " '2026-03-01T00:00:30' AND \"time\" < TIMESTAMP '2026-03-01T00:10:30') OR"
                + " (\"time\" >= TIMESTAMP '2026-03-01T00:15:30' AND \"time\" < TIMESTAMP"
                + " '2026-03-01T00:16:30.000000001')) AND (\"a\"");
  }

  @Test
  void render_windowsOfSeveralKinds_areASelectEach() {
    TimeSeriesQuery query = minutes().select(Aggregate.COUNT, "a").build();
    List<Stretch> stretches =
        List.of(
            Stretch.of(RANGE, 60_000_000_000L, 60_000_000_000L, 0),
            Stretch.of(RANGE, 60_000_000_000L, 45_000_000_000L, 7),
            Stretch.of(RANGE, 60_000_000_000L, 60_000_000_000L, 0));

    StatementText statement =
        dialect.render(
            new FetchRequest(
                query, "tenant", Tenant.of("t1"), stretches, false, Duration.ofSeconds(1)));

    String[] selects = statement.text().split(" UNION ALL ", -1);
    assertThat(selects).hasSize(2);
    assertThat(selects[0]).contains("\"tenant\" = $tenant").doesNotContain("< date_bin");
    assertThat(selects[1])
        .contains("\"tenant\" = $tenant")
        .contains(
            "AND \"time\" < date_bin(INTERVAL '60000000000 nanoseconds', \"time\", TIMESTAMP"
                + " '1970-01-01T00:00:00.000000007') + INTERVAL '45000000000 nanoseconds' AND");
    assertThat(statement.values()).containsExactly("t1");
  }

  @Test
  void render_everyShape_isConfinedOnceAtTheTopAndHasNoValue() {
    Proof.of("influx3-dialect")
        .tries(1_000, 100_000)
        .each(
            random -> {
              StatementText statement = render(Schedule.shape(random, "m"));
              List<String> tokens = tokens(statement.text());
              assertThat(tokens.stream().filter("$tenant"::equals)).hasSize(1);
              assertThat(statement.values().get(0)).isEqualTo("t1");
              int tenant = tokens.indexOf("$tenant");
              // The condition is the first of a chain of ANDs that its own bracket ends.
              assertThat(tokens.subList(tenant - 3, tenant + 2))
                  .containsExactly("WHERE", "\"tenant\"", "=", "$tenant", "AND");
              assertThat(topLevel(tokens, tenant)).doesNotContain("OR").endsWith(")");
              assertThat(statement.text()).doesNotContain("t1", "icu", "d'3", "^i");
            });
  }

  @Test
  void render_hostileNamesAndValues_areOneTokenEach() {
    List<String> plain = tokens(render(hostile("x", "x")).text());
    for (String value : Hostile.VALUES) {
      assertSameShape(plain, value);
    }
    Proof.of("influx3-injection")
        .tries(2_000, 1_000_000)
        .each(random -> assertSameShape(plain, garbage(random)));
  }

  private void assertSameShape(List<String> plain, String text) {
    StatementText statement = render(hostile(text, text));
    List<String> tokens = tokens(statement.text());
    List<String> names = new ArrayList<>();
    for (int i = 0; i < tokens.size(); i++) {
      String token = tokens.get(i);
      if (token.startsWith("\"")) {
        String read = token.substring(1, token.length() - 1).replace("\"\"", "\"");
        tokens.set(i, '"' + (read.equals(text) ? "x" : read) + '"');
        names.add(read);
      }
    }
    assertThat(tokens).as(text).isEqualTo(plain);
    assertThat(names).contains(text);
    assertThat(statement.values()).containsExactly("t1", text);
  }

  @Test
  void check_time_isRefused() {
    for (TimeSeriesQuery query :
        List.of(
            minutes().select(Aggregate.COUNT, "time").build(),
            minutes().select(Aggregate.COUNT, "a").groupBy("time").build(),
            minutes().select(Aggregate.COUNT, "a").where(TagPredicate.eq("time", "x")).build())) {
      assertThatThrownBy(() -> dialect.check(query))
          .isInstanceOf(RefusedQueryException.class)
          .hasMessageContaining("'time'");
    }
    TimeSeriesQuery query = minutes().select(Aggregate.COUNT, "a").build();
    assertThatThrownBy(() -> dialect.render(request(query, "time", RANGE)))
        .isInstanceOf(RefusedQueryException.class);
  }

  private static TimeSeriesQuery hostile(String name, String value) {
    return TimeSeriesQuery.builder(name)
        .every(Duration.ofMinutes(1))
        .range(START, START.plusSeconds(600))
        .select(Aggregate.SUM, name)
        .where(TagPredicate.ne(name, value))
        .groupBy(name)
        .build();
  }

  /** Quotes, signs and letters in any order, without control characters. */
  private static String garbage(RandomGenerator random) {
    String alphabet = "\"'$\\;-/*%_(){}[]=<> ,.aOR1☃é";
    StringBuilder text = new StringBuilder();
    for (int i = random.nextInt(1, 20); i > 0; i--) {
      text.append(alphabet.charAt(random.nextInt(alphabet.length())));
    }
    return text.toString();
  }

  private static List<String> tokens(String sql) {
    List<String> tokens = new ArrayList<>();
    Matcher matcher = TOKEN.matcher(sql);
    int end = 0;
    while (matcher.find()) {
      assertThat(sql.substring(end, matcher.start())).isBlank();
      tokens.add(matcher.group());
      end = matcher.end();
    }
    assertThat(sql.substring(end)).isBlank();
    return tokens;
  }

  /** What follows in the same brackets, up to the one that ends them. */
  private static List<String> topLevel(List<String> tokens, int from) {
    List<String> top = new ArrayList<>();
    int depth = 0;
    for (String token : tokens.subList(from, tokens.size())) {
      depth += token.equals("(") ? 1 : token.equals(")") ? -1 : 0;
      if (depth < 0) {
        top.add(token);
        return top;
      }
      if (depth == 0 && !token.equals(")")) {
        top.add(token);
      }
    }
    return top;
  }

  private static TimeSeriesQuery.Builder minutes() {
    return TimeSeriesQuery.builder("m")
        .every(Duration.ofMinutes(1))
        .range(START, START.plusSeconds(600));
  }

  private StatementText render(TimeSeriesQuery query) {
    return dialect.render(request(query, "tenant", RANGE));
  }

  private static FetchRequest request(TimeSeriesQuery query, String tenantTag, TimeRange... all) {
    return new FetchRequest(
        query,
        tenantTag,
        Tenant.of("t1"),
        Arrays.stream(all).map(range -> Stretches.of(query, range)).toList(),
        false,
        Duration.ofSeconds(10));
  }
}
