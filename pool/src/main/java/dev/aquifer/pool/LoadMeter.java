package dev.aquifer.pool;

import com.zaxxer.hikari.metrics.IMetricsTracker;
import java.util.concurrent.atomic.LongAdder;
import org.jspecify.annotations.Nullable;

/**
 * Measures what a pool's callers do, on the path of every one: a clock read and one or two
 * additions, nothing allocated.
 *
 * <p>One sum holds both the number of connections in use and the time for which they were: taking
 * one adds {@code 1 - now}, giving it back adds {@code now - 1}, with the time in the upper 48
 * bits. Each of these is a single addition, so that a reading never sees half of one, and {@code
 * sum + inUse × now} is the time in use up to now, however the callers interleave.
 */
final class LoadMeter implements IMetricsTracker {
  private static final int COUNT_BITS = 16;

  /** Units of time are 1,024 ns. */
  private static final int UNIT_BITS = 10;

  /** Who got a connection sooner did not wait. */
  private static final long WAITED_FROM = 100_000;

  private final long origin = System.nanoTime();
  private final LongAdder flow = new LongAdder();
  private final LongAdder completions = new LongAdder();
  private final LongAdder waitedNanos = new LongAdder();
  private final LongAdder timeouts = new LongAdder();
  private final @Nullable IMetricsTracker other;

  /** The pool's own thread, which takes connections for other reasons than to use them. */
  private volatile @Nullable Thread own;

  /**
   * @param other is told all as well
   */
  LoadMeter(@Nullable IMetricsTracker other) {
    this.other = other;
  }

  /** A reading: counts since the beginning, and those in use at that moment. */
  record Reading(
      int inUse, double busySeconds, long completions, double waitedSeconds, long timeouts) {}

  void ignore(Thread thread) {
    own = thread;
  }

  @Override
  public void recordConnectionAcquiredNanos(long elapsed) {
    if (Thread.currentThread() != own) {
      flow.add(1 - (now() << COUNT_BITS));
      if (elapsed > WAITED_FROM) {
        waitedNanos.add(elapsed);
      }
    }
    if (other != null) {
      other.recordConnectionAcquiredNanos(elapsed);
    }
  }

  @Override
  public void recordConnectionUsageMillis(long elapsed) {
    returned();
    if (other != null) {
      other.recordConnectionUsageMillis(elapsed);
    }
  }

  @Override
  public void recordConnectionTimeout() {
    if (Thread.currentThread() != own) {
      // HikariCP says of who waited in vain that he acquired something, and then this.
      flow.add((now() << COUNT_BITS) - 1);
      timeouts.increment();
    }
    if (other != null) {
      other.recordConnectionTimeout();
    }
  }

  @Override
  public void recordConnectionCreatedMillis(long elapsed) {
    if (other != null) {
      other.recordConnectionCreatedMillis(elapsed);
    }
  }

  /** A connection is in use no longer. */
  void returned() {
    if (Thread.currentThread() != own) {
      flow.add((now() << COUNT_BITS) - 1);
      completions.increment();
    }
  }

  /** So many broke while in use, of which HikariCP does not tell. */
  void lost(int count) {
    flow.add(count * ((now() << COUNT_BITS) - 1));
    completions.add(count);
  }

  Reading read() {
    long sum = flow.sum();
    int inUse = (short) sum;
    long units = ((sum - inUse) >> COUNT_BITS) + inUse * now();
    return new Reading(
        inUse,
        units * (double) (1 << UNIT_BITS) / 1e9,
        completions.sum(),
        waitedNanos.sum() / 1e9,
        timeouts.sum());
  }

  private long now() {
    return (System.nanoTime() - origin) >> UNIT_BITS;
  }

  @Override
  public void close() {
    if (other != null) {
      other.close();
    }
  }
}
