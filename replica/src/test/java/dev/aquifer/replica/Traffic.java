package dev.aquifer.replica;

import dev.aquifer.spi.Observer;
import dev.aquifer.testkit.Eventually;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;

/**
 * Callers that read at a steady rate, each read outside a transaction, and where and when each of
 * them was sent. It observes the set that it is started with.
 */
final class Traffic implements Observer, AutoCloseable {
  /** One statement, as it was sent to a node. */
  record Sent(long at, String node, RouteReason reason) {}

  /** One node's change of state. */
  record Change(long at, String node, NodeState to) {}

  final Queue<Sent> sent = new ConcurrentLinkedQueue<>();
  final Queue<Change> changes = new ConcurrentLinkedQueue<>();
  final Queue<SQLException> errors = new ConcurrentLinkedQueue<>();
  final AtomicInteger reads = new AtomicInteger();
  final AtomicLong slowest = new AtomicLong();
  private final AtomicBoolean stop = new AtomicBoolean();
  private final List<Thread> threads = new ArrayList<>();

  @Override
  public void routed(String node, Role role, RouteReason reason) {
    sent.add(new Sent(System.nanoTime(), node, reason));
  }

  @Override
  public void nodeChanged(String node, NodeState from, NodeState to, String reason) {
    changes.add(new Change(System.nanoTime(), node, to));
  }

  /** Together so many reads a second, if the machine has time for them. */
  void start(ReplicaSet set, int callers, int perSecond) {
    long interval = Duration.ofSeconds(1).toNanos() * callers / perSecond;
    for (int i = 0; i < callers; i++) {
      long first = System.nanoTime() + interval * i / callers;
      Thread thread = new Thread(() -> read(set, first, interval), "caller-" + i);
      threads.add(thread);
      thread.start();
    }
  }

  private void read(ReplicaSet set, long first, long interval) {
    long due = first;
    while (!stop.get()) {
      long early = due - System.nanoTime();
      if (early > 0) {
        LockSupport.parkNanos(early);
        continue;
      }
      long begun = System.nanoTime();
      try {
        Sets.query(set, "SELECT id FROM item");
        reads.incrementAndGet();
      } catch (SQLException e) {
        errors.add(e);
      }
      long ended = System.nanoTime();
      slowest.accumulateAndGet(ended - begun, Math::max);
      // What was missed while it waited is not caught up with in one go.
      due = Math.max(due + interval, ended - 10 * interval);
    }
  }

  void awaitMore(int count) {
    int wanted = reads.get() + count;
    Eventually.within(Duration.ofSeconds(60)).until("more reads", () -> reads.get() >= wanted);
  }

  /** When the node was last sent a read that it was chosen for, after a moment; 0 if never. */
  long lastSent(String node, long after, long before) {
    long last = 0;
    for (Sent each : sent) {
      if (each.node().equals(node) && each.at() - after > 0 && each.at() - before < 0) {
        last = Math.max(last, each.at());
      }
    }
    return last;
  }

  /** Which part of what was sent between the moments went to the node. */
  double share(String node, long from, long to) {
    long all = 0;
    long there = 0;
    for (Sent each : sent) {
      if (each.at() - from >= 0 && each.at() - to < 0) {
        all++;
        there += each.node().equals(node) ? 1 : 0;
      }
    }
    return all == 0 ? 0 : (double) there / all;
  }

  /** Waits until the node gets to a state, and tells when it did. */
  long awaitState(String node, NodeState state, long after) {
    return Eventually.within(Duration.ofSeconds(60))
        .get(
            node + " " + state,
            () -> {
              for (Change each : changes) {
                if (each.node().equals(node) && each.to() == state && each.at() - after > 0) {
                  return each.at();
                }
              }
              return null;
            });
  }

  /** When the node was first told to be out of use after a moment. */
  long leftUse(String node, long after) {
    return changes.stream()
        .filter(c -> c.node().equals(node) && c.at() - after > 0)
        .filter(c -> c.to() == NodeState.SUSPECT || c.to() == NodeState.EJECTED)
        .mapToLong(Change::at)
        .findFirst()
        .orElseThrow();
  }

  @Override
  public void close() {
    stop.set(true);
    try {
      for (Thread thread : threads) {
        thread.join(30_000);
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
