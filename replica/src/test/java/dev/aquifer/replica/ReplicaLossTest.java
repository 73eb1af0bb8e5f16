package dev.aquifer.replica;

import static org.assertj.core.api.Assertions.assertThat;

import dev.aquifer.spi.Observer.NodeState;
import dev.aquifer.testkit.Eventually;
import dev.aquifer.testkit.LeakCheck;
import dev.aquifer.testkit.PostgresCluster;
import dev.aquifer.testkit.PostgresExtension;
import dev.aquifer.testkit.PostgresNode;
import dev.aquifer.testkit.Proof;
import dev.aquifer.testkit.TestDatabase;
import java.time.Duration;
import java.util.List;
import java.util.SplittableRandom;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/**
 * Replicas that die or hang while many callers read outside transactions: no caller is told, the
 * node gets no reads any more, and gets them back slowly when it is back.
 *
 * <p>Each round has a set of its own and leaves nothing behind. The bounds that fail a round are
 * those that hold on a busy machine; the figures are in the proof's record.
 */
class ReplicaLossTest {
  private static final int CALLERS = 16;
  private static final int PER_SECOND = 1000;
  private static final long FIRST = Duration.ofMillis(250).toNanos();

  @RegisterExtension
  static final PostgresExtension POSTGRES =
      PostgresExtension.own(PostgresCluster.builder().standbys(2))
          .schema("CREATE TABLE item (id int PRIMARY KEY)", "INSERT INTO item VALUES (1)");

  /** What one round does to the replica, and what then must hold. */
  private interface Round {
    void run(ReplicaSet set, Traffic traffic, PostgresNode replica);
  }

  private static void round(long seed, Round round) throws Exception {
    TestDatabase database = POSTGRES.database();
    SplittableRandom random = new SplittableRandom(seed);
    PostgresNode replica = database.cluster().standby(random.nextInt(2));
    LeakCheck.of()
        .threads("aquifer-")
        .database(database)
        .around(
            () -> {
              Traffic traffic = new Traffic();
              try (ReplicaSet set = Sets.of(database).observer(traffic).build()) {
                Sets.awaitReplicas(set, 2);
                try (traffic) {
                  traffic.start(set, CALLERS, PER_SECOND);
                  // A moment that differs from round to round, in steps of a millisecond or so.
                  traffic.awaitMore(50 + random.nextInt(200));
                  round.run(set, traffic, replica);
                }
                assertThat(traffic.errors).as("what callers were told").isEmpty();
                assertThat(set.health().nodes()).allMatch(node -> node.inFlight() == 0);
              }
            });
  }

  private static String name(PostgresNode node) {
    return node.host() + ":" + node.port() + "/" + POSTGRES.database().name();
  }

  private static long seed(Proof.Run run, long i) {
    return i == 0 ? run.seed() : new SplittableRandom(run.seed() + i).nextLong();
  }

  /** What the rounds of a proof have measured. */
  private static final class Figures {
    final Timings out = new Timings();
    final Timings judged = new Timings();
    final Timings slowest = new Timings();
    final Timings back = new Timings();
    double first;
    double later;
    int shares;

    /** Of a replica that failed at {@code from} and was sent its last read at {@code last}. */
    void took(String name, long from, long last, Traffic traffic) {
      out.add(last == 0 ? 0 : last - from);
      // It is out of use before its state is told; nobody chooses it from then on.
      judged.add(traffic.leftUse(name, from) - from);
      slowest.add(traffic.slowest.get());
    }
  }

  @Test
  void replicaKilled_noCallerIsTold_andItComesBackSlowly() {
    Figures figures = new Figures();
    Proof.of("replica-loss")
        .tries(1, 100)
        .run(
            run -> {
              for (long i = 0; i < run.tries() && run.failures() == 0; i++) {
                // Every third round waits until all of its traffic is back, which takes 5 s.
                boolean whole = i % 3 == 0;
                long seed = seed(run, i);
                run.tried(1);
                try {
                  round(seed, (set, traffic, r) -> killed(traffic, r, whole, figures));
                } catch (AssertionError e) {
                  run.failed("seed " + seed + ": " + e.getMessage(), e);
                }
              }
              figures.out.requireMedian("last reads sent to it", Duration.ofMillis(200));
              run.detail("last read sent to it after the kill", figures.out.toString());
              run.detail("out of use by its probe", figures.judged.toString());
              run.detail("slowest read of each round", figures.slowest.toString());
              run.detail("from its first reads to all of them", figures.back.toString());
              run.detail("part of its share in the first 250 ms", figures.first / figures.shares);
              run.detail("part of its share when all is back", figures.later / figures.shares);
            });
  }

  private static void killed(
      Traffic traffic, PostgresNode replica, boolean whole, Figures figures) {
    String name = name(replica);
    traffic.slowest.set(0);
    long killed = kill(replica);
    traffic.awaitMore(300);
    long until = System.nanoTime();
    long last = traffic.lastSent(name, killed, until);
    figures.took(name, killed, last, traffic);
    // The aim is 200 ms.
    assertThat(Duration.ofNanos(last == 0 ? 0 : last - killed)).isLessThan(Duration.ofSeconds(2));
    replica.restart();
    long ramp = traffic.awaitState(name, NodeState.RAMP, killed);
    assertThat(traffic.lastSent(name, until, ramp)).as("sent while it was out").isZero();
    if (!whole) {
      traffic.awaitMore(200);
      return;
    }
    long healthy = traffic.awaitState(name, NodeState.HEALTHY, ramp);
    figures.back.add(healthy - ramp);
    traffic.awaitMore(500);
    // Half of all reads is its share.
    double first = traffic.share(name, ramp, ramp + FIRST) / 0.5;
    double later = traffic.share(name, healthy, System.nanoTime()) / 0.5;
    figures.first += first;
    figures.later += later;
    figures.shares++;
    // A tenth, rising to a seventh in that time: of some 125 reads, so that chance has its part.
    assertThat(first).as("part of its share at first").isLessThan(0.4);
    assertThat(traffic.share(name, ramp, healthy)).as("part of all until then").isPositive();
    assertThat(later).as("part of its share when it is back").isGreaterThan(0.2);
    assertThat(Duration.ofNanos(healthy - ramp))
        .isBetween(Duration.ofMillis(4900), Duration.ofSeconds(10));
  }

  /** At once; the kit's own way halts all of its processes first. */
  private static long kill(PostgresNode replica) {
    ProcessHandle server = ProcessHandle.of(replica.pid()).orElseThrow();
    List<ProcessHandle> family = Stream.concat(Stream.of(server), server.descendants()).toList();
    long killed = System.nanoTime();
    family.forEach(ProcessHandle::destroyForcibly);
    replica.kill();
    return killed;
  }

  @Test
  void replicaHalted_noCallerIsToldOrWaitsLong() {
    Figures figures = new Figures();
    Proof.of("replica-loss-halted")
        .tries(1, 60)
        .run(
            run -> {
              for (long i = 0; i < run.tries() && run.failures() == 0; i++) {
                long seed = seed(run, i);
                run.tried(1);
                try {
                  round(seed, (set, traffic, r) -> halted(set, traffic, r, figures));
                } catch (AssertionError e) {
                  run.failed("seed " + seed + ": " + e.getMessage(), e);
                }
              }
              figures.out.requireMedian("last reads sent to it", Duration.ofSeconds(1));
              figures.slowest.requireMedian("slowest reads", Duration.ofMillis(1200));
              run.detail("last read sent to it after it was halted", figures.out.toString());
              run.detail("out of use by its probe", figures.judged.toString());
              run.detail("slowest read of each round", figures.slowest.toString());
            });
  }

  private static void halted(
      ReplicaSet set, Traffic traffic, PostgresNode replica, Figures figures) {
    String name = name(replica);
    traffic.slowest.set(0);
    long halted = System.nanoTime();
    replica.pause();
    long until;
    try {
      traffic.awaitState(name, NodeState.EJECTED, halted);
      // Whoever waited on it has been freed, and is counted.
      Eventually.within(Duration.ofSeconds(20))
          .until("nobody waits on it", () -> set.health().node(name).orElseThrow().inFlight() == 0);
      traffic.awaitMore(300);
      until = System.nanoTime();
    } finally {
      replica.resume();
    }
    long last = traffic.lastSent(name, halted, until);
    figures.took(name, halted, last, traffic);
    // The aims are 1 s and 1.2 s.
    assertThat(Duration.ofNanos(last == 0 ? 0 : last - halted)).isLessThan(Duration.ofSeconds(4));
    assertThat(Duration.ofNanos(traffic.slowest.get())).isLessThan(Duration.ofSeconds(5));
    traffic.awaitState(name, NodeState.RAMP, halted);
    traffic.awaitMore(100);
  }
}
