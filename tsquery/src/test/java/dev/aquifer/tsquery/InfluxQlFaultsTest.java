package dev.aquifer.tsquery;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.aquifer.AquiferException;
import dev.aquifer.Tenant;
import dev.aquifer.UnavailableException;
import java.io.IOException;
import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Answers that no healthy server gives, over real HTTP. None of them may be kept. */
class InfluxQlFaultsTest {
  private static final String GOOD =
      """
      {"results":[{"statement_id":0,"series":[{"name":"m","columns":["time","sum0"],\
      "values":[[0,1.5],[60000000000,2]]}]}]}
      """;

  private final HttpAnswers server = new HttpAnswers();
  private final TimeSeries series =
      TimeSeries.builder()
          .backend(
              InfluxQlBackend.builder(server.url() + "/base/", "db")
                  .user("reader", "hunter2")
                  .timeout(Duration.ofMillis(500))
                  .build())
          .build();

  @AfterEach
  void stop() {
    series.close();
    server.close();
  }

  @Test
  void query_goodAnswer_isReadAndKept() throws Exception {
    server.next(200, GOOD);

    TimeSeriesResult result = ask();

    assertThat(result.series().get(0).columns().get(0).doubleAt(1)).isEqualTo(2.0);
    assertThat(ask().requests()).isZero();
    assertThat(server.last().authorization()).isEqualTo("Basic cmVhZGVyOmh1bnRlcjI=");
    assertThat(URLDecoder.decode(server.last().body(), StandardCharsets.UTF_8))
        .contains("db=db")
        .contains("epoch=ns")
        .contains("params={\"p0\":\"t1\"}")
        .contains("WHERE \"tenant\"::tag = $p0 AND time >= 0 AND time < 120000000000 GROUP BY");
  }

  @Test
  void query_compressedAnswer_isRead() throws Exception {
    server.nextZipped(GOOD);

    assertThat(ask().series()).hasSize(1);
  }

  /** A proxy's page under the server's headers; it would go on for as long as it is read. */
  @Test
  void query_answerThatIsNotPackedAsItsHeaderSays_endsItsConnection() throws Exception {
    CountDownLatch ended = new CountDownLatch(1);
    server.next(
        exchange -> {
          exchange.getResponseHeaders().add("Content-Encoding", "gzip");
          exchange.sendResponseHeaders(200, 0);
          byte[] page = "<html>hello</html>".repeat(1_000).getBytes(StandardCharsets.UTF_8);
          try {
            while (true) {
              exchange.getResponseBody().write(page);
            }
          } catch (IOException e) {
            ended.countDown();
            throw e;
          }
        });

    assertThatThrownBy(this::ask).isInstanceOf(UnavailableException.class);
    assertThat(ended.await(20, TimeUnit.SECONDS)).isTrue();
    assertNothingKept();
  }

  @Test
  void query_errorThatIsNotPackedAsItsHeaderSays_tellsItsStatus() {
    server.next(
        exchange -> {
          byte[] page = "<html>bad gateway</html>".getBytes(StandardCharsets.UTF_8);
          exchange.getResponseHeaders().add("Content-Encoding", "gzip");
          exchange.sendResponseHeaders(502, page.length);
          exchange.getResponseBody().write(page);
        });

    assertThatThrownBy(this::ask)
        .isInstanceOf(UnavailableException.class)
        .hasMessageContaining("HTTP 502");
  }

  @Test
  void query_wrongPassword_saysSoWithoutIt() {
    server.next(401, "{\"error\":\"authorization failed\"}");

    assertThatThrownBy(this::ask)
        .isInstanceOf(UnavailableException.class)
        .hasMessageContaining("authorization failed")
        .message()
        .doesNotContain("hunter2");
  }

  @Test
  void query_serverError_isUnavailable() {
    server.next(503, "<html>busy</html>");

    assertThatThrownBy(this::ask)
        .isInstanceOf(UnavailableException.class)
        .hasMessageContaining("503");
  }

  @Test
  void query_errorAfterData_isNotKept() throws Exception {
    server.next(200, GOOD + "{\"results\":[{\"statement_id\":0,\"error\":\"shard gone\"}]}");

    assertThatThrownBy(this::ask)
        .isInstanceOf(AquiferException.class)
        .hasMessageContaining("shard gone");
    assertNothingKept();
  }

  @Test
  void query_lastChunkMissing_isNotKept() throws Exception {
    server.next(200, GOOD.replace("[60000000000,2]]", "[60000000000,2]],\"partial\":true"));

    assertThatThrownBy(this::ask).isInstanceOf(UnavailableException.class);
    assertNothingKept();
  }

  @Test
  void query_brokenOffAnswer_isNotKept() throws Exception {
    String whole = GOOD.strip();
    for (int length = 0; length < whole.length(); length += 6) {
      String part = whole.substring(0, length);
      server.next(200, part);
      assertThatThrownBy(this::ask).as(part).isInstanceOf(AquiferException.class);
    }
    assertNothingKept();
  }

  @Test
  void query_silentInMidAnswer_endsByTheLimit() throws Exception {
    server.nextSilentAfter(GOOD.substring(0, 60));

    assertThatThrownBy(this::ask)
        .isInstanceOf(UnavailableException.class)
        .hasMessageContaining("PT0.5S");
    assertNothingKept();
  }

  @Test
  void query_silentServer_endsByTheLimit() {
    server.nextSilent();

    assertThatThrownBy(this::ask)
        .isInstanceOf(UnavailableException.class)
        .hasMessageContaining("PT0.5S");
  }

  @Test
  void query_otherServersAnswer_isAnError() {
    for (String answer :
        new String[] {
          "<html>hello</html>",
          "[]",
          "",
          "{}",
          "{\"results\":[{\"series\":[{\"values\":[[1,2]]}]}]}"
        }) {
      server.next(200, answer);
      assertThatThrownBy(this::ask).as(answer).isInstanceOf(AquiferException.class);
    }
  }

  @Test
  void query_windowThatWasNotAskedFor_isAnError() {
    server.next(200, GOOD.replace("60000000000", "180000000000"));

    assertThatThrownBy(this::ask)
        .isInstanceOf(AquiferException.class)
        .hasMessageContaining("not asked for");
  }

  /** Each series of the server by itself, as the answer lists them. */
  @Test
  void query_seriesOfTheServer_areJoined() throws Exception {
    server.next(200, twoSeries("0.1", "0.2"));
    assertThat(ask().series())
        .singleElement()
        .satisfies(joined -> assertThat(joined.columns().get(0).doubleAt(0)).isEqualTo(0.1 + 0.2));
  }

  @Test
  void query_seriesOfTheServer_thatCannotBeJoined_areAnError() {
    for (String value : new String[] {"\"one\"", "true", "[1]"}) {
      server.next(200, twoSeries("0.1", value));
      assertThatThrownBy(this::ask).as(value).isInstanceOf(AquiferException.class);
    }
    server.next(200, twoSeries("9223372036854775807", "1"));
    assertThatThrownBy(this::ask)
        .isInstanceOf(AquiferException.class)
        .hasMessageContaining("passes 64 bits");
    for (String columns : new String[] {"[\"time\"]", "[\"time\",\"sum0\",\"sum0\"]", "[]"}) {
      server.next(200, GOOD.replace("[\"time\",\"sum0\"]", columns));
      assertThatThrownBy(this::ask).as(columns).isInstanceOf(AquiferException.class);
    }
  }

  private static String twoSeries(String one, String other) {
    String series =
        "{\"name\":\"m\",\"tags\":{\"a\":\"%s\"},\"columns\":[\"time\",\"sum0\"],\"values\":[[0,%s]]}";
    return "{\"results\":[{\"statement_id\":0,\"series\":["
        + series.formatted("1", one)
        + ","
        + series.formatted("2", other)
        + "]}]}";
  }

  private void assertNothingKept() throws Exception {
    server.next(200, GOOD);
    assertThat(ask().fetched()).isEqualTo(2);
  }

  private TimeSeriesResult ask() throws Exception {
    TimeSeriesQuery query =
        TimeSeriesQuery.builder("m")
            .select(Aggregate.SUM, "value")
            .every(Duration.ofMinutes(1))
            .range(Instant.EPOCH, Instant.EPOCH.plusSeconds(120))
            .build();
    return Tenant.of("t1").call(() -> series.query(query));
  }
}
