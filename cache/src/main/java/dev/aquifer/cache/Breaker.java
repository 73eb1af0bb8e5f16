package dev.aquifer.cache;

import dev.aquifer.spi.Observer;
import io.lettuce.core.RedisCommandExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.LongSupplier;

/**
 * Whether it is worth while to call Redis. It opens when nothing was answered for a while in which
 * calls failed again and again, or a heartbeat waited; it closes when a heartbeat is answered.
 *
 * <p>Both are needed. Each call is held up by at most its timeout, breaker or not; it is there so
 * that a Redis that is gone costs that a few times and not each time. A pause of this process, or
 * of Redis, makes all calls of that moment time out together, and says nothing of the next one: so
 * their number alone does not count, but for how long none was answered.
 *
 * <p>An error that Redis answers is an answer: it came in time, and the next call may be of another
 * slot, key or command. Thread-safe.
 */
final class Breaker {
  private static final int FAILURES = 3;
  private static final int TIMEOUTS = 3;
  private static final long SHORTEST = TimeUnit.MILLISECONDS.toNanos(200);

  private final Observer observer;
  private final LongSupplier nanos;
  private final long window;
  private final ReentrantLock lock = new ReentrantLock();
  private int failures;
  private long firstFailure;
  private volatile boolean failing;
  private volatile boolean closed;

  /**
   * @param timeout of a call, in nanoseconds
   * @param nanos what timeouts are measured by: real time
   */
  Breaker(Observer observer, long timeout, LongSupplier nanos) {
    this.observer = observer;
    this.nanos = nanos;
    this.window = Math.max(SHORTEST, TIMEOUTS * timeout);
  }

  Breaker(Observer observer, long timeout) {
    this(observer, timeout, System::nanoTime);
  }

  /** Whether calls may go through. */
  boolean closed() {
    return closed;
  }

  void started(boolean reachable) {
    closed = reachable;
  }

  /** A call was answered in time. */
  void succeeded() {
    if (failing) {
      lock.lock();
      try {
        failing = false;
        failures = 0;
      } finally {
        lock.unlock();
      }
    }
  }

  /** A heartbeat was answered. */
  void answered() {
    succeeded();
    if (!closed) {
      closed = true;
      observer.remoteChanged(true, "heartbeat answered");
    }
  }

  /** A heartbeat is not answered since so many nanoseconds. */
  void silent(long nanos) {
    if (nanos >= window) {
      open("heartbeat not answered");
    }
  }

  /** A call was not answered, or not in time. */
  void failed(Throwable error) {
    if (error instanceof RedisCommandExecutionException) {
      succeeded();
      return;
    }
    boolean opens;
    lock.lock();
    try {
      long now = nanos.getAsLong();
      if (failures == 0) {
        firstFailure = now;
      }
      failures++;
      failing = true;
      opens = failures >= FAILURES && now - firstFailure >= window;
    } finally {
      lock.unlock();
    }
    if (opens) {
      open(error.getClass().getSimpleName());
    }
  }

  private void open(String reason) {
    if (closed) {
      closed = false;
      observer.remoteChanged(false, reason);
    }
  }
}
