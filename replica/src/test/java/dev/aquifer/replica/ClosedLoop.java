package dev.aquifer.replica;

import java.time.Duration;
import java.util.Arrays;
import java.util.Comparator;
import java.util.Map;
import java.util.PriorityQueue;
import java.util.SplittableRandom;
import java.util.concurrent.atomic.AtomicLong;

/**
 * Callers that read one after the other, through a router whose nodes take a given time to answer,
 * on a clock that is set forward from answer to answer: a minute of it takes no time.
 */
final class ClosedLoop {
  private static final int READS = 20_000;

  private record Answer(long at, long took, Node node) {}

  private final SplittableRandom random = new SplittableRandom(42);
  private final Router router;
  private final AtomicLong clock;
  private final Map<Node, Duration> answers;

  /**
   * Nodes that answer in a time around that given: 0.8 of it at least, and the more above the less
   * often.
   */
  ClosedLoop(Router router, AtomicLong clock, Map<Node, Duration> answers) {
    this.router = router;
    this.clock = clock;
    this.answers = answers;
  }

  /** The time within which 99 of 100 reads were answered, in nanoseconds. */
  long p99(int callers) {
    PriorityQueue<Answer> running = new PriorityQueue<>(Comparator.comparingLong(Answer::at));
    for (int i = 0; i < callers; i++) {
      running.add(ask());
    }
    long[] took = new long[READS];
    for (int i = 0; i < READS; i++) {
      Answer next = running.remove();
      clock.set(next.at());
      next.node().inFlight.decrementAndGet();
      next.node().responded(next.took(), next.at());
      took[i] = next.took();
      running.add(ask());
    }
    running.forEach(answer -> answer.node().inFlight.decrementAndGet());
    Arrays.sort(took);
    return took[READS * 99 / 100];
  }

  private Answer ask() {
    Node node = router.read(ReadScope.NONE, null).node();
    node.inFlight.incrementAndGet();
    double jitter = 0.8 - 0.2 * Math.log(1 - random.nextDouble());
    long took = (long) (answers.get(node).toNanos() * jitter);
    return new Answer(clock.get() + took, took, node);
  }
}
