package dev.aquifer.cache;

import dev.aquifer.ReadFloor;
import dev.aquifer.Tag;
import dev.aquifer.Tenant;
import dev.aquifer.spi.CommitListener;
import dev.aquifer.spi.Observer.CacheFault;
import dev.aquifer.spi.Observer.Scope;
import dev.aquifer.spi.WriteSet;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Collection;
import java.util.Deque;
import java.util.List;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;

/**
 * What is done around a commit, so that no value from before it outlives it (race R7).
 *
 * <p>The sequences alone close the race while the writer lives and is told the outcome. A load
 * sampled the sequence before it read; the void comes after the commit; so whatever read the old
 * rows has a lower sequence than the void's marker, however late it is stored. Until the void, an
 * old value is an answer from before a commit that has not returned.
 *
 * <p>They do not help where there is no void after the commit:
 *
 * <ul>
 *   <li>The writer dies between the commit's taking effect and the void, or while its voids wait
 *       for Redis. Nobody else knows what to void, and old values live until they expire.
 *   <li>The connection is lost while COMMIT is on its way. It is voided at once, but the server may
 *       make the commit visible later than that (it waits for a standby, it is slow). A load in
 *       between is newer than the void, reads the old rows, and nothing voids it any more.
 * </ul>
 *
 * <p>So Redis is told before the commit is sent: a <em>poison</em> for each write, which names what
 * the void will name. It is an event with a number, like a void; so a node whose load began after
 * it knows of it, and stores no value that depends on a poisoned name, neither here nor there. What
 * began before is older than the void to come. Values stored already are still served: they are
 * current until the commit, and void after it. The void lifts the poison, and so does a rollback,
 * with no void. After an unknown outcome all is void at once and the poison stands. A poison that
 * nobody lifts ends, by Redis' clock and in whichever script comes next, with a void of its names:
 * staleness after a crash is bounded by the poison's limit. Every node that heard of it asks Redis
 * when it is due, so that this happens also where memory answers everything.
 *
 * <p>A statement outside a transaction commits as well, and its process dies as easily, so it is
 * poisoned as well; the price is one more round trip.
 *
 * <p>Redis that cannot be reached delays a commit by no more than the remote timeout, and with its
 * breaker open not at all. Then nobody is poisoned: the void waits for Redis as any other, and is
 * lost with the process. Two failures at once, Redis' memory and the writer, are not bounded
 * either; nor is a COMMIT that takes longer than the limit while its writer dies.
 *
 * <p>Without Redis there is no other node, and only an unknown outcome is poisoned, here.
 */
final class PoisonedWrites implements CommitListener {
  private final Node node;
  private final Duration limit;
  private final String prefix = Long.toHexString(ThreadLocalRandom.current().nextLong()) + "-";
  private final AtomicLong tokens = new AtomicLong();

  // Write sets that are equal void the same, so it does not matter which of their poisons is whose.
  private final ConcurrentHashMap<WriteSet, Deque<Poison>> open = new ConcurrentHashMap<>();

  /**
   * @param sent whether Redis may know of it
   * @param told whether Redis knows of it
   */
  private record Poison(String token, boolean sent, boolean told) {}

  /**
   * @param limit how long a poison stands that nobody lifts; zero: nothing is poisoned
   */
  PoisonedWrites(Node node, Duration limit) {
    this.node = node;
    this.limit = limit;
  }

  @Override
  public void committing(WriteSet writes) {
    List<String> names = names(writes.tags());
    Remote remote = node.remote();
    if (remote == null || names.isEmpty() || off()) {
      return;
    }
    String token = prefix + tokens.incrementAndGet();
    boolean sent = remote.reachable();
    Poison poison =
        new Poison(token, sent, sent && remote.poison(partitions(writes), token, names, limit));
    open.compute(
        writes,
        (same, known) -> {
          Deque<Poison> all = known == null ? new ArrayDeque<>(1) : known;
          all.add(poison);
          return all;
        });
  }

  @Override
  public void committed(WriteSet writes, ReadFloor floor) {
    Poison poison = taken(writes);
    ended(writes, floor, poison != null && poison.sent() ? poison.token() : null);
  }

  @Override
  @SuppressWarnings("FutureReturnValueIgnored") // nobody waits for it
  public void outcomeUnknown(WriteSet writes, ReadFloor floor) {
    Poison known = taken(writes);
    List<String> names = names(writes.tags());
    if (names.isEmpty() || off()) {
      ended(writes, floor, null);
      return;
    }
    Poison poison =
        known != null ? known : new Poison(prefix + tokens.incrementAndGet(), false, false);
    List<Partition> partitions = partitions(writes);
    Remote remote = node.remote();
    // Before the void: what loads after that is to find it here, Redis or not.
    partitions.forEach(partition -> partition.poisonHere(poison.token(), names, limit.toNanos()));
    if (remote != null && !poison.told()) {
      remote.poison(partitions, poison.token(), names, limit);
    }
    ended(writes, floor, null);
    try {
      // Redis does the same by itself where this process dies before.
      node.timer.schedule(
          () -> node.executor.execute(() -> ended(writes, node.positions.now(), poison.token())),
          limit.toNanos(),
          TimeUnit.NANOSECONDS);
    } catch (RejectedExecutionException e) {
      node.observer.cacheFault("", CacheFault.REMOTE, e);
    }
  }

  @Override
  public void rolledBack(WriteSet writes) {
    Poison poison = taken(writes);
    Remote remote = node.remote();
    if (poison != null && poison.sent() && remote != null) {
      for (Partition partition : partitions(writes)) {
        partition.liftHere(poison.token());
        remote.lift(partition, poison.token());
      }
    }
  }

  /** Whether Redis is known to know of these; for tests that end a writer before its void. */
  boolean told(WriteSet writes) {
    Deque<Poison> known = open.get(writes);
    return off() || (known != null && known.stream().allMatch(Poison::told));
  }

  private boolean off() {
    return limit.isZero() || !node.guards.poison;
  }

  private void ended(WriteSet writes, ReadFloor floor, @Nullable String token) {
    List<String> names = names(writes.tags());
    if (names.isEmpty()) {
      return;
    }
    Tenant tenant = writes.tenant();
    if (token == null) {
      node.voids.make(node.voids.names(tenant, names, floor, Scope.TAG));
    } else {
      List<Partition> partitions = partitions(writes);
      node.voids.make(node.voids.poisoned(tenant, names, floor, token));
      // Also where Redis could not be told. Only now: what loads from here on is after the void.
      partitions.forEach(partition -> partition.liftHere(token));
    }
  }

  private @Nullable Poison taken(WriteSet writes) {
    Poison[] taken = new Poison[1];
    open.computeIfPresent(
        writes,
        (same, known) -> {
          taken[0] = known.poll();
          return known.isEmpty() ? null : known;
        });
    return taken[0];
  }

  private List<Partition> partitions(WriteSet writes) {
    Tenant tenant = writes.tenant();
    return tenant == null ? List.of(node.shared) : node.partitions(tenant).all;
  }

  static List<String> names(Collection<Tag> tags) {
    return tags.stream().map(tag -> KeyText.tagName(tag.name())).distinct().toList();
  }
}
