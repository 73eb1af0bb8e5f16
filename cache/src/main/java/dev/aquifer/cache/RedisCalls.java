package dev.aquifer.cache;

import dev.aquifer.spi.Observer.CacheFault;
import io.lettuce.core.ScriptOutputType;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;

/**
 * Calls of scripts, with a breaker: a call waits for Redis no longer than its limit, and after
 * {@value #FAILURES} failures in a row nobody should call until a heartbeat is answered again.
 */
final class RedisCalls {
  private static final int FAILURES = 3;

  private final Node node;
  private final RedisConnections connections;
  private final AtomicInteger failures = new AtomicInteger();
  private volatile boolean usable;
  private volatile boolean closed;

  RedisCalls(Node node, RedisConnections connections) {
    this.node = node;
    this.connections = connections;
  }

  /**
   * What every script is given.
   *
   * @param incarnation which state of the partition the caller knows
   * @param keys besides those of the partition itself
   * @param events how many the caller takes with the answer
   */
  record Call(
      Partition partition, long incarnation, List<byte[]> keys, List<byte[]> args, int events) {}

  /** Whether Redis answered lately. */
  boolean usable() {
    return usable;
  }

  /** Whether it is worth while to call. */
  boolean open() {
    return usable && !closed;
  }

  boolean closed() {
    return closed;
  }

  void started(boolean reachable) {
    usable = reachable;
  }

  void close() {
    closed = true;
  }

  CompletableFuture<List<Object>> send(
      Script script, Partition partition, List<byte[]> keys, List<byte[]> args, int events) {
    Call call = new Call(partition, partition.incarnation(), keys, args, events);
    return submit(script, ScriptOutputType.MULTI, call);
  }

  <T> CompletableFuture<T> submit(Script script, ScriptOutputType output, Call call) {
    Partition partition = call.partition();
    List<byte[]> keys = new ArrayList<>(call.keys().size() + 2);
    keys.add(StoredKeys.state(partition));
    keys.add(StoredKeys.stream(partition));
    keys.addAll(call.keys());
    List<byte[]> args = new ArrayList<>(call.args().size() + 4);
    long candidate = ThreadLocalRandom.current().nextLong() | 1;
    args.add(StoredKeys.bytes(Long.toHexString(candidate)));
    args.add(StoredKeys.bytes(Long.toHexString(call.incarnation())));
    args.add(StoredKeys.bytes(Long.toString(node.guards.regressions ? partition.applied() : 0)));
    args.add(StoredKeys.bytes(Integer.toString(call.events())));
    args.addAll(call.args());
    try {
      CompletionStage<T> sent = connections.call(script, output, keys, args);
      return sent.toCompletableFuture();
    } catch (RuntimeException e) {
      return CompletableFuture.failedFuture(e);
    }
  }

  /** The answer, or null where there is none by then. */
  <T> @Nullable T await(CompletableFuture<T> sent, long deadline) throws InterruptedException {
    try {
      T reply = sent.get(Math.max(0, deadline - System.nanoTime()), TimeUnit.NANOSECONDS);
      failures.set(0);
      return reply;
    } catch (ExecutionException e) {
      failed(e.getCause() == null ? e : e.getCause());
    } catch (TimeoutException e) {
      failed(e);
    }
    return null;
  }

  /** A heartbeat was answered. */
  void answered() {
    failures.set(0);
    if (!usable) {
      change(true, "heartbeat answered");
    }
  }

  private void failed(Throwable error) {
    node.observer.cacheFault("", CacheFault.REMOTE, error);
    if (failures.incrementAndGet() >= FAILURES && usable) {
      change(false, error.getClass().getSimpleName());
    }
  }

  private void change(boolean nowUsable, String reason) {
    usable = nowUsable;
    node.observer.remoteChanged(nowUsable, reason);
  }
}
