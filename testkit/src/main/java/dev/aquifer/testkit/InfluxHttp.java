package dev.aquifer.testkit;

import java.io.IOException;
import java.net.URI;
import java.net.URLEncoder;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;

/**
 * Requests to an InfluxDB, each with a limit of time. The token is in a header, never in a message.
 */
final class InfluxHttp {
  private static final Duration CONNECT_LIMIT = Duration.ofSeconds(5);
  private static final Duration REQUEST_LIMIT = Duration.ofSeconds(30);
  private static final int SHOWN = 500;

  private final HttpClient client =
      HttpClient.newBuilder()
          .version(HttpClient.Version.HTTP_1_1)
          .connectTimeout(CONNECT_LIMIT)
          .build();
  private final String base;
  private final String token;

  /** Token empty: none is sent. */
  InfluxHttp(String base, String token) {
    this.base = base.endsWith("/") ? base.substring(0, base.length() - 1) : base;
    this.token = token;
  }

  String base() {
    return base;
  }

  /** The version that a server which is up tells; empty when none answers, or one that starts. */
  Optional<String> version() throws IOException {
    HttpResponse<String> answer = send(request("/ping", Map.of()).GET().build());
    // While it starts, 2.x answers everything with 503.
    return answer.statusCode() / 100 == 2
        ? answer.headers().firstValue("X-Influxdb-Version")
        : Optional.empty();
  }

  String get(String path, Map<String, String> parameters) {
    return body("GET " + path, request(path, parameters).GET().build());
  }

  String delete(String path) {
    return body("DELETE " + path, request(path, Map.of()).DELETE().build());
  }

  String post(String path, Map<String, String> parameters, String contentType, String content) {
    return body(
        "POST " + path,
        request(path, parameters)
            .header("Content-Type", contentType)
            .POST(HttpRequest.BodyPublishers.ofString(content))
            .build());
  }

  private HttpRequest.Builder request(String path, Map<String, String> parameters) {
    String query =
        parameters.entrySet().stream()
            .map(entry -> encode(entry.getKey()) + "=" + encode(entry.getValue()))
            .collect(Collectors.joining("&"));
    HttpRequest.Builder request =
        HttpRequest.newBuilder(URI.create(base + path + (query.isEmpty() ? "" : "?" + query)))
            .timeout(REQUEST_LIMIT);
    return token.isEmpty() ? request : request.header("Authorization", "Token " + token);
  }

  private static String encode(String text) {
    return URLEncoder.encode(text, StandardCharsets.UTF_8);
  }

  private String body(String what, HttpRequest request) {
    try {
      HttpResponse<String> answer = send(request);
      if (answer.statusCode() / 100 != 2) {
        String text = answer.body();
        throw new TestkitException(
            "InfluxDB at "
                + base
                + " answered "
                + answer.statusCode()
                + " to "
                + what
                + ": "
                + text.substring(0, Math.min(SHOWN, text.length())));
      }
      return answer.body();
    } catch (IOException e) {
      throw new TestkitException("InfluxDB at " + base + " failed at " + what, e);
    }
  }

  private HttpResponse<String> send(HttpRequest request) throws IOException {
    try {
      return client.send(request, HttpResponse.BodyHandlers.ofString());
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IOException("interrupted while InfluxDB answers", e);
    }
  }
}
