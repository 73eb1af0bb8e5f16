package dev.aquifer.metrics;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.aquifer.AquiferException;
import dev.aquifer.Tenant;
import dev.aquifer.spi.Observer.NodeState;
import dev.aquifer.spi.Observer.Role;
import dev.aquifer.spi.Observer.RouteReason;
import dev.aquifer.spi.Observer.Tier;
import dev.aquifer.spi.Report;
import dev.aquifer.testkit.Eventually;
import dev.aquifer.testkit.LeakCheck;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.io.IOException;
import java.net.InetAddress;
import java.net.Socket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Locale;
import java.util.function.Supplier;
import java.util.regex.Pattern;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class MetricsPageTest {
  @RegisterExtension
  final LeakCheck leaks =
      LeakCheck.of().threads("aquifer-").threads("HTTP-Dispatcher").threads("server-timer");

  private final SimpleMeterRegistry registry = new SimpleMeterRegistry();
  private final AquiferMetrics metrics = AquiferMetrics.of(registry);
  private final MetricsPage page =
      MetricsPage.builder(registry)
          .clock(Clock.fixed(Instant.ofEpochMilli(1_234_567), ZoneOffset.UTC))
          .requestTimeout(Duration.ofSeconds(1))
          .report(report(() -> List.of(List.of("</script>" + "x".repeat(1_000), "1"))))
          .report(
              report(
                  () -> {
                    throw new IllegalStateException("a report that fails");
                  }))
          .report(report(() -> Collections.nCopies(1_000, List.of("many", "2"))))
          .start();
  private final HttpClient client = HttpClient.newHttpClient();

  @AfterEach
  void close() {
    page.close();
    metrics.close();
    registry.close();
  }

  @Test
  void url_opened_showsThePageWithNothingFromElsewhere() throws Exception {
    HttpResponse<String> answer = get(page.url());

    assertThat(answer.statusCode()).isEqualTo(200);
    assertThat(answer.headers().firstValue("Content-Type")).contains("text/html; charset=utf-8");
    assertThat(answer.headers().firstValue("Cache-Control")).contains("no-store");
    assertThat(answer.headers().firstValue("Referrer-Policy")).contains("no-referrer");
    assertThat(answer.headers().firstValue("Content-Security-Policy").orElseThrow())
        .startsWith("default-src 'none'")
        .doesNotContain("unsafe")
        .doesNotContain("http");
    assertThat(answer.body().getBytes(StandardCharsets.UTF_8)).hasSizeLessThan(100 * 1024);
    assertThat(answer.body())
        .doesNotContain(token())
        .doesNotContain("http://")
        .doesNotContain("https://")
        .doesNotContain("/*style*/")
        .doesNotContain("/*script*/")
        .doesNotContain("innerHTML");
  }

  @Test
  void token_isRandomAnd128Bits() {
    try (MetricsPage another = MetricsPage.of(registry)) {
      assertThat(another.url()).isNotEqualTo(page.url());
      assertThat(token()).hasSize(22);
      assertThat(page.toString()).doesNotContain(token());
    }
  }

  @Test
  void anyPath_withoutToken_is401AndTellsNothing() throws Exception {
    metrics.cacheAnswered("flights", Tenant.of("DFW"), Tier.L1);
    for (String path : List.of("", "meters.json", "reports.json", "health", "x", "?other=1")) {
      HttpResponse<String> answer = get(base() + path);
      assertThat(answer.statusCode()).as(path).isEqualTo(401);
      assertThat(answer.body()).doesNotContain("flights").doesNotContain(token());
    }
  }

  @Test
  void anyPath_wrongToken_is403() throws Exception {
    String token = token();
    for (String wrong :
        List.of("", "x", token + "x", token.substring(1), token.toLowerCase(Locale.ROOT) + "_")) {
      assertThat(get(base() + "meters.json?token=" + wrong).statusCode()).isEqualTo(403);
    }
    assertThat(get(base() + "health?token=x&token=" + token).statusCode()).isEqualTo(403);
  }

  @Test
  void metersJson_bearer_isAccepted() throws Exception {
    HttpRequest request =
        HttpRequest.newBuilder(URI.create(base() + "meters.json"))
            .header("Authorization", "Bearer " + token())
            .build();

    assertThat(client.send(request, HttpResponse.BodyHandlers.ofString()).statusCode())
        .isEqualTo(200);
  }

  @ParameterizedTest
  @ValueSource(strings = {"POST", "PUT", "DELETE", "OPTIONS", "TRACE", "PATCH"})
  void otherMethod_is405(String method) throws Exception {
    HttpRequest request =
        HttpRequest.newBuilder(URI.create(page.url()))
            .method(method, HttpRequest.BodyPublishers.noBody())
            .build();

    HttpResponse<String> answer = client.send(request, HttpResponse.BodyHandlers.ofString());
    assertThat(answer.statusCode()).isEqualTo(405);
    assertThat(answer.headers().firstValue("Allow")).contains("GET, HEAD");
  }

  @Test
  void head_hasTheLengthAndNoBody() throws Exception {
    HttpRequest request =
        HttpRequest.newBuilder(URI.create(page.url()))
            .method("HEAD", HttpRequest.BodyPublishers.noBody())
            .build();

    HttpResponse<String> answer = client.send(request, HttpResponse.BodyHandlers.ofString());
    assertThat(answer.statusCode()).isEqualTo(200);
    assertThat(answer.body()).isEmpty();
    assertThat(answer.headers().firstValueAsLong("Content-Length").orElse(-1))
        .isEqualTo(get(page.url()).body().getBytes(StandardCharsets.UTF_8).length);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "Host: evil.example\r\n",
        "Host: evil.example:PORT\r\n",
        "Host: localhost.evil.example\r\n",
        "Host: localhost:1\r\n",
        "Host: localhost\r\nHost: evil.example\r\n",
        "Host:\r\n",
        ""
      })
  void foreignHost_evenWithTheToken_is403(String header) throws Exception {
    int port = page.address().getPort();
    String answer =
        raw(
            "GET /meters.json?token="
                + token()
                + " HTTP/1.1\r\n"
                + header.replace("PORT", "" + port)
                + "Connection: close\r\n\r\n");

    assertThat(answer).startsWith("HTTP/1.1 403");
  }

  @ParameterizedTest
  @ValueSource(strings = {"localhost", "LOCALHOST:PORT", "127.0.0.1:PORT", "[::1]:PORT"})
  void ownHost_isAccepted(String host) throws Exception {
    String answer =
        raw(
            "GET /health?token="
                + token()
                + " HTTP/1.1\r\nHost: "
                + host.replace("PORT", "" + page.address().getPort())
                + "\r\nConnection: close\r\n\r\n");

    assertThat(answer).startsWith("HTTP/1.1 200");
  }

  @Test
  void metersJson_hostileNames_stayText() throws Exception {
    String hostile = "</script><img src=x onerror=alert(1)>\"\\&'\u00e9";
    metrics.cacheAnswered(hostile, Tenant.of("DFW"), Tier.L1);
    registry.counter("application.secret", "password", "hunter2").increment();

    String json = get(json("meters.json")).body();

    assertThat(json).doesNotContain("<").doesNotContain("hunter2").isPrintable();
    assertThat(json).contains("\\u003c/script\\u003e\\u003cimg src=x onerror=alert(1)\\u003e");
    assertThat(json).contains("\\u0022\\u005c\\u0026\\u0027\\u00e9");
  }

  /** Cells are text, cut where they are long; what fails is left out. */
  @Test
  void reportsJson_hostileHugeAndFailing_areTextCutAndLeftOut() throws Exception {
    String json = get(json("reports.json")).body();

    assertThat(json)
        .startsWith(
            "{\"reports\":[{\"title\":\"Costs\",\"columns\":[\"Query\",\"Count\"],\"rows\":[["
                + "\"\\u003c/script\\u003ex")
        .doesNotContain("<")
        .isPrintable()
        .hasSizeLessThan(10_000);
    assertThat(Pattern.compile("\"title\"").matcher(json).results().count()).isEqualTo(2);
    assertThat(Pattern.compile("\"many\"").matcher(json).results().count())
        .isEqualTo(ReportsJson.MOST_ROWS);
  }

  @Test
  void metersJson_afterTraffic_hasItsFigures() throws Exception {
    metrics.cacheAnswered("flights", Tenant.of("DFW"), Tier.L1);
    metrics.cacheAnswered("flights", Tenant.of("DFW"), Tier.L1);
    metrics.routed("db2", Role.REPLICA, RouteReason.READ);
    metrics.lagSampled("db2", null, -1);

    HttpResponse<String> answer = get(json("meters.json"));

    assertThat(answer.headers().firstValue("Content-Type")).contains("application/json");
    assertThat(answer.body())
        .startsWith("{\"at\":1234567,\"cut\":false,\"meters\":[{")
        .contains(
            "{\"name\":\"cache.gets\",\"tags\":{\"cache\":\"flights\",\"result\":\"hit\",\"tier\":\"l1\"},"
                + "\"values\":{\"count\":2}}")
        .contains(
            "{\"name\":\"aquifer.replica.lag\",\"tags\":{\"node\":\"db2\"},\"values\":{\"value\":null}}");
  }

  @Test
  void metersJson_hugeRegistry_isCutAndSaysSo() throws Exception {
    for (int i = 0; i < MetersJson.MOST + 10; i++) {
      registry.counter("aquifer.many", "i", "" + i);
    }

    String json = get(json("meters.json")).body();

    assertThat(json).contains("\"cut\":true");
    assertThat(Pattern.compile("\"name\":").matcher(json).results().count())
        .isEqualTo(MetersJson.MOST);
  }

  @Test
  void health_followsNodesAndRedis() throws Exception {
    assertThat(get(json("health")).body())
        .isEqualTo("{\"status\":\"up\",\"redis\":\"unknown\",\"nodes\":{}}");

    metrics.nodeChanged("db1", NodeState.SUSPECT, NodeState.HEALTHY, "");
    metrics.nodeChanged("db2", NodeState.HEALTHY, NodeState.EJECTED, "");
    HttpResponse<String> degraded = get(json("health"));
    assertThat(degraded.statusCode()).isEqualTo(200);
    assertThat(degraded.body())
        .isEqualTo(
            "{\"status\":\"degraded\",\"redis\":\"unknown\","
                + "\"nodes\":{\"db1\":\"healthy\",\"db2\":\"ejected\"}}");

    metrics.nodeChanged("db1", NodeState.HEALTHY, NodeState.EJECTED, "");
    HttpResponse<String> down = get(json("health"));
    assertThat(down.statusCode()).isEqualTo(503);
    assertThat(down.body()).contains("\"status\":\"down\"");

    metrics.nodeChanged("db1", NodeState.EJECTED, NodeState.RAMP, "");
    metrics.nodeChanged("db2", NodeState.EJECTED, NodeState.HEALTHY, "");
    metrics.remoteChanged(false, "timeout");
    assertThat(get(json("health")).body())
        .contains("\"status\":\"degraded\"")
        .contains("\"redis\":\"lost\"");
    metrics.remoteChanged(true, "answers");
    assertThat(get(json("health")).body()).contains("\"status\":\"up\"");
  }

  @Test
  void unknownPath_is404() throws Exception {
    assertThat(get(json("meters.json/../../etc/passwd")).statusCode()).isEqualTo(404);
    assertThat(get(json("page.js")).statusCode()).isEqualTo(404);
  }

  @Test
  void slowClients_moreThanThreads_areCutOffAndOthersAnswered() throws Exception {
    List<Socket> slow = new ArrayList<>();
    try {
      for (int i = 0; i < 8; i++) {
        Socket socket = new Socket(InetAddress.getLoopbackAddress(), page.address().getPort());
        socket
            .getOutputStream()
            .write("GET / HTTP/1.1\r\nHost: local".getBytes(StandardCharsets.US_ASCII));
        socket.getOutputStream().flush();
        slow.add(socket);
      }
      HttpRequest request =
          HttpRequest.newBuilder(URI.create(page.url())).timeout(Duration.ofSeconds(30)).build();
      assertThat(client.send(request, HttpResponse.BodyHandlers.ofString()).statusCode())
          .isEqualTo(200);
      for (Socket socket : slow) {
        socket.setSoTimeout(30_000);
        assertThat(ended(socket)).isTrue();
      }
    } finally {
      for (Socket socket : slow) {
        socket.close();
      }
    }
  }

  @Test
  void manyConnections_moreThanMayWait_pageAnswersAfterwards() throws Exception {
    List<Socket> slow = new ArrayList<>();
    try {
      for (int i = 0; i < 120; i++) {
        Socket socket = new Socket(InetAddress.getLoopbackAddress(), page.address().getPort());
        socket.getOutputStream().write('G');
        slow.add(socket);
      }
    } finally {
      for (Socket socket : slow) {
        socket.close();
      }
    }
    Eventually.within(Duration.ofSeconds(30))
        .asserts(() -> assertThat(get(page.url()).statusCode()).isEqualTo(200));
  }

  @Test
  void threads_whileItRuns_areDaemons() throws Exception {
    assertThat(get(page.url()).statusCode()).isEqualTo(200);

    assertThat(Thread.getAllStackTraces().keySet())
        .filteredOn(
            thread ->
                thread.getName().startsWith("aquifer-page")
                    || thread.getName().startsWith("HTTP-Dispatcher"))
        .hasSizeGreaterThanOrEqualTo(2)
        .allMatch(Thread::isDaemon);
  }

  @Test
  void close_withARequestUnderWay_endsItAndRefusesMore() throws Exception {
    try (Socket socket = new Socket(InetAddress.getLoopbackAddress(), page.address().getPort())) {
      socket.getOutputStream().write("GET / HTTP/1.1\r\n".getBytes(StandardCharsets.US_ASCII));
      socket.getOutputStream().flush();
      Eventually.within(Duration.ofSeconds(10))
          .until(
              "a worker reads the request",
              () ->
                  Thread.getAllStackTraces().keySet().stream()
                      .anyMatch(
                          t ->
                              t.getName().startsWith("aquifer-page-")
                                  && !t.getName().contains("watch")));

      page.close();
      page.close();

      socket.setSoTimeout(10_000);
      assertThat(ended(socket)).isTrue();
    }
    assertThatThrownBy(() -> get(page.url())).isInstanceOf(IOException.class);
  }

  @Test
  void start_portTaken_namesThePort() {
    int port = page.address().getPort();

    assertThatThrownBy(() -> MetricsPage.builder(registry).port(port).start())
        .isInstanceOf(AquiferException.class)
        .hasMessageContaining("" + port);
  }

  @Test
  void start_contradictions_areRefused() throws Exception {
    InetAddress everywhere = InetAddress.getByName("0.0.0.0");
    assertThatThrownBy(
            () -> MetricsPage.builder(registry).address(everywhere).withoutToken().start())
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("withoutToken()")
        .hasMessageContaining("0.0.0.0");
    assertThatThrownBy(() -> MetricsPage.builder(registry).token("short pass").start())
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageNotContaining("short pass");
    assertThatThrownBy(() -> MetricsPage.builder(registry).port(70_000).start())
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("70,000");
    assertThatThrownBy(() -> MetricsPage.builder(registry).requestTimeout(Duration.ZERO).start())
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("requestTimeout");
  }

  @Test
  void withoutToken_onLoopback_answersOwnHostsOnly() throws Exception {
    try (MetricsPage open = MetricsPage.builder(registry).withoutToken().start()) {
      assertThat(open.url()).doesNotContain("token");
      assertThat(get(open.url()).statusCode()).isEqualTo(200);
    }
  }

  private String token() {
    return page.url().substring(page.url().indexOf('=') + 1);
  }

  private String base() {
    return page.url().substring(0, page.url().indexOf('?'));
  }

  private String json(String path) {
    return base() + path + "?token=" + token();
  }

  private HttpResponse<String> get(String url) throws IOException, InterruptedException {
    return client.send(
        HttpRequest.newBuilder(URI.create(url)).timeout(Duration.ofSeconds(20)).build(),
        HttpResponse.BodyHandlers.ofString());
  }

  private static Report report(Supplier<List<List<String>>> rows) {
    return new Report() {
      @Override
      public String title() {
        return "Costs";
      }

      @Override
      public List<String> columns() {
        return List.of("Query", "Count");
      }

      @Override
      public List<List<String>> rows() {
        return rows.get();
      }
    };
  }

  private String raw(String request) throws IOException {
    try (Socket socket = new Socket(InetAddress.getLoopbackAddress(), page.address().getPort())) {
      socket.setSoTimeout(20_000);
      socket.getOutputStream().write(request.getBytes(StandardCharsets.US_ASCII));
      socket.getOutputStream().flush();
      return new String(socket.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    }
  }

  /** Whether the server ended the connection, which may be by a reset. */
  private static boolean ended(Socket socket) throws IOException {
    try {
      return socket.getInputStream().read() < 0;
    } catch (java.net.SocketTimeoutException e) {
      throw e;
    } catch (IOException e) {
      return true;
    }
  }
}
