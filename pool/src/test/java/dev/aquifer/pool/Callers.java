package dev.aquifer.pool;

import dev.aquifer.spi.Observer;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.LongAdder;

/** Threads that run a statement again and again until they are stopped. */
final class Callers implements AutoCloseable {
  private final List<Thread> threads = new ArrayList<>();
  private final LongAdder done = new LongAdder();
  private final Queue<SQLException> errors = new ConcurrentLinkedQueue<>();
  private volatile boolean stopped;

  private Callers() {}

  static Callers of(int count, AdaptivePool pool, String sql) {
    Callers callers = new Callers();
    for (int i = 0; i < count; i++) {
      Thread thread = new Thread(() -> callers.call(pool, sql), "caller-" + i);
      callers.threads.add(thread);
      thread.start();
    }
    return callers;
  }

  private void call(AdaptivePool pool, String sql) {
    while (!stopped) {
      try (Connection connection = pool.getConnection();
          Statement statement = connection.createStatement()) {
        statement.execute(sql);
        done.increment();
      } catch (SQLException e) {
        errors.add(e);
      }
    }
  }

  long done() {
    return done.sum();
  }

  List<SQLException> errors() {
    return List.copyOf(errors);
  }

  @Override
  public void close() {
    stopped = true;
    for (Thread thread : threads) {
      try {
        thread.join();
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
      }
    }
  }

  /** Remembers what it was told. */
  static final class Told implements Observer {
    final Queue<PoolReason> reasons = new ConcurrentLinkedQueue<>();
    final Queue<Throwable> leaks = new ConcurrentLinkedQueue<>();
    final Queue<Boolean> reachable = new ConcurrentLinkedQueue<>();

    @Override
    public void poolDecided(String pool, PoolReason reason, int before, int now) {
      reasons.add(reason);
    }

    @Override
    public void connectionLeaked(String pool, java.time.Duration held, Throwable taken) {
      leaks.add(taken);
    }

    @Override
    public void poolReachable(String pool, boolean now, String reason) {
      reachable.add(now);
    }
  }
}
