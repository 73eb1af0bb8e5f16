package dev.aquifer.replica;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.aquifer.CausalSession;
import dev.aquifer.CausalToken;
import dev.aquifer.Consistency;
import dev.aquifer.replica.ReaderJvm.Answer;
import dev.aquifer.spi.Observer.Role;
import dev.aquifer.testkit.LeakCheck;
import dev.aquifer.testkit.PostgresCluster;
import dev.aquifer.testkit.PostgresExtension;
import dev.aquifer.testkit.Proof;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/**
 * Sessions read rows that others write all the time, while replicas stop and resume replaying, now
 * and then at the primary, and move to another set by token. Who has seen a version never sees an
 * older one, with one exception, which is PostgreSQL's: a replica may show a commit a moment before
 * the primary does, since it is in the log before it is visible there.
 */
class MonotonicReadsTest {
  private static final int ROWS = 4;
  private static final int READERS = 3;
  private static final int READS_A_FAULT = 50;

  @RegisterExtension
  static final PostgresExtension POSTGRES =
      PostgresExtension.own(PostgresCluster.builder().standbys(2))
          .schema(
              "CREATE TABLE counter (id int PRIMARY KEY, n bigint) WITH (fillfactor = 50)",
              "INSERT INTO counter SELECT i, 0 FROM generate_series(0, %d) i".formatted(ROWS - 1));

  @RegisterExtension final LeakCheck leaks = LeakCheck.of().threads("aquifer-");

  private final AtomicLong byReplicas = new AtomicLong();
  private final AtomicLong replicaFirst = new AtomicLong();

  @Test
  void sessions_neverSeeLessThanBefore() {
    Proof.of("monotonic-reads")
        .tries(4_000, 1_000_000)
        .run(
            run -> {
              readWhileOthersWrite(run, true);
              assertThat(byReplicas).hasPositiveValue();
            });
  }

  /** That the proof would find what it looks for. */
  @Test
  void withoutTheGate_olderVersionsAreFound() {
    assertThatThrownBy(
            () ->
                Proof.of("monotonic-reads-without-gate")
                    .tries(1_000, 10_000)
                    .run(run -> readWhileOthersWrite(run, false)))
        .isInstanceOf(AssertionError.class)
        .hasMessageContaining("had been seen");
  }

  private void readWhileOthersWrite(Proof.Run run, boolean gate) throws Exception {
    ExecutorService threads = Executors.newFixedThreadPool(READERS + 1);
    AtomicBoolean over = new AtomicBoolean();
    try (ReplicaSet one = Sets.of(POSTGRES.database()).positionGate(gate).build();
        ReplicaSet two = Sets.of(POSTGRES.database()).positionGate(gate).build();
        ReplayFaults faults = new ReplayFaults(POSTGRES.database(), run.seed())) {
      Sets.awaitReplicas(one, 2);
      Sets.awaitReplicas(two, 2);
      SplittableRandom seeds = new SplittableRandom(run.seed());
      Future<?> writer = threads.submit(() -> write(one, seeds.split(), over));
      List<Future<?>> readers = new ArrayList<>();
      for (int i = 0; i < READERS; i++) {
        SplittableRandom random = seeds.split();
        readers.add(threads.submit(() -> read(run, List.of(one, two), faults, random)));
      }
      for (Future<?> reader : readers) {
        reader.get();
      }
      over.set(true);
      writer.get();
      run.detail("faults", faults.turns());
      run.detail("byReplicas", byReplicas.get());
      run.detail("replicaBeforePrimary", replicaFirst.get());
    } finally {
      over.set(true);
      threads.shutdownNow();
    }
  }

  private static Void write(ReplicaSet set, SplittableRandom random, AtomicBoolean over)
      throws SQLException {
    while (!over.get()) {
      Sets.execute(set, "UPDATE counter SET n = n + 1 WHERE id = " + random.nextInt(ROWS));
    }
    return null;
  }

  private Void read(
      Proof.Run run, List<ReplicaSet> sets, ReplayFaults faults, SplittableRandom random)
      throws Exception {
    ReplicaSet set = sets.get(0);
    CausalSession session = set.sessions().open();
    long[] seen = new long[ROWS];
    Role[] at = new Role[ROWS];
    for (long i = 0; i < run.tries() / READERS; i++) {
      if (random.nextInt(READS_A_FAULT) == 0) {
        faults.turn();
      }
      switch (random.nextInt(20)) {
        case 0 -> {
          session = set.sessions().open();
          Arrays.fill(seen, 0);
        }
        case 1 -> {
          String token = set.token(session).toString();
          set = sets.get(random.nextInt(sets.size()));
          session = set.sessions().open();
          session.accept(CausalToken.parse(token));
        }
        default -> {}
      }
      int row = random.nextInt(ROWS);
      Answer answer =
          random.nextInt(20) == 0 ? strongly(set, session, row) : Answer.of(set, session, row);
      run.tried(1);
      if (answer.role() == Role.REPLICA) {
        byReplicas.incrementAndGet();
      }
      if (answer.version() >= seen[row]) {
        seen[row] = answer.version();
        at[row] = answer.role();
      } else if (answer.role() == Role.PRIMARY && at[row] == Role.REPLICA) {
        replicaFirst.incrementAndGet();
      } else {
        run.failed(
            "row %d: version %d had been seen, then %d at a %s"
                .formatted(row, seen[row], answer.version(), answer.role()));
      }
    }
    return null;
  }

  private static Answer strongly(ReplicaSet set, CausalSession session, int row) throws Exception {
    return set.read(Consistency.strong(), () -> Answer.of(set, session, row));
  }
}
