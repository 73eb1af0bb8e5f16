package dev.aquifer.tsquery;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.aquifer.testkit.Proof;
import java.time.temporal.ChronoUnit;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class LineProtocolTest {
  private static Map<String, long[]> read(String text) {
    return LineProtocol.read(text, ChronoUnit.NANOS, "tenant", "t1", false);
  }

  @Test
  void read_pointsOfSeveralMeasurements_hasTheirTimes() {
    Map<String, long[]> read =
        read(
            """
            # a comment, with = and "
            pulse,tenant=t1,bed=1 rate=61i,ok=t 1700000000000000001
            pulse,bed=2 rate=62i 1700000000000000002

              gas level=0.5e-3 -7
            pulse rate=1 3""");
    assertThat(read).containsOnlyKeys("pulse", "gas");
    assertThat(read.get("pulse")).containsExactly(1700000000000000001L, 1700000000000000002L, 3);
    assertThat(read.get("gas")).containsExactly(-7);
  }

  @Test
  void read_escapesAndQuotes_endNothing() {
    Map<String, long[]> read =
        read(
            "a\\ b\\,c,k\\=1=v\\ w\\,x note=\"said \\\"1, 2\\\" a=b\n 5\",n=1 9\r\n"
                + "back\\slash v=\"\\\\\" 10\nm\\=x v=1 11");
    assertThat(read.get("a b,c")).containsExactly(9);
    assertThat(read.get("m\\=x")).containsExactly(11);
    assertThat(read.get("back\\slash")).containsExactly(10);
  }

  /** InfluxDB 1.x and 2.x know no backslash that is escaped, InfluxDB 3 does. */
  @Test
  void read_backslashes_areOneOrTwoByTheServersRules() {
    String lines = "a\\\\b,t=x\\\\y f=1 1\na\\b f=1 2";
    assertThat(read(lines)).containsOnlyKeys("a\\\\b", "a\\b");
    assertThat(newer(lines)).containsOnlyKeys("a\\b");
    assertThat(newer(lines).get("a\\b")).containsExactly(1, 2);
    assertThat(newer("a,t=b=c f=1 1")).containsOnlyKeys("a");
    assertThatThrownBy(() -> newer("a,tenant=t\\\\1 f=1 1")).hasMessageContaining("'t\\1'");
  }

  private static Map<String, long[]> newer(String text) {
    return LineProtocol.read(text, ChronoUnit.NANOS, "tenant", "t1", true);
  }

  @Test
  void read_precision_isApplied() {
    assertThat(LineProtocol.read("m v=1 7", ChronoUnit.SECONDS, "tenant", "t1", false).get("m"))
        .containsExactly(7_000_000_000L);
    assertThat(LineProtocol.read("m v=1 7", ChronoUnit.MILLIS, "tenant", "t1", false).get("m"))
        .containsExactly(7_000_000L);
    assertThatThrownBy(() -> LineProtocol.read("m v=1 7", ChronoUnit.DAYS, "tenant", "t1", false))
        .hasMessageContaining("Days");
    assertThatThrownBy(
            () ->
                LineProtocol.read(
                    "m v=1 9223372036854775", ChronoUnit.SECONDS, "tenant", "t1", false))
        .hasMessageContaining("64-bit");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '^',
      value = {
        "m v=1|has no time",
        "m v=1 x|the time is no whole number",
        "m v=1 1 2|something stands behind the time",
        "m v=1 9223372036854775807|64-bit",
        "m v=1 99999999999999999999|64-bit",
        "m v=1 -|whole number",
        "m,tag v=1 1|'=' is missing after the tag tag",
        "m,a=b=c v=1 1|'=', which is written",
        "m, v=1 1|a tag is missing",
        "m,a= v=1 1|the value of the tag a is missing",
        "m|a blank is missing before the fields",
        "m  1|'=' is missing after a field's name",
        "m v= 1|a field's value is missing",
        "m v=1, 1|a field is missing",
        "m v=\"1 1|a quote is not closed",
        "m v=\"a\"b 1|behind a closing quote",
        "m v=a\"b 1|has a quote in it",
        ",a=b v=1 1|a measurement is missing",
        "m,tenant=t2 v=1 1|of tenant 't2', the current one is 't1'",
      })
  void read_brokenLine_isRefusedWithItsPlace(String line, String why) {
    assertThatThrownBy(() -> read("ok v=1 1\n" + line))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("line 2, column ")
        .hasMessageContaining(why);
  }

  /** What is written by the rules reads as what it was, whatever its names and values hold. */
  @Test
  void read_anyNamesAndValues_hasTheTimes() {
    Proof.of("line-protocol")
        .tries(2_000, 1_000_000)
        .each(
            random -> {
              StringBuilder text = new StringBuilder();
              long[] times = new long[random.nextInt(1, 5)];
              String measurement = "m" + garbage(random);
              for (int i = 0; i < times.length; i++) {
                times[i] = random.nextLong() >> random.nextInt(1, 60);
                text.append(escaped(measurement, ", "))
                    .append(",t=v")
                    .append(escaped(garbage(random), ",= "))
                    .append(" f=\"")
                    .append(garbage(random).replace("\\", "\\\\").replace("\"", "\\\""))
                    .append("\\\\\n\" ")
                    .append(times[i])
                    .append('\n');
              }
              for (Map<String, long[]> read :
                  List.of(read(text.toString()), newer(text.toString()))) {
                assertThat(read).containsOnlyKeys(measurement);
                assertThat(read.get(measurement)).containsExactly(times);
              }
            });
  }

  @Test
  void read_anyText_isReadOrRefused() {
    Proof.of("line-protocol-bytes")
        .tries(5_000, 1_000_000)
        .each(
            random -> {
              StringBuilder text = new StringBuilder("m,a=b c=\"d\",e=1 12\n");
              for (int i = random.nextInt(1, 6); i > 0; i--) {
                int at = random.nextInt(text.length());
                text.replace(at, at + random.nextInt(2), garbage(random));
              }
              try {
                read(text.toString()).values().forEach(all -> assertThat(all).isNotEmpty());
              } catch (IllegalArgumentException e) {
                assertThat(e).hasMessageContaining("line ");
              }
            });
  }

  private static String escaped(String text, String ends) {
    StringBuilder escaped = new StringBuilder();
    for (int i = 0; i < text.length(); i++) {
      char c = text.charAt(i);
      escaped.append(ends.indexOf(c) >= 0 ? "\\" : "").append(c);
    }
    return escaped.toString();
  }

  private static String garbage(java.util.random.RandomGenerator random) {
    String all = "a b,=\"#é0-";
    StringBuilder text = new StringBuilder();
    for (int i = random.nextInt(6); i > 0; i--) {
      text.append(all.charAt(random.nextInt(all.length())));
    }
    return text.toString();
  }
}
