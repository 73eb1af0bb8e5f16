package dev.aquifer.docs;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.aquifer.ConfigurationException;
import dev.aquifer.Tenant;
import dev.aquifer.cache.Cached;
import dev.aquifer.repository.Aquifer;
import dev.aquifer.repository.BindTenant;
import dev.aquifer.repository.CrossTenant;
import dev.aquifer.testkit.PostgresExtension;
import java.time.OffsetDateTime;
import java.util.List;
import java.util.Optional;
import org.jdbi.v3.sqlobject.statement.SqlBatch;
import org.jdbi.v3.sqlobject.statement.SqlQuery;
import org.jdbi.v3.sqlobject.statement.SqlUpdate;
import org.jdbi.v3.sqlobject.transaction.Transaction;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

class RepositoriesTest {
  private static final Tenant DFW = Tenant.of("DFW");
  private static final OffsetDateTime NOON = OffsetDateTime.parse("2001-01-02T12:00:00Z");

  @RegisterExtension
  static final PostgresExtension POSTGRES =
      PostgresExtension.shared()
          .schema(
              "create table flight (id bigint, tenant text, departed_at timestamptz, delay int, primary key (tenant, id))",
              "insert into flight values (42, 'DFW', '2001-01-02 12:00Z', 0), (42, 'LAX', '2001-01-02 13:00Z', 3)");

  private static Aquifer aquifer;

  @BeforeAll
  static void start() {
    aquifer =
        Aquifer.builder()
            .primary(POSTGRES.database().url())
            .credentials(POSTGRES.database().user(), POSTGRES.database().password())
            .build();
  }

  @AfterAll
  static void stop() {
    aquifer.close();
  }

  // snippet: repository
  record Flight(long id, OffsetDateTime departedAt, int delay) {}

  public interface Departures {
    @SqlQuery("select id, departed_at, delay from flight where tenant = :tenant and id = :id")
    @Cached(ttl = "10m", negativeTtl = "5s")
    Optional<Flight> byId(long id);

    @SqlQuery(
        """
        select id, departed_at, delay from flight
         where tenant = :tenant and id = any(:ids) order by id
        """)
    List<Flight> byIds(long[] ids); // not cached: asked of a replica, or of the primary

    @SqlQuery("select count(*) from flight where tenant = :tenant and delay > :atLeast")
    @Cached(ttl = "1m")
    int late(int atLeast);

    @SqlUpdate("update flight set delay = :delay where tenant = :tenant and id = :id")
    int delay(long id, int delay);
  }

  // end

  @Test
  void repository() throws Exception {
    Departures departures = aquifer.repository(Departures.class);
    DFW.run(() -> departures.delay(42, 25));
    assertThat(DFW.call(() -> departures.byId(42)).orElseThrow().delay()).isEqualTo(25);
    assertThat(DFW.call(() -> departures.byIds(new long[] {42, 43}))).hasSize(1);
    assertThat(DFW.call(() -> departures.late(10))).isEqualTo(1);
    DFW.run(() -> departures.delay(42, 5));
    assertThat(DFW.call(() -> departures.late(10))).isZero();
    assertThat(aquifer.caches().statistics()).containsKeys("Departures.byId", "Departures.late");
  }

  // snippet: repository-batch
  public interface Import {
    @SqlBatch("insert into flight values (:id, :tenant, :departedAt, 0)")
    @BindTenant
    int[] add(List<Long> id, OffsetDateTime departedAt); // a row for each id
  }

  // end

  @Test
  void batch() throws Exception {
    Import add = aquifer.repository(Import.class);
    assertThat(Tenant.of("ATL").call(() -> add.add(List.of(1L, 2L), NOON))).containsExactly(1, 1);
    assertThat(count("ATL")).isEqualTo(2);
  }

  // snippet: repository-transaction
  public interface Delays {
    @SqlQuery("select delay from flight where tenant = :tenant and id = :id for update")
    int locked(long id);

    @SqlUpdate("update flight set delay = :delay where tenant = :tenant and id = :id")
    void set(long id, int delay);

    @Transaction
    default int add(long id, int minutes) {
      int sum = locked(id) + minutes;
      set(id, sum);
      return sum;
    }
  }

  // end

  @Test
  void transaction() throws Exception {
    Delays delays = aquifer.repository(Delays.class);
    assertThat(Tenant.of("LAX").call(() -> delays.add(42, 4))).isEqualTo(7);
    assertThat(Tenant.of("LAX").call(() -> delays.add(42, 4))).isEqualTo(11);
  }

  // snippet: repository-cross-tenant
  public interface Housekeeping {
    @SqlUpdate("delete from flight where departed_at < :before")
    @CrossTenant
    int forget(OffsetDateTime before);
  }

  // end

  @Test
  void crossTenant() throws Exception {
    Departures2 cached = aquifer.repository(Departures2.class);
    Import add = aquifer.repository(Import.class);
    Tenant old = Tenant.of("OLD");
    old.run(() -> add.add(List.of(1L), NOON.minusYears(1)));
    assertThat(old.call(cached::all)).isEqualTo(1);
    Housekeeping housekeeping = aquifer.repository(Housekeeping.class);
    // Whoever happens to be current: the rows of all tenants go, and what they had cached.
    assertThat(DFW.call(() -> housekeeping.forget(NOON.minusDays(1)))).isEqualTo(1);
    assertThat(old.call(cached::all)).isZero();
  }

  public interface Departures2 {
    @SqlQuery("select count(*) from flight where tenant = :tenant")
    @Cached
    int all();
  }

  @Test
  void jdbi() throws Exception {
    // snippet: repository-jdbi
    String wanted = "delay";
    int worst =
        Tenant.of("LAX")
            .call(
                () ->
                    aquifer
                        .jdbi()
                        .withHandle(
                            handle ->
                                handle
                                    .createQuery(
                                        "select max("
                                            + wanted
                                            + ") from flight where tenant = :tenant")
                                    .mapTo(int.class)
                                    .one()));
    // end
    assertThat(worst).isPositive();
  }

  public interface Forgetful {
    @SqlQuery("select count(*) from flight")
    int all();
  }

  @Test
  void refused() {
    assertThatThrownBy(() -> aquifer.repository(Forgetful.class))
        .isInstanceOf(ConfigurationException.class)
        .hasMessageContaining("Forgetful.all does not use :tenant");
  }

  private static int count(String tenant) throws Exception {
    Departures2 all = new Departures2Uncached();
    return Tenant.of(tenant).call(all::all);
  }

  private static final class Departures2Uncached implements Departures2 {
    @Override
    public int all() {
      return aquifer
          .jdbi()
          .withHandle(
              handle ->
                  handle
                      .createQuery("select count(*) from flight where tenant = :tenant")
                      .mapTo(int.class)
                      .one());
    }
  }
}
