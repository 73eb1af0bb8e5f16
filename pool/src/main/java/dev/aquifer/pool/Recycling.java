package dev.aquifer.pool;

import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.LongSupplier;

/**
 * All connections older than a moment are replaced, one after the other, at even times; after the
 * limit each at once when it is met. What is in use is met when it is taken the next time; what is
 * idle by the pool's own thread. Thread-safe.
 */
final class Recycling {
  private final NodeConnections connections;
  private final LongSupplier nanos;
  private final AtomicLong next = new AtomicLong();
  private volatile boolean running;
  private volatile long before;
  private volatile long pause;
  private volatile long end;

  Recycling(NodeConnections connections, LongSupplier nanos) {
    this.connections = connections;
    this.nanos = nanos;
  }

  void start(Duration within) {
    long now = nanos.getAsLong();
    before = now;
    end = now + within.toNanos();
    pause = within.toNanos() / (connections.open() + 1L);
    next.set(now);
    running = true;
  }

  boolean isRunning() {
    return running;
  }

  /** Ends when nothing old is left. */
  void look() {
    if (running && !connections.anyOlder(before)) {
      running = false;
    }
  }

  /** Whether this one, which the caller holds, is to be replaced now. */
  boolean isDue(Connection leased) throws SQLException {
    long now = nanos.getAsLong();
    long due = next.get();
    boolean time = now - end >= 0 || now - due >= 0;
    return time
        && connections.isOlder(leased.unwrap(Connection.class), before)
        && (now - end >= 0 || next.compareAndSet(due, now + pause));
  }
}
