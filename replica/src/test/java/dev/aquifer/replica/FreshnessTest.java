package dev.aquifer.replica;

import static org.assertj.core.api.Assertions.assertThat;

import dev.aquifer.CausalSession;
import dev.aquifer.CausalToken;
import dev.aquifer.Consistency;
import dev.aquifer.Position;
import dev.aquifer.ReadFloor;
import dev.aquifer.Tenant;
import dev.aquifer.testkit.Eventually;
import dev.aquifer.testkit.LeakCheck;
import dev.aquifer.testkit.PostgresCluster;
import dev.aquifer.testkit.PostgresExtension;
import dev.aquifer.testkit.TestDatabase;
import java.sql.SQLException;
import java.time.Duration;
import java.util.SplittableRandom;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

class FreshnessTest {
  @RegisterExtension
  static final PostgresExtension POSTGRES =
      PostgresExtension.own(PostgresCluster.builder().standbys(2))
          .schema(
              "CREATE TABLE counter (id int PRIMARY KEY, n int)",
              "INSERT INTO counter VALUES (1, 0)");

  @RegisterExtension final LeakCheck leaks = LeakCheck.of().threads("aquifer-");

  private static int last;
  private TestDatabase database;

  @BeforeEach
  void find() {
    database = POSTGRES.database();
  }

  private static void write(ReplicaSet set) throws SQLException {
    last++;
    Sets.execute(set, "UPDATE counter SET n = " + last);
  }

  private static int read(ReplicaSet set) throws SQLException {
    return Integer.parseInt(Sets.query(set, "SELECT n FROM counter WHERE id = 1"));
  }

  /** Pairs of a write and a read, while replicas stop and resume replaying at random. */
  private int stalePairs(ReplicaSet set, ReplicaSet reader, int pairs) throws Exception {
    SplittableRandom random = new SplittableRandom(7);
    int stale = 0;
    for (int i = 0; i < pairs; i++) {
      if (i % 20 == 0) {
        database.cluster().standby(random.nextInt(2)).pauseReplay();
      } else if (i % 20 == 15) {
        database.cluster().standby(0).resumeReplay();
        database.cluster().standby(1).resumeReplay();
      }
      write(set);
      if (reader != set) {
        CausalToken token = set.token(sessionOf(set));
        sessionOf(reader).accept(CausalToken.parse(token.toString()));
      }
      if (read(reader) != last) {
        stale++;
      }
    }
    database.cluster().standby(0).resumeReplay();
    database.cluster().standby(1).resumeReplay();
    return stale;
  }

  private static CausalSession sessionOf(ReplicaSet set) {
    return set.sessions().current();
  }

  @Test
  void readYourWrites_holdsWhileReplayIsPaused() throws Exception {
    Sets.Routes routes = new Sets.Routes();
    try (ReplicaSet set = Sets.of(database).observer(routes).build()) {
      Sets.awaitReplicas(set, 2);
      assertThat(stalePairs(set, set, 200)).isZero();
      Eventually.within(Duration.ofSeconds(10))
          .until(
              "replicas answer again",
              () -> {
                assertThat(read(set)).isEqualTo(last);
                return routes.last().equals("REPLICA READ");
              });
    }
  }

  @Test
  void readYourWrites_isLostWithoutTheGate() throws Exception {
    try (ReplicaSet set = Sets.of(database).positionGate(false).build()) {
      Sets.awaitReplicas(set, 2);
      assertThat(stalePairs(set, set, 200)).isPositive();
    }
  }

  @Test
  void token_givesReadYourWritesInAnotherSet() throws Exception {
    try (ReplicaSet writer = Sets.of(database).build();
        ReplicaSet reader = Sets.of(database).build()) {
      Sets.awaitReplicas(reader, 2);
      assertThat(stalePairs(writer, reader, 100)).isZero();
    }
  }

  @Test
  void sessionsOfTenants_doNotBindEachOther() throws Exception {
    Sets.Routes routes = new Sets.Routes();
    try (ReplicaSet set = Sets.of(database).observer(routes).build()) {
      Sets.awaitReplicas(set, 2);
      database.cluster().standby(0).pauseReplay();
      database.cluster().standby(1).pauseReplay();
      try {
        Tenant.of("a")
            .call(
                () -> {
                  write(set);
                  return read(set);
                });
        assertThat(routes.last()).isEqualTo("PRIMARY FRESHNESS");
        Tenant.of("b").call(() -> read(set));
        assertThat(routes.last()).isEqualTo("REPLICA READ");
        set.read(Consistency.eventual(), () -> Tenant.of("a").call(() -> read(set)));
        assertThat(routes.last()).isEqualTo("REPLICA READ");
      } finally {
        database.cluster().standby(0).resumeReplay();
        database.cluster().standby(1).resumeReplay();
      }
    }
  }

  @Test
  void floorOfACall_isObeyed() throws Exception {
    Sets.Routes routes = new Sets.Routes();
    try (ReplicaSet set = Sets.of(database).observer(routes).build()) {
      Sets.awaitReplicas(set, 2);
      Position position = set.resolve(set.now());
      Position future =
          new Position(position.systemId(), position.timeline(), position.lsn() + (1L << 40));
      set.call(ReadFloor.at(future), () -> read(set));
      assertThat(routes.last()).isEqualTo("PRIMARY FRESHNESS");
      Eventually.within(Duration.ofSeconds(5))
          .until(
              "a replica has replayed the position",
              () -> {
                set.call(ReadFloor.at(position), () -> read(set));
                return routes.last().equals("REPLICA READ");
              });
      assertThat(set.resolve(ReadFloor.NONE)).isNull();
    }
  }

  @Test
  void lag_isZeroWhenIdleAndRightWhilePaused() throws Exception {
    try (ReplicaSet set = Sets.of(database).maxLag(Duration.ofSeconds(1)).build()) {
      Sets.awaitReplicas(set, 2);
      Eventually.within(Duration.ofSeconds(10))
          .until("no lag when idle", () -> replica(set).lag().isZero());
      database.cluster().standby(0).pauseReplay();
      try {
        long begun = System.nanoTime();
        write(set);
        Eventually.within(Duration.ofSeconds(10))
            .until(
                "it lags too far", () -> replica(set).lag().compareTo(Duration.ofSeconds(1)) > 0);
        Duration lag = replica(set).lag();
        Duration truth = Duration.ofNanos(System.nanoTime() - begun);
        assertThat(lag).isBetween(truth.minusMillis(500), truth);
        Sets.awaitReplicas(set, 1);
      } finally {
        database.cluster().standby(0).resumeReplay();
      }
      Sets.awaitReplicas(set, 2);
      assertThat(replica(set).lag()).isZero();
    }
  }

  private NodeHealth replica(ReplicaSet set) {
    return set.health().nodes().get(1);
  }
}
