package dev.aquifer.tsquery;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import org.apache.arrow.flight.CallHeaders;
import org.apache.arrow.flight.FlightProducer.ServerStreamListener;
import org.apache.arrow.flight.FlightServer;
import org.apache.arrow.flight.FlightServerMiddleware;
import org.apache.arrow.flight.Location;
import org.apache.arrow.flight.NoOpFlightProducer;
import org.apache.arrow.flight.ServerHeaderMiddleware;
import org.apache.arrow.flight.Ticket;
import org.apache.arrow.memory.BufferAllocator;
import org.apache.arrow.memory.RootAllocator;

/** A server of Arrow Flight on loopback that answers what a test says, as InfluxDB 3 does. */
final class FlightAnswers implements AutoCloseable {
  /** Writes an answer. */
  interface Answer {
    void give(BufferAllocator memory, ServerStreamListener out) throws IOException;
  }

  private static final FlightServerMiddleware.Key<ServerHeaderMiddleware> HEADERS =
      FlightServerMiddleware.Key.of("headers");

  private final BufferAllocator memory = new RootAllocator();
  private final AtomicReference<Answer> next = new AtomicReference<>();
  private final AtomicReference<String> lastTicket = new AtomicReference<>();
  private final AtomicReference<String> lastToken = new AtomicReference<>();
  private final CountDownLatch cancelled = new CountDownLatch(1);
  private final FlightServer server;

  FlightAnswers() {
    server =
        FlightServer.builder(memory, Location.forGrpcInsecure("127.0.0.1", 0), new Producer())
            .middleware(HEADERS, new ServerHeaderMiddleware.Factory())
            .build();
    try {
      server.start();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  String url() {
    return "http://127.0.0.1:" + port();
  }

  int port() {
    return server.getPort();
  }

  /** What was asked last: a ticket, in JSON. */
  String lastTicket() {
    return lastTicket.get();
  }

  /** The header of the last request that carries the token. */
  String lastToken() {
    return lastToken.get();
  }

  void next(Answer answer) {
    next.set(answer);
  }

  /** Leaves an answer as it is, without an end. */
  void stay(ServerStreamListener out) {
    out.setOnCancelHandler(cancelled::countDown);
  }

  /** Whether the caller went before the answer had ended; waits for it. */
  boolean wasCancelled() throws InterruptedException {
    return cancelled.await(30, TimeUnit.SECONDS);
  }

  @Override
  public void close() {
    try {
      server.close();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
    memory.close();
  }

  private final class Producer extends NoOpFlightProducer {
    @Override
    public void getStream(CallContext context, Ticket ticket, ServerStreamListener out) {
      lastTicket.set(new String(ticket.getBytes(), StandardCharsets.UTF_8));
      CallHeaders headers = context.getMiddleware(HEADERS).headers();
      lastToken.set(headers.get("authorization"));
      try {
        next.get().give(memory, out);
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
    }
  }
}
