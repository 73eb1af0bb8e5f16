package dev.aquifer.tsquery;

import dev.aquifer.testkit.PostgresTest;
import dev.aquifer.testkit.Proof;
import dev.aquifer.tsquery.encounter.Encounters;
import dev.aquifer.tsquery.encounter.PostgresEncounters;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.sql.Statement;
import java.sql.Types;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.List;
import java.util.random.RandomGenerator;
import javax.sql.DataSource;
import org.junit.jupiter.api.Test;

/** Detection in a table of points, kept in tables of the same database. */
@PostgresTest(schema = PostgresBackendTest.SCHEMA)
class DetectionPostgresTest {
  private interface Body {
    void run(DetectionSchedule schedule) throws Exception;
  }

  private final DataSource dataSource;
  private final PostgresEncounters store;

  DetectionPostgresTest(DataSource dataSource) {
    this.dataSource = dataSource;
    this.store = PostgresEncounters.of(dataSource).createTables();
  }

  @Test
  void detect_anyPointsAndConditions_findsWhatGoingOverThePointsDoes() {
    Proof.of("detection-postgresql")
        .tries(6, 1_000)
        .each(random -> with(random, schedule -> schedule.detect(2)));
  }

  @Test
  void record_anyRanges_keepsWhatOneOverAllOfThemFinds() {
    Proof.of("detection-recorded-postgresql")
        .tries(2, 1_000)
        .each(random -> with(random, schedule -> schedule.record(6)));
  }

  private void with(RandomGenerator random, Body body) throws Exception {
    try (Connection connection = dataSource.getConnection();
        Statement statement = connection.createStatement()) {
      statement.execute("TRUNCATE vitals, aquifer_encounter, aquifer_encounter_tally");
    }
    try (TimeSeries series =
        TimeSeries.builder()
            .backend(PostgresBackend.of(dataSource, PostgresBackendTest.VITALS))
            .clock(new SteppingClock(Instant.parse("2026-05-01T00:00:00Z")))
            .lateness(Duration.ofMinutes(1))
            .build()) {
      Encounters encounters =
          Encounters.builder(series, "stay").measurements("vitals").store(store).build();
      body.run(new DetectionSchedule(random, series, encounters, "vitals", true, this::write));
    }
  }

  private void write(List<ReferenceDetection.Reading> readings) throws SQLException {
    try (Connection connection = dataSource.getConnection();
        PreparedStatement insert =
            connection.prepareStatement(
                "INSERT INTO vitals (tenant, at, \"De\"\"vice\", ward, value, seq)"
                    + " VALUES (?, ?, ?, ?, ?, ?)")) {
      for (ReferenceDetection.Reading each : readings) {
        insert.setString(1, each.tenant());
        insert.setObject(2, each.time().atOffset(ZoneOffset.UTC));
        insert.setString(3, each.device());
        insert.setString(4, each.ward().isEmpty() ? null : each.ward());
        insert.setDouble(5, each.value());
        insert.setObject(6, each.seq(), Types.BIGINT);
        insert.addBatch();
      }
      insert.executeBatch();
    }
  }
}
