package dev.aquifer.tsquery;

import static org.assertj.core.api.Assertions.assertThat;

import dev.aquifer.Tenant;
import dev.aquifer.tsquery.ReferenceDetection.Reading;
import dev.aquifer.tsquery.encounter.Detection;
import dev.aquifer.tsquery.encounter.EncounterPage;
import dev.aquifer.tsquery.encounter.EncounterRecording;
import dev.aquifer.tsquery.encounter.Encounters;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Predicate;
import java.util.random.RandomGenerator;

/** Random points and conditions; what is detected in them, and kept, against the reference. */
final class DetectionSchedule {
  private static final Instant ORIGIN = Instant.parse("2026-03-01T00:30:17Z");
  private static final List<String> DEVICES = List.of("d1", "d2", "d3");
  private static final List<String> TENANTS = List.of("t1", "t2");

  /** A condition, and what it means. */
  private record Sign(PointPredicate condition, Predicate<Reading> holds) {}

  interface Writer {
    void write(List<Reading> readings) throws Exception;
  }

  private final RandomGenerator random;
  private final TimeSeries series;
  private final Encounters encounters;
  private final String measurement;
  private final Writer writer;
  private final List<Reading> readings = new ArrayList<>();
  private final ReferenceDetection reference;
  private final Detection detection;
  private final long length;
  private int found;

  /**
   * A schedule over some hours in windows of a second.
   *
   * @param seq whether the backend has a field of that name besides the value
   */
  DetectionSchedule(
      RandomGenerator random,
      TimeSeries series,
      Encounters encounters,
      String measurement,
      boolean seq,
      Writer writer) {
    this.random = random;
    this.series = series;
    this.encounters = encounters;
    this.measurement = measurement;
    this.writer = writer;
    this.length = random.nextInt(3) == 0 ? 20_000 : 3_000;
    Duration quiet =
        switch (random.nextInt(4)) {
          case 0 -> Duration.ofSeconds(random.nextInt(1, 120));
          case 1 -> Duration.ofMillis(random.nextInt(120_000, 2_000_000));
          default -> Duration.ZERO;
        };
    Sign start = sign();
    String stopField = seq && random.nextBoolean() ? "seq" : "value";
    Sign stop = stopField.equals("seq") ? ofSeq() : sign();
    reference = new ReferenceDetection(Duration.ofSeconds(1), quiet, start.holds, stop.holds);
    Detection.Builder builder =
        Detection.builder(measurement)
            .start("value", start.condition)
            .stop(stopField, stop.condition)
            .groupBy("device")
            .resolution(Duration.ofSeconds(1));
    if (!quiet.isZero()) {
      builder.quiet(quiet, "value");
    }
    detection = builder.build();
  }

  private Sign sign() {
    int limit = random.nextInt(100);
    Sign value =
        random.nextBoolean()
            ? new Sign(FieldPredicate.ge("value", limit), each -> each.value() >= limit)
            : new Sign(FieldPredicate.lt("value", limit), each -> each.value() < limit);
    Sign ward = new Sign(TagPredicate.eq("ward", "icu"), each -> each.ward().equals("icu"));
    return switch (random.nextInt(5)) {
      case 0 -> ward;
      case 1 ->
          new Sign(
              PointPredicate.and(value.condition, ward.condition), value.holds.and(ward.holds));
      default -> value;
    };
  }

  private Sign ofSeq() {
    int limit = random.nextInt(-1, 5);
    return new Sign(
        FieldPredicate.le("seq", limit), each -> each.seq() != null && each.seq() <= limit);
  }

  /** How many encounters were compared. */
  int found() {
    return found;
  }

  /** What is detected in any range is what the reference finds there. */
  void detect(int times) throws Exception {
    write(0, length, random.nextInt(1, 120));
    for (int i = 0; i < times; i++) {
      long from = random.nextLong(-5_000, length);
      long to = random.nextLong(from + 2, length + 5_000);
      Instant start = ORIGIN.plusSeconds(from).plusMillis(random.nextInt(1_000));
      Instant stop = ORIGIN.plusSeconds(to).plusMillis(random.nextInt(1_000));
      for (String tenant : TENANTS) {
        List<Encounter> seen =
            Tenant.of(tenant).call(() -> encounters.detect(detection, start, stop));
        assertThat(seen)
            .as("%s from %s to %s, quiet %s", detection, start, stop, reference.quiet())
            .isEqualTo(reference.over(readings, tenant, start, stop));
        found += seen.size();
      }
    }
  }

  /**
   * Ranges that follow, overlap and go back for late points keep what one over all of them finds.
   */
  void record(int times) throws Exception {
    long stop = 0;
    for (int i = 0; i < times; i++) {
      long late = Math.max(0, stop - random.nextLong(0, 1_000));
      if (random.nextBoolean()) {
        late = stop;
      }
      long more = random.nextLong(2, 1 + length / times + 2);
      write(late, stop + more, random.nextInt(0, 30));
      stop += more;
      Instant from = ORIGIN.plusSeconds(late - (late == 0 ? 0 : random.nextInt(0, 2)));
      Instant to = ORIGIN.plusSeconds(stop);
      for (String tenant : TENANTS) {
        Tenant as = Tenant.of(tenant);
        List<Encounter> expected = reference.over(readings, tenant, ORIGIN, to);
        as.call(() -> encounters.record(detection, from, to));
        assertThat(as.call(() -> encounters.between(ORIGIN, to, 10_000)))
            .as("%s from %s to %s, quiet %s", detection, from, to, reference.quiet())
            .isEqualTo(new EncounterPage(expected, false));
        EncounterRecording again = as.call(() -> encounters.record(detection, from, to));
        assertThat(again.added() + again.amended() + again.removed()).as("again").isZero();
        found += expected.size();
      }
    }
  }

  private void write(long from, long to, int count) throws Exception {
    List<Reading> more = new ArrayList<>();
    long burst = random.nextLong(from, to);
    for (int i = 0; i < count; i++) {
      if (random.nextInt(6) == 0) {
        burst = random.nextLong(from, to);
      }
      long second = Math.max(from, Math.min(to - 1, burst + random.nextInt(200)));
      Instant time = ORIGIN.plusSeconds(second).plusMillis((readings.size() + i) % 1_000);
      Long seq = random.nextInt(3) == 0 ? null : (Long) (long) random.nextInt(10);
      more.add(
          new Reading(
              TENANTS.get(random.nextInt(2)),
              time,
              DEVICES.get(random.nextInt(3)),
              random.nextInt(3) == 0 ? "icu" : "",
              random.nextInt(100),
              seq));
    }
    readings.addAll(more);
    writer.write(more);
    for (Reading each : more) {
      Tenant.of(each.tenant())
          .run(() -> series.invalidate(measurement, each.time(), each.time().plusNanos(1)));
    }
  }
}
