package dev.aquifer.cache;

import dev.aquifer.spi.Observer.CacheFault;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;

/**
 * What all nodes void, as it arrives here; and the proof that nothing is missing.
 *
 * <p>The heartbeat is a PING on the connection that voids arrive on: its answer proves that all
 * that was published before has arrived (race R5). Once that connection was lost, an answer proves
 * nothing until what was missed meanwhile has been asked for: each loss begins another epoch.
 *
 * <p>Something that arrives while what came before it is missing cannot be applied. Then this one
 * partition is not proven until it is as far as that: it is asked for at once, on the threads of
 * the connections, and the others do not wait for it. Only what all tenants share holds up all.
 */
// What futures end with is looked at by their own stages.
@SuppressWarnings("FutureReturnValueIgnored")
final class EventFeed {
  private static final int NEWS_ON_SYNC = 10_000;

  // How many partitions are asked for together.
  private static final int TOGETHER = 64;

  private final Node node;
  private final RedisCalls calls;
  private final RedisConnections connections;
  private final long syncTimeout;
  private final long silence;
  private final AtomicBoolean resyncing = new AtomicBoolean();

  // Of which something was heard that could not be applied.
  private final ConcurrentHashMap<Partition, Debt> owed = new ConcurrentHashMap<>();
  private final AtomicBoolean asking = new AtomicBoolean();
  private final AtomicInteger epoch = new AtomicInteger();
  private volatile int syncedEpoch = -1;
  private volatile long provenAt;

  EventFeed(Node node, RedisCalls calls, RedisConnections connections, NodeSettings settings) {
    this.node = node;
    this.calls = calls;
    this.connections = connections;
    this.silence = settings.silenceLimit().toNanos();
    this.syncTimeout = Math.max(settings.remoteTimeout().toNanos(), silence);
    this.provenAt = node.nanos.getAsLong() - 2 * silence;
  }

  /** A question for what is missing of a partition. */
  private static final class Debt {
    private volatile boolean asking;
    private volatile long asked;
  }

  /** How often {@link #beat} is due, in nanoseconds. */
  long interval() {
    return Math.max(1, Math.min(silence / 4, TimeUnit.MILLISECONDS.toNanos(500)));
  }

  /** When it was last known that nothing was missing. */
  long provenAt() {
    return provenAt;
  }

  boolean proven() {
    return node.nanos.getAsLong() - provenAt <= silence;
  }

  /** Waits, at the start, for the first proof. */
  void awaitProof(long limit) {
    long deadline = System.nanoTime() + limit;
    while (!proven()
        && System.nanoTime() - deadline < 0
        && !Thread.currentThread().isInterrupted()) {
      LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(1));
      beat();
    }
  }

  /** Asks for the proof. */
  void beat() {
    long sent = node.nanos.getAsLong();
    int now = epoch.get();
    if (syncedEpoch != now) {
      if (!resyncing.get()) {
        background(this::resync);
      }
      return;
    }
    owed.forEach(this::askAgain);
    // One question at a time: what is not answered would only pile up.
    if (!asking.compareAndSet(false, true)) {
      return;
    }
    try {
      connections
          .pingEvents()
          .whenComplete(
              (pong, error) -> {
                asking.set(false);
                if (error == null
                    && now == epoch.get()
                    && !node.shared.lacks()
                    && sent - provenAt > 0) {
                  provenAt = sent;
                }
              });
    } catch (RuntimeException e) {
      asking.set(false);
      throw e;
    }
  }

  void subscribed() {
    epoch.incrementAndGet();
    background(this::resync);
  }

  void lost() {
    epoch.incrementAndGet();
    provenAt = node.nanos.getAsLong() - silence - 1;
    node.observer.remoteChanged(false, "connection lost");
  }

  /** One void as it was published. */
  void heard(String partitionName, String message) {
    Partition partition = node.named(partitionName);
    if (partition == null) {
      stranger(partitionName);
      return;
    }
    int first = message.indexOf(' ');
    int second = message.indexOf(' ', first + 1);
    boolean applied = false;
    try {
      applied =
          partition.hear(
              Names.incarnation(message.substring(0, first)),
              Long.parseLong(message, first + 1, second, 10),
              Notice.read(message.substring(second + 1)),
              node.positions.now());
    } catch (RuntimeException e) {
      node.observer.cacheFault(partitionName, CacheFault.DAMAGED, e);
    }
    if (!applied) {
      // Also where its state was never read: what was loaded without Redis is in memory as well.
      owe(partition);
    }
  }

  /** Somebody divides a tenant of this node's otherwise: who is right the first partition says. */
  private void stranger(String partitionName) {
    Partition first =
        partitionName.indexOf(':') < 0 ? null : node.named(Partitions.first(partitionName));
    if (first != null && first.tenant != null) {
      first.others.forEach(Partition::voidAll);
      owe(first);
    }
  }

  /** Asks for what is missing of the partition, which answers nothing until it is there. */
  private void owe(Partition partition) {
    partition.lack(provenAt);
    Debt debt = owed.computeIfAbsent(partition, p -> new Debt());
    if (!debt.asking) {
      ask(partition, debt);
    }
  }

  /** At each heartbeat: what failed, or was not answered in time. */
  private void askAgain(Partition partition, Debt debt) {
    if (!debt.asking || System.nanoTime() - debt.asked > syncTimeout) {
      ask(partition, debt);
    }
  }

  private void ask(Partition partition, Debt debt) {
    debt.asked = System.nanoTime();
    debt.asking = true;
    long lacks = partition.lacking();
    known(partition)
        .whenComplete(
            (known, error) -> {
              debt.asking = false;
              if (partition.closed() || (error == null && known && partition.madeUp(lacks))) {
                owed.remove(partition, debt);
                if (partition.lacks() && !partition.closed()) {
                  // More was heard just before it was removed.
                  owe(partition);
                }
              } else if (error == null && known) {
                ask(partition, debt);
              }
            });
  }

  /** Redis ends poisons whose time is up when it is next asked for anything of their partition. */
  void endPoisons() {
    long now = node.nanos.getAsLong();
    for (Partition partition : node.partitions()) {
      if (partition.overdue(now)) {
        background(() -> sync(partition));
      }
    }
  }

  /** Brings the partition up to date. Returns whether Redis answered. */
  boolean sync(Partition partition) throws InterruptedException {
    return answered(known(partition), System.nanoTime() + syncTimeout);
  }

  /** As {@link #sync}, of several at the same time; whether all were answered by then. */
  boolean refresh(List<Partition> partitions, long deadline) throws InterruptedException {
    List<CompletableFuture<Boolean>> asked = partitions.stream().map(this::known).toList();
    boolean all = true;
    for (CompletableFuture<Boolean> known : asked) {
      all &= answered(known, deadline);
    }
    return all;
  }

  private boolean answered(CompletableFuture<Boolean> known, long deadline)
      throws InterruptedException {
    return Boolean.TRUE.equals(calls.await(known, deadline));
  }

  /** As {@link #sync}, with nobody waiting: whether the state of the partition is known then. */
  CompletableFuture<Boolean> known(Partition partition) {
    long incarnation = partition.incarnation();
    return news(partition).thenApply(reply -> apply(partition, reply, incarnation) != null);
  }

  /** Asks for what {@link #apply} takes. */
  CompletableFuture<List<Object>> news(Partition partition) {
    return calls.send(Script.SYNC, partition, List.of(), List.of(), NEWS_ON_SYNC);
  }

  /**
   * Applies the news of an answer; null where there is none, or not one of ours.
   *
   * @param incarnation known when Redis was asked
   */
  @Nullable CatchUp apply(Partition partition, @Nullable List<Object> reply, long incarnation) {
    if (reply == null) {
      return null;
    }
    try {
      CatchUp news = Names.news(reply);
      if (news.owner() != null) {
        disowned(partition, news.owner());
        return null;
      }
      partition.replaces = false;
      if (!node.guards.regressions) {
        news = news.withoutGaps();
      }
      partition.catchUp(news, node.positions.now());
      if (partition.behind()) {
        background(() -> sync(partition));
      }
      if (incarnation != 0 && incarnation != news.incarnation() && !partition.others.isEmpty()) {
        // The others belong to one that is gone.
        node.divide(partition, 1 + partition.others.size());
      }
      return news;
    } catch (RuntimeException e) {
      node.observer.cacheFault(partition.name, CacheFault.REMOTE, e);
      return null;
    }
  }

  /** Redis has a state of the partition that belongs to another than this process thinks. */
  private void disowned(Partition partition, String owner) {
    Partition first = partition.first;
    if (first == null) {
      node.divide(partition, owner.isEmpty() ? 1 : Integer.parseInt(owner));
    } else {
      background(
          () -> {
            // The owner that the script was given may have been an old one.
            partition.replaces = sync(first) && !owner.equals(partition.owner());
            return true;
          });
    }
  }

  /** What was missed while nothing was heard. Only then do heartbeats prove anything. */
  private boolean resync() throws InterruptedException {
    if (!resyncing.compareAndSet(false, true)) {
      return false;
    }
    try {
      int now = epoch.get();
      if (node.guards.replay && !syncAll()) {
        return false;
      }
      syncedEpoch = now;
      return true;
    } finally {
      resyncing.set(false);
    }
  }

  private boolean syncAll() throws InterruptedException {
    List<Partition> all = node.partitions();
    for (int from = 0; from < all.size(); from += TOGETHER) {
      List<Partition> some = all.subList(from, Math.min(all.size(), from + TOGETHER));
      List<CompletableFuture<Boolean>> asked = some.stream().map(this::known).toList();
      long deadline = System.nanoTime() + syncTimeout;
      for (int i = 0; i < asked.size(); i++) {
        if (!answered(asked.get(i), deadline) && !some.get(i).closed()) {
          return false;
        }
      }
    }
    return true;
  }

  void background(Callable<?> work) {
    try {
      node.executor.execute(
          () -> {
            try {
              work.call();
            } catch (InterruptedException e) {
              Thread.currentThread().interrupt();
            } catch (Exception e) {
              node.observer.cacheFault("", CacheFault.REMOTE, e);
            }
          });
    } catch (RejectedExecutionException e) {
      // Closing: nothing is served any more.
      provenAt = node.nanos.getAsLong() - 2 * silence;
    }
  }
}
