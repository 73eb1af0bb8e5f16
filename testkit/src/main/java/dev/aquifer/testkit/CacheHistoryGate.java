package dev.aquifer.testkit;

import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.LockSupport;
import java.util.concurrent.locks.ReentrantLock;

/** Holds the threads of a node while it is paused, and some of them for a moment now and then. */
final class CacheHistoryGate {
  private final ReentrantLock lock = new ReentrantLock();
  private final Condition opened = lock.newCondition();
  private volatile boolean closed;
  private final boolean always;
  private volatile boolean slow;

  /**
   * @param slow whether threads wait often, and long, all the time
   */
  CacheHistoryGate(boolean slow) {
    this.always = slow;
  }

  void close() {
    closed = true;
  }

  void open() {
    lock.lock();
    try {
      closed = false;
      slow = false;
      opened.signalAll();
    } finally {
      lock.unlock();
    }
  }

  /** Waits while it is closed. */
  void pass() {
    if (!closed) {
      return;
    }
    lock.lock();
    try {
      while (closed) {
        opened.awaitUninterruptibly();
      }
    } finally {
      lock.unlock();
    }
  }

  /** Whether threads wait often, and long. */
  void slow(boolean whether) {
    slow = whether;
  }

  /** Waits while it is closed, and seldom for a moment besides. */
  void stumble() {
    pass();
    if ((always || slow) && ThreadLocalRandom.current().nextBoolean()) {
      LockSupport.parkNanos(
          TimeUnit.MICROSECONDS.toNanos(ThreadLocalRandom.current().nextInt(30_000)));
    }
    int dice = ThreadLocalRandom.current().nextInt(1000);
    if (dice < 50) {
      // As long as what others need to write, void and be heard.
      LockSupport.parkNanos(TimeUnit.MICROSECONDS.toNanos(200L * dice));
    } else if (dice < 150) {
      LockSupport.parkNanos(1000L * dice);
    }
  }
}
