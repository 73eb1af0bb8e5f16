package dev.aquifer.cache;

import java.time.Duration;
import java.util.concurrent.Future;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;

/** What a node does now and then, on the threads of its loads. */
final class Upkeep implements AutoCloseable {
  private static final long BALANCE = TimeUnit.SECONDS.toNanos(1);

  private final Node node;
  private final Future<?> balance;
  private final Future<?> cleanUp;

  Upkeep(Node node, Duration cleanupInterval) {
    this.node = node;
    this.balance = every(BALANCE, node.fairness()::balance);
    this.cleanUp = every(cleanupInterval.toNanos(), node::cleanUp);
  }

  @Override
  public void close() {
    balance.cancel(false);
    cleanUp.cancel(false);
  }

  private Future<?> every(long nanos, Runnable work) {
    AtomicBoolean waits = new AtomicBoolean();
    Runnable once =
        () -> {
          waits.set(false);
          work.run();
        };
    return node.timer.scheduleWithFixedDelay(
        () -> {
          // The timer's thread has limits to keep.
          if (waits.compareAndSet(false, true)) {
            try {
              node.executor.execute(once);
            } catch (RejectedExecutionException e) {
              // No thread is free, or none is left: the next time will do.
              waits.set(false);
            }
          }
        },
        nanos,
        nanos,
        TimeUnit.NANOSECONDS);
  }
}
