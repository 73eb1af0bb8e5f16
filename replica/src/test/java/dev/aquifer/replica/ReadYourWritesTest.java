package dev.aquifer.replica;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.aquifer.testkit.Eventually;
import dev.aquifer.testkit.LeakCheck;
import dev.aquifer.testkit.PostgresCluster;
import dev.aquifer.testkit.PostgresExtension;
import dev.aquifer.testkit.Proof;
import dev.aquifer.testkit.TestDatabase;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

class ReadYourWritesTest {
  @RegisterExtension
  static final PostgresExtension POSTGRES =
      PostgresExtension.own(PostgresCluster.builder().standbys(2))
          .schema("CREATE TABLE counter (id int PRIMARY KEY, n bigint) WITH (fillfactor = 50)");

  @RegisterExtension final LeakCheck leaks = LeakCheck.of().threads("aquifer-");

  @BeforeEach
  void fill() throws SQLException {
    try (Connection connection = POSTGRES.database().dataSource().getConnection();
        Statement statement = connection.createStatement()) {
      statement.execute("TRUNCATE counter");
      statement.execute(
          "INSERT INTO counter SELECT i, 0 FROM generate_series(0, %d) i"
              .formatted(WriteReadPairs.ROWS - 1));
    }
    POSTGRES.cluster().awaitCaughtUp(Duration.ofSeconds(20));
  }

  @Test
  void pairs_inTheSession_byTokenInAnotherSet_andInAnotherJvm_areNeverStale() {
    Proof.of("read-your-writes")
        .tries(3_000, 1_000_000)
        .run(
            run -> {
              try (WriteReadPairs pairs = new WriteReadPairs(POSTGRES.database(), true)) {
                pairs.run(run);
                for (WriteReadPairs.Reader reader : WriteReadPairs.Reader.values()) {
                  assertThat(pairs.byReplicas(reader)).as("%s by replicas", reader).isPositive();
                }
              }
            });
  }

  /** That the proof would find what it looks for. */
  @Test
  void withoutTheGate_staleReadsAreFound() {
    assertThatThrownBy(
            () ->
                Proof.of("read-your-writes-without-gate")
                    .tries(1_000, 10_000)
                    .run(
                        run -> {
                          try (WriteReadPairs pairs =
                              new WriteReadPairs(POSTGRES.database(), false)) {
                            pairs.run(run);
                          }
                        }))
        .isInstanceOf(AssertionError.class)
        .hasMessageContaining("was written")
        .hasMessageContaining("at a REPLICA");
  }

  /**
   * Replicas that apply each commit 20 ms late, and users who look at what they wrote 500 ms later:
   * hundreds at a time, so that it takes seconds.
   */
  @Test
  void afterAThought_replicasAnswer() throws Exception {
    TestDatabase database = POSTGRES.database();
    PostgresCluster cluster = database.cluster();
    try (ReplicaSet set = Sets.of(database).build()) {
      delayReplay(cluster, "20ms");
      Sets.awaitReplicas(set, 2);
      ThinkingUsers users = new ThinkingUsers(set, 200, 5, Duration.ofMillis(500));
      users.run(Duration.ofSeconds(60));
      System.getLogger("test").log(System.Logger.Level.INFO, "{0}", users);
      assertThat(users.error()).isNull();
      assertThat(users.stale()).isZero();
      assertThat(users.byReplicas()).isGreaterThanOrEqualTo(0.8);
    } finally {
      delayReplay(cluster, "0");
    }
  }

  private static void delayReplay(PostgresCluster cluster, String delay) throws SQLException {
    for (int i = 0; i < cluster.standbys(); i++) {
      cluster.standby(i).execute("ALTER SYSTEM SET recovery_min_apply_delay = '" + delay + "'");
      cluster.standby(i).execute("SELECT pg_reload_conf()");
      try (Connection standby = cluster.standby(i).dataSource("postgres").getConnection()) {
        Eventually.within(Duration.ofSeconds(10))
            .until(
                "replay is " + delay + " late",
                () -> delay.equals(Sets.query(standby, "SHOW recovery_min_apply_delay")));
      }
    }
  }
}
