package dev.aquifer.tsquery;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import dev.aquifer.tsquery.flux.EmittedFlux;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import java.util.zip.GZIPOutputStream;

/** A server on loopback that answers what a test says, over real HTTP. */
final class HttpAnswers implements AutoCloseable {
  /** Writes an answer. */
  interface Answer {
    void give(HttpExchange exchange) throws IOException;
  }

  /** What came last. */
  record Request(String path, String query, String authorization, String body) {}

  private static final EmittedFlux SENT = EmittedFlux.of("sent", 200);

  private final AtomicReference<Answer> next = new AtomicReference<>();
  private final AtomicReference<Request> last = new AtomicReference<>();
  private final ExecutorService threads = Executors.newCachedThreadPool();
  private final CountDownLatch end = new CountDownLatch(1);
  private final HttpServer server;

  HttpAnswers() {
    try {
      server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
    } catch (IOException e) {
      throw new java.io.UncheckedIOException(e);
    }
    server.setExecutor(threads);
    server.createContext("/", this::handle);
    server.start();
  }

  String url() {
    return "http://127.0.0.1:" + server.getAddress().getPort();
  }

  Request last() {
    return last.get();
  }

  void next(Answer answer) {
    next.set(answer);
  }

  void next(int status, String text) {
    next.set(exchange -> send(exchange, status, text));
  }

  void nextZipped(String text) {
    next.set(
        exchange -> {
          ByteArrayOutputStream zipped = new ByteArrayOutputStream();
          try (GZIPOutputStream zip = new GZIPOutputStream(zipped)) {
            zip.write(text.getBytes(StandardCharsets.UTF_8));
          }
          exchange.getResponseHeaders().add("Content-Encoding", "gzip");
          exchange.sendResponseHeaders(200, zipped.size());
          exchange.getResponseBody().write(zipped.toByteArray());
        });
  }

  /** Begins to answer and stands still. */
  void nextSilentAfter(String text) {
    next.set(
        exchange -> {
          exchange.sendResponseHeaders(200, 0);
          OutputStream body = exchange.getResponseBody();
          body.write(text.getBytes(StandardCharsets.UTF_8));
          body.flush();
          awaitEnd();
        });
  }

  void nextSilent() {
    next.set(exchange -> awaitEnd());
  }

  @Override
  public void close() {
    end.countDown();
    server.stop(0);
    threads.shutdownNow();
  }

  private void handle(HttpExchange exchange) throws IOException {
    try (exchange) {
      String body = new String(exchange.getRequestBody().readAllBytes(), StandardCharsets.UTF_8);
      if (exchange.getRequestURI().getPath().equals("/api/v2/query")) {
        SENT.acceptedSent(body);
      }
      last.set(
          new Request(
              exchange.getRequestURI().getPath(),
              exchange.getRequestURI().getQuery(),
              exchange.getRequestHeaders().getFirst("Authorization"),
              body));
      next.get().give(exchange);
    }
  }

  private void awaitEnd() {
    try {
      end.await(30, TimeUnit.SECONDS);
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
