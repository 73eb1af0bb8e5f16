package dev.aquifer.pool;

/**
 * How long connections are held, the wait for one not included: now, and as it was before. Two
 * averages of the same means; the slow one forgets half of what it knew in about 14 intervals, the
 * quick one in 1 to 2. Not thread-safe.
 */
final class ExecutionTime {
  private static final int ENOUGH = 5;
  private static final int INTERVALS_AT_MOST = 3;
  private static final double QUICK = 0.4;
  private static final double SLOW = 0.05;

  private double busy;
  private long completions;
  private int intervals;
  private int means;
  private double now;
  private double before;

  /** Means of a few completions say little: they are collected. */
  void add(PoolSample sample) {
    busy += sample.busySeconds();
    completions += sample.completions();
    intervals++;
    if (completions >= ENOUGH || (intervals >= INTERVALS_AT_MOST && busy > 0)) {
      double mean = busy / Math.max(1, completions);
      // The first means count fully, so that there is something to compare with.
      means++;
      now += Math.max(QUICK, 1.0 / means) * (mean - now);
      before += Math.max(SLOW, 1.0 / means) * (mean - before);
      busy = 0;
      completions = 0;
      intervals = 0;
    } else if (intervals >= INTERVALS_AT_MOST) {
      completions = 0;
      intervals = 0;
    }
  }

  /** Seconds; 0 when nothing is known. */
  double now() {
    return now;
  }

  /** Seconds, of the last minute or so. */
  double before() {
    return before;
  }

  /** How much slower it is now; 1 is no slower. */
  double slowdown() {
    return before > 0 ? now / before : 1;
  }
}
