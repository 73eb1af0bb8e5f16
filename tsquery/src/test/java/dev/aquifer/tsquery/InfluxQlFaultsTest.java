package dev.aquifer.tsquery;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import dev.aquifer.AquiferException;
import dev.aquifer.Tenant;
import dev.aquifer.UnavailableException;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import java.util.zip.GZIPOutputStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Answers that no healthy server gives, over real HTTP. None of them may be kept. */
class InfluxQlFaultsTest {
  private static final String GOOD =
      """
      {"results":[{"statement_id":0,"series":[{"name":"m","columns":["time","v0"],\
      "values":[[0,1.5],[60000000000,2]]}]}]}
      """;

  /** Writes an answer. */
  private interface Answer {
    void give(HttpExchange exchange) throws IOException;
  }

  private final AtomicReference<Answer> next = new AtomicReference<>();
  private final AtomicReference<String> form = new AtomicReference<>("");
  private final AtomicReference<String> authorization = new AtomicReference<>("");
  private final ExecutorService threads = Executors.newCachedThreadPool();
  private final CountDownLatch end = new CountDownLatch(1);
  private HttpServer server;
  private TimeSeries series;

  @BeforeEach
  void start() throws IOException {
    server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
    server.setExecutor(threads);
    server.createContext("/base/query", this::handle);
    server.start();
    series =
        TimeSeries.builder()
            .backend(
                InfluxQlBackend.builder(
                        "http://127.0.0.1:" + server.getAddress().getPort() + "/base/", "db")
                    .user("reader", "hunter2")
                    .timeout(Duration.ofMillis(500))
                    .build())
            .build();
  }

  @AfterEach
  void stop() {
    end.countDown();
    series.close();
    server.stop(0);
    threads.shutdownNow();
  }

  @Test
  void query_goodAnswer_isReadAndKept() throws Exception {
    next.set(exchange -> send(exchange, 200, GOOD));

    TimeSeriesResult result = ask();

    assertThat(result.series().get(0).columns().get(0).doubleAt(1)).isEqualTo(2.0);
    assertThat(ask().requests()).isZero();
    assertThat(authorization.get()).isEqualTo("Basic cmVhZGVyOmh1bnRlcjI=");
    assertThat(form.get())
        .contains("db=db")
        .contains("epoch=ns")
        .contains("params={\"p0\":\"t1\"}")
        .contains("WHERE \"tenant\" = $p0 AND time >= 0 AND time < 120000000000 GROUP BY");
  }

  @Test
  void query_compressedAnswer_isRead() throws Exception {
    next.set(
        exchange -> {
          ByteArrayOutputStream zipped = new ByteArrayOutputStream();
          try (GZIPOutputStream zip = new GZIPOutputStream(zipped)) {
            zip.write(GOOD.getBytes(StandardCharsets.UTF_8));
          }
          exchange.getResponseHeaders().add("Content-Encoding", "gzip");
          exchange.sendResponseHeaders(200, zipped.size());
          exchange.getResponseBody().write(zipped.toByteArray());
        });

    assertThat(ask().series()).hasSize(1);
  }

  @Test
  void query_wrongPassword_saysSoWithoutIt() {
    next.set(exchange -> send(exchange, 401, "{\"error\":\"authorization failed\"}"));

    assertThatThrownBy(this::ask)
        .isInstanceOf(UnavailableException.class)
        .hasMessageContaining("authorization failed")
        .message()
        .doesNotContain("hunter2");
  }

  @Test
  void query_serverError_isUnavailable() {
    next.set(exchange -> send(exchange, 503, "<html>busy</html>"));

    assertThatThrownBy(this::ask)
        .isInstanceOf(UnavailableException.class)
        .hasMessageContaining("503");
  }

  @Test
  void query_errorAfterData_isNotKept() throws Exception {
    next.set(
        exchange ->
            send(
                exchange,
                200,
                GOOD + "{\"results\":[{\"statement_id\":0,\"error\":\"shard gone\"}]}"));

    assertThatThrownBy(this::ask)
        .isInstanceOf(AquiferException.class)
        .hasMessageContaining("shard gone");
    assertNothingKept();
  }

  @Test
  void query_lastChunkMissing_isNotKept() throws Exception {
    next.set(
        exchange ->
            send(
                exchange,
                200,
                GOOD.replace("[60000000000,2]]", "[60000000000,2]],\"partial\":true")));

    assertThatThrownBy(this::ask).isInstanceOf(UnavailableException.class);
    assertNothingKept();
  }

  @Test
  void query_brokenOffAnswer_isNotKept() throws Exception {
    String whole = GOOD.strip();
    for (int length = 0; length < whole.length(); length += 6) {
      String part = whole.substring(0, length);
      next.set(exchange -> send(exchange, 200, part));
      assertThatThrownBy(this::ask).as(part).isInstanceOf(AquiferException.class);
    }
    assertNothingKept();
  }

  @Test
  void query_silentInMidAnswer_endsByTheLimit() throws Exception {
    next.set(
        exchange -> {
          exchange.sendResponseHeaders(200, 0);
          OutputStream body = exchange.getResponseBody();
          body.write(GOOD.substring(0, 60).getBytes(StandardCharsets.UTF_8));
          body.flush();
          awaitEnd();
        });

    assertThatThrownBy(this::ask)
        .isInstanceOf(UnavailableException.class)
        .hasMessageContaining("PT0.5S");
    assertNothingKept();
  }

  @Test
  void query_silentServer_endsByTheLimit() {
    next.set(exchange -> awaitEnd());

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
      next.set(exchange -> send(exchange, 200, answer));
      assertThatThrownBy(this::ask).as(answer).isInstanceOf(AquiferException.class);
    }
  }

  @Test
  void query_windowThatWasNotAskedFor_isAnError() {
    next.set(exchange -> send(exchange, 200, GOOD.replace("60000000000", "180000000000")));

    assertThatThrownBy(this::ask)
        .isInstanceOf(AquiferException.class)
        .hasMessageContaining("not asked for");
  }

  private void assertNothingKept() throws Exception {
    next.set(exchange -> send(exchange, 200, GOOD));
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

  private void handle(HttpExchange exchange) throws IOException {
    try (exchange) {
      byte[] body = exchange.getRequestBody().readAllBytes();
      form.set(URLDecoder.decode(new String(body, StandardCharsets.UTF_8), StandardCharsets.UTF_8));
      authorization.set(exchange.getRequestHeaders().getFirst("Authorization"));
      next.get().give(exchange);
    }
  }

  private void awaitEnd() {
    try {
      assertThat(end.await(30, TimeUnit.SECONDS)).isTrue();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private static void send(HttpExchange exchange, int status, String text) throws IOException {
    byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
    exchange.sendResponseHeaders(status, bytes.length == 0 ? -1 : bytes.length);
    if (bytes.length > 0) {
      exchange.getResponseBody().write(bytes);
    }
  }
}
