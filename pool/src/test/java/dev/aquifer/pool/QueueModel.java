package dev.aquifer.pool;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.random.RandomGenerator;

/**
 * A pool in front of a server with processors, on a simulated clock: callers come, wait for one of
 * {@code size} connections, and hold it for work that shares the processors and for work that only
 * takes time. Deterministic for a given source of randomness.
 */
final class QueueModel {
  private static final double STEP = 0.001;

  /** What callers want, at one moment. */
  interface Load {
    /** Callers that come in this step of 1 ms. */
    int arrivals(int millis, int present);

    /** Seconds of a processor that one needs. */
    double processor();

    /** Seconds that it takes besides. */
    double delay();
  }

  private static final class Work {
    double processor;
    double delay;
    final double arrived;

    Work(double processor, double delay, double arrived) {
      this.processor = processor;
      this.delay = delay;
      this.arrived = arrived;
    }
  }

  private final Load load;
  private final double processors;
  private final RandomGenerator random;
  private final Deque<Work> waiting = new ArrayDeque<>();
  private final List<Work> running = new ArrayList<>();
  private int millis;
  private int open;
  private long arrivals;
  private long completions;
  private double busy;
  private double waited;
  private int peak;
  double speed = 1;
  int serverSlots = Integer.MAX_VALUE;
  private int refusals;
  private double responseSum;
  private long allCompletions;

  QueueModel(Load load, double processors, RandomGenerator random) {
    this.load = load;
    this.processors = processors;
    this.random = random;
  }

  /** One second with this many connections. */
  PoolSample second(int size, int allowance) {
    arrivals = 0;
    completions = 0;
    busy = 0;
    waited = 0;
    peak = 0;
    refusals = 0;
    open = Math.min(open, Math.max(size, running.size()));
    for (int i = 0; i < 1000; i++) {
      step(size);
    }
    return new PoolSample(
        1,
        arrivals,
        completions,
        busy,
        waited,
        0,
        peak,
        waiting.size(),
        open,
        refusals,
        true,
        allowance);
  }

  private void step(int size) {
    double now = millis * STEP;
    int come = load.arrivals(millis, waiting.size() + running.size());
    for (int i = 0; i < come; i++) {
      double spread = 0.5 + random.nextDouble();
      waiting.add(new Work(load.processor() * spread, load.delay() * spread, now));
    }
    arrivals += come;
    if (open < size && waiting.size() > open - running.size()) {
      // A connection takes its time to open; one is opened at a time.
      if (open >= serverSlots) {
        refusals++;
      } else if (millis % 30 == 0) {
        open++;
      }
    }
    while (!waiting.isEmpty() && running.size() < Math.min(open, size)) {
      Work next = waiting.remove();
      waited += now - next.arrived;
      running.add(next);
    }
    peak = Math.max(peak, running.size() + waiting.size());
    long onProcessor = running.stream().filter(work -> work.processor > 0).count();
    double share = speed * STEP * Math.min(1, processors / Math.max(1, onProcessor));
    for (Work work : running) {
      if (work.processor > 0) {
        work.processor -= share;
      } else {
        work.delay -= speed * STEP;
      }
    }
    busy += running.size() * STEP;
    running.removeIf(
        work -> {
          boolean done = work.processor <= 0 && work.delay <= 0;
          if (done) {
            completions++;
            allCompletions++;
            responseSum += now - work.arrived;
          }
          return done;
        });
    millis++;
  }

  long completions() {
    return allCompletions;
  }

  /** Mean seconds from arrival to completion. */
  double response() {
    return responseSum / Math.max(1, allCompletions);
  }

  void forget() {
    allCompletions = 0;
    responseSum = 0;
  }

  /** A fixed number of callers, each of whom comes again at once. */
  static Load closed(int callers, double processor, double delay) {
    return new Load() {
      @Override
      public int arrivals(int millis, int present) {
        return callers - present;
      }

      @Override
      public double processor() {
        return processor;
      }

      @Override
      public double delay() {
        return delay;
      }
    };
  }

  /** Callers come at random, so many a second. */
  static Load open(double rate, double processor, double delay, RandomGenerator random) {
    return new Load() {
      @Override
      public int arrivals(int millis, int present) {
        int come = 0;
        double left = rate * STEP;
        // Poisson, by the product of uniform numbers.
        double product = random.nextDouble();
        while (product > Math.exp(-left)) {
          come++;
          product *= random.nextDouble();
        }
        return come;
      }

      @Override
      public double processor() {
        return processor;
      }

      @Override
      public double delay() {
        return delay;
      }
    };
  }

  /** So many at once, every {@code everyMillis}. */
  static Load bursts(int callers, int everyMillis, double processor, double delay) {
    return new Load() {
      @Override
      public int arrivals(int millis, int present) {
        return millis % everyMillis == 0 ? callers : 0;
      }

      @Override
      public double processor() {
        return processor;
      }

      @Override
      public double delay() {
        return delay;
      }
    };
  }
}
