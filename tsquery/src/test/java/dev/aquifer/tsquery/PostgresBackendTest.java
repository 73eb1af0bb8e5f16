package dev.aquifer.tsquery;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.aquifer.RefusedQueryException;
import dev.aquifer.Tenant;
import dev.aquifer.UnavailableException;
import dev.aquifer.testkit.PostgresTest;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.List;
import java.util.stream.Stream;
import javax.sql.DataSource;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.postgresql.ds.PGSimpleDataSource;

@PostgresTest(schema = {PostgresBackendTest.SCHEMA, PostgresBackendTest.UTC_SCHEMA})
class PostgresBackendTest {
  static final String SCHEMA =
      "CREATE TABLE vitals (at timestamptz NOT NULL, tenant text NOT NULL, \"De\"\"vice\" text,"
          + " ward text, value float8, seq bigint, note text, ok boolean);"
          + " CREATE INDEX ON vitals (tenant, at)";
  static final String UTC_SCHEMA =
      "CREATE TABLE utc (at timestamp NOT NULL, tenant text NOT NULL, value int)";
  private static final Instant START = Instant.parse("2026-03-01T00:00:00Z");
  static final SeriesTable VITALS =
      SeriesTable.builder("vitals")
          .table("public", "vitals")
          .time("at")
          .tag("device", "De\"vice")
          .tag("ward")
          .field("value", ValueKind.DOUBLE)
          .field("seq", ValueKind.LONG)
          .field("note", ValueKind.TEXT)
          .field("ok", ValueKind.BOOLEAN)
          .build();
  private static final SeriesTable UTC =
      SeriesTable.builder("utc").utcTime("at").field("value", ValueKind.LONG).build();
  private static final SeriesTable SLOW =
      SeriesTable.builder("slow")
          .time("at")
          .tag("device", "De\"vice")
          .tag("s")
          .field("value", ValueKind.DOUBLE)
          .build();

  private final DataSource dataSource;
  private final PostgresBackend backend;

  PostgresBackendTest(DataSource dataSource) {
    this.dataSource = dataSource;
    this.backend = PostgresBackend.of(dataSource, VITALS, UTC);
  }

  @BeforeEach
  void empty() throws SQLException {
    execute("TRUNCATE vitals, utc; DROP VIEW IF EXISTS slow");
  }

  @Test
  void query_everyAggregate_computesItInEachWindow() throws Exception {
    try (TimeSeries series = TimeSeries.builder().backend(backend).build()) {
      new BackendContract(series, "vitals", this::write).aggregates(EveryAggregate.of("value"));
    }
  }

  @Test
  void query_integerTextAndBooleanFields_keepTheirKinds() throws Exception {
    execute(
        "INSERT INTO vitals VALUES ('2026-03-01T00:00:01Z', 't1', 'd1', NULL, NULL,"
            + " 9007199254740993, 'it''s', true)");
    TimeSeriesQuery query =
        minutes("vitals", 1)
            .select(Aggregate.SUM, "seq")
            .select(Aggregate.LAST, "note")
            .select(Aggregate.FIRST, "ok")
            .select(Aggregate.MEAN, "value")
            .build();

    Series series = only(answer("t1", query));

    assertThat(series.columns())
        .extracting(ValueColumn::kind)
        .containsExactly(ValueKind.LONG, ValueKind.TEXT, ValueKind.BOOLEAN, ValueKind.DOUBLE);
    assertThat(series.columns())
        .extracting(column -> column.valueAt(0))
        .containsExactly(9_007_199_254_740_993L, "it's", true, null);
  }

  @Test
  void query_timestampWithoutZone_isReadAsUtc() throws Exception {
    execute(
        "INSERT INTO utc VALUES ('2026-03-01 00:00:59.999999', 't1', 1), ('2026-03-01 00:01', 't1',"
            + " 2)");

    Series series = only(answer("t1", minutes("utc", 2).select(Aggregate.SUM, "value").build()));

    assertThat(series.column(Aggregate.SUM, "value").longAt(0)).isEqualTo(1);
    assertThat(series.column(Aggregate.SUM, "value").longAt(1)).isEqualTo(2);
  }

  @Test
  void query_rangeBetweenMicroseconds_takesExactlyWhatIsInside() throws Exception {
    execute(
        "INSERT INTO utc VALUES ('2026-03-01 00:00:00.000001', 't1', 1), ('2026-03-01"
            + " 00:00:00.000002', 't1', 2)");
    TimeSeriesQuery query =
        minutes("utc", 1)
            .select(Aggregate.SUM, "value")
            .range(START.plusNanos(1_001), START.plusNanos(2_001))
            .build();

    assertThat(only(answer("t1", query)).columns().get(0).longAt(0)).isEqualTo(2);
  }

  @Test
  void query_beforeTheEpoch_flooredAsAfterIt() throws Exception {
    execute("INSERT INTO utc VALUES ('1969-12-31 23:59:59.5', 't1', 1), ('1970-01-01', 't1', 2)");
    TimeSeriesQuery query =
        TimeSeriesQuery.builder("utc")
            .select(Aggregate.COUNT, "value")
            .every(Duration.ofSeconds(10))
            .offset(Duration.ofSeconds(3))
            .range(Instant.ofEpochSecond(-60), Instant.ofEpochSecond(60))
            .build();

    Series series = only(answer("t1", query));

    assertThat(series.size()).isEqualTo(1);
    assertThat(series.start(0)).isEqualTo(Instant.ofEpochSecond(-7));
    assertThat(series.columns().get(0).longAt(0)).isEqualTo(2);
  }

  @Test
  void query_hostileTagValues_findExactlyTheirOwnRow() throws Exception {
    try (TimeSeries series = TimeSeries.builder().backend(backend).build()) {
      new BackendContract(series, "vitals", this::write).hostileTagValues(Hostile.VALUES);
    }
  }

  @Test
  void query_absentTag_readsAsEmptyText() throws Exception {
    write("t1", START, "d1", null, 1);
    write("t1", START, "d2", "icu", 2);

    assertThat(sum(TagPredicate.eq("ward", ""))).isEqualTo(1);
    assertThat(sum(TagPredicate.ne("ward", ""))).isEqualTo(2);
    assertThat(sum(TagPredicate.ne("ward", "icu"))).isEqualTo(1);
    assertThat(sum(PointPredicate.not(TagPredicate.matches("ward", "c")))).isEqualTo(1);
    assertThat(sum(TagPredicate.in("ward", List.of("", "icu")))).isEqualTo(3);
  }

  @Test
  void query_ofOneTenant_neverSeesAnother() throws Exception {
    write("t1", START, "d1", "icu", 1);
    write("t2", START, "d1", "icu", 2);
    write("t2", START, "' OR '1'='1", "icu", 4);

    assertThat(
            sum(
                "t1",
                PointPredicate.or(TagPredicate.eq("ward", "icu"), TagPredicate.ne("ward", "icu"))))
        .isEqualTo(1);
    assertThat(
            answer(
                    "t1",
                    minutes("vitals", 1)
                        .select(Aggregate.SUM, "value")
                        .where(TagPredicate.eq("device", "' OR '1'='1"))
                        .build())
                .series())
        .isEmpty();
    assertThat(answer("t3", minutes("vitals", 1).select(Aggregate.SUM, "value").build()).series())
        .isEmpty();
  }

  @Test
  void query_unknownOrUnfitting_isRefusedBeforeAnyConnection() {
    DataSource none = new PGSimpleDataSource();
    PostgresBackend offline = PostgresBackend.of(none, VITALS);
    assertRefused(offline, minutes("nosuch", 1).select(Aggregate.SUM, "value"), "nosuch");
    assertRefused(offline, minutes("vitals", 1).select(Aggregate.SUM, "tenant\"; --"), "tenant");
    assertRefused(offline, minutes("vitals", 1).select(Aggregate.SUM, "note"), "TEXT");
    assertRefused(
        offline, minutes("vitals", 1).select(Aggregate.SUM, "value").groupBy("at"), "'at'");
    assertRefused(
        offline,
        minutes("vitals", 1)
            .select(Aggregate.SUM, "value")
            .every(Duration.ofNanos(60_000_000_001L)),
        "microseconds");
  }

  @Test
  void query_unknownHost_saysWhoDidNotAnswer() {
    PGSimpleDataSource dead = new PGSimpleDataSource();
    dead.setUrl("jdbc:postgresql://127.0.0.1:1/app?user=u&password=hunter2&connectTimeout=2");
    PostgresBackend unreachable = PostgresBackend.of(dead, VITALS).named("vitals-db");
    TimeSeriesQuery query = minutes("vitals", 1).select(Aggregate.SUM, "value").build();

    assertThatThrownBy(() -> answer(unreachable, "t1", query))
        .isInstanceOf(UnavailableException.class)
        .hasMessageContaining("vitals-db")
        .message()
        .doesNotContain("hunter2");
  }

  @Test
  void query_slowerThanTheLimit_isCancelled() throws Exception {
    write("t1", START, "d1", "icu", 1);
    slow("pg_sleep(30)");
    PostgresBackend limited =
        PostgresBackend.of(dataSource, SLOW).statementTimeout(Duration.ofMillis(200));
    TimeSeriesQuery query = minutes("slow", 1).select(Aggregate.SUM, "value").groupBy("s").build();

    assertThatThrownBy(() -> answer(limited, "t1", query))
        .isInstanceOf(UnavailableException.class)
        .hasMessageContaining("within its limit");
  }

  /** Each by itself is fast enough, all of them are not. */
  @Test
  void queryAll_slowerThanTheQuerysTime_failsThoseThatItIsTooShortFor() throws Exception {
    write("t1", START, "d1", "icu", 1);
    slow("pg_sleep(2)");
    List<TimeSeriesQuery> queries =
        Stream.of(Aggregate.SUM, Aggregate.MEAN, Aggregate.MIN, Aggregate.MAX)
            .map(each -> minutes("slow", 1).select(each, "value").groupBy("s").build())
            .toList();

    try (TimeSeries series =
        TimeSeries.builder()
            .backend(PostgresBackend.of(dataSource, SLOW))
            .timeout(Duration.ofSeconds(4))
            .build()) {
      List<BatchAnswer> answers = Tenant.of("t1").call(() -> series.queryAll(queries));

      assertThat(answers.get(0).orThrow().series()).hasSize(1);
      assertThat(answers.get(3).error())
          .isInstanceOf(UnavailableException.class)
          .hasMessageContaining("within its limit");
    }
  }

  /** The driver's limit is for the first portion of rows: 5,000. */
  @Test
  void fetch_rowsThatGoOnToComeBeyondTheLimit_areBrokenOff() throws Exception {
    execute(
        "INSERT INTO vitals (tenant, at, \"De\"\"vice\", value)"
            + " SELECT 't1', '2026-03-01T00:00:10Z', 'd' || i, 0 FROM generate_series(1, 6000) i");
    TimeSeriesQuery query =
        minutes("vitals", 1).select(Aggregate.SUM, "value").groupBy("device").build();
    WindowGrid grid =
        WindowGrid.of(query.window(), (TimeRange) query.range(), QueryLimits.defaults(), 1);
    PostgresBackend limited = backend.statementTimeout(Duration.ofSeconds(1));
    long began = System.nanoTime();
    int[] rows = new int[1];
    RowSink slow =
        new IgnoringSink() {
          @Override
          public void row(List<String> group, long start) {
            rows[0]++;
            while (rows[0] == 4_000 && System.nanoTime() - began < 1_100_000_000L) {
              Thread.onSpinWait();
            }
          }
        };

    FetchRequest request =
        new FetchRequest(
            query,
            "tenant",
            Tenant.of("t1"),
            grid.stretches(grid.first(), grid.end()),
            false,
            Duration.ofSeconds(30));
    assertThatThrownBy(() -> limited.fetch(request, slow))
        .isInstanceOf(UnavailableException.class)
        .hasMessageContaining("within its limit of 1 s");

    assertThat(rows[0]).isEqualTo(5_000);
  }

  private void slow(String sleep) throws SQLException {
    execute("CREATE VIEW slow AS SELECT v.*, " + sleep + "::text AS s FROM vitals v");
  }

  private double sum(PointPredicate predicate) throws Exception {
    return sum("t1", predicate);
  }

  private double sum(String tenant, PointPredicate predicate) throws Exception {
    TimeSeriesQuery query =
        minutes("vitals", 1).select(Aggregate.SUM, "value").where(predicate).build();
    return only(answer(tenant, query)).columns().get(0).doubleAt(0);
  }

  private TimeSeriesResult answer(String tenant, TimeSeriesQuery query) throws Exception {
    return answer(backend, tenant, query);
  }

  private static TimeSeriesResult answer(Backend backend, String tenant, TimeSeriesQuery query)
      throws Exception {
    try (TimeSeries series = TimeSeries.builder().backend(backend).build()) {
      return Tenant.of(tenant).call(() -> series.query(query));
    }
  }

  private static void assertRefused(Backend backend, TimeSeriesQuery.Builder query, String part) {
    assertThatThrownBy(() -> answer(backend, "t1", query.build()))
        .isInstanceOf(RefusedQueryException.class)
        .hasMessageContaining(part);
  }

  private static Series only(TimeSeriesResult result) {
    assertThat(result.series()).hasSize(1);
    return result.series().get(0);
  }

  private static TimeSeriesQuery.Builder minutes(String measurement, int minutes) {
    return TimeSeriesQuery.builder(measurement)
        .every(Duration.ofMinutes(1))
        .range(START, START.plus(Duration.ofMinutes(minutes)));
  }

  private void write(String tenant, Instant time, String device, String ward, double value) {
    try (Connection connection = dataSource.getConnection();
        PreparedStatement insert =
            connection.prepareStatement(
                "INSERT INTO vitals (tenant, at, \"De\"\"vice\", ward, value) VALUES (?, ?, ?, ?,"
                    + " ?)")) {
      insert.setString(1, tenant);
      insert.setObject(2, time.atOffset(ZoneOffset.UTC));
      insert.setString(3, device);
      insert.setString(4, ward == null || ward.isEmpty() ? null : ward);
      insert.setDouble(5, value);
      insert.executeUpdate();
    } catch (SQLException e) {
      throw new IllegalStateException(e);
    }
  }

  private void execute(String sql) throws SQLException {
    try (Connection connection = dataSource.getConnection();
        var statement = connection.createStatement()) {
      statement.execute(sql);
    }
  }
}
