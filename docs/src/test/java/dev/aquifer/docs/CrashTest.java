package dev.aquifer.docs;

import static org.assertj.core.api.Assertions.assertThat;

import dev.aquifer.Tenant;
import dev.aquifer.cache.Cached;
import dev.aquifer.repository.Aquifer;
import dev.aquifer.testkit.PostgresExtension;
import dev.aquifer.testkit.RedisExtension;
import java.time.Duration;
import org.jdbi.v3.sqlobject.statement.SqlQuery;
import org.jdbi.v3.sqlobject.statement.SqlUpdate;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

class CrashTest {
  @RegisterExtension
  static final PostgresExtension POSTGRES =
      PostgresExtension.shared()
          .schema(
              "create table flight (id bigint primary key, tenant text, delay int)",
              "insert into flight values (42, 'DFW', 0)");

  @RegisterExtension static final RedisExtension REDIS = RedisExtension.shared();

  public interface Departures {
    @SqlQuery("select delay from flight where tenant = :tenant and id = :id")
    @Cached
    int delay(long id);

    @SqlUpdate("update flight set delay = :minutes where tenant = :tenant and id = :id")
    int setDelay(long id, int minutes);
  }

  @Test
  void limit() {
    String url = POSTGRES.database().url();
    String user = POSTGRES.database().user();
    String password = POSTGRES.database().password();
    String redis = REDIS.database().uri().toString();
    // snippet: crash-limit
    Aquifer aquifer =
        Aquifer.builder()
            .primary(url)
            .credentials(user, password)
            .redis(redis)
            .caches(caches -> caches.poisonLimit(Duration.ofSeconds(20))) // no COMMIT takes longer
            .build();
    // end
    try (aquifer) {
      Departures departures = aquifer.repository(Departures.class);
      Tenant.of("DFW")
          .run(
              () -> {
                assertThat(departures.delay(42)).isZero();
                departures.setDelay(42, 7);
                assertThat(departures.delay(42)).isEqualTo(7);
              });
    }
  }
}
