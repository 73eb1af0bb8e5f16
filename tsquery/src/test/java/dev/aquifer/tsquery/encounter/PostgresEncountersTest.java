package dev.aquifer.tsquery.encounter;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.aquifer.AquiferException;
import dev.aquifer.ConfigurationException;
import dev.aquifer.Tenant;
import dev.aquifer.UnavailableException;
import dev.aquifer.testkit.PostgresTest;
import dev.aquifer.tsquery.Encounter;
import dev.aquifer.tsquery.TimeRange;
import java.lang.reflect.Proxy;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.concurrent.atomic.AtomicReference;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import javax.sql.DataSource;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.postgresql.ds.PGSimpleDataSource;

@PostgresTest
class PostgresEncountersTest extends EncounterStoreContract {
  private static final Pattern BUFFERS = Pattern.compile("Buffers: shared hit=(\\d+)");

  private final DataSource dataSource;
  private final PostgresEncounters store;

  PostgresEncountersTest(DataSource dataSource) {
    this.dataSource = dataSource;
    this.store = PostgresEncounters.of(dataSource);
  }

  @BeforeEach
  void create() {
    store.createTables();
  }

  @Override
  EncounterStore store() {
    return store;
  }

  @Test
  void createTables_bySeveralAtOnce_createsThemOnce() throws Exception {
    try (Connection connection = dataSource.getConnection();
        Statement statement = connection.createStatement()) {
      statement.execute("CREATE SCHEMA fresh");
    }
    PGSimpleDataSource fresh = dataSource.unwrap(PGSimpleDataSource.class);
    String before = fresh.getCurrentSchema();
    fresh.setCurrentSchema("fresh");
    try {
      atOnce(4, 2, (thread, turn) -> store.createTables());
    } finally {
      fresh.setCurrentSchema(before);
    }
    try (Connection connection = dataSource.getConnection();
        Statement statement = connection.createStatement()) {
      statement.execute("TABLE fresh.aquifer_encounter");
    }
  }

  @Test
  void change_connectionsOfAnyState_areGivenBackAsTheyWere() throws Exception {
    try (Connection real = dataSource.getConnection()) {
      real.setTransactionIsolation(Connection.TRANSACTION_SERIALIZABLE);
      real.setAutoCommit(false);
      PostgresEncounters own = PostgresEncounters.of(lending(real));
      EncounterScope scope = new EncounterScope(Tenant.of("states"), "stay");
      Encounter stay = Encounter.open("4711", at(0));
      own.change(scope, "4711", EncounterLimits.defaults(), before -> stay);
      assertThat(own.find(scope, "4711")).contains(stay);
      assertThatThrownBy(
              () ->
                  own.change(
                      scope,
                      "4711",
                      EncounterLimits.defaults(),
                      before -> {
                        throw new IllegalStateException();
                      }))
          .isInstanceOf(IllegalStateException.class);
      assertThat(real.getAutoCommit()).isFalse();
      assertThat(real.getTransactionIsolation()).isEqualTo(Connection.TRANSACTION_SERIALIZABLE);
      assertThat(store.find(scope, "4711")).contains(stay);
    }
  }

  @Test
  void change_transactionThatDoesNotBeginOrEnd_givesTheConnectionBackAsItWas() throws Exception {
    EncounterScope scope = new EncounterScope(Tenant.of("broken"), "stay");
    Encounter stay = Encounter.open("4711", at(0));
    try (Connection real = dataSource.getConnection()) {
      real.setTransactionIsolation(Connection.TRANSACTION_SERIALIZABLE);
      for (String method : List.of("setAutoCommit", "commit")) {
        AtomicReference<String> failing = new AtomicReference<>("");
        PostgresEncounters own = PostgresEncounters.of(lending(real, failing));
        failing.set(method);

        assertThatThrownBy(
                () -> own.change(scope, "4711", EncounterLimits.defaults(), before -> stay))
            .isInstanceOf(AquiferException.class)
            .hasMessageContaining("not now");

        assertThat(real.getAutoCommit()).isTrue();
        assertThat(real.getTransactionIsolation()).isEqualTo(Connection.TRANSACTION_SERIALIZABLE);
        assertThat(store.find(scope, "4711")).isEmpty();
      }
    }
  }

  @Test
  void change_whileAnotherHoldsTheScope_endsWithItsLimit() throws Exception {
    EncounterScope scope = new EncounterScope(Tenant.of("held"), "stay");
    Encounter stay = Encounter.open("4711", at(0));
    store.change(scope, "4711", EncounterLimits.defaults(), before -> stay);
    PostgresEncounters hasty = store.statementTimeout(Duration.ofMillis(1));
    store.change(
        scope,
        "4711",
        EncounterLimits.defaults(),
        before -> {
          assertThatThrownBy(
                  () -> hasty.change(scope, "4712", EncounterLimits.defaults(), none -> stay))
              .isInstanceOf(UnavailableException.class)
              .hasMessageContainingAll("57014", "'stay'", "held");
          return before;
        });
  }

  /** However many were before a range and after it, in pages of the database's memory. */
  @Test
  void between_amongMany_readsWhatOverlapsAndLittleMore() throws Exception {
    EncounterScope scope = new EncounterScope(Tenant.of("many"), "stay");
    int stays = 200_000;
    long hour = 3_600_000_000_000L;
    try (Connection connection = dataSource.getConnection();
        Statement statement = connection.createStatement()) {
      // One a minute, an hour long but for one in 1,000, which takes 20 days; the last one is open.
      statement.execute(
          """
          INSERT INTO aquifer_encounter
          SELECT 'many', 'stay', n::text, n * %1$d / 60, n * %1$d / 60 + length,
            length(ltrim(length::bit(64)::text, '0'))
          FROM generate_series(1::bigint, %2$d) n,
            LATERAL (SELECT CASE WHEN n %% 1000 = 0 THEN 480 ELSE 1 END * %1$d AS length) l"""
              .formatted(hour, stays));
      store.change(
          scope, "open", EncounterLimits.defaults(), none -> Encounter.open("open", instant(hour)));
      for (int analyzed = 0; analyzed < 2; analyzed++) {
        for (long at : new long[] {1, stays / 120, stays / 60 - 1}) {
          TimeRange range = new TimeRange(instant(at * hour), instant(at * hour + hour / 2));
          EncounterPage page = store.between(scope, range, null, 1_000);
          assertThat(page.encounters().stream().map(Encounter::id))
              .contains("" + at * 60, "open")
              .hasSizeBetween(80, 130);
          assertThat(pages(connection, scope, range)).isLessThan(300);
        }
        statement.execute("ANALYZE aquifer_encounter");
      }
    }
  }

  private static Instant instant(long nanos) {
    return EncounterOrder.instant(nanos);
  }

  /** What the statement of {@link EncounterStore#between} reads, by the server's own account. */
  private static int pages(Connection connection, EncounterScope scope, TimeRange range)
      throws SQLException {
    EncounterReads reads = new EncounterReads(new Statements(connection, 10));
    try (PreparedStatement explain =
        connection.prepareStatement("EXPLAIN (ANALYZE, BUFFERS) " + EncounterReads.BETWEEN)) {
      reads.bind(explain, scope, range, Long.MIN_VALUE, "", 1_001, 5);
      try (ResultSet lines = explain.executeQuery()) {
        while (lines.next()) {
          Matcher buffers = BUFFERS.matcher(lines.getString(1));
          if (buffers.find()) {
            return Integer.parseInt(buffers.group(1));
          }
        }
      }
    }
    throw new AssertionError("no buffers are told of");
  }

  /** Tables with their indexes, as the server counts them. */
  @ParameterizedTest
  @CsvSource({"100000 + n, 20", "md5(n::text)::uuid, 8"})
  void archive_onDisk_takesAPartOfWhatTheRowsTook(String id, int times) throws Exception {
    int stays = 20_000;
    PGSimpleDataSource own = new PGSimpleDataSource();
    own.setURL(unwrapped().getURL());
    own.setUser(unwrapped().getUser());
    own.setPassword(unwrapped().getPassword());
    own.setCurrentSchema("disk" + times);
    try (Connection connection = own.getConnection();
        Statement statement = connection.createStatement()) {
      statement.execute("CREATE SCHEMA disk" + times);
      PostgresEncounters fresh = PostgresEncounters.of(own).createTables();
      long month = Instant.parse("2026-01-01T00:00:00Z").getEpochSecond();
      // To the second, one or two a minute, some minutes to some days long.
      statement.execute(
          """
          INSERT INTO aquifer_encounter
          SELECT 't1', 'stay', %s, (%d + n * 2592000 / %d) * 1000000000,
            (%d + n * 2592000 / %d + 300 + (n * 7919 %% 400000)) * 1000000000, 0
          FROM generate_series(0::bigint, %d) n"""
              .formatted(id, month, stays, month, stays, stays - 1));
      statement.execute(
          "INSERT INTO aquifer_encounter_tally VALUES ('t1', 'stay', %d, 0)".formatted(stays));
      long rows = bytes(statement, "aquifer_encounter");
      EncounterScope scope = new EncounterScope(Tenant.of("t1"), "stay");
      assertThat(fresh.archive(scope, Instant.parse("2026-03-01T00:00:00Z"))).isEqualTo(stays);
      long packed = bytes(statement, "aquifer_encounter_month");
      assertThat(packed * times).isLessThan(rows);
      assertThat(bytes(statement, "aquifer_encounter")).isLessThan(100_000);
    }
  }

  private static long bytes(Statement statement, String table) throws SQLException {
    statement.execute("VACUUM FULL " + table);
    try (ResultSet row = statement.executeQuery("SELECT pg_total_relation_size('" + table + "')")) {
      row.next();
      return row.getLong(1);
    }
  }

  @Test
  void change_noServerOrNoTables_saysSo() {
    EncounterScope scope = new EncounterScope(Tenant.of("t1"), "stay");
    PGSimpleDataSource nobody = new PGSimpleDataSource();
    nobody.setServerNames(new String[] {"127.0.0.1"});
    nobody.setPortNumbers(new int[] {1});
    assertThatThrownBy(() -> PostgresEncounters.of(nobody).find(scope, "4711"))
        .isInstanceOf(UnavailableException.class)
        .hasMessageContaining("find encounters of kind 'stay' of tenant t1");
    PGSimpleDataSource empty = new PGSimpleDataSource();
    PGSimpleDataSource real = unwrapped();
    empty.setURL(real.getURL());
    empty.setUser(real.getUser());
    empty.setPassword(real.getPassword());
    empty.setCurrentSchema("pg_catalog");
    assertThatThrownBy(() -> PostgresEncounters.of(empty).find(scope, "4711"))
        .isExactlyInstanceOf(AquiferException.class)
        .hasMessageContaining("42P01");
    assertThatThrownBy(() -> store.statementTimeout(Duration.ZERO))
        .isInstanceOf(ConfigurationException.class);
  }

  private PGSimpleDataSource unwrapped() {
    return (PGSimpleDataSource) dataSource;
  }

  /** Gives this connection, and leaves it open. */
  private static DataSource lending(Connection connection) {
    return lending(connection, new AtomicReference<>(""));
  }

  /**
   * The same connection again and again.
   *
   * @param failing the method of which the next call fails
   */
  private static DataSource lending(Connection connection, AtomicReference<String> failing) {
    Connection kept =
        (Connection)
            Proxy.newProxyInstance(
                PostgresEncountersTest.class.getClassLoader(),
                new Class<?>[] {Connection.class},
                (proxy, method, arguments) -> {
                  if (failing.compareAndSet(method.getName(), "")) {
                    throw new SQLException("not now", "XX000");
                  }
                  return method.getName().equals("close")
                      ? null
                      : method.invoke(connection, arguments);
                });
    return new PGSimpleDataSource() {
      private static final long serialVersionUID = 1L;

      @Override
      public Connection getConnection() {
        return kept;
      }
    };
  }
}
