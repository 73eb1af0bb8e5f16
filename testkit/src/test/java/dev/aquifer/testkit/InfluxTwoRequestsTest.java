package dev.aquifer.testkit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/**
 * What is asked of an InfluxDB 2.x, against answers in the form that its API documents. Where a
 * real one is found, {@link InfluxServerTest} runs against that.
 */
class InfluxTwoRequestsTest {
  private static final String TOKEN = "t0ken-of-the-test";

  private final List<String> requests = new CopyOnWriteArrayList<>();
  private HttpServer api;
  private String url;

  @BeforeEach
  void start() throws IOException {
    api = HttpServer.create(new InetSocketAddress(Ports.loopback(), 0), 16);
    api.createContext("/", this::answer);
    api.start();
    url = "http://127.0.0.1:" + api.getAddress().getPort();
  }

  @AfterEach
  void stop() {
    api.stop(0);
  }

  @Test
  void createDatabase_makesABucketAndItsMapping() {
    try (InfluxServer server = InfluxServer.connect(url, TOKEN, "air", () -> {})) {
      assertThat(server.kind()).isEqualTo(InfluxServer.Kind.V2);
      assertThat(server.version()).isEqualTo("2.7.11");
      InfluxDatabase database = server.createDatabase("delays");
      database.write("delay,tenant=DFW minutes=7i 1");
      database.query("SELECT minutes FROM delay");
      database.drop();
    }
    assertThat(requests)
        .filteredOn(request -> !request.startsWith("GET /ping"))
        .satisfiesExactly(
            request -> assertThat(request).startsWith("GET /api/v2/orgs?org=air "),
            request ->
                assertThat(request)
                    .startsWith("POST /api/v2/buckets ")
                    .contains("\"orgID\": \"00000000000000aa\"", "\"name\": \"delays\""),
            request ->
                assertThat(request)
                    .startsWith("POST /api/v2/dbrps ")
                    .contains(
                        "\"bucketID\": \"00000000000000bb\"",
                        "\"database\": \"delays\"",
                        "\"default\": true"),
            request ->
                assertThat(request)
                    .startsWith("POST /api/v2/write?")
                    .contains("bucket=delays", "org=air", "precision=ns")
                    .endsWith("delay,tenant=DFW minutes=7i 1"),
            request ->
                assertThat(request)
                    .startsWith("GET /query?")
                    .contains("db=delays", "q=SELECT minutes FROM delay"),
            request -> assertThat(request).startsWith("GET /api/v2/buckets?"),
            request -> assertThat(request).startsWith("DELETE /api/v2/buckets/00000000000000bb "));
  }

  @Test
  void connect_withoutTokenOrOrganization_namesTheProperties() {
    assertThatThrownBy(() -> InfluxServer.connect(url, "", "", () -> {}))
        .isInstanceOf(TestkitException.class)
        .hasMessageContaining("aquifer.test.influxdb.token")
        .hasMessageContaining("aquifer.test.influxdb.org");
  }

  @Test
  void write_refused_neverShowsTheToken() {
    try (InfluxServer server = InfluxServer.connect(url, "wrong-secret", "air", () -> {})) {
      assertThatThrownBy(() -> server.write("delays", "x y=1"))
          .isInstanceOf(TestkitException.class)
          .hasMessageContaining("401")
          .message()
          .doesNotContain("wrong-secret");
      assertThat(server.toString()).doesNotContain("wrong-secret");
    }
  }

  private void answer(HttpExchange exchange) throws IOException {
    String path = exchange.getRequestURI().getPath();
    String body = new String(exchange.getRequestBody().readAllBytes(), StandardCharsets.UTF_8);
    requests.add(
        exchange.getRequestMethod()
            + " "
            + URLDecoder.decode(exchange.getRequestURI().toString(), StandardCharsets.UTF_8)
            + " "
            + body);
    boolean allowed =
        path.equals("/ping")
            || ("Token " + TOKEN).equals(exchange.getRequestHeaders().getFirst("Authorization"));
    exchange.getResponseHeaders().add("X-Influxdb-Version", "v2.7.11");
    byte[] answer =
        (allowed ? json(path) : "{\"code\":\"unauthorized\"}").getBytes(StandardCharsets.UTF_8);
    exchange.sendResponseHeaders(allowed ? 200 : 401, answer.length);
    exchange.getResponseBody().write(answer);
    exchange.close();
  }

  private static String json(String path) {
    return switch (path) {
      case "/api/v2/orgs" ->
          "{\"links\":{\"self\":\"/api/v2/orgs\"},\"orgs\":[{\"id\":\"00000000000000aa\",\"name\":\"air\"}]}";
      case "/api/v2/buckets" ->
          "{\"id\":\"00000000000000bb\",\"orgID\":\"00000000000000aa\",\"name\":\"delays\"}";
      default -> "{}";
    };
  }
}
