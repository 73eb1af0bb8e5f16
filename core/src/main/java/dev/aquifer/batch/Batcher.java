package dev.aquifer.batch;

import dev.aquifer.AquiferException;
import dev.aquifer.UnavailableException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Function;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/**
 * Collects items into batches, and tells of each item when its batch was acknowledged, or why not.
 * No item is ever dropped in silence: one for which there is no room is refused, one that cannot be
 * sent fails. Thread-safe; has no threads of its own.
 *
 * <p>A batch goes when it is full, when its first item has waited for {@link BatchSettings#linger},
 * when {@link #flush} is called, and at once while the sink is idle if that is zero. How full is
 * full follows the sink: a step more after each full batch that took less than {@link
 * BatchSettings#target}, half of it after one that took longer or failed (additive increase,
 * multiplicative decrease).
 *
 * <p>Items are sent in the order in which they were added, higher priorities first. Where a key is
 * given ({@link #ordered}), items of one key keep their order also beside other batches under way
 * and whatever their priorities are.
 *
 * @param <T> items
 */
// What timers run ends in the items' futures.
@SuppressWarnings("FutureReturnValueIgnored")
public final class Batcher<T> implements AutoCloseable {
  private static final int USUAL = 5;

  private final BatchSink<T> sink;
  private final BatchSettings settings;
  private final @Nullable Function<? super T, ?> keys;
  private final Executor executor;
  private final ScheduledExecutorService timer;
  private final LongSupplier nanos;

  private final ReentrantLock lock = new ReentrantLock();
  private final Condition room = lock.newCondition();
  private final BatchQueue<T> queue = new BatchQueue<>();
  private final Set<Sending> sending = new HashSet<>();
  private int open;
  private int size;
  private long flushed;
  private boolean armed;
  private boolean closing;
  private boolean closed;
  private long acknowledged;
  private long failed;
  private long refused;
  private long batches;
  private long retries;

  private Batcher(
      BatchSink<T> sink,
      BatchSettings settings,
      @Nullable Function<? super T, ?> keys,
      Executor executor,
      ScheduledExecutorService timer,
      LongSupplier nanos) {
    this.sink = sink;
    this.settings = settings;
    this.keys = keys;
    this.executor = executor;
    this.timer = timer;
    this.nanos = nanos;
    this.size =
        settings.target().isZero() ? settings.maxItems() : Math.min(16, settings.maxItems());
  }

  /**
   * A batcher.
   *
   * @param executor where the sink is called; a sink that blocks needs one that may block
   * @param timer what is late is timed there; neither is shut down by {@link #close}
   */
  public static <T> Batcher<T> of(
      BatchSink<T> sink,
      BatchSettings settings,
      Executor executor,
      ScheduledExecutorService timer) {
    return new Batcher<>(sink, settings, null, executor, timer, System::nanoTime);
  }

  /**
   * As {@link #of}, where the items of one key are never sent beside or before an earlier one.
   *
   * @param keys the key of an item: equal by value, not changing
   */
  public static <T> Batcher<T> ordered(
      BatchSink<T> sink,
      BatchSettings settings,
      Function<? super T, ?> keys,
      Executor executor,
      ScheduledExecutorService timer) {
    return new Batcher<>(sink, settings, keys, executor, timer, System::nanoTime);
  }

  /** The same on another clock: monotonic nanoseconds. For a batcher that nothing was added to. */
  public Batcher<T> clock(LongSupplier nanos) {
    return new Batcher<>(sink, settings, keys, executor, timer, nanos);
  }

  /** Adds an item of middle priority, and waits for room as the settings say. */
  public CompletableFuture<@Nullable Void> add(T item) {
    return add(item, USUAL, settings.patience());
  }

  /**
   * Adds an item.
   *
   * @param priority 0 to 9, the most urgent
   * @param patience how long to wait for room; zero: not
   * @return ends when the item's batch was acknowledged, or with the batch's error
   * @throws BatchFullException when there is no room in time; the item was not taken
   * @throws AquiferException when interrupted while waiting, or closed; the item was not taken
   */
  public CompletableFuture<@Nullable Void> add(T item, int priority, Duration patience) {
    if (priority < 0 || priority >= BatchQueue.PRIORITIES) {
      throw new IllegalArgumentException("priority is %d; use 0 to 9.".formatted(priority));
    }
    Object key = keys == null ? null : keys.apply(item);
    BatchQueue.Item<T> added = new BatchQueue.Item<>(item, key, priority);
    lock.lock();
    try {
      awaitRoom(patience);
      queue.add(added, nanos.getAsLong());
      open++;
    } finally {
      lock.unlock();
    }
    pump();
    return added.done;
  }

  private void awaitRoom(Duration patience) {
    long left = patience.toNanos();
    while (!closing && open >= settings.capacity()) {
      if (left <= 0) {
        refused++;
        throw new BatchFullException(
            "%,d items wait for the sink or are under way, and none ended within %s. Slow down, or raise capacity."
                .formatted(open, patience));
      }
      try {
        left = room.awaitNanos(left);
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        refused++;
        throw new AquiferException("Interrupted while waiting for room in a batch; not added.", e);
      }
    }
    if (closing) {
      refused++;
      throw new AquiferException("The batcher is closed and takes no more items.");
    }
  }

  /**
   * Sends what waits now without waiting for more; ends when all of it was acknowledged or failed.
   */
  public CompletableFuture<@Nullable Void> flush() {
    List<CompletableFuture<?>> all = new ArrayList<>();
    lock.lock();
    try {
      flushed = queue.last();
      queue.each(item -> all.add(item.done));
      sending.forEach(batch -> batch.items.forEach(item -> all.add(item.done)));
    } finally {
      lock.unlock();
    }
    pump();
    return CompletableFuture.allOf(all.toArray(new CompletableFuture<?>[0]))
        .handle((done, error) -> null);
  }

  /** What it did, and has to do. */
  public BatchStatistics statistics() {
    lock.lock();
    try {
      return new BatchStatistics(
          acknowledged, failed, refused, batches, retries, queue.size(), sending.size(), size);
    } finally {
      lock.unlock();
    }
  }

  /**
   * Takes no more items, sends what waits, and waits for it as long as the settings say. What is
   * not acknowledged by then fails. Idempotent.
   */
  @Override
  public void close() {
    lock.lock();
    try {
      closing = true;
      room.signalAll();
    } finally {
      lock.unlock();
    }
    pump();
    List<BatchQueue.Item<T>> left = new ArrayList<>();
    lock.lock();
    try {
      long nanosLeft = settings.closeTimeout().toNanos();
      while (open > 0 && nanosLeft > 0) {
        nanosLeft = room.awaitNanos(nanosLeft);
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    } finally {
      if (!closed) {
        closed = true;
        left.addAll(queue.drain());
        sending.forEach(batch -> left.addAll(batch.items));
        sending.clear();
        failed += left.size();
        open = 0;
      }
      lock.unlock();
    }
    AquiferException error =
        new AquiferException(
            "The batcher was closed before the item was acknowledged; whether it took effect is not known.");
    left.forEach(item -> item.done.completeExceptionally(error));
  }

  /** Begins what is due. Called without the lock: the sink may run on this very thread. */
  private void pump() {
    List<Sending> ready = new ArrayList<>();
    lock.lock();
    try {
      while (!closed && sending.size() < settings.parallel() && due()) {
        List<BatchQueue.Item<T>> items = queue.take(size);
        if (items.isEmpty()) {
          break;
        }
        Sending batch = new Sending(items, items.size() >= size);
        sending.add(batch);
        batches++;
        ready.add(batch);
      }
      arm();
    } finally {
      lock.unlock();
    }
    ready.forEach(batch -> batch.send(1));
  }

  private boolean due() {
    BatchQueue.Item<T> oldest = queue.oldest();
    return oldest != null
        && (closing
            || queue.free() >= size
            || oldest.number <= flushed
            || nanos.getAsLong() - oldest.since >= settings.linger().toNanos());
  }

  private void arm() {
    BatchQueue.Item<T> oldest = queue.oldest();
    // A batch that ends looks again, so only an idle place needs the timer.
    if (armed || oldest == null || sending.size() >= settings.parallel() || due()) {
      return;
    }
    long left = settings.linger().toNanos() - (nanos.getAsLong() - oldest.since);
    try {
      armed = true;
      timer.schedule(this::late, left, TimeUnit.NANOSECONDS);
    } catch (RejectedExecutionException e) {
      // Nothing can be late any more: what waits goes with the next item, or when it is closed.
      armed = false;
    }
  }

  private void late() {
    lock.lock();
    try {
      armed = false;
    } finally {
      lock.unlock();
    }
    pump();
  }

  /** A batch under way. */
  private final class Sending {
    final List<BatchQueue.Item<T>> items;
    private final List<T> values;
    private final boolean full;

    Sending(List<BatchQueue.Item<T>> items, boolean full) {
      this.items = items;
      this.full = full;
      this.values = items.stream().map(item -> item.value).toList();
    }

    void send(int attempt) {
      AtomicBoolean over = new AtomicBoolean();
      try {
        ScheduledFuture<?> limit =
            timer.schedule(
                () -> ended(attempt, over, 0, tooLong()),
                settings.sendTimeout().toNanos(),
                TimeUnit.NANOSECONDS);
        executor.execute(() -> call(attempt, over, limit));
      } catch (RejectedExecutionException e) {
        ended(
            attempt,
            over,
            0,
            new AquiferException("The batcher's executor or timer takes no more work.", e));
      }
    }

    private void call(int attempt, AtomicBoolean over, ScheduledFuture<?> limit) {
      long begun = nanos.getAsLong();
      if (over.get() || !underWay()) {
        // Its items have failed already: sent now, they would take effect after that was said.
        return;
      }
      try {
        sink.send(values)
            .whenComplete(
                (done, error) -> {
                  limit.cancel(false);
                  ended(attempt, over, nanos.getAsLong() - begun, error);
                });
      } catch (Throwable e) {
        if (e instanceof InterruptedException) {
          Thread.currentThread().interrupt();
        }
        limit.cancel(false);
        ended(attempt, over, nanos.getAsLong() - begun, e);
      }
    }

    private boolean underWay() {
      lock.lock();
      try {
        return sending.contains(this);
      } finally {
        lock.unlock();
      }
    }

    private UnavailableException tooLong() {
      return new UnavailableException(
          "A batch of %d items was not acknowledged within %s; whether it took effect is not known."
              .formatted(items.size(), settings.sendTimeout()));
    }

    private void ended(int attempt, AtomicBoolean over, long took, @Nullable Throwable thrown) {
      if (!over.compareAndSet(false, true)) {
        return;
      }
      Throwable error =
          thrown instanceof CompletionException && thrown.getCause() != null
              ? thrown.getCause()
              : thrown;
      if (error != null && again(attempt, error)) {
        return;
      }
      lock.lock();
      try {
        if (!sending.remove(this)) {
          // Closed meanwhile: its items have failed.
          return;
        }
        adapt(took, error);
        queue.sent(items);
        open -= items.size();
        if (error == null) {
          acknowledged += items.size();
        } else {
          failed += items.size();
        }
        room.signalAll();
      } finally {
        lock.unlock();
      }
      for (BatchQueue.Item<T> item : items) {
        if (error == null) {
          item.done.complete(null);
        } else {
          item.done.completeExceptionally(error);
        }
      }
      pump();
    }

    private boolean again(int attempt, Throwable error) {
      Duration pause;
      try {
        pause = settings.retry().after(attempt, error);
        if (pause == null) {
          return false;
        }
        timer.schedule(() -> send(attempt + 1), pause.toNanos(), TimeUnit.NANOSECONDS);
      } catch (RuntimeException e) {
        error.addSuppressed(e);
        return false;
      }
      lock.lock();
      try {
        retries++;
      } finally {
        lock.unlock();
      }
      return true;
    }

    private void adapt(long took, @Nullable Throwable error) {
      if (settings.target().isZero()) {
        return;
      }
      if (error != null || took > settings.target().toNanos()) {
        size = Math.max(1, size / 2);
      } else if (full) {
        size = Math.min(settings.maxItems(), size + Math.max(1, settings.maxItems() / 64));
      }
    }
  }
}
