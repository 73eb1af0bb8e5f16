package dev.aquifer.pool;

import dev.aquifer.spi.Observer.PoolReason;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/**
 * Decides how many connections a pool may have, from what it saw in the last interval. Takes no
 * time and no randomness from elsewhere: the same samples give the same decisions.
 *
 * <ul>
 *   <li><em>Need</em>: the most callers that had a connection or waited for one, and by Little's
 *       law arrival rate × execution time, with twice its square root as headroom (the rule of
 *       square-root staffing); the largest of the last {@code memory} intervals. What is above it
 *       is given back.
 *   <li><em>Ceiling</em>: the largest size known to be good. Callers that wait there start a {@link
 *       Trial} of a larger one, which is kept if it answers more. A refused trial is repeated after
 *       a minute, then two, four, up to 16, or when execution becomes faster.
 *   <li><em>Slower</em>: while execution takes 1.5 times what it did, nothing grows; while callers
 *       wait besides, the ceiling falls by the gradient, a fifth of it in each interval, not below
 *       what the arrivals need at the former execution time.
 *   <li><em>Server full</em> (53300): the ceiling falls by a quarter, or to what is open; after
 *       half a minute it may rise by one at a time.
 * </ul>
 *
 * <p>The size is never above the maximum, the allowance or the ceiling, and never below the minimum
 * unless the allowance is, which wins. Not thread-safe.
 */
final class SizeController {
  private static final double GROWTH = 1.5;
  private static final double LAST = 1.25;
  private static final double TOLERANCE = 1.5;
  private static final double SMOOTHING = 0.2;
  private static final double CUT = 0.75;
  private static final int FIRST_HOLD = 60;
  private static final int LONGEST_HOLD = 960;
  private static final int FULL_HOLD = 30;
  private static final int FULL_STEP = 5;
  private static final int FULL_MEMORY = 300;

  private final int minimum;
  private final int minimumIdle;
  private final int maximum;
  private final int[] needs;
  private final ExecutionTime time = new ExecutionTime();
  private double arrivalRate;
  private double ceiling;
  private int size;
  private int tick;
  private int holdUntil;
  private int hold = FIRST_HOLD;
  private double timeRefused;
  private int fullAt = -FULL_MEMORY;
  private @Nullable Trial trial;

  /**
   * @param minimumIdle least connections kept open, 0 or more; the least size, if that is above 1
   * @param maximum the largest size
   * @param initial the size to begin with
   * @param memory how many intervals a need is remembered, 1 or more
   */
  SizeController(int minimumIdle, int maximum, int initial, int memory) {
    this.minimum = Math.max(1, minimumIdle);
    this.minimumIdle = minimumIdle;
    this.maximum = maximum;
    this.size = Math.max(minimum, Math.min(initial, maximum));
    this.ceiling = size;
    this.needs = new int[memory];
    java.util.Arrays.fill(needs, size);
  }

  /** The size that the next sample is of. */
  int size() {
    return size;
  }

  /** Up to which size callers may be served without a new decision on the server's behalf. */
  int ceiling() {
    return (int) ceiling;
  }

  /** Seconds that connections are held, as of late. */
  double executionSeconds() {
    return time.now();
  }

  /** Callers a second, as of late. */
  double arrivalRate() {
    return arrivalRate;
  }

  /** What to ask of a budget: what is wanted, as far as the next step could go. */
  int ask() {
    int next = (int) Math.ceil(ceiling * GROWTH * LAST);
    return Math.max(size, Math.min(Math.min(wanted(), next), maximum));
  }

  /** Whether nobody asked for a connection for as long as a need is remembered. */
  boolean isUnused() {
    for (int need : needs) {
      if (need > 0) {
        return false;
      }
    }
    return true;
  }

  /** Takes note of a sample without a decision. */
  void watch(PoolSample sample) {
    tick++;
    arrivalRate += 0.3 * (sample.arrivals() / sample.seconds() - arrivalRate);
    time.add(sample);
    needs[tick % needs.length] = need(sample);
  }

  /** Decides at the end of an interval. */
  PoolDecision decide(PoolSample sample) {
    watch(sample);
    if (!sample.reachable()) {
      trial = null;
      return decision(PoolReason.UNREACHABLE, sample, Math.min(size, sample.allowance()));
    }
    PoolReason reason = ceiling(sample);
    int to = size(sample, wanted());
    return decision(reason, sample, Math.min(to, growthLimit()));
  }

  /**
   * Callers wait between two decisions: the size rises at once to what is known to be good.
   *
   * @param callers that have a connection or wait for one
   */
  @Nullable PoolDecision surge(int callers, int allowance) {
    int to = Math.min(bounded(callers, allowance), growthLimit());
    if (to <= size || trial != null) {
      return null;
    }
    needs[tick % needs.length] = Math.max(needs[tick % needs.length], callers);
    int before = size;
    size = to;
    return new PoolDecision(
        PoolReason.DEMAND, before, to, idle(), wanted(), callers + " callers at one time");
  }

  /** The budget leaves less from now on. */
  PoolDecision curb(int allowance) {
    int before = size;
    size = Math.min(size, allowance);
    return new PoolDecision(
        PoolReason.BUDGET, before, size, idle(), wanted(), "others need their part of the budget");
  }

  private int need(PoolSample sample) {
    double used = Math.max(sample.inUse(), sample.arrivals() / sample.seconds() * time.before());
    return Math.max(sample.peak(), (int) Math.ceil(used + 2 * Math.sqrt(used) - 0.01));
  }

  private int wanted() {
    int most = minimum;
    for (int need : needs) {
      most = Math.max(most, need);
    }
    return most;
  }

  /** Moves the ceiling; null when nothing is to be said of it. */
  private @Nullable PoolReason ceiling(PoolSample sample) {
    if (sample.refusals() > 0) {
      trial = null;
      fullAt = tick;
      holdUntil = tick + FULL_HOLD;
      ceiling = Math.max(minimum, Math.floor(Math.min(size, sample.open()) * CUT));
      return PoolReason.SERVER_FULL;
    }
    Trial running = trial;
    if (running != null) {
      return tried(running, sample);
    }
    if (time.slowdown() > TOLERANCE) {
      if (sample.isPressed()) {
        double gradient = Math.max(0.5, TOLERANCE / time.slowdown());
        double cut = ceiling * (1 - SMOOTHING) + ceiling * gradient * SMOOTHING;
        ceiling = Math.max(Math.min(ceiling, floor()), cut);
      }
      return PoolReason.SLOWER;
    }
    if (!sample.isPressed() || size < Math.min((int) ceiling, sample.allowance())) {
      return null;
    }
    int cap = Math.min(maximum, sample.allowance());
    if (ceiling >= cap) {
      return cap == maximum ? PoolReason.LIMIT : PoolReason.BUDGET;
    }
    if (tick < holdUntil && !(time.now() * TOLERANCE < timeRefused)) {
      return tick - fullAt < FULL_HOLD ? PoolReason.SERVER_FULL : PoolReason.NO_GAIN;
    }
    explore(cap);
    return PoolReason.EXPLORE;
  }

  private void explore(int cap) {
    int from = (int) ceiling;
    boolean wasFull = tick - fullAt < FULL_MEMORY;
    int step = wasFull ? from + 1 : (int) Math.ceil(from * GROWTH);
    // A last small step is not worth a trial of its own.
    int aim = !wasFull && wanted() <= step * LAST ? wanted() : Math.min(step, wanted());
    int to = Math.min(cap, Math.max(from + 1, aim));
    trial = new Trial(from, to, time.now());
    ceiling = to;
    timeRefused = 0;
    if (wasFull) {
      holdUntil = tick + FULL_STEP;
    }
  }

  private @Nullable PoolReason tried(Trial running, PoolSample sample) {
    Trial.Outcome outcome = running.add(sample);
    if (outcome == Trial.Outcome.OPEN) {
      // Bursts leave it open until the next one.
      return sample.peak() > running.from ? PoolReason.EXPLORE : null;
    }
    trial = null;
    if (outcome != Trial.Outcome.NO_GAIN) {
      hold = FIRST_HOLD;
      return PoolReason.GAIN;
    }
    ceiling = running.from;
    timeRefused = running.timeBefore();
    holdUntil = tick + hold;
    hold = Math.min(LONGEST_HOLD, 2 * hold);
    return PoolReason.NO_GAIN;
  }

  /** While execution is slower, nothing grows beyond what arrivals need without that. */
  private int growthLimit() {
    return time.slowdown() > TOLERANCE ? Math.max(size, (int) floor()) : maximum;
  }

  /** What arrivals need at the execution time of before. */
  double floor() {
    double used = arrivalRate * time.before();
    return Math.max(minimum, Math.ceil(used + 2 * Math.sqrt(used)));
  }

  private int size(PoolSample sample, int wanted) {
    int to = bounded(wanted, sample.allowance());
    // A need that moves a little moves nothing.
    boolean little = to < size && size - to <= Math.max(1, size / 4) && wanted > minimum;
    return little ? bounded(size, sample.allowance()) : to;
  }

  private int bounded(int wanted, int allowance) {
    int most = Math.min(maximum, Math.min(allowance, (int) ceiling));
    return Math.max(Math.min(minimum, allowance), Math.min(wanted, most));
  }

  private PoolDecision decision(@Nullable PoolReason ofCeiling, PoolSample sample, int to) {
    int before = size;
    size = to;
    PoolReason reason = ofCeiling;
    if (reason == null) {
      boolean lessAllowed = to < before && to == sample.allowance() && wanted() > to;
      boolean notAllowed = sample.isPressed() && to == sample.allowance() && to < maximum;
      reason =
          lessAllowed || notAllowed
              ? PoolReason.BUDGET
              : to > before ? PoolReason.DEMAND : to < before ? PoolReason.IDLE : PoolReason.STEADY;
    }
    return new PoolDecision(reason, before, to, idle(), wanted(), explain(sample));
  }

  /** Kept open beside those in use: the headroom of what arrives. */
  private int idle() {
    double headroom = Math.ceil(2 * Math.sqrt(arrivalRate * time.before()) - 0.01);
    return Math.min(size, Math.max(minimumIdle, (int) Math.min(size, headroom)));
  }

  private String explain(PoolSample sample) {
    return String.format(
        Locale.ROOT,
        "%.1f callers/s for %.1f ms each (before: %.1f ms), %.1f in use, %.1f waiting, peak %d, allowed %d",
        arrivalRate,
        time.now() * 1e3,
        time.before() * 1e3,
        sample.inUse(),
        sample.waitedSeconds() / sample.seconds(),
        sample.peak(),
        Math.min(maximum, sample.allowance()));
  }
}
