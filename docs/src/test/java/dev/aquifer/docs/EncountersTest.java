package dev.aquifer.docs;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.aquifer.Tenant;
import dev.aquifer.repository.Aquifer;
import dev.aquifer.testkit.PostgresExtension;
import dev.aquifer.testkit.RedisExtension;
import dev.aquifer.tsquery.Aggregate;
import dev.aquifer.tsquery.Encounter;
import dev.aquifer.tsquery.FieldPredicate;
import dev.aquifer.tsquery.PostgresBackend;
import dev.aquifer.tsquery.SeriesTable;
import dev.aquifer.tsquery.TimeSeries;
import dev.aquifer.tsquery.TimeSeriesQuery;
import dev.aquifer.tsquery.TimeSeriesResult;
import dev.aquifer.tsquery.ValueKind;
import dev.aquifer.tsquery.encounter.Detection;
import dev.aquifer.tsquery.encounter.EncounterConflictException;
import dev.aquifer.tsquery.encounter.EncounterLimits;
import dev.aquifer.tsquery.encounter.EncounterPage;
import dev.aquifer.tsquery.encounter.EncounterRecording;
import dev.aquifer.tsquery.encounter.Encounters;
import dev.aquifer.tsquery.encounter.PostgresEncounters;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

class EncountersTest {
  @RegisterExtension
  static final PostgresExtension POSTGRES =
      PostgresExtension.shared()
          .standbys(1)
          .schema(
              "create table vitals (tenant text, time timestamptz, device text, heart_rate int)",
              "create table machine (tenant text, time timestamptz, device text, rpm int)",
              "insert into machine select 'plant', timestamptz '2026-03-01 08:00Z' + i * interval"
                  + " '1 second', 'saw', case when i between 600 and 1199 then 3000 else 0 end"
                  + " from generate_series(0, 3599) i");

  @RegisterExtension static final RedisExtension REDIS = RedisExtension.shared();

  @Test
  void stays() throws Exception {
    try (Aquifer aquifer =
            Aquifer.builder()
                .primary(POSTGRES.database().url())
                .replica(POSTGRES.database().standbyUrls().get(0))
                .credentials(POSTGRES.database().user(), POSTGRES.database().password())
                .redis(REDIS.database().uri().toString())
                .build();
        TimeSeries series =
            TimeSeries.builder()
                .backend(
                    PostgresBackend.of(
                        aquifer.database(),
                        SeriesTable.builder("vitals")
                            .field("heart_rate", ValueKind.LONG)
                            .tag("device")
                            .build(),
                        SeriesTable.builder("machine")
                            .field("rpm", ValueKind.LONG)
                            .tag("device")
                            .build()))
                .caches(aquifer.caches())
                .build()) {
      Tenant clinic = Tenant.of("clinic");
      Instant admitted = Instant.now().minus(Duration.ofDays(2)).truncatedTo(ChronoUnit.HOURS);
      Instant discharged = admitted.plus(Duration.ofHours(30));
      TimeSeriesQuery pulse =
          TimeSeriesQuery.builder("vitals")
              .select(Aggregate.MEAN, "heart_rate")
              .every(Duration.ofHours(1))
              .last(Duration.ofDays(1))
              .build();

      // snippet: encounters
      Encounters stays =
          Encounters.builder(series, "stay")
              .measurements("vitals") // whose windows a change voids
              .store(PostgresEncounters.of(aquifer.database()).createTables())
              .limits(new EncounterLimits(1_000_000, 5_000)) // of each tenant; optional
              .build();

      clinic.run(() -> stays.open("4711", admitted));
      TimeSeriesResult soFar = clinic.call(() -> stays.query("4711", pulse)); // to now
      clinic.run(() -> stays.close("4711", discharged));
      TimeSeriesResult whole = clinic.call(() -> stays.query("4711", pulse));
      // end
      assertThat(soFar.shown()).isBetween(48L, 49L);
      assertThat(whole.shown()).isEqualTo(30);

      // snippet: encounters-find
      Optional<Encounter> stay = clinic.call(() -> stays.find("4711"));
      Encounter seen = stay.orElseThrow();
      Instant later = discharged.plus(Duration.ofHours(2));
      clinic.run(() -> stays.amend(seen, admitted, later)); // if it is still as it was seen
      assertThatThrownBy(() -> clinic.run(() -> stays.amend(seen, admitted, null)))
          .isInstanceOf(EncounterConflictException.class);

      // Those of a day, 100 at a time.
      Instant day = admitted.truncatedTo(ChronoUnit.DAYS);
      EncounterPage page = clinic.call(() -> stays.between(day, day.plus(Duration.ofDays(1)), 100));
      while (page.more()) {
        Encounter last = page.next();
        page = clinic.call(() -> stays.between(day, day.plus(Duration.ofDays(1)), 100, last));
      }
      // end
      assertThat(page.encounters()).containsExactly(new Encounter("4711", admitted, later));
      Instant old = Instant.parse("2020-02-03T04:05:06Z");
      clinic.run(() -> stays.add(new Encounter("4000", old, old.plus(Duration.ofHours(9)))));
      // snippet: encounters-archive
      Instant quarter = Instant.now().minus(Duration.ofDays(90));
      long packed = clinic.call(() -> stays.archive(quarter)); // now and then, from one node
      // end
      assertThat(packed).isOne();
      assertThat(clinic.call(() -> stays.find("4000"))).isPresent();
      Encounter closed = clinic.call(() -> stays.find("4711")).orElseThrow();
      clinic.run(() -> stays.remove(closed));
      clinic.run(() -> stays.remove(closed));
      assertThat(clinic.call(() -> stays.find("4711"))).isEmpty();

      detection(series, aquifer);
    }
  }

  private static void detection(TimeSeries series, Aquifer aquifer) throws Exception {
    Tenant plant = Tenant.of("plant");
    Instant start = Instant.parse("2026-03-01T08:00:00Z");
    Instant stop = start.plus(Duration.ofHours(1));
    // snippet: encounters-detect
    Detection running =
        Detection.builder("machine")
            .start("rpm", FieldPredicate.gt("rpm", 100))
            .stop("rpm", FieldPredicate.le("rpm", 100))
            .quiet(Duration.ofMinutes(10), "rpm") // or no point at all for so long; optional
            .groupBy("device")
            .resolution(Duration.ofSeconds(1))
            .build();
    Encounters runs =
        Encounters.builder(series, "run") // a kind for this detection alone
            .measurements("machine")
            .store(PostgresEncounters.of(aquifer.database()))
            .build();

    EncounterRecording recorded = plant.call(() -> runs.record(running, start, stop));
    Encounter run = recorded.found().get(0); // saw@2026-03-01T08:10:00Z
    // end
    assertThat(recorded.added()).isEqualTo(1);
    assertThat(run)
        .isEqualTo(
            new Encounter(
                "saw@2026-03-01T08:10:00Z",
                start.plus(Duration.ofMinutes(10)),
                start.plus(Duration.ofMinutes(20)).plusSeconds(1)));
    assertThat(plant.call(() -> runs.detect(running, start, stop))).containsExactly(run);
    assertThat(plant.call(() -> runs.record(running, start, stop)).added()).isZero();
  }
}
