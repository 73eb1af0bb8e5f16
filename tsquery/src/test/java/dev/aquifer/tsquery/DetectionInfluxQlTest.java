package dev.aquifer.tsquery;

import dev.aquifer.testkit.InfluxDatabase;
import dev.aquifer.testkit.InfluxTest;
import dev.aquifer.testkit.Proof;
import dev.aquifer.tsquery.encounter.EncounterStore;
import dev.aquifer.tsquery.encounter.Encounters;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;
import java.util.random.RandomGenerator;
import org.junit.jupiter.api.Test;

/** Detection in points of a real InfluxDB, 1.x or 2.x. */
@InfluxTest
class DetectionInfluxQlTest {
  private interface Body {
    void run(DetectionSchedule schedule) throws Exception;
  }

  private static final AtomicLong COUNT = new AtomicLong();

  private final InfluxDatabase database;

  DetectionInfluxQlTest(InfluxDatabase database) {
    this.database = database;
  }

  @Test
  void detect_anyPointsAndConditions_findsWhatGoingOverThePointsDoes() {
    Proof.of("detection-influxql")
        .tries(6, 1_000)
        .each(random -> with(random, schedule -> schedule.detect(2)));
  }

  @Test
  void record_anyRanges_keepsWhatOneOverAllOfThemFinds() {
    Proof.of("detection-recorded-influxql")
        .tries(3, 1_000)
        .each(random -> with(random, schedule -> schedule.record(6)));
  }

  private void with(RandomGenerator random, Body body) throws Exception {
    String measurement = "detected" + COUNT.incrementAndGet();
    try (TimeSeries series =
        TimeSeries.builder()
            .backend(InfluxQlBackendTest.builder(database).build())
            .clock(new SteppingClock(Instant.parse("2026-05-01T00:00:00Z")))
            .lateness(Duration.ofMinutes(1))
            .build()) {
      Encounters encounters =
          Encounters.builder(series, "stay")
              .measurements(measurement)
              .store(EncounterStore.inMemory())
              .build();
      body.run(
          new DetectionSchedule(
              random,
              series,
              encounters,
              measurement,
              true,
              readings -> write(measurement, readings)));
    }
  }

  private void write(String measurement, List<ReferenceDetection.Reading> readings) {
    StringBuilder lines = new StringBuilder();
    for (ReferenceDetection.Reading each : readings) {
      lines.append(Lines.key(measurement, each.tenant(), each.device(), each.ward()));
      lines.append(" value=").append(each.value());
      if (each.seq() != null) {
        lines.append(",seq=").append(each.seq()).append('i');
      }
      lines.append(' ').append(Nanos.of(each.time())).append('\n');
    }
    if (lines.length() > 0) {
      database.write(lines.toString());
    }
  }
}
