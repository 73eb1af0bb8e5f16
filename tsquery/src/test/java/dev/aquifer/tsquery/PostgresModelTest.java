package dev.aquifer.tsquery;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.aquifer.RefusedQueryException;
import dev.aquifer.Tenant;
import dev.aquifer.testkit.PostgresTest;
import dev.aquifer.testkit.Proof;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;
import javax.sql.DataSource;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.postgresql.ds.PGSimpleDataSource;

/** What the query model means on PostgreSQL: against a reference, and cached against uncached. */
@PostgresTest(schema = PostgresBackendTest.SCHEMA)
class PostgresModelTest {
  private static final Instant START = Instant.parse("2026-03-01T00:00:00Z");

  private final DataSource dataSource;
  private final PostgresBackend backend;

  PostgresModelTest(DataSource dataSource) {
    this.dataSource = dataSource;
    this.backend = PostgresBackend.of(dataSource, PostgresBackendTest.VITALS);
  }

  @BeforeEach
  void empty() throws SQLException {
    execute("TRUNCATE vitals");
  }

  @Test
  void query_medianAndQuantileOfWholeNumbers_countPlaces() throws Exception {
    execute(
        "INSERT INTO vitals (at, tenant, seq) SELECT '2026-03-01T00:00:00Z', 't1', n"
            + " FROM generate_series(1, 10) n");
    TimeSeriesQuery.Builder query = minutes("vitals", 1).select(Aggregate.MEDIAN, "seq");
    for (double q : new double[] {0, 0.1, 0.11, 0.5, 0.9, 0.91, 1}) {
      query.select(Selection.quantile(q, "seq"));
    }

    assertThat(only(answer("t1", query.build())).columns())
        .extracting(column -> column.valueAt(0))
        .containsExactly(5.5, 1L, 1L, 2L, 5L, 9L, 10L, 10L);
  }

  @Test
  void query_anyShape_equalsTheReference() {
    Proof.of("postgresql-reference")
        .tries(4, 1_000)
        .each(
            random -> {
              execute("TRUNCATE vitals");
              PointsBackend points = new PointsBackend();
              List<String> rows = new ArrayList<>();
              for (int i = 0; i < 60; i++) {
                Instant time = START.plusMillis(random.nextInt(60_000) * 100L + i);
                String ward = random.nextBoolean() ? "icu" : "";
                double value = random.nextInt(-1000, 1000) / 10.0;
                points.add("t1", Nanos.of(time), Schedule.tags("d" + i % 5, ward), value);
                rows.add(
                    "('t1', '%s', 'd%d', nullif('%s', ''), %s)"
                        .formatted(time, i % 5, ward, value));
              }
              execute(
                  "INSERT INTO vitals (tenant, at, \"De\"\"vice\", ward, value) VALUES "
                      + String.join(", ", rows));
              for (int i = 0; i < 8; i++) {
                TimeSeriesQuery query =
                    Schedule.shape(random, "vitals")
                        .withRange(START, START.plusSeconds(1 + random.nextInt(600)));
                assertThat(answer("t1", query).series())
                    .as("%s", query)
                    .isEqualTo(answer(points, "t1", query).series());
              }
            });
  }

  @Test
  void query_conditionsOnAField_chooseAmongItsValues() throws Exception {
    for (FieldConditions.Row row : FieldConditions.ROWS) {
      try (Connection connection = dataSource.getConnection();
          PreparedStatement insert =
              connection.prepareStatement(
                  "INSERT INTO vitals (tenant, at, ward, value, seq, note, ok)"
                      + " VALUES ('t1', '2026-03-01T00:00:01Z', ?, ?, ?, ?, ?)")) {
        insert.setString(1, row.ward().isEmpty() ? null : row.ward());
        insert.setDouble(2, row.value());
        insert.setLong(3, row.seq());
        insert.setString(4, row.note());
        insert.setBoolean(5, row.ok());
        insert.executeUpdate();
      }
    }
    execute("INSERT INTO vitals (tenant, at) VALUES ('t1', '2026-03-01T00:00:02Z')");

    FieldConditions.assertChosen(
        (field, condition) ->
            answer(
                    "t1",
                    minutes("vitals", 1).select(Aggregate.COUNT, field).where(condition).build())
                .series()
                .stream()
                .mapToLong(series -> series.columns().get(0).longAt(0))
                .sum());
  }

  @Test
  void query_conditionOfAnotherKindThanTheField_isRefused() {
    PostgresBackend offline =
        PostgresBackend.of(new PGSimpleDataSource(), PostgresBackendTest.VITALS);
    assertRefused(
        offline,
        minutes("vitals", 1)
            .select(Aggregate.COUNT, "value")
            .where(FieldPredicate.eq("value", "1 OR true")),
        "Field value is a number and cannot be compared with a text");
    assertRefused(
        offline,
        minutes("vitals", 1).select(Aggregate.COUNT, "note").where(FieldPredicate.gt("note", 1)),
        "Field note is a text and cannot be compared with a number");
  }

  @Test
  void query_randomSchedules_equalTheUncachedAnswer() {
    Proof.of("window-schedules-postgresql")
        .tries(5, 1_000)
        .each(
            random -> {
              execute("TRUNCATE vitals");
              int scale = Schedule.scale(random);
              SteppingClock clock = new SteppingClock(Schedule.NOON);
              try (TimeSeries series =
                  TimeSeries.builder()
                      .backend(backend)
                      .clock(clock)
                      .ageing(Schedule.exact(random, scale))
                      .build()) {
                List<TimeSeriesQuery> shapes =
                    IntStream.range(0, 3)
                        .mapToObj(i -> Schedule.scaled(Schedule.shape(random, "vitals"), scale))
                        .toList();
                new Schedule(random, clock, series, this::write, shapes).scaledBy(scale).run(40);
              }
            });
  }

  @Test
  void query_randomSchedulesByTheCalendar_areWhatTheCalendarSays() {
    Proof.of("calendar-schedules-postgresql")
        .tries(3, 1_000)
        .each(
            random -> {
              execute("TRUNCATE vitals");
              new CalendarSchedule(random, this::write, "vitals", window -> true).run(backend, 15);
            });
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
