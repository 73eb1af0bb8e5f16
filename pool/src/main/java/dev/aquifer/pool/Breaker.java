package dev.aquifer.pool;

import java.sql.SQLException;
import java.sql.SQLTransientConnectionException;
import java.time.Duration;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/**
 * Open while the server cannot be connected to: callers without a connection fail at once, instead
 * of each waiting for its limit. Two attempts to connect that fail in a row open it; one that
 * succeeds closes it. One is made after 250 ms, then after twice as long each time, up to 30 s,
 * each with up to a fifth less.
 *
 * <p>What statements fail with does not count, nor do a server that is full, a wrong password or a
 * missing database: there somebody answers. Thread-safe.
 */
final class Breaker {
  private static final int FAILURES = 2;
  private static final long FIRST = Duration.ofMillis(250).toNanos();
  private static final long LONGEST = Duration.ofSeconds(30).toNanos();

  /** Told of each change; not under the breaker's lock. */
  interface Listener {
    void changed(boolean reachable, String reason);
  }

  private final LongSupplier nanos;
  private final Listener listener;
  private final ReentrantLock lock = new ReentrantLock();
  private int failures;
  private long pause;
  private long next;
  private volatile boolean open;
  private volatile @Nullable SQLException last;

  Breaker(LongSupplier nanos, Listener listener) {
    this.nanos = nanos;
    this.listener = listener;
  }

  boolean isOpen() {
    return open;
  }

  /** The last failure to connect; null since one succeeded. */
  @Nullable SQLException last() {
    return last;
  }

  /** Whether somebody is to try again now. */
  boolean isDue() {
    if (!open) {
      return false;
    }
    lock.lock();
    try {
      return open && nanos.getAsLong() - next >= 0;
    } finally {
      lock.unlock();
    }
  }

  void succeeded() {
    boolean changed;
    lock.lock();
    try {
      failures = 0;
      changed = open;
      open = false;
      last = null;
    } finally {
      lock.unlock();
    }
    if (changed) {
      listener.changed(true, "connected again");
    }
  }

  void failed(SQLException error) {
    if (!counts(error)) {
      return;
    }
    boolean changed;
    lock.lock();
    try {
      failures++;
      last = error;
      changed = !open && failures >= FAILURES;
      if (open || changed) {
        pause = changed ? FIRST : Math.min(LONGEST, 2 * pause);
        next =
            nanos.getAsLong()
                + pause
                - (long) (ThreadLocalRandom.current().nextDouble() * pause / 5);
        open = true;
      }
    } finally {
      lock.unlock();
    }
    if (changed) {
      listener.changed(false, String.valueOf(error.getMessage()));
    }
  }

  /** What callers get while it is open. */
  SQLException refusal(String target) {
    SQLException cause = last;
    return new SQLTransientConnectionException(
        "%s cannot be connected to (%s); it is tried again by itself"
            .formatted(target, cause == null ? "no reason known" : cause.getMessage()),
        "08001",
        cause);
  }

  /** Whether nobody answered: connection errors, and a server that starts or stops. */
  private static boolean counts(SQLException error) {
    String state = error.getSQLState();
    return state == null || state.startsWith("08") || state.startsWith("57P");
  }
}
