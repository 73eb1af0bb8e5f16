package dev.aquifer.cache;

import dev.aquifer.CausalSession;
import dev.aquifer.Tenant;
import dev.aquifer.TenantLimitException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;

/**
 * A warm-up that is under way; see {@link TieredCache#warm}. Thread-safe.
 *
 * <p>It holds no thread between two batches: each lane takes the next batch, waits on the timer for
 * its turn, loads it on a thread of the cache, and goes on. A failure pushes all turns back.
 */
public final class WarmUpRun<K> {
  private static final long BACK_OFF = TimeUnit.MILLISECONDS.toNanos(100);

  private final Node node;
  private final WarmUp options;
  private final Loading<K> loading;
  private final Tenant tenant;
  private final CausalSession session;
  private final int total;
  private final long begun;
  private final Set<K> left;
  private final ConcurrentLinkedQueue<Batch<K>> batches = new ConcurrentLinkedQueue<>();
  private final AtomicInteger lanes;
  private final AtomicInteger failed = new AtomicInteger();
  private final AtomicLong turn;
  private final CompletableFuture<WarmUpResult<K>> result = new CompletableFuture<>();
  private volatile @Nullable Throwable error;
  private volatile boolean cancelled;

  private record Batch<K>(Set<K> keys, int attempt) {}

  /** Brings keys into the cache. */
  @FunctionalInterface
  interface Loading<K> {
    void load(Set<K> keys) throws Exception;
  }

  WarmUpRun(Node node, Tenant tenant, Set<K> keys, WarmUp options, Loading<K> loading) {
    this.node = node;
    this.options = options;
    this.loading = loading;
    this.tenant = tenant;
    this.session = node.sessions.current();
    this.total = keys.size();
    this.begun = node.nanos.getAsLong();
    this.turn = new AtomicLong(begun);
    this.left = ConcurrentHashMap.newKeySet();
    left.addAll(keys);
    List<K> all = new ArrayList<>(keys);
    for (int at = 0; at < all.size(); at += options.batch()) {
      List<K> some = all.subList(at, Math.min(all.size(), at + options.batch()));
      batches.add(new Batch<>(new LinkedHashSet<>(some), 1));
    }
    this.lanes = new AtomicInteger(options.concurrency());
  }

  void start() {
    for (int i = 0; i < options.concurrency(); i++) {
      next();
    }
  }

  /** Its end; never fails, and never comes from cancelling the future: use {@link #cancel}. */
  public CompletableFuture<WarmUpResult<K>> result() {
    return result.copy();
  }

  /** Stops it after the batches that are under way. Idempotent. */
  public void cancel() {
    cancelled = true;
  }

  /** How far it is. */
  public WarmUp.Progress progress() {
    int done = total - left.size();
    double seconds = Math.max(1, node.nanos.getAsLong() - begun) / 1e9;
    return new WarmUp.Progress(total, done, failed.get(), done / seconds);
  }

  @SuppressWarnings("FutureReturnValueIgnored") // what it runs goes on by itself
  private void next() {
    Batch<K> batch = cancelled ? null : batches.poll();
    if (batch == null) {
      ended();
      return;
    }
    long now = node.nanos.getAsLong();
    long cost = batch.keys().size() * TimeUnit.SECONDS.toNanos(1) / options.keysPerSecond();
    long mine = turn.getAndUpdate(at -> Math.max(at, now) + cost);
    try {
      if (mine - now <= 0) {
        node.executor.execute(() -> run(batch));
      } else {
        node.timer.schedule(() -> later(batch), mine - now, TimeUnit.NANOSECONDS);
      }
    } catch (RejectedExecutionException e) {
      stopped(e);
    }
  }

  private void later(Batch<K> batch) {
    try {
      node.executor.execute(() -> run(batch));
    } catch (RejectedExecutionException e) {
      stopped(e);
    }
  }

  private void run(Batch<K> batch) {
    if (!cancelled) {
      try {
        tenant.call(
            () ->
                node.sessions.call(
                    session,
                    () -> {
                      loading.load(batch.keys());
                      return true;
                    }));
        left.removeAll(batch.keys());
      } catch (Throwable e) {
        again(batch, e);
      }
      tell();
    }
    next();
  }

  private void again(Batch<K> batch, Throwable e) {
    error = e;
    if (batch.attempt() >= options.attempts()) {
      failed.addAndGet(batch.keys().size());
      return;
    }
    long pause =
        e instanceof TenantLimitException limit
            ? limit.retryAfter().toNanos()
            : BACK_OFF << Math.min(10, batch.attempt());
    long until = node.nanos.getAsLong() + pause;
    turn.accumulateAndGet(until, Math::max);
    batches.add(new Batch<>(batch.keys(), batch.attempt() + 1));
  }

  private void tell() {
    try {
      options.progress().accept(progress());
    } catch (RuntimeException e) {
      org.slf4j.LoggerFactory.getLogger(WarmUpRun.class)
          .debug("A listener of a warm-up's progress failed", e);
    }
  }

  private void stopped(RejectedExecutionException e) {
    error = e;
    cancelled = true;
    ended();
  }

  private void ended() {
    if (lanes.decrementAndGet() == 0) {
      Set<K> remaining = Set.copyOf(left);
      result.complete(
          new WarmUpResult<>(
              total,
              total - remaining.size(),
              remaining,
              cancelled && !remaining.isEmpty(),
              error,
              Duration.ofNanos(node.nanos.getAsLong() - begun)));
    }
  }
}
