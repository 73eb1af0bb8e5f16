package dev.aquifer.docs;

import static org.assertj.core.api.Assertions.assertThat;

import dev.aquifer.CausalSession;
import dev.aquifer.CausalToken;
import dev.aquifer.Consistency;
import dev.aquifer.Tenant;
import dev.aquifer.cache.Cached;
import dev.aquifer.repository.Aquifer;
import dev.aquifer.spi.Observer;
import dev.aquifer.testkit.PostgresExtension;
import dev.aquifer.testkit.RedisExtension;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Deque;
import org.jdbi.v3.sqlobject.statement.SqlQuery;
import org.jdbi.v3.sqlobject.statement.SqlUpdate;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

class ConsistencyTest {
  @RegisterExtension
  static final PostgresExtension POSTGRES =
      PostgresExtension.shared()
          .standbys(1)
          .schema(
              "create table flight (id bigint primary key, tenant text, delay int)",
              "insert into flight values (42, 'DFW', 0)");

  @RegisterExtension static final RedisExtension REDIS = RedisExtension.shared();

  public interface Departures {
    @SqlQuery("select delay from flight where tenant = :tenant and id = :id")
    @Cached
    int delay(long id);

    @SqlQuery("select max(delay) from flight where tenant = :tenant")
    int worst();

    @SqlUpdate("update flight set delay = :delay where tenant = :tenant and id = :id")
    void setDelay(long id, int delay);
  }

  @Test
  void token() throws Exception {
    try (Aquifer here = node(Observer.NONE);
        Aquifer there = node(Observer.NONE)) {
      Tenant airport = Tenant.of("DFW");
      Departures departures = here.repository(Departures.class);
      Departures departuresThere = there.repository(Departures.class);
      for (int round = 1; round <= 20; round++) {
        int minutes = round;
        assertThat(airport.call(() -> departuresThere.delay(42))).isLessThan(minutes);

        // snippet: token
        // Where it was written, for the current tenant's session:
        String header =
            airport.call(
                () -> {
                  departures.setDelay(42, minutes);
                  return here.token().toString();
                });

        // On another node, in a session of the request's own:
        CausalSession request = there.sessions().open();
        request.accept(CausalToken.parse(header));
        int seen =
            airport.call(
                () -> there.sessions().call(request, () -> departuresThere.delay(42))); // minutes
        // end
        assertThat(seen).isEqualTo(minutes);
      }
    }
  }

  @Test
  void level() throws Exception {
    Deque<Observer.RouteReason> reasons = new ArrayDeque<>();
    Observer observer =
        new Observer() {
          @Override
          public void routed(String node, Role role, RouteReason reason) {
            reasons.add(reason);
          }
        };
    try (Aquifer aquifer = node(observer)) {
      Departures departures = aquifer.repository(Departures.class);
      Tenant airport = Tenant.of("DFW");
      // snippet: consistency-level
      int now = airport.call(() -> aquifer.reading(Consistency.strong(), () -> departures.worst()));
      int lately =
          airport.call(
              () ->
                  aquifer.reading(
                      Consistency.bounded(Duration.ofSeconds(2)), () -> departures.worst()));
      // end
      assertThat(reasons).contains(Observer.RouteReason.STRONG);
      assertThat(reasons.getLast()).isNotEqualTo(Observer.RouteReason.STRONG);
      assertThat(lately).isLessThanOrEqualTo(now);
    }
  }

  private static Aquifer node(Observer observer) {
    return Aquifer.builder()
        .primary(POSTGRES.database().url())
        .replicas(POSTGRES.database().standbyUrls())
        .credentials(POSTGRES.database().user(), POSTGRES.database().password())
        .redis(REDIS.database().uri().toString())
        .observer(observer)
        .build();
  }
}
