package dev.aquifer.pool;

/**
 * A larger size on trial. By Little's law a pool that is always busy answers {@code size ÷
 * execution time} a second: the larger size is worth its connections if execution time grew by less
 * than they did. Not thread-safe.
 */
final class Trial {
  /** Of what more connections could bring at best, so much they must bring. */
  private static final double WORTH = 0.25;

  private static final int SETTLING = 1;
  private static final int INTERVALS = 2;
  private static final int INTERVALS_AT_MOST = 4;
  private static final int COMPLETIONS = 20;
  private static final int EXPIRES = 60;

  enum Outcome {
    OPEN,
    GAIN,
    NO_GAIN,
    EXPIRED
  }

  final int from;
  final int to;
  private final double timeBefore;
  private int age;
  private int measured;
  private double busy;
  private long completions;
  private int open;

  Trial(int from, int to, double timeBefore) {
    this.from = from;
    this.to = to;
    this.timeBefore = timeBefore;
  }

  Outcome add(PoolSample sample) {
    age++;
    if (age > EXPIRES) {
      return Outcome.EXPIRED;
    }
    // Only an interval in which the new connections were used tells what they are worth.
    if (age <= SETTLING || sample.open() <= from || sample.peak() <= from) {
      return Outcome.OPEN;
    }
    measured++;
    busy += sample.busySeconds();
    completions += sample.completions();
    open = Math.min(to, sample.open());
    if (measured < INTERVALS || (completions < COMPLETIONS && measured < INTERVALS_AT_MOST)) {
      return Outcome.OPEN;
    }
    double size = (double) open / from;
    return size * timeBefore >= (1 + WORTH * (size - 1)) * time() ? Outcome.GAIN : Outcome.NO_GAIN;
  }

  /** Seconds of execution at the larger size. */
  double time() {
    return busy / Math.max(1, completions);
  }

  double timeBefore() {
    return timeBefore;
  }
}
