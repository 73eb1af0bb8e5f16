package dev.aquifer.tsquery;

import com.influxdb.v3.client.InfluxDBClient;
import dev.aquifer.AquiferException;
import dev.aquifer.UnavailableException;
import io.grpc.Context;
import io.grpc.Deadline;
import java.time.Duration;
import java.util.Iterator;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.stream.Stream;
import org.apache.arrow.flight.CallStatus;
import org.apache.arrow.flight.FlightRuntimeException;
import org.apache.arrow.vector.VectorSchemaRoot;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Calls over one client of InfluxDB 3, each with a limit on the whole answer. Thread-safe.
 *
 * <p>The client does not show the call behind its stream of batches, and closing the stream leaves
 * the call running and its memory taken. So each call is made in a context of its own: what ends
 * the context, be it the limit, an answer that is refused half-way or {@link #close}, ends the
 * call; what had arrived by then is read to the end, which frees it.
 */
final class Influx3Calls implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(Influx3Calls.class);
  private static final long CLOSE_SECONDS = 5;

  private final InfluxErrors errors;
  private final InfluxDBClient client;
  private final boolean own;
  private final ScheduledThreadPoolExecutor limits;
  private final Set<Context.CancellableContext> running = ConcurrentHashMap.newKeySet();
  private final Semaphore calls = new Semaphore(Integer.MAX_VALUE);
  private volatile boolean closed;

  Influx3Calls(InfluxErrors errors, InfluxDBClient client, boolean own) {
    this.errors = errors;
    this.client = client;
    this.own = own;
    this.limits =
        new ScheduledThreadPoolExecutor(
            1,
            work -> {
              Thread thread = new Thread(work, "aquifer-influx3-limits");
              thread.setDaemon(true);
              return thread;
            });
    limits.setRemoveOnCancelPolicy(true);
    limits.setKeepAliveTime(10, TimeUnit.SECONDS);
    limits.allowCoreThreadTimeOut(true);
  }

  /**
   * Makes a call and hands its batches to the reader.
   *
   * @param measurement what is asked of, for messages
   * @throws AquiferException the server refused, failed, broke off, or took longer than the limit
   */
  void read(
      Function<InfluxDBClient, Stream<VectorSchemaRoot>> call,
      Duration limit,
      String measurement,
      Consumer<VectorSchemaRoot> reader) {
    if (closed || !calls.tryAcquire()) {
      throw errors.closed();
    }
    try {
      Deadline deadline = Deadline.after(limit.toNanos(), TimeUnit.NANOSECONDS);
      Context.CancellableContext context = Context.current().withDeadline(deadline, limits);
      running.add(context);
      try {
        read(context, call, reader);
      } catch (AquiferException e) {
        throw e;
      } catch (RuntimeException e) {
        throw failed(measurement, limit, deadline, e);
      } finally {
        running.remove(context);
        context.cancel(null);
      }
    } finally {
      calls.release();
    }
  }

  private void read(
      Context.CancellableContext context,
      Function<InfluxDBClient, Stream<VectorSchemaRoot>> call,
      Consumer<VectorSchemaRoot> reader) {
    Context before = context.attach();
    try (Stream<VectorSchemaRoot> batches = call.apply(client)) {
      Iterator<VectorSchemaRoot> iterator = batches.iterator();
      boolean ended = false;
      try {
        if (closed) {
          throw errors.closed();
        }
        while (iterator.hasNext()) {
          reader.accept(iterator.next());
        }
        ended = true;
      } finally {
        if (!ended) {
          context.cancel(null);
          free(iterator);
        }
      }
    } finally {
      context.detach(before);
    }
  }

  /** Ends soon: the call was cancelled. */
  private static void free(Iterator<VectorSchemaRoot> rest) {
    try {
      while (rest.hasNext()) {
        rest.next();
      }
    } catch (RuntimeException e) {
      LOG.trace("The call has ended", e);
    }
  }

  private AquiferException failed(
      String measurement, Duration limit, Deadline deadline, RuntimeException error) {
    if (isInterrupt(error)) {
      Thread.currentThread().interrupt();
      return new UnavailableException("Interrupted while %s answered".formatted(name()), error);
    }
    if (closed) {
      return new UnavailableException(name() + " was closed during a query", error);
    }
    if (deadline.isExpired()) {
      return errors.brokenOff(measurement, limit, error);
    }
    if (!(error instanceof FlightRuntimeException flight)) {
      return errors.failed(measurement, error.toString(), error);
    }
    CallStatus status = flight.status();
    String reason = reason(status);
    return switch (status.code()) {
      case UNAUTHENTICATED, UNAUTHORIZED ->
          new UnavailableException(
              "%s refused the credentials: %s; check %s"
                  .formatted(name(), reason, errors.credentials()),
              error);
      case RESOURCE_EXHAUSTED ->
          new UnavailableException(
              "%s has too much to do, or the answer is larger than maxBytes: %s"
                  .formatted(name(), reason),
              error);
      case INTERNAL, UNKNOWN ->
          new UnavailableException("%s failed: %s".formatted(name(), reason), error);
      case UNAVAILABLE, TIMED_OUT, CANCELLED -> errors.brokenOff(measurement, limit, error);
      default -> errors.failed(measurement, reason, error);
    };
  }

  private static String reason(CallStatus status) {
    String description = status.description();
    return status.code() + (description == null ? "" : " " + Names.printable(description, 200));
  }

  private static boolean isInterrupt(@Nullable Throwable error) {
    for (Throwable cause = error; cause != null; cause = cause.getCause()) {
      if (cause instanceof InterruptedException) {
        return true;
      }
    }
    return false;
  }

  private String name() {
    return errors.name();
  }

  @Override
  public void close() {
    if (closed) {
      return;
    }
    closed = true;
    running.forEach(context -> context.cancel(null));
    boolean interrupted = false;
    try {
      // The client's memory goes with it: not under a reader's hands.
      if (!calls.tryAcquire(Integer.MAX_VALUE, CLOSE_SECONDS, TimeUnit.SECONDS)) {
        LOG.warn("Calls of {} did not end within {} s of its closing", name(), CLOSE_SECONDS);
      }
    } catch (InterruptedException e) {
      interrupted = true;
    }
    limits.shutdownNow();
    if (own) {
      try {
        client.close();
      } catch (Exception e) {
        LOG.warn("The client of {} did not close cleanly", name(), e);
      }
    }
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
  }
}
