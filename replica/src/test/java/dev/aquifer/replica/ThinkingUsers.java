package dev.aquifer.replica;

import dev.aquifer.CausalSession;
import dev.aquifer.replica.ReaderJvm.Answer;
import dev.aquifer.spi.Observer.Role;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;

/**
 * Users that write, think, and read what they wrote, each in a session and with a row of its own.
 * Nobody's thread waits while they think.
 */
final class ThinkingUsers {
  private final ReplicaSet set;
  private final int users;
  private final int rounds;
  private final Duration think;
  private final CountDownLatch left;
  private final ExecutorService threads = Executors.newFixedThreadPool(6);
  private final AtomicInteger stale = new AtomicInteger();
  private final AtomicInteger replicas = new AtomicInteger();
  private final AtomicReference<@Nullable Exception> error = new AtomicReference<>();

  ThinkingUsers(ReplicaSet set, int users, int rounds, Duration think) {
    this.set = set;
    this.users = users;
    this.rounds = rounds;
    this.think = think;
    this.left = new CountDownLatch(users);
  }

  /** Until all have ended, or one failed, or the limit is over. */
  void run(Duration limit) throws InterruptedException {
    for (int row = 0; row < users; row++) {
      User user = new User(row);
      // Their first writes are spread over a think time.
      later(think.multipliedBy(row).dividedBy(users), () -> user.step(user::write));
    }
    if (!left.await(limit.toMillis(), TimeUnit.MILLISECONDS)) {
      error.compareAndSet(null, new IllegalStateException("not over within " + limit));
    }
    threads.shutdownNow();
  }

  private void later(Duration delay, Runnable work) {
    CompletableFuture.delayedExecutor(delay.toNanos(), TimeUnit.NANOSECONDS, threads).execute(work);
  }

  int stale() {
    return stale.get();
  }

  @Nullable Exception error() {
    return error.get();
  }

  /** The share of reads that replicas answered. */
  double byReplicas() {
    return (double) replicas.get() / (users * rounds);
  }

  @Override
  public String toString() {
    return "%d reads after %s, %.3f of them by replicas, %d stale"
        .formatted(users * rounds, think, byReplicas(), stale());
  }

  private final class User {
    private final CausalSession session = set.sessions().open();
    private final int row;
    private int round;

    User(int row) {
      this.row = row;
    }

    void step(Step step) {
      try {
        step.run();
      } catch (Exception e) {
        error.compareAndSet(null, e);
        left.countDown();
      }
    }

    void write() throws Exception {
      round++;
      String sql = "UPDATE counter SET n = " + round + " WHERE id = " + row;
      set.sessions()
          .call(
              session,
              () -> {
                Sets.execute(set, sql);
                return round;
              });
      later(think, () -> step(this::read));
    }

    private void read() throws Exception {
      Answer answer = Answer.of(set, session, row);
      if (answer.role() == Role.REPLICA) {
        replicas.incrementAndGet();
      }
      if (answer.version() < round) {
        stale.incrementAndGet();
      }
      if (round < rounds) {
        write();
      } else {
        left.countDown();
      }
    }
  }

  @FunctionalInterface
  private interface Step {
    void run() throws Exception;
  }
}
