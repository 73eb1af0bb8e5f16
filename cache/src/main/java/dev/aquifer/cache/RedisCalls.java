package dev.aquifer.cache;

import dev.aquifer.UnavailableException;
import dev.aquifer.spi.Observer.CacheFault;
import io.lettuce.core.ScriptOutputType;
import io.lettuce.core.protocol.AsyncCommand;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Consumer;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * Calls of scripts: a call waits for Redis no longer than its limit, and while the {@link Breaker}
 * is open nobody should call.
 */
// What futures end with is looked at by their own stages.
@SuppressWarnings("FutureReturnValueIgnored")
final class RedisCalls {
  private final Node node;
  private final RedisConnections connections;
  private final Breaker breaker;
  private final AtomicLong asked = new AtomicLong();
  private final Function<Partition, CompletableFuture<Boolean>> known;
  private volatile boolean closed;

  /**
   * @param known asks for the state of a first partition; whether it is known then
   */
  RedisCalls(
      Node node,
      RedisConnections connections,
      NodeSettings settings,
      Function<Partition, CompletableFuture<Boolean>> known) {
    this.node = node;
    this.known = known;
    this.connections = connections;
    this.breaker = new Breaker(node.observer, settings.remoteTimeout().toNanos());
  }

  /**
   * What every script is given.
   *
   * @param incarnation which state of the partition the caller knows
   * @param applied up to where the caller has applied it; 0: what Redis lost is no matter
   * @param keys besides those of the partition itself
   * @param events how many the caller takes with the answer
   */
  record Call(
      Partition partition,
      long incarnation,
      long applied,
      List<byte[]> keys,
      List<byte[]> args,
      int events) {
    /** By somebody who knows what the partition knows now. */
    static Call of(Partition partition, List<byte[]> keys, List<byte[]> args, int events) {
      // First: what was applied of an incarnation is before each one that comes after.
      long applied = partition.applied();
      return new Call(partition, partition.incarnation(), applied, keys, args, events);
    }
  }

  /** Whether Redis answered lately. */
  boolean usable() {
    return breaker.closed();
  }

  /** Whether it is worth while to call. */
  boolean open() {
    return breaker.closed() && !closed;
  }

  boolean closed() {
    return closed;
  }

  void started(boolean reachable) {
    breaker.started(reachable);
  }

  void close() {
    closed = true;
  }

  CompletableFuture<List<Object>> send(
      Script script, Partition partition, List<byte[]> keys, List<byte[]> args, int events) {
    return submit(script, ScriptOutputType.MULTI, Call.of(partition, keys, args, events));
  }

  /** What belongs to a tenant's first partition has to know its state before. */
  <T> CompletableFuture<T> submit(Script script, ScriptOutputType output, Call call) {
    Partition first = call.partition().first;
    if (first == null || !call.partition().ownerless()) {
      return sent(script, output, call);
    }
    return known
        .apply(first)
        .thenCompose(
            found ->
                found
                    ? this.<T>sent(script, output, call)
                    : CompletableFuture.<T>failedFuture(
                        new UnavailableException(
                            "The state of partition %s is not known.".formatted(first.name))));
  }

  private <T> CompletableFuture<T> sent(Script script, ScriptOutputType output, Call call) {
    Partition partition = call.partition();
    List<byte[]> keys = new ArrayList<>(call.keys().size() + 3);
    keys.add(partition.stored.state);
    keys.add(partition.stored.stream);
    keys.addAll(call.keys());
    keys.add(partition.stored.position);
    List<byte[]> args = new ArrayList<>(call.args().size() + 4);
    long candidate = ThreadLocalRandom.current().nextLong() | 1;
    String owner = node.guards.divisions ? partition.owner() : "";
    args.add(
        StoredKeys.bytes(Long.toHexString(candidate) + (partition.replaces ? '!' : '=') + owner));
    args.add(StoredKeys.bytes(Long.toHexString(call.incarnation())));
    args.add(StoredKeys.bytes(Long.toString(node.guards.regressions ? call.applied() : 0)));
    args.add(StoredKeys.bytes(Integer.toString(call.events())));
    args.addAll(call.args());
    try {
      CompletionStage<T> sent = connections.call(script, output, keys, args);
      return sent.toCompletableFuture();
    } catch (RuntimeException e) {
      return CompletableFuture.failedFuture(e);
    }
  }

  /** Sends a command of Redis itself. */
  void dispatch(AsyncCommand<byte[], byte[], ?> command) {
    try {
      connections.dispatch(command);
    } catch (RuntimeException e) {
      command.completeExceptionally(e);
    }
  }

  /** The answer, or null where there is none by then. */
  <T> @Nullable T await(CompletableFuture<T> sent, long deadline) throws InterruptedException {
    return arrives(sent, deadline) ? sent.join() : null;
  }

  /** Waits; whether there is an answer by then. */
  boolean arrives(CompletableFuture<?> sent, long deadline) throws InterruptedException {
    try {
      sent.get(Math.max(0, deadline - System.nanoTime()), TimeUnit.NANOSECONDS);
      breaker.succeeded();
      return true;
    } catch (ExecutionException e) {
      failed(e.getCause() == null ? e : e.getCause());
    } catch (TimeoutException | CancellationException e) {
      failed(e);
    }
    return false;
  }

  /** Goes on, on a thread of the cache, with whether there was an answer by then. */
  void then(CompletableFuture<?> sent, long deadline, Consumer<Boolean> next) {
    CompletableFuture<Boolean> arrived = new CompletableFuture<>();
    Future<?> limit;
    try {
      limit =
          node.timer.schedule(
              () -> arrived.completeExceptionally(new TimeoutException()),
              Math.max(0, deadline - System.nanoTime()),
              TimeUnit.NANOSECONDS);
    } catch (RejectedExecutionException e) {
      next.accept(false);
      return;
    }
    sent.whenComplete(
        (value, error) -> {
          limit.cancel(false);
          if (error == null) {
            arrived.complete(true);
          } else {
            arrived.completeExceptionally(error);
          }
        });
    arrived.whenComplete(
        (value, error) -> {
          if (error == null) {
            breaker.succeeded();
          } else {
            failed(error);
          }
          try {
            node.executor.execute(() -> next.accept(error == null));
          } catch (RejectedExecutionException e) {
            next.accept(false);
          }
        });
  }

  /** Asks for a sign of life, once at a time; what is not answered would only pile up. */
  void beat(Consumer<List<byte[]>> answered) {
    long now = System.nanoTime();
    long since = asked.get();
    if (since != 0) {
      breaker.silent(now - since);
      return;
    }
    long mine = now | 1; // 0: none is asked
    asked.set(mine);
    try {
      connections
          .time()
          .whenComplete(
              (time, error) -> {
                asked.compareAndSet(mine, 0);
                if (error == null) {
                  breaker.answered();
                  answered.accept(time);
                }
              });
    } catch (RuntimeException e) {
      asked.set(0);
      throw e;
    }
  }

  private void failed(Throwable error) {
    node.observer.cacheFault("", CacheFault.REMOTE, error);
    breaker.failed(error);
  }
}
