package dev.aquifer.docs;

import static org.assertj.core.api.Assertions.assertThat;

import dev.aquifer.Tenant;
import dev.aquifer.cache.Cached;
import dev.aquifer.repository.Aquifer;
import dev.aquifer.testkit.PostgresCluster;
import dev.aquifer.testkit.PostgresExtension;
import dev.aquifer.testkit.RedisDatabase;
import dev.aquifer.testkit.RedisTest;
import dev.aquifer.testkit.TestDatabase;
import org.jdbi.v3.sqlobject.statement.SqlQuery;
import org.jdbi.v3.sqlobject.statement.SqlUpdate;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

class TestingTest {
  public interface Departures {
    @SqlQuery("select delay from flight where tenant = :tenant and id = :id")
    @Cached
    int delay(long id);

    @SqlUpdate("update flight set delay = :delay where tenant = :tenant and id = :id")
    void setDelay(long id, int delay);
  }

  @Nested
  // snippet: testing
  @RedisTest
  class DeparturesTest {
    @RegisterExtension
    static final PostgresExtension POSTGRES =
        PostgresExtension.own(PostgresCluster.builder().standbys(1))
            .schema(
                "create table flight (id bigint primary key, tenant text, delay int)",
                "insert into flight values (42, 'DFW', 0)");

    @Test
    void delay_isSeenThoughTheReplicaStandsStill(TestDatabase database, RedisDatabase redis)
        throws Exception {
      try (Aquifer aquifer =
          Aquifer.builder()
              .primary(database.url())
              .replicas(database.standbyUrls())
              .credentials(database.user(), database.password())
              .redis(redis.uri().toString())
              .build()) {
        Departures departures = aquifer.repository(Departures.class);
        Tenant airport = Tenant.of("DFW");
        database.cluster().standby(0).pauseReplay();

        airport.run(() -> departures.setDelay(42, 25));

        assertThat(airport.call(() -> departures.delay(42))).isEqualTo(25);
      }
    }
  }
  // end
}
