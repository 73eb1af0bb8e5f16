package dev.aquifer.tsquery.flux;

import static org.assertj.core.api.Assertions.assertThat;

import dev.aquifer.testkit.InfluxDatabase;
import dev.aquifer.testkit.InfluxServer;
import dev.aquifer.testkit.Proof;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.concurrent.atomic.LongAdder;
import java.util.random.RandomGenerator;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Scripts and what the optimizer made of them, asked of a real InfluxDB 2.x: the same tables with
 * the same rows in the same order, the tables among each other in any. Where the test kit finds no
 * server there are no such tests.
 */
class RewritesServerTest {
  private static final Instant START = Instant.parse("2026-03-01T00:00:00Z");

  private static final String[] TAILS = {
    " |> max()",
    " |> min()",
    " |> count()",
    " |> sum()",
    " |> mean()",
    " |> first()",
    " |> last()",
    " |> sort(columns: [\"_time\"], desc: true) |> limit(n: 1)",
    " |> sort(columns: [\"_time\"]) |> limit(n: 1)",
    " |> limit(n: 3)",
    " |> difference()",
    " |> spread()",
    " |> aggregateWindow(every: 7d, fn: max)",
    " |> aggregateWindow(every: 1d, offset: -3h, fn: count)",
    " |> aggregateWindow(every: 7d, fn: mean, createEmpty: false)",
    " |> window(every: 7d, offset: -1d) |> sum()",
    " |> group(columns: [\"ward\"]) |> count()",
    " |> keep(columns: [\"_time\", \"_value\"])",
    " |> count() |> drop(columns: [\"_start\", \"_stop\"])",
    " |> some(how: \"few\")",
    "",
  };

  /** None where there is no server. */
  static Stream<InfluxServer> servers() {
    return InfluxServer.find(InfluxServer.Kind.V2).stream();
  }

  @ParameterizedTest(allowZeroInvocations = true)
  @MethodSource("servers")
  void optimized_isAnsweredTheSame(InfluxServer server) {
    InfluxDatabase database = server.createDatabase("rewrites");
    database.write(points(new SplittableRandom(7)));
    LongAdder changed = new LongAdder();
    LongAdder answered = new LongAdder();
    Proof.of("flux-rewrites")
        .tries(200, 20_000)
        .each(
            random -> {
              String text = script(random).replace("\"b\"", '"' + database.name() + '"');
              FluxScript script = FluxScript.parse(text);
              Map<String, List<String>> answer = ServerAnswers.of(server, script);
              for (FloatSums sums : FloatSums.values()) {
                FluxScript optimized = script.optimized(sums);
                if (answer != null && !optimized.equals(script)) {
                  assertThat(ServerAnswers.of(server, optimized))
                      .as("%s%n%s", script, optimized)
                      .isEqualTo(answer);
                  changed.increment();
                  answered.add(answer.size());
                }
              }
            });
    assertThat(changed.sum()).isPositive();
    assertThat(answered.sum()).isPositive();
  }

  private static String script(RandomGenerator random) {
    List<String> tails =
        IntStream.range(0, random.nextInt(2, 4))
            .mapToObj(i -> TAILS[random.nextInt(TAILS.length)] + " |> yield(name: \"" + i + "\")")
            .toList();
    return random.nextBoolean()
        ? FilterScripts.own(random, true, tails.get(0))
        : FilterScripts.shared(random, true, tails);
  }

  /** Series of each kind with and without tags, through several shards. */
  private static String points(RandomGenerator random) {
    StringBuilder lines = new StringBuilder();
    for (String device : List.of("d1", "d2")) {
      for (String ward : List.of("", ",ward=icu", ",ward=er", ",ward=d", ",ward=none")) {
        for (String tenant : List.of("t1", "t2")) {
          for (int hour = random.nextInt(20); hour < 35 * 24; hour += random.nextInt(10, 60)) {
            // What is added up is exact in any order.
            lines
                .append("vitals,device=%s,tenant=%s%s ".formatted(device, tenant, ward))
                .append("f=%d.5,g=%du,i=%di ".formatted(value(random), random.nextInt(10), hour))
                .append(START.plusSeconds(hour * 3_600L).getEpochSecond())
                .append("000000000\n");
          }
        }
      }
    }
    return lines.toString();
  }

  private static int value(RandomGenerator random) {
    return random.nextInt(-8, 10);
  }
}
