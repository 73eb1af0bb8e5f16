package dev.aquifer.cache;

import dev.aquifer.ReadFloor;
import dev.aquifer.spi.Observer.CacheFault;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import org.jspecify.annotations.Nullable;

/**
 * Tells Redis what this process voids. What it could not be told waits and takes effect here
 * meanwhile; until it was told, this process reads nothing of that partition from it.
 */
// What futures end with is looked at by their own stages.
@SuppressWarnings("FutureReturnValueIgnored")
final class RedisVoids {
  private static final int NEWS_WITH_VOID = 256;

  // Of one partition; writes beyond that are not poisoned, so that scripts stay short.
  private static final int MAX_POISONS = 256;

  // Nobody waits for a flush, so it may take longer than what somebody waits for.
  private static final long FLUSH_TIMEOUT = TimeUnit.SECONDS.toNanos(1);

  private final Node node;
  private final RedisCalls calls;
  private final RedisConnections connections;
  private final EventFeed feed;
  private final PendingVoids pending;
  private final long timeout;
  private final AtomicBoolean flushing = new AtomicBoolean();

  RedisVoids(
      Node node,
      RedisCalls calls,
      RedisConnections connections,
      EventFeed feed,
      NodeSettings settings) {
    this.node = node;
    this.calls = calls;
    this.connections = connections;
    this.feed = feed;
    this.pending = new PendingVoids(settings.pendingLimit());
    this.timeout = settings.remoteTimeout().toNanos();
  }

  /** Whether Redis knows of all voids of the partition. */
  boolean none(Partition partition) {
    return pending.none(partition);
  }

  /** How many names wait. */
  int size() {
    return pending.size();
  }

  /**
   * One call of the script.
   *
   * @param lease to be taken on the one key that is voided, or ''
   * @param poison to be lifted, or ''
   */
  private record What(
      List<String> names, List<Remote.Stored> stored, String lease, String poison) {}

  /** See {@link Remote#voidNames}. */
  long voidNames(
      Partition partition,
      List<String> names,
      List<Remote.Stored> stored,
      ReadFloor floor,
      @Nullable String token) {
    return voided(partition, new What(names, stored, token == null ? "" : token, ""), floor);
  }

  /** See {@link Remote#voidPoisoned}. */
  long voidPoisoned(Partition partition, List<String> names, ReadFloor floor, String poison) {
    return voided(partition, new What(names, List.of(), "", poison), floor);
  }

  private long voided(Partition partition, What what, ReadFloor floor) {
    long sequence = 0;
    if (calls.open() && none(partition)) {
      try {
        sequence = told(partition, what, timeout);
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
      }
    }
    if (sequence == 0) {
      // Before it takes effect here: from now on nothing of the partition is read from Redis.
      if (!pending.add(partition, what.names(), what.stored())) {
        node.observer.cacheFault(partition.name, CacheFault.OVERFLOW, null);
      }
      partition.voidHere(what.names(), floor, false);
    }
    return sequence;
  }

  /** See {@link Remote#poison}. */
  void poison(Partition partition, String token, List<String> names, Duration limit) {
    if (!calls.open()) {
      return;
    }
    List<byte[]> args = new ArrayList<>();
    args.add(connections.channel(partition));
    args.add(StoredKeys.bytes(token));
    args.add(StoredKeys.bytes(Long.toString(limit.toMillis())));
    args.add(StoredKeys.bytes(Names.write(names)));
    args.add(StoredKeys.bytes(Integer.toString(MAX_POISONS)));
    names.forEach(name -> args.add(StoredKeys.bytes(name)));
    long incarnation = partition.incarnation();
    long applied = partition.applied();
    try {
      List<Object> reply =
          calls.await(
              calls.send(Script.POISON, partition, List.of(), args, NEWS_WITH_VOID),
              System.nanoTime() + timeout);
      feed.apply(partition, reply, incarnation, applied);
    } catch (InterruptedException e) {
      // It was sent; the write goes on.
      Thread.currentThread().interrupt();
    }
  }

  /** See {@link Remote#lift}. */
  void lift(Partition partition, String poison) {
    if (calls.open()) {
      send(partition, new What(List.of(), List.of(), "", poison))
          .exceptionally(
              error -> {
                // It ends by itself.
                node.observer.cacheFault("", CacheFault.REMOTE, error);
                return List.of();
              });
    }
  }

  /** See {@link Remote#awaitTold}. */
  boolean awaitTold(Partition partition, Duration limit) throws InterruptedException {
    if (none(partition)) {
      return true;
    }
    long deadline = System.nanoTime() + limit.toNanos();
    // On the caller's thread: it must not queue behind what waits of other partitions.
    PendingVoids.Taken taken = pending.take(partition);
    if (taken != null) {
      tell(taken, limit.toNanos());
    }
    return pending.awaitNone(partition, deadline - System.nanoTime());
  }

  /** Tells what waits. */
  boolean flush() throws InterruptedException {
    if (!flushing.compareAndSet(false, true)) {
      return false;
    }
    try {
      for (PendingVoids.Taken taken = pending.take(); taken != null; taken = pending.take()) {
        if (!tell(taken, FLUSH_TIMEOUT)) {
          return false;
        }
      }
      return true;
    } finally {
      flushing.set(false);
    }
  }

  private boolean tell(PendingVoids.Taken taken, long limit) throws InterruptedException {
    boolean done = false;
    try {
      done = told(taken.partition(), new What(taken.names(), taken.stored(), "", ""), limit) > 0;
    } finally {
      if (done) {
        pending.sent(taken);
      } else {
        pending.back(taken);
      }
    }
    return done;
  }

  private long told(Partition partition, What what, long limit) throws InterruptedException {
    long incarnation = partition.incarnation();
    List<Object> reply = calls.await(send(partition, what), System.nanoTime() + limit);
    CatchUp news = feed.apply(partition, reply, incarnation, 0);
    return news == null ? 0 : news.sequence();
  }

  private CompletableFuture<List<Object>> send(Partition partition, What what) {
    List<byte[]> keys = new ArrayList<>();
    for (Remote.Stored place : what.stored()) {
      keys.add(place.entry());
      keys.add(place.lease());
    }
    String names = Names.write(what.names());
    List<byte[]> args = new ArrayList<>();
    args.add(connections.channel(partition));
    args.add(
        StoredKeys.bytes(what.poison().isEmpty() ? names : Notice.lifting(what.poison(), names)));
    args.add(StoredKeys.bytes(Integer.toString(Partition.MAX_MARKERS)));
    args.add(StoredKeys.bytes(what.lease()));
    args.add(StoredKeys.bytes(Long.toString(RedisLink.LEASE_MILLIS)));
    args.add(StoredKeys.bytes(what.poison()));
    what.names().stream()
        .filter(name -> !KeyText.isKey(name))
        .forEach(name -> args.add(StoredKeys.bytes(name)));
    return calls.send(Script.VOID, partition, keys, args, NEWS_WITH_VOID);
  }
}
