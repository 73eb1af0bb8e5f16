package dev.aquifer.replica;

import dev.aquifer.testkit.Eventually;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReference;

/** Readers that never stop; what they see is counted. */
final class Load implements AutoCloseable {
  final AtomicInteger reads = new AtomicInteger();
  final AtomicReference<SQLException> error = new AtomicReference<>();
  final AtomicLong slowest = new AtomicLong();
  private final AtomicBoolean stop = new AtomicBoolean();
  private final List<Thread> threads = new ArrayList<>();

  Load(ReplicaSet set, int readers) {
    for (int i = 0; i < readers; i++) {
      Thread thread = new Thread(() -> read(set), "reader-" + i);
      threads.add(thread);
      thread.start();
    }
  }

  private void read(ReplicaSet set) {
    while (!stop.get()) {
      long begun = System.nanoTime();
      try {
        Sets.query(set, "SELECT id FROM item");
        reads.incrementAndGet();
      } catch (SQLException e) {
        error.compareAndSet(null, e);
      }
      slowest.accumulateAndGet(System.nanoTime() - begun, Math::max);
    }
  }

  void awaitMore(int count) {
    int wanted = reads.get() + count;
    Eventually.within(Duration.ofSeconds(20)).until("more reads", () -> reads.get() >= wanted);
  }

  @Override
  public void close() {
    stop.set(true);
    try {
      for (Thread thread : threads) {
        thread.join(10_000);
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
