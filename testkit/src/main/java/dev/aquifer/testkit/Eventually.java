package dev.aquifer.testkit;

import java.time.Duration;
import java.util.concurrent.Callable;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * Waits for a condition by polling it until a deadline, in place of a sleep of a guessed length.
 *
 * <pre>{@code
 * Eventually.within(Duration.ofSeconds(5)).until("cache is empty", () -> cache.size() == 0);
 * }</pre>
 *
 * <p>Immutable and thread-safe. The condition runs in the calling thread, at least twice unless it
 * holds at once, the last time after the deadline. A condition that throws counts as not yet
 * holding; what it threw last is the cause of the failure. An interrupted wait ends at once with
 * {@link TestkitException} and leaves the thread interrupted.
 */
public final class Eventually {
  private static final Duration INTERVAL = Duration.ofMillis(10);

  private final Duration limit;
  private final Duration interval;

  private Eventually(Duration limit, Duration interval) {
    if (limit.isNegative()) {
      throw new IllegalArgumentException("limit " + limit + " is negative");
    }
    if (interval.isNegative() || interval.isZero()) {
      throw new IllegalArgumentException("interval " + interval + " is not positive");
    }
    this.limit = limit;
    this.interval = interval;
  }

  /** Waits no longer than {@code limit}, looking every 10 ms. */
  public static Eventually within(Duration limit) {
    return new Eventually(limit, INTERVAL);
  }

  /** The same wait, looking once an {@code interval}. */
  public Eventually every(Duration interval) {
    return new Eventually(limit, interval);
  }

  /**
   * Waits until {@code condition} is true.
   *
   * @param what what is waited for, for the message of the failure
   * @throws AssertionError the limit passed first
   */
  public void until(String what, Callable<Boolean> condition) {
    poll(() -> what, () -> condition.call() ? Boolean.TRUE : null);
  }

  /**
   * Waits until {@code source} gives something else than null, and returns that.
   *
   * @throws AssertionError the limit passed first
   */
  public <T> T get(String what, Callable<? extends @Nullable T> source) {
    return poll(() -> what, source);
  }

  /**
   * Waits until {@code assertions} pass.
   *
   * @throws AssertionError the limit passed first; the cause is what the last attempt threw
   */
  public void asserts(Assertions assertions) {
    poll(
        () -> "assertions",
        () -> {
          assertions.run();
          return Boolean.TRUE;
        });
  }

  private <T> T poll(Supplier<String> what, Callable<? extends @Nullable T> source) {
    long start = System.nanoTime();
    Throwable last = null;
    while (true) {
      boolean late = System.nanoTime() - start >= limit.toNanos();
      try {
        T value = source.call();
        if (value != null) {
          return value;
        }
        last = null;
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        throw interrupted(what, e);
      } catch (Exception | AssertionError e) {
        last = e;
      }
      if (late) {
        throw new AssertionError("not within " + limit + ": " + what.get(), last);
      }
      LockSupport.parkNanos(interval.toNanos());
      if (Thread.currentThread().isInterrupted()) {
        throw interrupted(what, null);
      }
    }
  }

  private static TestkitException interrupted(Supplier<String> what, @Nullable Throwable cause) {
    return new TestkitException("interrupted while waiting for: " + what.get(), cause);
  }

  /** Assertions that may throw anything. */
  @FunctionalInterface
  public interface Assertions {
    /** Returns when all hold, else throws. */
    void run() throws Exception;
  }
}
