package dev.aquifer.metrics;

import java.time.Duration;
import java.util.concurrent.Executor;
import java.util.concurrent.FutureTask;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.ThreadFactory;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;

/**
 * Runs requests on few threads, each for a limited time. A client that sends half a request, or
 * does not read its answer, holds a thread in a channel operation; an interrupt closes that
 * channel. (The server's own limits are system properties of the whole JVM, and not ours to set.)
 *
 * <p>A {@link FutureTask} is what keeps a late interrupt from reaching the next request.
 */
final class DeadlineExecutor implements Executor, AutoCloseable {
  private static final int THREADS = 4;
  private static final int WAITING = 64;

  private final ThreadPoolExecutor workers;
  private final ScheduledThreadPoolExecutor watch;
  private final Duration limit;

  DeadlineExecutor(Duration limit) {
    this.limit = limit;
    workers =
        new ThreadPoolExecutor(
            THREADS,
            THREADS,
            10,
            TimeUnit.SECONDS,
            new LinkedBlockingQueue<>(WAITING),
            threads("aquifer-page-"));
    workers.allowCoreThreadTimeOut(true);
    watch = new ScheduledThreadPoolExecutor(1, threads("aquifer-page-watch-"));
    watch.setRemoveOnCancelPolicy(true);
  }

  /**
   * @throws RejectedExecutionException when too many wait, upon which the server closes the
   *     connection
   */
  @Override
  public void execute(Runnable request) {
    workers.execute(() -> runLimited(request));
  }

  private void runLimited(Runnable request) {
    FutureTask<@Nullable Void> task = new FutureTask<>(request, null);
    ScheduledFuture<?> deadline =
        watch.schedule(() -> task.cancel(true), limit.toNanos(), TimeUnit.NANOSECONDS);
    try {
      task.run();
    } finally {
      deadline.cancel(false);
    }
  }

  /** Interrupts what runs, and waits until the threads have ended, for at most the limit. */
  @Override
  public void close() {
    workers.shutdownNow();
    watch.shutdownNow();
    try {
      if (workers.awaitTermination(limit.toNanos(), TimeUnit.NANOSECONDS)) {
        watch.awaitTermination(limit.toNanos(), TimeUnit.NANOSECONDS);
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private static ThreadFactory threads(String prefix) {
    AtomicInteger number = new AtomicInteger();
    return body -> {
      Thread thread = new Thread(body, prefix + number.incrementAndGet());
      thread.setDaemon(true);
      return thread;
    };
  }
}
