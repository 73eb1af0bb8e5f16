package dev.aquifer.tsquery;

import dev.aquifer.AquiferException;
import dev.aquifer.ConfigurationException;
import dev.aquifer.UnavailableException;
import java.io.BufferedInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.net.URI;
import java.net.URISyntaxException;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpTimeoutException;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.LongConsumer;
import java.util.zip.GZIPInputStream;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JacksonException;

/**
 * Requests to one InfluxDB over HTTP, each with a limit on the whole answer, which is read as it
 * arrives. Thread-safe. Credentials are in a header and in no message.
 */
final class InfluxHttp implements AutoCloseable {
  /** Reads an answer of status 200. */
  interface Reader {
    void read(InputStream body) throws IOException;
  }

  private static final AtomicInteger THREADS = new AtomicInteger();

  private final URI endpoint;
  private final InfluxErrors errors;
  private final @Nullable String authorization;
  private final ExecutorService executor;
  private final HttpClient client;
  private volatile boolean closed;

  /**
   * A client of one address.
   *
   * @param authorization the header, whole; null for none
   */
  InfluxHttp(
      URI endpoint, InfluxErrors errors, @Nullable String authorization, Duration connectTimeout) {
    this.endpoint = endpoint;
    this.errors = errors;
    this.authorization = authorization;
    this.executor =
        Executors.newCachedThreadPool(
            work -> {
              Thread thread = new Thread(work, "aquifer-influx-" + THREADS.incrementAndGet());
              thread.setDaemon(true);
              return thread;
            });
    this.client =
        HttpClient.newBuilder()
            .connectTimeout(connectTimeout)
            .executor(executor)
            .version(HttpClient.Version.HTTP_1_1)
            .build();
  }

  /**
   * The address of a request, from the server's.
   *
   * @throws ConfigurationException when the URL is none of HTTP, or has user and password in it
   */
  static URI endpoint(String url, String path) {
    try {
      URI uri = new URI(url);
      boolean http = "http".equals(uri.getScheme()) || "https".equals(uri.getScheme());
      if (uri.getUserInfo() != null) {
        throw new ConfigurationException(
            "The URL of InfluxDB has user or password in it; give credentials to the builder.");
      }
      if (http && uri.getHost() != null && uri.getQuery() == null) {
        String base = uri.getPath().replaceAll("/+$", "");
        return new URI(
            uri.getScheme(), null, uri.getHost(), uri.getPort(), base + path, null, null);
      }
    } catch (URISyntaxException e) {
      // Without the cause, whose message has the whole URL.
      throw new ConfigurationException("The URL of InfluxDB is none: " + e.getReason());
    }
    throw new ConfigurationException(
        "The URL of InfluxDB must be http(s)://host[:port][/path], without a query.");
  }

  /** The header that carries a token. */
  static String token(String token) {
    if (token.isEmpty() || token.chars().anyMatch(c -> c < 0x21 || c > 0x7e)) {
      throw new ConfigurationException("The token has characters that no token has, or none.");
    }
    return "Token " + token;
  }

  /** A request to the address; the body is to be added. */
  HttpRequest.Builder request() {
    HttpRequest.Builder http = HttpRequest.newBuilder(endpoint);
    return authorization == null ? http : http.header("Authorization", authorization);
  }

  /**
   * Sends a request and hands the answer to the reader.
   *
   * @param measurement what is asked of, for messages
   * @param received is told of the answer's bytes as they come, before they are unpacked
   * @throws AquiferException the server refused, failed, broke off, or took longer than the limit
   */
  void ask(
      HttpRequest.Builder request,
      Duration limit,
      String measurement,
      LongConsumer received,
      Reader reader) {
    if (closed) {
      throw errors.closed();
    }
    long deadline = System.nanoTime() + limit.toNanos();
    try {
      HttpResponse<InputStream> response = send(request.timeout(limit).build(), deadline);
      try (InputStream sent = new CountedStream(response.body(), received)) {
        if (response.statusCode() != 200) {
          throw errors.refused(response.statusCode(), reason(response, sent));
        }
        try (InputStream body = unpacked(response, sent)) {
          reader.read(body);
        }
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new UnavailableException("Interrupted while %s answered".formatted(errors.name()), e);
    } catch (IOException | JacksonException e) {
      throw errors.brokenOff(measurement, limit, e);
    }
  }

  @Override
  public void close() {
    closed = true;
    executor.shutdownNow();
  }

  /** The client's own limit does not hold once its executor was shut down: this one does. */
  private HttpResponse<InputStream> send(HttpRequest http, long deadline)
      throws IOException, InterruptedException {
    CompletableFuture<HttpResponse<InputStream>> answer =
        client.sendAsync(http, head -> new BodyStream(deadline));
    try {
      return answer.get(deadline - System.nanoTime(), TimeUnit.NANOSECONDS);
    } catch (ExecutionException e) {
      throw e.getCause() instanceof IOException io ? io : new IOException(e.getCause());
    } catch (TimeoutException e) {
      throw new HttpTimeoutException("no answer began in time");
    } finally {
      answer.cancel(true);
    }
  }

  /** Null when there is none to be read: a proxy's page may not even be what its header says. */
  private static @Nullable String reason(HttpResponse<?> response, InputStream sent) {
    try (InputStream body = unpacked(response, sent)) {
      return InfluxErrors.message(body);
    } catch (IOException e) {
      return null;
    }
  }

  private static InputStream unpacked(HttpResponse<?> response, InputStream sent)
      throws IOException {
    boolean zipped =
        response.headers().firstValue("Content-Encoding").orElse("").equalsIgnoreCase("gzip");
    return zipped ? new GZIPInputStream(sent, 1 << 16) : new BufferedInputStream(sent);
  }
}
