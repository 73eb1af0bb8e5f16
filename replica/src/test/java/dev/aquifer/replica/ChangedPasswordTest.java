package dev.aquifer.replica;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.aquifer.ConfigurationException;
import dev.aquifer.testkit.Eventually;
import dev.aquifer.testkit.LeakCheck;
import dev.aquifer.testkit.PostgresTest;
import dev.aquifer.testkit.TestDatabase;
import java.sql.ResultSet;
import java.sql.Statement;
import java.time.Duration;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

@PostgresTest(standbys = 1)
class ChangedPasswordTest {
  private static final String SESSIONS =
      "FROM pg_stat_activity WHERE usename = 'rotating' AND datname = current_database()";

  private LeakCheck.Watch leaks;

  @BeforeEach
  void look(TestDatabase database) {
    leaks = LeakCheck.of().threads("aquifer-").database(database).start();
  }

  @AfterEach
  void drop(TestDatabase database) throws Exception {
    leaks.close();
    try (var connection = database.dataSource().getConnection();
        var statement = connection.createStatement()) {
      statement.execute("DROP OWNED BY rotating");
      statement.execute("DROP ROLE rotating");
    }
  }

  @Test
  void changedPassword_reachesPoolsProbesAndNodesThatComeLater(TestDatabase database)
      throws Exception {
    try (var connection = database.dataSource().getConnection();
        var admin = connection.createStatement()) {
      admin.execute("CREATE ROLE rotating LOGIN PASSWORD 'first' IN ROLE pg_monitor");
      database.cluster().standby(0).awaitReplay(database.cluster().primary().currentLsn());
      Sets.Routes routes = new Sets.Routes();
      ReplicaSetBuilder builder =
          ReplicaSet.builder()
              .primary(database.url())
              .credentials("rotating", "first")
              .catalogEvery(Duration.ofSeconds(1))
              .observer(routes);
      try (ReplicaSet set = builder.replica(database.standbyUrls().get(0)).build()) {
        Sets.awaitReplicas(set, 1);
        assertThat(Sets.query(set, "SELECT current_user")).isEqualTo("rotating");
        Sets.execute(set, "SELECT 1 FOR UPDATE");
        awaitSessions(admin);
        admin.execute("ALTER ROLE rotating PASSWORD 'second'");
        database.cluster().standby(0).awaitReplay(database.cluster().primary().currentLsn());
        assertThatThrownBy(() -> set.recycle(Duration.ZERO, "rotating", "third"))
            .isInstanceOf(ConfigurationException.class)
            .hasMessageContaining("rotating");
        assertThat(Sets.query(set, "SELECT 1")).isEqualTo("1");
        set.recycle(Duration.ZERO, "rotating", "second");
        // Every session of before ends, those of the probes and of the catalogue too.
        admin.execute("SELECT pg_terminate_backend(pid) " + SESSIONS);
        try (var standby = database.dataSource(database.cluster().standby(0)).getConnection();
            var there = standby.createStatement()) {
          there.execute("SELECT pg_terminate_backend(pid) " + SESSIONS);
        }
        Sets.awaitReplicas(set, 1);
        Eventually.within(Duration.ofSeconds(10))
            .until("the primary is in use", () -> set.health().writable());
        assertThat(Sets.query(set, "SELECT current_user")).isEqualTo("rotating");
        awaitSessions(admin);
        String name = set.health().nodes().get(1).name();
        assertThat(set.remove(name, Duration.ofSeconds(10))).isTrue();
        set.add(database.standbyUrls().get(0), 1);
        Sets.awaitReplicas(set, 1);
        Eventually.within(Duration.ofSeconds(10))
            .until(
                "the new node answers",
                () ->
                    "rotating".equals(Sets.query(set, "SELECT current_user"))
                        && routes.last().startsWith("REPLICA"));
      }
    }
  }

  private static void awaitSessions(Statement admin) {
    Eventually.within(Duration.ofSeconds(30))
        .until(
            "the sessions of the probe and the catalogue are there",
            () -> {
              try (ResultSet rows =
                  admin.executeQuery(
                      "SELECT count(DISTINCT application_name) "
                          + SESSIONS
                          + " AND application_name IN ('aquifer-probe', 'aquifer-catalog')")) {
                return rows.next() && rows.getInt(1) == 2;
              }
            });
  }
}
