package dev.aquifer.tsquery.flux;

import static org.assertj.core.api.Assertions.assertThat;

import dev.aquifer.testkit.InfluxServer;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import java.util.zip.GZIPInputStream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Confined scripts asked of a real InfluxDB 2.x with the points of all tenants and with those of
 * one: what others have written changes no answer. Where the test kit finds no server there are no
 * such tests.
 */
class TenantGuardServerTest {
  /** None where there is no server. */
  static Stream<InfluxServer> servers() {
    return InfluxServer.find(InfluxServer.Kind.V2).stream();
  }

  @ParameterizedTest(allowZeroInvocations = true)
  @MethodSource("servers")
  void confinedTo_ofRecordedScripts_isAnsweredAsIfTheTenantWereAlone(InfluxServer server) {
    for (String bucket : List.of("vitals", "meter")) {
      String points = points(bucket);
      server.createDatabase(bucket + "-all").write(points);
      server
          .createDatabase(bucket + "-alone")
          .write(
              // Texts have line breaks of their own.
              Pattern.compile("\n(?=" + bucket + ",tenant=)")
                  .splitAsStream(points)
                  .filter(point -> point.matches("(?s)\\w+,tenant=t1[, ].*"))
                  .collect(Collectors.joining("\n")));
    }
    int others = 0;
    int compared = 0;
    for (Recorded.Case each : Recorded.scripts()) {
      FluxScript alone = confined(each.flux(), "alone");
      if (alone == null) {
        continue;
      }
      FluxScript all = confined(each.flux(), "all");
      Map<String, List<String>> answer = ServerAnswers.of(server, alone);
      assertThat(ServerAnswers.of(server, all)).as(each.id()).isEqualTo(answer);
      assertThat(ServerAnswers.of(server, all.optimized())).as(each.id()).isEqualTo(answer);
      compared++;
      FluxScript unguarded = FluxScript.parse(in(each.flux(), "all"));
      if (answer != null && !answer.equals(ServerAnswers.of(server, unguarded))) {
        others++;
      }
    }
    assertThat(compared).isGreaterThan(150);
    assertThat(others).as("scripts that see others without the guard").isGreaterThan(20);
  }

  private static String in(String flux, String which) {
    return flux.replaceAll("bucket: \"(vitals|meter)\"", "bucket: \"$1-" + which + "\"");
  }

  private static @Nullable FluxScript confined(String flux, String which) {
    try {
      return FluxScript.parse(in(flux, which)).confinedTo("tenant", "t1");
    } catch (RefusedScriptException e) {
      return null;
    }
  }

  private static String points(String bucket) {
    String file = "/flux/" + bucket + ".lp.gz";
    try (InputStream in =
        new GZIPInputStream(TenantGuardServerTest.class.getResourceAsStream(file))) {
      return new String(in.readAllBytes(), StandardCharsets.UTF_8);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
