package dev.aquifer.replica;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.aquifer.ConfigurationException;
import dev.aquifer.spi.Observer.Role;
import dev.aquifer.testkit.Eventually;
import dev.aquifer.testkit.FaultProxy;
import dev.aquifer.testkit.LeakCheck;
import dev.aquifer.testkit.PostgresCluster;
import dev.aquifer.testkit.PostgresExtension;
import dev.aquifer.testkit.TestDatabase;
import java.sql.Connection;
import java.sql.Statement;
import java.time.Duration;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** A node of another cluster is refused and named, also when it is the first to answer. */
class OtherClusterTest {
  @RegisterExtension
  static final PostgresExtension OURS = PostgresExtension.own(PostgresCluster.builder());

  @RegisterExtension
  static final PostgresExtension OTHERS =
      PostgresExtension.own(PostgresCluster.builder().standbys(1).ownSystemIdentifier());

  @RegisterExtension final LeakCheck leaks = LeakCheck.of().threads("aquifer-");

  /** The same user and password, or the node would be refused for those. */
  @BeforeAll
  static void samePassword() throws Exception {
    PostgresCluster cluster = OTHERS.cluster();
    try (Connection connection = OTHERS.database().dataSource().getConnection();
        Statement statement = connection.createStatement()) {
      statement.execute(
          "CREATE ROLE ours SUPERUSER LOGIN PASSWORD '" + OURS.database().password() + "'");
      cluster.standby(0).awaitReplay(cluster.primary().currentLsn());
    }
    try (Connection connection = OURS.database().dataSource().getConnection();
        Statement statement = connection.createStatement()) {
      statement.execute(
          "CREATE ROLE ours SUPERUSER LOGIN PASSWORD '" + OURS.database().password() + "'");
    }
  }

  private static String other(boolean standby) {
    PostgresCluster cluster = OTHERS.cluster();
    return OTHERS.database().url(standby ? cluster.standby(0) : cluster.primary());
  }

  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void replicaOfAnotherCluster_isNamed_howeverLateThePrimaryAnswers(boolean standby)
      throws Exception {
    TestDatabase ours = OURS.database();
    String other = other(standby);
    int at = ours.cluster().primary().port();
    try (FaultProxy slow = FaultProxy.to("127.0.0.1", at)) {
      slow.delay(Duration.ofMillis(100));
      String late = ours.url().replace(":" + at + "/", ":" + slow.port() + "/");
      ReplicaSetBuilder builder =
          ReplicaSet.builder()
              .primary(late)
              .replica(other)
              .probeTimeout(Duration.ofSeconds(2))
              .credentials("ours", ours.password());
      assertThatThrownBy(builder::build)
          .isInstanceOf(ConfigurationException.class)
          .hasMessageStartingWith(
              other.replaceFirst("jdbc:postgresql://([^?]*).*", "$1")
                  + " cannot be used: it belongs")
          .hasMessageContaining("another cluster, system identifier ");
    }
  }

  @Test
  void replicaOfAnotherCluster_thatIsAddedLater_getsNothing() throws Exception {
    TestDatabase ours = OURS.database();
    Sets.Routes routes = new Sets.Routes();
    try (ReplicaSet set =
        ReplicaSet.builder()
            .primary(ours.url())
            .credentials("ours", ours.password())
            .observer(routes)
            .build()) {
      set.add(other(true), 1);
      Eventually.within(Duration.ofSeconds(10))
          .until(
              "it is fenced",
              () ->
                  String.valueOf(set.health().nodes().get(1).lastError())
                      .startsWith("it belongs to another cluster, system identifier "));
      for (int i = 0; i < 20; i++) {
        Sets.query(set, "SELECT 1");
      }
      assertThat(set.health().nodes().get(1).role()).isEqualTo(Role.UNKNOWN);
      assertThat(set.health().nodes().get(1).usable()).isFalse();
      assertThat(routes.nodes).containsOnly(set.health().nodes().get(0).name());
    }
  }
}
