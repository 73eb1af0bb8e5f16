package dev.aquifer.testkit;

import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.PriorityQueue;
import java.util.concurrent.AbstractExecutorService;
import java.util.concurrent.Callable;
import java.util.concurrent.Delayed;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.FutureTask;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/**
 * A scheduler without threads. Tasks run in the thread that calls {@link #advance} or {@link
 * #runDue}, in the order in which they are due, and those due at the same time in the order in
 * which they were submitted: always the same order.
 *
 * <pre>{@code
 * FakeTicker ticker = new FakeTicker();
 * DeterministicScheduler scheduler = new DeterministicScheduler(ticker);
 * scheduler.scheduleAtFixedRate(sampler::sample, 1, 1, TimeUnit.SECONDS);
 * scheduler.advance(Duration.ofSeconds(3)); // sampled three times, each time a second later
 * }</pre>
 *
 * <p>Tasks submitted without a delay wait for the next {@link #runDue} too. What a task throws goes
 * to its future, and ends a periodic task. Thread-safe: any thread may submit; one at a time runs.
 */
public final class DeterministicScheduler extends AbstractExecutorService
    implements ScheduledExecutorService {
  private final FakeTicker ticker;
  private final ReentrantLock lock = new ReentrantLock();
  private final PriorityQueue<Slot> queue = new PriorityQueue<>();
  private long sequence;
  private boolean shutdown;

  /** A scheduler on that time, which it moves itself in {@link #advance}. */
  public DeterministicScheduler(FakeTicker ticker) {
    this.ticker = ticker;
  }

  /**
   * Moves the time forward, stopping where a task is due to run it at its time, tasks included that
   * are submitted on the way.
   *
   * @return how many tasks ran
   */
  public int advance(Duration step) {
    if (step.isNegative()) {
      throw new IllegalArgumentException("time does not go back: " + step);
    }
    long target = ticker.getAsLong() + step.toNanos();
    int ran = 0;
    for (Step task = pollDue(target); task != null; task = pollDue(target)) {
      forward(task.due());
      task.run();
      ran++;
    }
    forward(target);
    return ran;
  }

  /**
   * Runs what is due now, and what that submits without a delay; the time stands still.
   *
   * @return how many tasks ran
   */
  public int runDue() {
    return advance(Duration.ZERO);
  }

  /** How many tasks wait, periodic ones counted once. */
  public int pending() {
    lock.lock();
    try {
      return queue.size();
    } finally {
      lock.unlock();
    }
  }

  @Override
  public ScheduledFuture<?> schedule(Runnable command, long delay, TimeUnit unit) {
    return add(new Task<>(Executors.callable(command), due(delay, unit), 0));
  }

  @Override
  public <V> ScheduledFuture<V> schedule(Callable<V> callable, long delay, TimeUnit unit) {
    return add(new Task<>(callable, due(delay, unit), 0));
  }

  @Override
  public ScheduledFuture<?> scheduleAtFixedRate(
      Runnable command, long initialDelay, long period, TimeUnit unit) {
    return add(
        new Task<>(Executors.callable(command), due(initialDelay, unit), positive(period, unit)));
  }

  @Override
  public ScheduledFuture<?> scheduleWithFixedDelay(
      Runnable command, long initialDelay, long delay, TimeUnit unit) {
    return add(
        new Task<>(Executors.callable(command), due(initialDelay, unit), -positive(delay, unit)));
  }

  @Override
  public void execute(Runnable command) {
    var unused = add(new Task<>(Executors.callable(command), due(0, TimeUnit.NANOSECONDS), 0));
  }

  @Override
  public <T> List<Future<T>> invokeAll(Collection<? extends Callable<T>> tasks) {
    List<Future<T>> futures = new ArrayList<>();
    for (Callable<T> task : tasks) {
      futures.add(submit(task));
    }
    runDue();
    return futures;
  }

  @Override
  public void shutdown() {
    lock.lock();
    try {
      shutdown = true;
      for (Slot slot : List.copyOf(queue)) {
        if (slot.task.isPeriodic()) {
          slot.task.cancel(false);
        }
      }
    } finally {
      lock.unlock();
    }
  }

  @Override
  public List<Runnable> shutdownNow() {
    lock.lock();
    try {
      shutdown = true;
      List<Runnable> waiting = new ArrayList<>();
      for (Slot slot = queue.poll(); slot != null; slot = queue.poll()) {
        waiting.add(slot.task);
      }
      return waiting;
    } finally {
      lock.unlock();
    }
  }

  @Override
  public boolean isShutdown() {
    lock.lock();
    try {
      return shutdown;
    } finally {
      lock.unlock();
    }
  }

  @Override
  public boolean isTerminated() {
    lock.lock();
    try {
      return shutdown && queue.isEmpty();
    } finally {
      lock.unlock();
    }
  }

  /** Does not wait, since nothing would run meanwhile: runs what is due and tells the state. */
  @Override
  public boolean awaitTermination(long timeout, TimeUnit unit) {
    runDue();
    return isTerminated();
  }

  private long due(long delay, TimeUnit unit) {
    return ticker.getAsLong() + unit.toNanos(Math.max(0, delay));
  }

  private static long positive(long period, TimeUnit unit) {
    if (period <= 0) {
      throw new IllegalArgumentException("period " + period + " " + unit + " is not positive");
    }
    return unit.toNanos(period);
  }

  private <T extends Step> T add(T task) {
    lock.lock();
    try {
      if (shutdown) {
        throw new RejectedExecutionException("the scheduler is shut down");
      }
      enqueue(task);
      return task;
    } finally {
      lock.unlock();
    }
  }

  private void enqueue(Step task) {
    queue.add(new Slot(task.due(), sequence++, task));
  }

  private @Nullable Step pollDue(long time) {
    lock.lock();
    try {
      Slot first = queue.peek();
      if (first == null || first.due - time > 0) {
        return null;
      }
      queue.remove();
      return first.task;
    } finally {
      lock.unlock();
    }
  }

  private void forward(long time) {
    long step = time - ticker.getAsLong();
    if (step > 0) {
      ticker.advance(Duration.ofNanos(step));
    }
  }

  private final class Task<V> extends FutureTask<V> implements ScheduledFuture<V>, Step {
    /** Positive: fixed rate. Negative: fixed delay. Zero: once. */
    private final long period;

    private long due;

    Task(Callable<V> callable, long due, long period) {
      super(callable);
      this.due = due;
      this.period = period;
    }

    @Override
    public boolean isPeriodic() {
      return period != 0;
    }

    @Override
    public long due() {
      return due;
    }

    @Override
    public void run() {
      if (!isPeriodic()) {
        super.run();
      } else if (runAndReset()) {
        lock.lock();
        try {
          due = period > 0 ? due + period : ticker.getAsLong() - period;
          if (shutdown) {
            cancel(false);
          } else {
            enqueue(this);
          }
        } finally {
          lock.unlock();
        }
      }
    }

    @Override
    public boolean cancel(boolean mayInterruptIfRunning) {
      boolean cancelled = super.cancel(mayInterruptIfRunning);
      lock.lock();
      try {
        queue.removeIf(slot -> slot.task == this);
      } finally {
        lock.unlock();
      }
      return cancelled;
    }

    @Override
    public long getDelay(TimeUnit unit) {
      return unit.convert(due - ticker.getAsLong(), TimeUnit.NANOSECONDS);
    }

    @Override
    public int compareTo(Delayed other) {
      return Long.compare(getDelay(TimeUnit.NANOSECONDS), other.getDelay(TimeUnit.NANOSECONDS));
    }

    @Override
    public boolean equals(@Nullable Object other) {
      return this == other;
    }

    @Override
    public int hashCode() {
      return System.identityHashCode(this);
    }
  }

  /** A task as the queue sees it. */
  private interface Step extends Runnable {
    long due();

    boolean isPeriodic();

    boolean cancel(boolean mayInterruptIfRunning);
  }

  /** A place in the queue: by time, then by the order of submission. */
  private record Slot(long due, long order, Step task) implements Comparable<Slot> {
    @Override
    public int compareTo(Slot other) {
      long later = due - other.due;
      return later != 0 ? Long.signum(later) : Long.compare(order, other.order);
    }
  }
}
