package dev.aquifer.tsquery;

import static org.assertj.core.api.Assertions.assertThat;

import dev.aquifer.testkit.FakeTicker;
import dev.aquifer.testkit.PostgresTest;
import dev.aquifer.testkit.RedisDatabase;
import dev.aquifer.testkit.RedisTest;
import dev.aquifer.testkit.TestDatabase;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.List;
import java.util.function.UnaryOperator;
import javax.sql.DataSource;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.postgresql.ds.PGSimpleDataSource;

/** What is read of one server, by measurements of one name, in front of one Redis. */
@PostgresTest(schema = {PostgresSourceTest.TABLE, PostgresSourceTest.ROW})
@RedisTest
class PostgresSourceTest {
  static final String TABLE = "CREATE TABLE m (time timestamptz, tenant text, value int, high int)";
  static final String ROW = "INSERT INTO m VALUES ('1970-01-01T00:00:05Z', 't1', 7, 70)";
  private static final Clock CLOCK =
      Clock.fixed(Instant.EPOCH.plus(Duration.ofDays(9)), ZoneOffset.UTC);

  private final TestDatabase database;
  private final RedisDatabase redis;

  PostgresSourceTest(TestDatabase database, RedisDatabase redis) {
    this.database = database;
    this.redis = redis;
  }

  @BeforeEach
  void empty() {
    redis.flush();
  }

  private static PostgresBackend reading(DataSource from, String column) {
    return PostgresBackend.of(
        from, SeriesTable.builder("m").field("value", column, ValueKind.LONG).build());
  }

  private static void execute(DataSource in, String... statements) throws SQLException {
    try (Connection connection = in.getConnection();
        Statement statement = connection.createStatement()) {
      for (String sql : statements) {
        statement.execute(sql);
      }
    }
  }

  /** What a node that knows nothing answers, and how many windows it fetched. */
  private List<Long> ask(Backend backend, UnaryOperator<TimeSeriesBuilder> settings) {
    try (ClusterNode node =
        ClusterNode.open(
            redis.uri().toString(),
            backend,
            CLOCK,
            series -> settings.apply(series.executor(Runnable::run)),
            new FakeTicker())) {
      TimeSeriesResult result = node.ask(0, 100);
      return List.of(result.series().get(0).columns().get(0).longAt(0), result.fetched());
    }
  }

  private List<Long> ask(Backend backend) {
    return ask(backend, UnaryOperator.identity());
  }

  @Test
  void query_ofTwoDatabases_sharesNothing() throws SQLException {
    assertThat(ask(reading(database.dataSource(), "value"))).containsExactly(7L, 10L);
    execute(database.dataSource(), "CREATE DATABASE other");
    try {
      DataSource other = database.cluster().primary().dataSource("other");
      execute(other, TABLE, ROW.replace("t1', 7", "t1', 9"));
      assertThat(ask(reading(other, "value"))).containsExactly(9L, 10L);
      assertThat(ask(reading(other, "value"))).containsExactly(9L, 0L);
    } finally {
      execute(database.dataSource(), "DROP DATABASE other");
    }
    assertThat(ask(reading(database.dataSource(), "value"))).containsExactly(7L, 0L);
  }

  @Test
  void query_ofOneTableReadInTwoWays_sharesNothing() {
    assertThat(ask(reading(database.dataSource(), "value"))).containsExactly(7L, 10L);
    assertThat(ask(reading(database.dataSource(), "high"))).containsExactly(70L, 10L);
  }

  @Test
  void query_ofTablesInTwoSchemas_sharesNothing() throws SQLException {
    execute(
        database.dataSource(),
        "CREATE SCHEMA mine",
        TABLE.replace("TABLE m", "TABLE mine.m"),
        ROW.replace("INTO m", "INTO mine.m").replace("t1', 7", "t1', 8"));
    assertThat(ask(reading(database.dataSource(), "value"))).containsExactly(7L, 10L);
    assertThat(ask(reading(with("-c search_path=mine"), "value"))).containsExactly(8L, 10L);
  }

  /** Answered all the same; shared once it is named. */
  @Test
  void query_whereTheServerDoesNotSayWhichItIs_sharesNothingUntilNamed() throws SQLException {
    execute(
        database.dataSource(),
        "REVOKE EXECUTE ON FUNCTION pg_control_system() FROM public",
        "CREATE ROLE reader",
        "GRANT SELECT ON m TO reader");
    try {
      PostgresBackend reader = reading(with("-c role=reader"), "value");
      assertThat(reader.source("m")).isNull();
      assertThat(ask(reader)).containsExactly(7L, 10L);
      assertThat(redis.command("KEYS", "aq:{t1:0}:w*")).isEqualTo(List.of());
      assertThat(ask(reader, series -> series.source("here"))).containsExactly(7L, 10L);
      assertThat(ask(reader, series -> series.source("here"))).containsExactly(7L, 0L);
    } finally {
      execute(
          database.dataSource(),
          "GRANT EXECUTE ON FUNCTION pg_control_system() TO public",
          "DROP OWNED BY reader",
          "DROP ROLE reader");
    }
  }

  private DataSource with(String options) {
    PGSimpleDataSource source = new PGSimpleDataSource();
    source.setUrl(database.url());
    source.setUser(database.user());
    source.setPassword(database.password());
    source.setOptions(options);
    return source;
  }
}
