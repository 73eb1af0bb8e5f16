package dev.aquifer.testkit;

import java.time.Duration;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.LongSupplier;

/**
 * A source of nanoseconds that stands still until it is told to move, in place of {@link
 * System#nanoTime}. Thread-safe.
 */
public final class FakeTicker implements LongSupplier {
  private final AtomicLong nanos;

  /** Starts at zero. */
  public FakeTicker() {
    this(0);
  }

  /**
   * Starts somewhere else; close to {@link Long#MAX_VALUE}, it shows whether code compares times by
   * their difference, as {@link System#nanoTime} demands.
   */
  public FakeTicker(long nanos) {
    this.nanos = new AtomicLong(nanos);
  }

  /** The current time, in nanoseconds from an arbitrary origin. */
  @Override
  public long getAsLong() {
    return nanos.get();
  }

  /**
   * Moves the time forward.
   *
   * @throws IllegalArgumentException {@code step} is negative
   */
  public void advance(Duration step) {
    if (step.isNegative()) {
      throw new IllegalArgumentException("time does not go back: " + step);
    }
    nanos.addAndGet(step.toNanos());
  }

  @Override
  public String toString() {
    return "FakeTicker[" + Duration.ofNanos(getAsLong()) + "]";
  }
}
