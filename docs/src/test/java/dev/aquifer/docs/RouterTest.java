package dev.aquifer.docs;

import static org.assertj.core.api.Assertions.assertThat;

import dev.aquifer.replica.NodeDirectory;
import dev.aquifer.replica.ReplicaHealth;
import dev.aquifer.replica.ReplicaSet;
import dev.aquifer.sql.SqlStatement;
import dev.aquifer.testkit.Eventually;
import dev.aquifer.testkit.PostgresExtension;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

class RouterTest {
  @RegisterExtension
  static final PostgresExtension POSTGRES =
      PostgresExtension.shared()
          .standbys(1)
          .schema("create table flight (id bigint primary key, delay int)");

  private int seen;

  @Test
  void explanation() {
    // snippet: router-explanation
    SqlStatement hidden =
        SqlStatement.analyze(
            "with gone as (delete from flight returning id) select count(*) from gone");
    boolean anywhere = hidden.mayUseReplica(); // false
    String why = hidden.explanation(); // it writes: flight
    // end
    assertThat(anywhere).isFalse();
    assertThat(why).isEqualTo("it writes: flight");
  }

  @Test
  void alone() throws Exception {
    String primary = POSTGRES.database().url();
    String replica = POSTGRES.database().standbyUrls().get(0);
    String user = POSTGRES.database().user();
    String password = POSTGRES.database().password();
    // snippet: router
    ReplicaSet database =
        ReplicaSet.builder()
            .primary(primary)
            .replica(replica)
            .credentials(user, password)
            .maxLag(Duration.ofSeconds(5))
            .pool(pool -> pool.maximumSize(20).statementTimeout(Duration.ofSeconds(10)))
            .build();
    try (Connection connection = database.getConnection();
        PreparedStatement insert = connection.prepareStatement("insert into flight values (?, 0)");
        PreparedStatement count = connection.prepareStatement("select count(*) from flight")) {
      insert.setLong(1, 42);
      insert.executeUpdate(); // the primary
      try (ResultSet rows = count.executeQuery()) { // a replica with the insert, or the primary
        rows.next();
        seen = rows.getInt(1);
      }
    }
    // end
    try (database) {
      assertThat(seen).isEqualTo(1);
      // snippet: router-health
      ReplicaHealth health = database.health();
      boolean takesWrites = health.writable();
      long replicasInUse = health.usableReplicas();
      List<String> lags =
          health.nodes().stream()
              .map(node -> node.name() + " " + node.state() + " " + node.lag())
              .toList();
      // end
      assertThat(lags).hasSize(2);
      assertThat(takesWrites).isTrue();
      assertThat(replicasInUse).isBetween(0L, 1L);
    }
  }

  @Test
  void members() throws Exception {
    String primary = POSTGRES.database().url();
    String replica = POSTGRES.database().standbyUrls().get(0);
    String user = POSTGRES.database().user();
    String password = POSTGRES.database().password();
    try (ReplicaSet database =
        ReplicaSet.builder().primary(primary).credentials(user, password).build()) {
      // snippet: router-members
      String name = database.add(replica, 2); // gets reads once it has answered
      database.weight(name, 1);
      database.drain(name); // no new reads; what runs goes on
      database.resume(name);
      boolean nothingCutOff = database.remove(name, Duration.ofMinutes(1));
      // end
      assertThat(nothingCutOff).isTrue();
      assertThat(database.health().nodes()).hasSize(1);
    }
  }

  @Test
  void directory() {
    String primary = POSTGRES.database().url();
    String user = POSTGRES.database().user();
    String password = POSTGRES.database().password();
    String replica = POSTGRES.database().standbyUrls().get(0);
    String port = replica.replaceFirst("^.*:(\\d+)/.*$", "$1");
    // snippet: router-directory
    ReplicaSet database =
        ReplicaSet.builder()
            .primary(primary)
            .credentials(user, password)
            .directory(NodeDirectory.dns("localhost", "jdbc:postgresql://{host}:" + port + "/app"))
            .directoryEvery(Duration.ofSeconds(10))
            .build();
    // end
    try (database) {
      Eventually.within(Duration.ofSeconds(10))
          .until("it is in the set", () -> database.health().nodes().size() > 1);
    }
  }
}
