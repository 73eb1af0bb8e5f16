package dev.aquifer.cache;

import java.util.concurrent.Executor;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.ThreadFactory;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;

/** The threads of a node's caches: those it was given, or its own, which end with it. */
final class Threads {
  private final @Nullable ExecutorService ownLoads;
  private final @Nullable ScheduledExecutorService ownTimer;
  private final Executor executor;
  private final ScheduledExecutorService timer;

  Threads(@Nullable Executor executor, @Nullable ScheduledExecutorService timer) {
    this.ownLoads = executor == null ? Executors.newCachedThreadPool(named("aquifer-load-")) : null;
    this.ownTimer = timer == null ? ownTimer() : null;
    this.executor = executor != null ? executor : java.util.Objects.requireNonNull(ownLoads);
    this.timer = timer != null ? timer : java.util.Objects.requireNonNull(ownTimer);
  }

  Executor executor() {
    return executor;
  }

  ScheduledExecutorService timer() {
    return timer;
  }

  void close() {
    if (ownTimer != null) {
      ownTimer.shutdownNow();
    }
    if (ownLoads != null) {
      ownLoads.shutdownNow();
      try {
        // Interrupted loads end soon, or are not ours to wait for.
        boolean ended = ownLoads.awaitTermination(1, TimeUnit.SECONDS);
        if (!ended) {
          org.slf4j.LoggerFactory.getLogger(Caches.class)
              .warn("A loader did not end within 1 s of its interrupt; its thread is a daemon.");
        }
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
      }
    }
  }

  static ThreadFactory named(String prefix) {
    AtomicInteger count = new AtomicInteger();
    return work -> {
      // Inherits nothing of whoever asked first: the thread works for others too (race R12).
      Thread thread = new Thread(null, work, prefix + count.incrementAndGet(), 0, false);
      thread.setDaemon(true);
      return thread;
    };
  }

  private static ScheduledExecutorService ownTimer() {
    ScheduledThreadPoolExecutor timer =
        new ScheduledThreadPoolExecutor(1, named("aquifer-cache-timer-"));
    timer.setRemoveOnCancelPolicy(true);
    return timer;
  }
}
