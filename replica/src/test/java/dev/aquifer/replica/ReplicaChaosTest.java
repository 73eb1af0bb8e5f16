package dev.aquifer.replica;

import static org.assertj.core.api.Assertions.assertThat;

import dev.aquifer.spi.Observer.Role;
import dev.aquifer.testkit.Eventually;
import dev.aquifer.testkit.LeakCheck;
import dev.aquifer.testkit.PostgresCluster;
import dev.aquifer.testkit.PostgresNode;
import dev.aquifer.testkit.Proof;
import dev.aquifer.testkit.TestDatabase;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

/**
 * Callers with sessions of their own write and read while faults come one after the other: a
 * replica is killed, halted, or stops replaying, and at last the primary dies, one of them takes
 * its place, and it comes back. {@link RowHistory} judges what they have seen.
 */
class ReplicaChaosTest {
  private static final Duration SOON = Duration.ofSeconds(30);
  private static final int CALLERS = 8;

  @Test
  void faults_noCallerSeesLessThanItMust() {
    long[] counts = new long[4];
    Proof.of("replica-history")
        .tries(1, 40)
        .run(
            run -> {
              for (long i = 0; i < run.tries() && run.failures() == 0; i++) {
                long seed = i == 0 ? run.seed() : new SplittableRandom(run.seed() + i).nextLong();
                run.tried(1);
                try {
                  chaos(new SplittableRandom(seed), run.tries() == 1 ? 3 : 8, counts);
                } catch (AssertionError e) {
                  run.failed("seed " + seed + ": " + e.getMessage(), e);
                }
              }
              run.detail("reads", counts[0]);
              run.detail("writes", counts[1]);
              run.detail("reads that failed", counts[2]);
              run.detail("faults", counts[3]);
            });
  }

  private static void chaos(SplittableRandom random, int faults, long[] counts) throws Exception {
    try (PostgresCluster cluster = PostgresCluster.builder().standbys(2).start()) {
      TestDatabase database = cluster.createDatabase("test");
      try (Connection connection = database.dataSource().getConnection();
          Statement statement = connection.createStatement()) {
        statement.execute(RowCallers.SCHEMA);
        statement.execute(RowCallers.INDEX);
      }
      cluster.primary().execute("ALTER SYSTEM SET synchronous_standby_names = 'ANY 1 (*)'");
      cluster.primary().execute("SELECT pg_reload_conf()");
      cluster.awaitCaughtUp(SOON);
      PostgresNode[] next = new PostgresNode[1];
      RowCallers[] all = new RowCallers[1];
      LeakCheck.of()
          .threads("aquifer-")
          .database(database)
          .around(() -> run(random, faults, database, all, next));
      assertThat(all[0].history.problems(RowCallers.rows(database.dataSource(next[0])))).isEmpty();
      counts[0] += all[0].history.reads();
      counts[1] += all[0].history.writes().size();
      counts[2] += all[0].readErrors.size();
      counts[3] += faults + 1;
    }
  }

  private static void run(
      SplittableRandom random,
      int faults,
      TestDatabase database,
      RowCallers[] all,
      PostgresNode[] next)
      throws Exception {
    PostgresCluster cluster = database.cluster();
    try (ReplicaSet set = Sets.of(database).build()) {
      Sets.awaitReplicas(set, 2);
      try (RowCallers callers = new RowCallers(set, CALLERS, 0.3, random.nextLong())) {
        all[0] = callers;
        for (int i = 0; i < faults; i++) {
          awaitMore(callers, 100 + random.nextInt(200));
          fault(cluster.standby(random.nextInt(2)), random.nextInt(4), callers, random);
        }
        Sets.awaitReplicas(set, 2);
        assertThat(callers.readErrors)
            .as("reads that failed while the primary was there")
            .isEmpty();
        failover(set, cluster, callers, next);
      }
      assertThat(set.health().nodes()).allMatch(node -> node.inFlight() == 0);
    }
  }

  private static void fault(
      PostgresNode node, int kind, RowCallers callers, SplittableRandom random) {
    int meanwhile = 200 + random.nextInt(400);
    switch (kind) {
      case 0 -> {
        callers.history.note(node + " killed");
        node.kill();
        awaitMore(callers, meanwhile);
        node.restart();
      }
      case 1 -> {
        callers.history.note(node + " halted");
        node.pause();
        awaitMore(callers, meanwhile);
        node.resume();
      }
      default -> {
        callers.history.note(node + " does not replay");
        node.pauseReplay();
        awaitMore(callers, meanwhile);
        node.resumeReplay();
      }
    }
    callers.history.note(node + " is well");
  }

  /**
   * The one that has received more takes over: what was acknowledged is on one of them at least.
   */
  private static void failover(
      ReplicaSet set, PostgresCluster cluster, RowCallers callers, PostgresNode[] next)
      throws SQLException {
    PostgresNode old = cluster.primary();
    callers.history.note("the primary killed");
    old.kill();
    boolean second = received(cluster.standby(1)) - received(cluster.standby(0)) > 0;
    PostgresNode chosen = cluster.standby(second ? 1 : 0);
    PostgresNode other = cluster.standby(second ? 0 : 1);
    next[0] = chosen;
    callers.history.note(chosen + " promoted");
    chosen.promote();
    other.follow(chosen);
    Eventually.within(SOON)
        .until(
            "it is the primary",
            () -> set.health().primary().map(NodeHealth::usable).orElse(false));
    awaitMore(callers, 400);
    callers.history.note("the old primary is back");
    old.restart();
    Eventually.within(SOON)
        .until(
            "the old primary is fenced",
            () -> {
              NodeHealth health = set.health().nodes().get(0);
              String error = health.lastError();
              return health.role() == Role.UNKNOWN && error != null && error.contains("timeline");
            });
    awaitMore(callers, 400);
  }

  private static long received(PostgresNode standby) throws SQLException {
    try (Connection connection = standby.dataSource("postgres").getConnection()) {
      return Long.parseLong(
          Sets.query(connection, "SELECT (pg_last_wal_receive_lsn() - '0/0'::pg_lsn)::bigint"));
    }
  }

  private static void awaitMore(RowCallers callers, long count) {
    long wanted = callers.done.get() + count;
    Eventually.within(SOON).until("more is done", () -> callers.done.get() >= wanted);
  }
}
