package dev.aquifer.cache;

import dev.aquifer.Tenant;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Future;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Work that a cache repeats for a tenant, the first time at once, until this is closed or the cache
 * is. One round ends before the next begins; one that fails is logged. Thread-safe.
 */
public final class Schedule implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(Schedule.class);

  private final Node node;
  private final Tenant tenant;
  private final String what;
  private final Duration every;
  private final Supplier<? extends CompletionStage<?>> round;
  private volatile @Nullable Future<?> next;
  private volatile boolean closed;

  Schedule(
      Node node,
      Tenant tenant,
      String what,
      Duration every,
      Supplier<? extends CompletionStage<?>> round) {
    this.node = node;
    this.tenant = tenant;
    this.what = what;
    this.every = every;
    this.round = round;
  }

  Schedule start() {
    execute();
    return this;
  }

  private void execute() {
    try {
      node.executor.execute(this::run);
    } catch (RejectedExecutionException e) {
      // Full for now; for good, the timer says so.
      LOG.warn("{} was put off for tenant {} by {}", what, tenant, every, e);
      again();
    }
  }

  @SuppressWarnings("FutureReturnValueIgnored") // goes on by itself
  private void run() {
    if (closed) {
      return;
    }
    CompletionStage<?> stage;
    try {
      stage = tenant.call(round::get);
    } catch (Exception e) {
      stage = CompletableFuture.failedFuture(e);
    }
    stage.whenComplete(
        (done, error) -> {
          if (error != null) {
            LOG.warn(
                "{} failed for tenant {}; it is tried again in {}", what, tenant, every, error);
          }
          again();
        });
  }

  private void again() {
    double vary = 0.9 + 0.2 * ThreadLocalRandom.current().nextDouble();
    try {
      if (!closed) {
        next =
            node.timer.schedule(
                this::execute, Math.round(every.toNanos() * vary), TimeUnit.NANOSECONDS);
      }
    } catch (RejectedExecutionException e) {
      closed = true;
    }
  }

  /** Whether the next round is planned, and has not begun. */
  boolean planned() {
    Future<?> waiting = next;
    return waiting != null && !waiting.isDone();
  }

  /** No round begins after this; one that runs goes on to its end. Idempotent. */
  @Override
  public void close() {
    closed = true;
    Future<?> waiting = next;
    if (waiting != null) {
      waiting.cancel(false);
    }
  }
}
