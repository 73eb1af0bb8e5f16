package dev.aquifer.tsquery;

import java.time.Duration;

/**
 * Times in 256 steps of a quarter of their power of two: a quantile is at most 25 % too high, in 1
 * KiB. Not thread-safe.
 */
final class TimeSketch {
  private static final int STEPS = 4;

  private final int[] counts = new int[64 * STEPS];
  private long total;

  void add(long nanos) {
    counts[step(Math.max(1, nanos))]++;
    total++;
  }

  /** The upper end of the step in which this share of the times ends; zero when there are none. */
  Duration quantile(double share) {
    long wanted = Math.max(1, (long) Math.ceil(share * total));
    long seen = 0;
    for (int i = 0; i < counts.length && total > 0; i++) {
      seen += counts[i];
      if (seen >= wanted) {
        return Duration.ofNanos(end(i));
      }
    }
    return Duration.ZERO;
  }

  private static int step(long nanos) {
    int power = 63 - Long.numberOfLeadingZeros(nanos);
    long rest = nanos - (1L << power);
    return power * STEPS + (int) (power < 2 ? 0 : rest >>> (power - 2));
  }

  private static long end(int step) {
    int power = step / STEPS;
    double end = Math.scalb(1 + (step % STEPS + 1) / (double) STEPS, power);
    return end >= Long.MAX_VALUE ? Long.MAX_VALUE : (long) end;
  }
}
