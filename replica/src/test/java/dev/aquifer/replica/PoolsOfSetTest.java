package dev.aquifer.replica;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.aquifer.ConfigurationException;
import dev.aquifer.pool.PoolReport;
import dev.aquifer.pool.ServerBudget;
import dev.aquifer.testkit.Eventually;
import dev.aquifer.testkit.LeakCheck;
import dev.aquifer.testkit.PostgresTest;
import dev.aquifer.testkit.TestDatabase;
import java.sql.Connection;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

@PostgresTest(standbys = 1)
class PoolsOfSetTest {
  @RegisterExtension final LeakCheck leaks = LeakCheck.of().threads("aquifer-p");

  @Test
  void budgetOfEachServer_isTheLargestSizeOfEachPool(TestDatabase database) throws Exception {
    try (ReplicaSet set =
        Sets.ofOne(database).budgetPerServer(() -> ServerBudget.of(14, 2)).build()) {
      assertThat(set.pools())
          .hasSize(2)
          .allSatisfy(pool -> assertThat(pool.stats().max()).isLessThanOrEqualTo(7));
      assertThat(Sets.query(set, "SELECT 1")).isEqualTo("1");
      Eventually.within(Duration.ofSeconds(10))
          .until(
              "decisions are told",
              () -> set.pools().stream().noneMatch(pool -> pool.decisions().isEmpty()));
      set.recycle(Duration.ZERO);
      assertThat(Sets.query(set, "SELECT 2")).isEqualTo("2");
    }
  }

  @Test
  void budgetOfAllNodes_isSharedByThem(TestDatabase database) {
    ServerBudget budget = ServerBudget.of(9);
    try (ReplicaSet set = Sets.of(database).pool(pool -> pool.budget(budget)).build()) {
      List<PoolReport> pools = set.pools();
      assertThat(pools.stream().mapToInt(PoolReport::open).sum()).isLessThanOrEqualTo(9);
      assertThat(budget.granted()).isBetween(2, 9);
    }
    assertThat(budget.granted()).isZero();
  }

  @Test
  void sessionThatTheApplicationNames_isKnownToADiscoveredBudget(TestDatabase database)
      throws Exception {
    try (ReplicaSet set =
            Sets.of(database).budgetPerServer(() -> ServerBudget.discovered(9)).build();
        Connection connection = set.getConnection()) {
      connection.setClientInfo("ApplicationName", "shop");
      assertThat(connection.getClientInfo("ApplicationName")).isEqualTo("shop");
      assertThat(Sets.query(connection, "SHOW application_name")).matches("aquifer/[0-9a-f]+ shop");
    }
  }

  @Test
  void contradictions_nameBothSettings(TestDatabase database) {
    assertThatThrownBy(
            () ->
                Sets.of(database)
                    .pool(pool -> pool.budget(ServerBudget.of(9)))
                    .budgetPerServer(() -> ServerBudget.of(9))
                    .build())
        .isInstanceOf(ConfigurationException.class)
        .hasMessageContaining("budgetPerServer")
        .hasMessageContaining("pool(");
    ServerBudget discovered = ServerBudget.discovered(9);
    assertThatThrownBy(() -> Sets.of(database).pool(pool -> pool.budget(discovered)).build())
        .isInstanceOf(ConfigurationException.class)
        .hasMessageContaining("budgetPerServer")
        .hasMessageContaining("pool(");
    // What was opened before the contradiction showed is closed.
    assertThatThrownBy(
            () -> Sets.of(database).pool(pool -> pool.minimumIdle(3).budget(ofFive())).build())
        .isInstanceOf(ConfigurationException.class);
  }

  private final ServerBudget five = ServerBudget.of(5);

  private ServerBudget ofFive() {
    return five;
  }
}
