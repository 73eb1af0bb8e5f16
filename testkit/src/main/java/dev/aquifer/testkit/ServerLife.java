package dev.aquifer.testkit;

import java.time.Duration;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/** A server's processes, one after the other, and what is done to them. One thing at a time. */
final class ServerLife {
  private final Object server;
  private final ReentrantLock lock = new ReentrantLock();
  private volatile @Nullable ServerProcess process;
  private volatile boolean paused;

  /**
   * @param server says by {@code toString} whose life it is
   */
  ServerLife(Object server) {
    this.server = server;
  }

  /** Runs what nothing else that is done to the server may come between. */
  void alone(Runnable action) {
    lock.lock();
    try {
      action.run();
    } finally {
      lock.unlock();
    }
  }

  /** It is this process from now on. */
  void begins(ServerProcess started) {
    process = started;
    paused = false;
  }

  boolean isRunning() {
    ServerProcess current = process;
    return current != null && current.isAlive();
  }

  boolean isPaused() {
    return paused && isRunning();
  }

  /**
   * Its process.
   *
   * @throws TestkitException there is none
   */
  ServerProcess running() {
    ServerProcess current = process;
    if (current == null || !current.isAlive()) {
      throw new TestkitException(server + " is not running; call restart() first");
    }
    return current;
  }

  /** Kills it, if it was ever started. Returns whether it was. */
  boolean kill() {
    ServerProcess current = process;
    if (current != null) {
      current.kill();
    }
    paused = false;
    return current != null;
  }

  /** Ends it by a signal, if it runs, also when it is paused. Returns whether it ran. */
  boolean end(String signal, Duration limit) {
    if (!isRunning()) {
      return false;
    }
    ServerProcess current = running();
    if (paused) {
      current.resume();
      paused = false;
    }
    current.end(signal, limit);
    return true;
  }

  void pause() {
    alone(
        () -> {
          running().pause();
          paused = true;
        });
  }

  void resume() {
    alone(
        () -> {
          running().resume();
          paused = false;
        });
  }
}
