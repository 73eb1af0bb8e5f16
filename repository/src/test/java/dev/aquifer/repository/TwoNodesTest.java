package dev.aquifer.repository;

import static org.assertj.core.api.Assertions.assertThat;

import dev.aquifer.CausalToken;
import dev.aquifer.Tenant;
import dev.aquifer.TenantContext;
import dev.aquifer.spi.Observer.Tier;
import dev.aquifer.testkit.Eventually;
import dev.aquifer.testkit.PostgresExtension;
import dev.aquifer.testkit.RedisExtension;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.function.IntSupplier;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** Two nodes of an application on the same servers: what one writes, the other must not hide. */
class TwoNodesTest {
  private static final Duration SOON = Duration.ofSeconds(10);

  @RegisterExtension
  static final PostgresExtension POSTGRES =
      PostgresExtension.shared().standbys(1).schema(Nodes.schema());

  @RegisterExtension static final RedisExtension REDIS = RedisExtension.shared();

  private static final Seen SEEN_A = new Seen();
  private static final Seen SEEN_B = new Seen();
  private static Aquifer a;
  private static Aquifer b;
  private static Book bookA;
  private static Book bookB;

  @BeforeAll
  static void start() {
    a = node().observer(SEEN_A).build();
    b = node().observer(SEEN_B).build();
    bookA = a.repository(Book.class);
    bookB = b.repository(Book.class);
  }

  @AfterAll
  static void close() {
    a.close();
    b.close();
  }

  private static AquiferBuilder node() {
    return Nodes.on(POSTGRES.database(), REDIS.database())
        .replicas(POSTGRES.database().standbyUrls());
  }

  private static int delay(Book book, long id) {
    return book.byId(id).orElseThrow().delay();
  }

  @Test
  void read_isAnsweredBySourceThenMemoryAndRedisOnTheOtherNode() {
    Tenant tenant = Nodes.tenant(bookA, 1, 7);

    tenant.run(() -> assertThat(delay(bookA, 1)).isEqualTo(7));
    assertThat(SEEN_A.tier()).isEqualTo(Tier.SOURCE);
    tenant.run(() -> assertThat(delay(bookA, 1)).isEqualTo(7));
    assertThat(SEEN_A.tier()).isEqualTo(Tier.L1);
    tenant.run(() -> assertThat(delay(bookB, 1)).isEqualTo(7));
    assertThat(SEEN_B.tier()).isEqualTo(Tier.L2);
  }

  @Test
  void update_isSeenOnTheOtherNodeWithoutATokenSoon() throws Exception {
    Tenant tenant = Nodes.tenant(bookA, 1, 7);
    tenant.run(() -> assertThat(delay(bookB, 1)).isEqualTo(7));

    tenant.run(() -> bookA.delay(1, 8));

    tenant.run(() -> assertThat(delay(bookA, 1)).isEqualTo(8));
    Eventually.within(SOON)
        .until("the other node sees it", () -> tenant.call(() -> delay(bookB, 1)) == 8);
  }

  @Test
  void update_isSeenByWhoBearsTheTokenAtOnceThoughReplayStandsStill() throws Exception {
    assertThat(readAfterTokenWithReplayPaused(b, bookB)).isEqualTo(8);
  }

  /** The test above can fail: without the gate the replica's past is served. */
  @Test
  void update_isHiddenByAReplicaWhoseReplayStandsStillWithoutTheGate() throws Exception {
    try (Aquifer ungated = node().positionGate(false).build()) {
      assertThat(readAfterTokenWithReplayPaused(ungated, ungated.repository(Book.class)))
          .isEqualTo(7);
    }
  }

  private static int readAfterTokenWithReplayPaused(Aquifer reader, Book book) throws Exception {
    Tenant tenant = Nodes.tenant(bookA, 1, 7);
    POSTGRES.cluster().awaitCaughtUp(SOON);
    tenant.run(() -> assertThat(delay(book, 1)).isEqualTo(7));
    POSTGRES.cluster().standby(0).pauseReplay();
    try {
      CausalToken token =
          tenant.call(
              () -> {
                bookA.delay(1, 8);
                return CausalToken.parse(a.token().toString());
              });
      return tenant.call(
          () -> {
            reader.accept(token);
            return delay(book, 1);
          });
    } finally {
      POSTGRES.cluster().standby(0).resumeReplay();
    }
  }

  @Test
  void crossTenantUpdate_voidsWhatAllTenantsHaveCachedOnBothNodes() throws Exception {
    voidsAllTenants(() -> bookA.delayEverywhere(71, 9), 71);
  }

  @Test
  void crossTenantUpdate_calledByADefaultMethodVoidsAllTenantsToo() throws Exception {
    voidsAllTenants(() -> bookA.delayEverywhereByDefault(72, 9), 72);
  }

  @Test
  void plainJdbcUpdateWithNoTenant_voidsWhatAllTenantsHaveCached() throws Exception {
    voidsAllTenants(
        () -> {
          try {
            return TenantContext.callWithout(
                () -> {
                  try (Connection connection = a.database().getConnection();
                      Statement statement = connection.createStatement()) {
                    return statement.executeUpdate("update flight set delay = 9 where id = 73");
                  }
                });
          } catch (Exception e) {
            throw new IllegalStateException(e);
          }
        },
        73);
  }

  private static void voidsAllTenants(IntSupplier update, long id) throws Exception {
    Tenant one = Nodes.tenant(bookA, id, 1);
    Tenant two = Nodes.tenant(bookA, id, 2);
    for (Book book : new Book[] {bookA, bookB}) {
      one.run(() -> assertThat(delay(book, id)).isEqualTo(1));
      two.run(() -> assertThat(delay(book, id)).isEqualTo(2));
    }

    one.run(() -> assertThat(update.getAsInt()).isEqualTo(2));

    one.run(() -> assertThat(delay(bookA, id)).isEqualTo(9));
    two.run(() -> assertThat(delay(bookA, id)).isEqualTo(9));
    for (Tenant tenant : new Tenant[] {one, two}) {
      Eventually.within(SOON)
          .until("the other node sees it", () -> tenant.call(() -> delay(bookB, id)) == 9);
    }
  }

  @Test
  void update_ofATableUnderAViewVoidsWhatReadsTheView() {
    Tenant tenant = Nodes.tenant(bookA, 1, 7);
    tenant.run(
        () -> {
          assertThat(bookA.late()).isZero();
          bookA.delay(1, 100);
          assertThat(bookA.late()).isEqualTo(1);
        });
  }

  @Test
  void delete_thatCascadesVoidsWhatReadsTheReferringTable() {
    Tenant tenant = Nodes.tenant(bookA, 1, 7);
    tenant.run(
        () -> {
          bookA.addSeat(5, 1);
          assertThat(bookA.seats()).isEqualTo(1);
          bookA.cancel(1);
          assertThat(bookA.seats()).isZero();
        });
  }

  @Test
  void insert_thatFiresATriggerVoidsWhatTheTriggerWrites() {
    Tenant tenant = Nodes.tenant(bookA, 1, 7);
    tenant.run(
        () -> {
          assertThat(bookA.audited()).isZero();
          bookA.openGate(4);
          assertThat(bookA.audited()).isEqualTo(1);
        });
  }

  /** Without this, the three above would pass if every write voided everything. */
  @Test
  void insert_intoATableThatNothingDependsOnVoidsNothingElse() {
    Tenant tenant = Nodes.tenant(bookA, 1, 7);
    tenant.run(
        () -> {
          assertThat(bookA.late()).isZero();
          bookA.addAirport("DFW");
          assertThat(bookA.late()).isZero();
          assertThat(SEEN_A.tier()).isEqualTo(Tier.L1);
        });
  }

  @Test
  void absence_isRememberedAndVoidedByAnInsert() throws SQLException {
    Tenant tenant = Nodes.tenant(bookA, 1, 7);
    tenant.run(
        () -> {
          assertThat(bookA.airport("SFO")).isEmpty();
          assertThat(bookA.airport("SFO")).isEmpty();
          assertThat(SEEN_A.tier()).isEqualTo(Tier.L1);
          assertThat(bookB.airport("SFO")).isEmpty();
          assertThat(SEEN_B.tier()).isEqualTo(Tier.L2);
          bookA.addAirport("SFO");
          assertThat(bookA.airport("SFO")).contains("SFO");
        });
    Eventually.within(SOON)
        .until("the other node sees it", () -> tenant.call(() -> bookB.airport("SFO").isPresent()));
  }
}
