package dev.aquifer.docs;

import static org.assertj.core.api.Assertions.assertThat;

import dev.aquifer.Tenant;
import dev.aquifer.cache.Cached;
import dev.aquifer.repository.Aquifer;
import dev.aquifer.testkit.PostgresExtension;
import dev.aquifer.testkit.RedisExtension;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.util.Optional;
import org.jdbi.v3.sqlobject.statement.SqlQuery;
import org.jdbi.v3.sqlobject.statement.SqlUpdate;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

class ReadmeTest {
  @RegisterExtension
  static final PostgresExtension POSTGRES =
      PostgresExtension.shared()
          .standbys(1)
          .schema(
              "create table flight (id bigint primary key, tenant text, delay int)",
              "insert into flight values (42, 'DFW', 0)");

  @RegisterExtension static final RedisExtension REDIS = RedisExtension.shared();

  // snippet: readme-repository
  public record Flight(long id, int delay) {}

  public interface Departures {
    @SqlQuery("select id, delay from flight where tenant = :tenant and id = :id")
    @Cached(ttl = "10m") // depends on the table flight: void as soon as a write to it commits
    Optional<Flight> byId(long id);

    @SqlUpdate("update flight set delay = :delay where tenant = :tenant and id = :id")
    int delay(long id, int delay);
  }

  // end

  @Test
  void example() throws Exception {
    String primary = POSTGRES.database().url();
    String replica = POSTGRES.database().standbyUrls().get(0);
    String user = POSTGRES.database().user();
    String password = POSTGRES.database().password();
    String redis = REDIS.database().uri().toString();
    MeterRegistry registry = new SimpleMeterRegistry();

    // snippet: readme
    Aquifer aquifer =
        Aquifer.builder()
            .primary(primary)
            .replica(replica)
            .credentials(user, password)
            .redis(redis)
            .meterRegistry(registry)
            .build();
    Departures departures = aquifer.repository(Departures.class);
    Tenant airport = Tenant.of("DFW");
    airport.run(() -> departures.delay(42, 25));
    Optional<Flight> flight = airport.call(() -> departures.byId(42)); // sees 25, on any node
    // end
    try (aquifer) {
      assertThat(flight).contains(new Flight(42, 25));
    }
  }
}
