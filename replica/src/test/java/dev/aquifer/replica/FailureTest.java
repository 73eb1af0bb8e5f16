package dev.aquifer.replica;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.aquifer.spi.Observer.NodeState;
import dev.aquifer.spi.Observer.Role;
import dev.aquifer.testkit.Eventually;
import dev.aquifer.testkit.LeakCheck;
import dev.aquifer.testkit.PostgresCluster;
import dev.aquifer.testkit.PostgresExtension;
import dev.aquifer.testkit.TestDatabase;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import org.junit.jupiter.api.MethodOrderer;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestMethodOrder;
import org.junit.jupiter.api.extension.RegisterExtension;

/** Ordered: each test leaves the cluster as the next one needs it, the promotion comes last. */
@TestMethodOrder(MethodOrderer.OrderAnnotation.class)
class FailureTest {
  @RegisterExtension
  static final PostgresExtension POSTGRES =
      PostgresExtension.own(PostgresCluster.builder().standbys(2))
          .schema("CREATE TABLE item (id int PRIMARY KEY)", "INSERT INTO item VALUES (1)");

  @RegisterExtension final LeakCheck leaks = LeakCheck.of().threads("aquifer-");

  private static NodeHealth replica(ReplicaSet set, int i) {
    return set.health().nodes().get(i + 1);
  }

  @Test
  @Order(1)
  void replicaKilled_noReadFailsAndItIsOutAtOnce() throws Exception {
    TestDatabase database = POSTGRES.database();
    try (ReplicaSet set = Sets.of(database).build()) {
      Sets.awaitReplicas(set, 2);
      try (Load load = new Load(set, 4)) {
        load.awaitMore(200);
        database.cluster().standby(0).kill();
        // The aim, 200 ms from the kill, holds on an idle machine; this one may be busy.
        long killed = System.nanoTime();
        try {
          Eventually.within(Duration.ofSeconds(10))
              .every(Duration.ofMillis(2))
              .until("it is out", () -> !replica(set, 0).usable());
          Duration out = Duration.ofNanos(System.nanoTime() - killed);
          load.awaitMore(200);
          assertThat(load.error).hasNullValue();
          assertThat(out).isLessThan(Duration.ofSeconds(1));
          System.getLogger("test").log(System.Logger.Level.INFO, "out after {0}", out);
          Eventually.within(Duration.ofSeconds(5))
              .until("it is ejected", () -> replica(set, 0).state() == NodeState.EJECTED);
        } finally {
          database.cluster().standby(0).restart();
        }
        Eventually.within(Duration.ofSeconds(20))
            .until("it comes back slowly", () -> replica(set, 0).state() == NodeState.RAMP);
        load.awaitMore(100);
        assertThat(load.error).hasNullValue();
      }
    }
  }

  @Test
  @Order(2)
  void replicaHalted_noCallerWaitsLong() throws Exception {
    TestDatabase database = POSTGRES.database();
    try (ReplicaSet set = Sets.of(database).build()) {
      Sets.awaitReplicas(set, 2);
      try (Load load = new Load(set, 4)) {
        load.awaitMore(200);
        database.cluster().standby(1).pause();
        try {
          load.awaitMore(500);
          Eventually.within(Duration.ofSeconds(5))
              .until("it is ejected", () -> replica(set, 1).state() == NodeState.EJECTED);
          load.awaitMore(500);
        } finally {
          database.cluster().standby(1).resume();
        }
        assertThat(load.error).hasNullValue();
        // The aim is 1.2 s; the machine that runs this may be busy.
        assertThat(Duration.ofNanos(load.slowest.get())).isLessThan(Duration.ofSeconds(3));
        System.getLogger("test")
            .log(System.Logger.Level.INFO, "slowest {0}", Duration.ofNanos(load.slowest.get()));
      }
    }
  }

  @Test
  @Order(3)
  void allReplicasGone_thePrimaryAnswers() throws Exception {
    TestDatabase database = POSTGRES.database();
    Sets.Routes routes = new Sets.Routes();
    try (ReplicaSet set =
        ReplicaSet.builder()
            .primary(database.url())
            .replica("jdbc:postgresql://127.0.0.1:1/" + database.name())
            .credentials(database.user(), database.password())
            .observer(routes)
            .build()) {
      assertThat(Sets.query(set, "SELECT id FROM item")).isEqualTo("1");
      assertThat(routes.seen).containsExactly("PRIMARY NO_REPLICA");
      assertThat(set.health().writable()).isTrue();
    }
  }

  @Test
  @Order(4)
  void primaryKilledAndReplicaPromoted_writesFollow() throws Exception {
    TestDatabase database = POSTGRES.database();
    PostgresCluster cluster = database.cluster();
    try (ReplicaSet set =
            Sets.of(database)
                .pool(p -> p.maximumSize(4).connectionTimeout(Duration.ofSeconds(2)))
                .build();
        Connection open = set.getConnection()) {
      Sets.awaitReplicas(set, 2);
      open.setAutoCommit(false);
      try (java.sql.Statement statement = open.createStatement()) {
        statement.execute("INSERT INTO item VALUES (2)");
      }
      cluster.awaitCaughtUp(Duration.ofSeconds(10));
      cluster.primary().kill();
      assertThatThrownBy(open::commit)
          .isInstanceOfSatisfying(
              SQLException.class, e -> assertThat(e.getSQLState()).isEqualTo("08007"));
      assertThatThrownBy(() -> Sets.execute(set, "INSERT INTO item VALUES (3)"))
          .isInstanceOfSatisfying(
              SQLException.class, e -> assertThat(e.getSQLState()).startsWith("08"));
      assertThat(set.health().writable()).isFalse();

      long promoted = System.nanoTime();
      cluster.standby(0).promote();
      Eventually.within(Duration.ofSeconds(10))
          .every(Duration.ofMillis(5))
          .until(
              "a write succeeds",
              () -> {
                try {
                  Sets.execute(set, "INSERT INTO item VALUES (4)");
                  return true;
                } catch (SQLException e) {
                  return false;
                }
              });
      System.getLogger("test")
          .log(
              System.Logger.Level.INFO,
              "first write after {0}",
              Duration.ofNanos(System.nanoTime() - promoted));
      assertThat(replica(set, 0).role()).isEqualTo(Role.PRIMARY);
      assertThat(Sets.query(set, "SELECT count(*) FROM item")).isEqualTo("2");

      // The old primary comes back as it was, on the old timeline: it must get nothing.
      cluster.primary().restart();
      Eventually.within(Duration.ofSeconds(10))
          .until(
              "the old primary is fenced",
              () -> {
                String error = set.health().nodes().get(0).lastError();
                return error != null && error.contains("timeline");
              });
      for (int i = 10; i < 30; i++) {
        Sets.execute(set, "INSERT INTO item VALUES (" + i + ")");
      }
      assertThat(set.health().nodes().get(0).role()).isEqualTo(Role.UNKNOWN);
      assertThat(set.health().nodes().get(0).usable()).isFalse();
      assertThat(Sets.query(set, "SELECT count(*) FROM item")).isEqualTo("22");
    }
  }
}
