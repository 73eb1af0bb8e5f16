package dev.aquifer.replica;

import static org.assertj.core.api.Assertions.assertThat;

import dev.aquifer.Position;
import dev.aquifer.spi.Observer;
import dev.aquifer.testkit.Eventually;
import dev.aquifer.testkit.LeakCheck;
import dev.aquifer.testkit.PostgresCluster;
import dev.aquifer.testkit.PostgresExtension;
import dev.aquifer.testkit.PostgresNode;
import dev.aquifer.testkit.Proof;
import dev.aquifer.testkit.TestDatabase;
import java.sql.Connection;
import java.sql.Statement;
import java.time.Duration;
import java.util.Map;
import java.util.Queue;
import java.util.SplittableRandom;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** What is said of a replica's lag, against what it really is. */
class LagTest {
  @RegisterExtension
  static final PostgresExtension POSTGRES =
      PostgresExtension.own(PostgresCluster.builder().standbys(1))
          .schema("CREATE TABLE tick (id bigint PRIMARY KEY)");

  private static final Duration SAMPLES = Duration.ofMillis(100);
  private static final long WRITES = Duration.ofMillis(10).toNanos();

  @RegisterExtension final LeakCheck leaks = LeakCheck.of().threads("aquifer-");

  /** One statement of a replica's lag. */
  private record Said(long at, Duration lag) {}

  private static final class Samples implements Observer {
    final Queue<Said> said = new ConcurrentLinkedQueue<>();

    @Override
    public void lagSampled(String node, Duration lag, long bytes) {
      said.add(new Said(System.nanoTime(), lag));
    }
  }

  /**
   * Rows are committed all the time, the times of which are known, and replay stops: then the lag
   * is the time since the commit of the first row that the replica does not show.
   */
  @Test
  void lagWhileReplayIsPaused_isTheAgeOfTheFirstRowMissing() {
    Timings off = new Timings();
    Proof.of("replica-lag")
        .tries(1, 30)
        .run(
            run -> {
              SplittableRandom random = new SplittableRandom(run.seed());
              for (long i = 0; i < run.tries(); i++) {
                run.tried(1);
                paused(Duration.ofMillis(700 + random.nextInt(1500)), off);
              }
              run.detail("off by", off.toString());
              // The aim is 200 ms, of which 100 are the time between two samples.
              assertThat(off.millis(0.5)).isLessThan(300);
            });
  }

  private static void paused(Duration length, Timings off) throws Exception {
    TestDatabase database = POSTGRES.database();
    PostgresNode standby = database.cluster().standby(0);
    Samples samples = new Samples();
    try (ReplicaSet set = Sets.of(database).sampleEvery(SAMPLES).observer(samples).build();
        Ticks ticks = new Ticks(database)) {
      Sets.awaitReplicas(set, 1);
      standby.pauseReplay();
      try {
        long shown = newest(database, standby);
        long since = System.nanoTime();
        Long missing =
            Eventually.within(Duration.ofSeconds(20))
                .get("the next row is written", () -> ticks.committed.get(shown + 1));
        Eventually.within(length.plusSeconds(20))
            .until("time has passed", () -> System.nanoTime() - since > length.toNanos());
        int before = samples.said.size();
        Eventually.within(Duration.ofSeconds(20))
            .until("it was sampled", () -> samples.said.size() > before);
        for (Said each : samples.said) {
          // Before the first sample that shows the row, the replica misses nothing that is known.
          long truth = each.at() - missing;
          if (each.at() - since > 0 && truth > 0 && each.lag() != null) {
            off.add(Math.abs(truth - each.lag().toNanos()));
          }
        }
      } finally {
        standby.resumeReplay();
      }
      Eventually.within(Duration.ofSeconds(20))
          .until(
              "it has caught up",
              () -> {
                Duration lag = set.health().nodes().get(1).lag();
                return lag != null && lag.compareTo(Duration.ofMillis(500)) < 0;
              });
    }
  }

  private static long newest(TestDatabase database, PostgresNode node) throws Exception {
    try (Connection connection = database.dataSource(node).getConnection()) {
      return Long.parseLong(Sets.query(connection, "SELECT coalesce(max(id), 0) FROM tick"));
    }
  }

  /** Rows, one after the other, and when each was committed. */
  private static final class Ticks implements AutoCloseable {
    final Map<Long, Long> committed = new ConcurrentHashMap<>();
    private final AtomicBoolean stop = new AtomicBoolean();
    private final Thread thread;

    Ticks(TestDatabase database) throws Exception {
      long from = newest(database, database.cluster().primary());
      thread = new Thread(() -> write(database, from), "ticks");
      thread.start();
    }

    private void write(TestDatabase database, long from) {
      try (Connection connection = database.dataSource().getConnection();
          Statement statement = connection.createStatement()) {
        for (long id = from + 1; !stop.get(); id++) {
          statement.execute("INSERT INTO tick VALUES (" + id + ")");
          committed.put(id, System.nanoTime());
          LockSupport.parkNanos(WRITES);
        }
      } catch (java.sql.SQLException e) {
        throw new IllegalStateException(e);
      }
    }

    @Override
    public void close() {
      stop.set(true);
      try {
        thread.join(10_000);
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
      }
    }
  }

  /**
   * Ten minutes in which nobody writes; now and then the server itself does, and samples are late.
   */
  @Test
  void idlePrimary_isNeverTakenForALaggingReplica() {
    Proof.of("replica-lag-idle-model")
        .tries(20, 2000)
        .each(
            random -> {
              PrimaryLog log = new PrimaryLog(Duration.ofSeconds(1).toNanos());
              long milli = 1_000_000;
              long origin = random.nextLong();
              long offset = random.nextLong(100);
              long lsn = 1000;
              long moved = 0;
              for (long ms = 0; ms < 600_000; ms += 100) {
                if (ms % 15_000 == 0) {
                  lsn += 100;
                  moved = ms;
                }
                long late = random.nextInt(50) == 0 ? random.nextLong(80) : random.nextLong(3);
                log.add(origin + (ms + late) * milli, new Position(7, 1, lsn));
                long asked = ms + offset + random.nextLong(3);
                long replayed = asked - moved < 5 ? lsn - 100 : lsn;
                long lag = log.lagNanos(new Position(7, 1, replayed), origin + asked * milli);
                assertThat(Duration.ofNanos(lag)).isLessThan(Duration.ofMillis(200));
                if (asked - moved > 110) {
                  assertThat(lag).isZero();
                }
              }
            });
  }

  /**
   * The same on a real server, as many seconds as there are tries: ten minutes in the long form.
   */
  @Test
  void idleServer_isNeverTakenForALaggingReplica() {
    Proof.of("replica-lag-idle")
        .tries(1, 600)
        .run(
            run -> {
              Samples samples = new Samples();
              Traffic changes = new Traffic();
              try (ReplicaSet set =
                  Sets.of(POSTGRES.database())
                      .sampleEvery(SAMPLES)
                      .maxLag(Duration.ofSeconds(1))
                      .observer(samples)
                      .observer(changes)
                      .build()) {
                Sets.awaitReplicas(set, 1);
                changes.changes.clear();
                long begun = System.nanoTime();
                Duration length = Duration.ofSeconds(run.tries());
                Eventually.within(length.plusSeconds(30))
                    .every(SAMPLES)
                    .until("it is over", () -> System.nanoTime() - begun > length.toNanos());
                run.tried(run.tries());
                run.detail("samples", samples.said.size());
                run.detail("alarms", changes.changes.size());
                assertThat(changes.changes)
                    .noneMatch(change -> change.to() == Observer.NodeState.LAGGING);
              }
            });
  }
}
