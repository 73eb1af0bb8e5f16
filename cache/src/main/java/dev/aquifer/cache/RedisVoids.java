package dev.aquifer.cache;

import dev.aquifer.ReadFloor;
import dev.aquifer.Tenant;
import dev.aquifer.spi.Observer.CacheFault;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentLinkedQueue;
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
  private final byte[] leaseMillis;
  private final ConcurrentLinkedQueue<Lift> lifts = new ConcurrentLinkedQueue<>();
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
    this.leaseMillis = StoredKeys.bytes(Long.toString(settings.leaseTime().toMillis()));
  }

  /** Whether Redis knows of all voids of the partition. */
  boolean none(Partition partition) {
    return pending.none(partition);
  }

  /** Whether {@link #flush} has anything to tell. */
  boolean waiting() {
    return pending.size() > 0 || !lifts.isEmpty();
  }

  /** How many names wait. */
  int size() {
    return pending.size();
  }

  /** A poison whose write has ended, of which Redis could not be told. */
  private record Lift(Partition partition, String poison) {}

  /**
   * One call of the script.
   *
   * @param lease to be taken on the keys that are voided, or ''
   * @param poison to be lifted, or ''
   */
  private record What(Remote.Part part, String lease, String poison) {
    Partition partition() {
      return part.partition();
    }
  }

  /** A call that was made, by somebody who knew this incarnation. */
  private record Sent(long incarnation, CompletableFuture<List<Object>> reply) {}

  /** See {@link Remote#voidNames}. */
  long[] voidNames(
      List<Remote.Part> parts, ReadFloor floor, @Nullable String token, @Nullable String poison) {
    String lease = token == null ? "" : token;
    String lifts = poison == null ? "" : poison;
    List<What> all = parts.stream().map(part -> new What(part, lease, lifts)).toList();
    // All are sent before the first is waited for.
    List<@Nullable Sent> sent = new ArrayList<>(all.size());
    for (What what : all) {
      sent.add(calls.open() && none(what.partition()) ? send(what) : null);
    }
    long deadline = System.nanoTime() + timeout;
    long[] sequences = new long[all.size()];
    for (int i = 0; i < sequences.length; i++) {
      What what = all.get(i);
      Sent call = sent.get(i);
      try {
        sequences[i] = call == null ? 0 : told(what.partition(), call, deadline);
      } catch (InterruptedException e) {
        // The others are looked at without waiting.
        Thread.currentThread().interrupt();
      }
      if (sequences[i] == 0) {
        queue(what, floor);
      }
    }
    return sequences;
  }

  /** See {@link Remote#poison}. */
  boolean poison(List<Partition> partitions, String token, List<String> names, Duration limit) {
    if (!calls.open()) {
      return false;
    }
    List<Sent> sent = new ArrayList<>(partitions.size());
    for (Partition partition : partitions) {
      List<byte[]> args = new ArrayList<>();
      args.add(connections.channel(partition));
      args.add(StoredKeys.bytes(token));
      args.add(StoredKeys.bytes(Long.toString(limit.toMillis())));
      args.add(StoredKeys.bytes(Names.write(names)));
      args.add(StoredKeys.bytes(Integer.toString(MAX_POISONS)));
      names.forEach(name -> args.add(StoredKeys.bytes(name)));
      sent.add(sent(Script.POISON, partition, List.of(), args));
    }
    long deadline = System.nanoTime() + timeout;
    boolean all = true;
    try {
      for (int i = 0; i < sent.size(); i++) {
        all &= told(partitions.get(i), sent.get(i), deadline) > 0;
      }
    } catch (InterruptedException e) {
      // It was sent; the write goes on.
      Thread.currentThread().interrupt();
      return false;
    }
    return all;
  }

  /** See {@link Remote#lift}. */
  void lift(Partition partition, String poison) {
    if (!calls.open()) {
      later(partition, poison);
      return;
    }
    send(new What(new Remote.Part(partition, List.of(), List.of()), "", poison))
        .reply()
        .exceptionally(
            error -> {
              later(partition, poison);
              node.observer.cacheFault("", CacheFault.REMOTE, error);
              return List.of();
            });
  }

  /** A poison that stands on keeps values out for nothing; it ends by itself if there are many. */
  private void later(Partition partition, String poison) {
    if (!poison.isEmpty() && lifts.size() < MAX_POISONS) {
      lifts.add(new Lift(partition, poison));
    }
  }

  /** See {@link Remote#voidNamesAsync}. */
  CompletableFuture<Long> voidNamesAsync(
      Remote.Part part, ReadFloor floor, @Nullable String token) {
    What what = new What(part, token == null ? "" : token, "");
    Partition partition = part.partition();
    if (!calls.open() || !none(partition)) {
      queue(what, floor);
      return CompletableFuture.completedFuture(0L);
    }
    CompletableFuture<Long> done = new CompletableFuture<>();
    Sent sent = send(what);
    calls.then(
        sent.reply(),
        System.nanoTime() + timeout,
        inTime -> {
          long sequence = inTime ? sequence(partition, sent, sent.reply().join()) : 0;
          if (sequence == 0) {
            queue(what, floor);
          }
          done.complete(sequence);
        });
    return done;
  }

  private void queue(What what, ReadFloor floor) {
    Remote.Part part = what.part();
    Partition partition = part.partition();
    if (partition.closed()) {
      // It is made again in those that took its place.
      return;
    }
    // Before it takes effect here: from now on nothing of the partition is read from Redis.
    if (!pending.add(partition, part.names(), part.stored())) {
      node.observer.cacheFault(partition.name, CacheFault.OVERFLOW, null);
    }
    later(partition, what.poison());
    partition.voidHere(part.names(), floor, false);
  }

  /** See {@link Remote#follow}. */
  void follow(Partition partition) {
    pending.follow(partition);
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
      // Only now: their voids come first.
      for (Lift lift = lifts.poll(); lift != null && calls.open(); lift = lifts.poll()) {
        lift(lift.partition(), lift.poison());
      }
      return true;
    } finally {
      flushing.set(false);
    }
  }

  private boolean tell(PendingVoids.Taken taken, long limit) throws InterruptedException {
    boolean done = false;
    Partition partition = taken.partition();
    try {
      Remote.Part part = new Remote.Part(partition, taken.names(), taken.stored());
      done = told(partition, send(new What(part, "", "")), System.nanoTime() + limit) > 0;
      Tenant tenant = partition.tenant;
      if (!done && tenant != null && partition.closed()) {
        // All is void in those that took its place, which are made now if they are not yet.
        done = !node.partitions(tenant).all.isEmpty();
      }
    } finally {
      if (done) {
        pending.sent(taken);
      } else {
        pending.back(taken);
      }
    }
    return done;
  }

  private long told(Partition partition, Sent call, long deadline) throws InterruptedException {
    return sequence(partition, call, calls.await(call.reply(), deadline));
  }

  private long sequence(Partition partition, Sent call, @Nullable List<Object> reply) {
    CatchUp news = feed.apply(partition, reply, call.incarnation());
    return news == null ? 0 : news.sequence();
  }

  private Sent send(What what) {
    Partition partition = what.partition();
    List<byte[]> keys = new ArrayList<>();
    for (Remote.Stored place : what.part().stored()) {
      keys.add(place.entry());
      keys.add(place.lease());
    }
    List<String> voided = what.part().names();
    String names = Names.write(voided);
    List<byte[]> args = new ArrayList<>();
    args.add(connections.channel(partition));
    args.add(
        StoredKeys.bytes(what.poison().isEmpty() ? names : Notice.lifting(what.poison(), names)));
    args.add(StoredKeys.bytes(Integer.toString(Partition.MAX_MARKERS)));
    args.add(StoredKeys.bytes(what.lease()));
    args.add(leaseMillis);
    args.add(StoredKeys.bytes(what.poison()));
    voided.stream()
        .filter(name -> !KeyText.isKey(name))
        .map(name -> KeyText.isRange(name) ? KeyText.coarse(name) : name)
        .forEach(name -> args.add(StoredKeys.bytes(name)));
    return sent(Script.VOID, partition, keys, args);
  }

  private Sent sent(Script script, Partition partition, List<byte[]> keys, List<byte[]> args) {
    long incarnation = partition.incarnation();
    return new Sent(incarnation, calls.send(script, partition, keys, args, NEWS_WITH_VOID));
  }
}
