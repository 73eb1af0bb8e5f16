package dev.aquifer.tsquery;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.tuple;

import dev.aquifer.RefusedQueryException;
import dev.aquifer.Tenant;
import dev.aquifer.testkit.Proof;
import dev.aquifer.tsquery.encounter.Detection;
import dev.aquifer.tsquery.encounter.EncounterRecording;
import dev.aquifer.tsquery.encounter.EncounterStore;
import dev.aquifer.tsquery.encounter.Encounters;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.atomic.LongAdder;
import java.util.random.RandomGenerator;
import org.junit.jupiter.api.Test;

/** Detection by counted windows against one that goes over the points. */
class DetectionTest {
  private static final Tenant T1 = Tenant.of("t1");

  private interface Body {
    void run(DetectionSchedule schedule) throws Exception;
  }

  @Test
  void detect_anyPointsAndConditions_findsWhatGoingOverThePointsDoes() {
    prove("detection", schedule -> schedule.detect(4));
  }

  @Test
  void record_anyRanges_keepsWhatOneOverAllOfThemFinds() {
    prove("detection-recorded", schedule -> schedule.record(12));
  }

  private static void prove(String name, Body body) {
    LongAdder found = new LongAdder();
    Proof.of(name)
        .tries(40, 50_000)
        .each(
            random ->
                with(
                    random,
                    schedule -> {
                      body.run(schedule);
                      found.add(schedule.found());
                    }));
    assertThat(found.sum()).isGreaterThan(100);
  }

  /** Ten days to the second: few windows are looked at, and none twice. */
  @Test
  void detect_fewPointsInALongRange_looksAtFewWindows() throws Exception {
    PointsBackend points = new PointsBackend();
    points.add("t1", Nanos.of(at(100_000)), Map.of(), 9);
    points.add("t1", Nanos.of(at(100_003)), Map.of(), 9);
    points.add("t1", Nanos.of(at(700_000)), Map.of(), 1);
    try (TimeSeries series = series(points)) {
      Encounters stays = encounters(series);
      Instant end = at(864_000);
      List<Encounter> found = T1.call(() -> stays.detect(levels().build(), at(0), end));
      assertThat(found)
          .containsExactly(new Encounter("m@" + at(100_000), at(100_000), at(700_001)));
      // Of both kinds: 240 hours, the minutes of two of them, the seconds of two minutes.
      assertThat(series.statistics().windowsFetched()).isEqualTo(2 * (240 + 2 * 60 + 2 * 60));
      T1.call(() -> stays.detect(levels().build(), at(0), end));
      assertThat(series.statistics().windowsFetched()).isEqualTo(2 * (240 + 2 * 60 + 2 * 60));
    }
  }

  @Test
  void detect_pointsOnAllSeconds_looksOnlyWhereSomethingChanges() throws Exception {
    PointsBackend points = new PointsBackend();
    for (int i = 0; i < 20_000; i++) {
      points.add("t1", Nanos.of(at(i)), Map.of(), i < 5_000 ? 3 : i < 15_000 ? 9 : 1);
    }
    try (TimeSeries series = series(points)) {
      List<Encounter> found =
          T1.call(() -> encounters(series).detect(levels().build(), at(0), at(20_000)));
      assertThat(found).containsExactly(new Encounter("m@" + at(5_000), at(5_000), at(15_001)));
      assertThat(series.statistics().windowsFetched()).isLessThan(2 * (6 + 3 * 60 + 3 * 60));
    }
  }

  @Test
  void detect_boundaries_areThoseOfWindows() throws Exception {
    PointsBackend points = new PointsBackend();
    // Both in one window; one that goes on, and both in a window; a start; a stop; a start.
    double[] values = {9, 1, -1, 9, -1, 1, 9, -1, 9, -1, 1, -1, 9};
    int[] halves = {0, 1, 2, 4, 5, 6, 7, 8, 10, 11, 15, 16, 20};
    for (int i = 0; i < values.length; i++) {
      points.add("t1", Nanos.of(at(0).plusMillis(halves[i] * 500L)), Map.of(), values[i]);
    }
    try (TimeSeries series = series(points)) {
      List<Encounter> found =
          T1.call(
              () ->
                  encounters(series)
                      .detect(levels().build(), at(0).plusMillis(900), at(11).plusMillis(1)));
      assertThat(found)
          .extracting(each -> each.start(), each -> each.end())
          .containsExactly(
              tuple(at(0), at(1)), tuple(at(2), at(4)), tuple(at(5), at(8)), tuple(at(10), null));
    }
  }

  @Test
  void detect_badRanges_areRefusedBeforeAnythingIsSent() throws Exception {
    PointsBackend points = new PointsBackend();
    try (TimeSeries series = series(points)) {
      Encounters stays = encounters(series);
      assertRefused(
          () -> stays.detect(levels().build(), at(0), at(4_000_000_000L)), "1,000,000 windows");
      assertRefused(
          () ->
              stays.detect(
                  levels().quiet(Duration.ofSeconds(5), "value").build(), at(0), at(1_000_001)),
          "1,000,000 windows");
      assertRefused(
          () -> stays.detect(levels().build(), at(0), at(0).plusMillis(999)), "no whole window");
      assertRefused(() -> stays.detect(levels().build(), at(1), at(0)), "The range is empty");
      assertThat(points.requests()).isZero();
    }
  }

  @Test
  void build_badDetections_areRefused() {
    assertRefused(
        () -> Detection.builder("m").stop("value", FieldPredicate.le("value", 1)).build(),
        "no start");
    assertRefused(
        () -> Detection.builder("m").start("value", FieldPredicate.le("value", 1)).build(),
        "no stop");
    assertRefused(() -> levels().resolution(Duration.ZERO).build(), "resolution");
    assertRefused(() -> levels().resolution(Duration.ofDays(2)).build(), "resolution");
    assertRefused(() -> levels().quiet(Duration.ofMillis(999), "value").build(), "quiet");
    assertRefused(() -> levels().quiet(Duration.ofDays(900), "value").build(), "quiet");
    assertRefused(
        () -> levels().start("other", FieldPredicate.le("value", 1)).build(), "field value");
    assertRefused(() -> levels().groupBy("").build(), "tag");
  }

  /** Many groups: together they pass what one query may have, by itself each is within. */
  @Test
  void detect_moreGroupsThanOneAnswerHolds_asksInParts() throws Exception {
    PointsBackend points = new PointsBackend();
    for (int i = 0; i < 40; i++) {
      points.add("t1", Nanos.of(at(i * 90L)), Map.of("device", "d" + i), 9);
    }
    try (TimeSeries series =
        TimeSeries.builder()
            .backend(points)
            .limits(new QueryLimits(1_000, Duration.ofDays(1), 2_000))
            .build()) {
      Detection detection = levels().groupBy("device").build();
      List<Encounter> found = T1.call(() -> encounters(series).detect(detection, at(0), at(3_600)));
      assertThat(found).hasSize(40);
      assertThat(found.get(1)).isEqualTo(Encounter.open("d1@" + at(90), at(90)));
    }
  }

  /** Whatever a tag holds: each group has ids of its own, that any store takes. */
  @Test
  void detect_hostileGroups_haveIdsOfTheirOwn() throws Exception {
    PointsBackend points = new PointsBackend();
    List<Map<String, String>> groups = new ArrayList<>();
    for (String value : List.of("a/b", "a", "@", "%2f", "/", "", "x\u0000\n", "y".repeat(9_999))) {
      groups.add(Map.of("device", value, "ward", "b"));
    }
    groups.add(Map.of("device", "a", "ward", "b/b"));
    groups.add(Map.of("device", "y".repeat(9_998), "ward", "yb"));
    groups.forEach(group -> points.add("t1", Nanos.of(at(5)), group, 9));
    try (TimeSeries series = series(points)) {
      Encounters stays = encounters(series);
      Detection detection = levels().groupBy("ward", "device").build();
      List<Encounter> found = T1.call(() -> stays.record(detection, at(0), at(60))).found();
      assertThat(found.stream().map(Encounter::id).distinct()).hasSize(groups.size());
      assertThat(found).extracting(Encounter::id).contains("a%2fb/b@" + at(5));
      assertThat(T1.call(() -> stays.between(at(0), at(60), 99)).encounters()).isEqualTo(found);
    }
  }

  /** What another changes while a run looks at the points is not overwritten. */
  @Test
  void record_whileAnotherAmends_leavesItToTheNextRun() throws Exception {
    Runnable[] meanwhile = {() -> {}};
    PointsBackend points =
        new PointsBackend() {
          @Override
          public void fetch(FetchRequest request, RowSink sink) {
            super.fetch(request, sink);
            meanwhile[0].run();
          }
        };
    points.add("t1", Nanos.of(at(5)), Map.of(), 9);
    try (TimeSeries series = series(points)) {
      Encounters stays = encounters(series);
      String id = "m@" + at(5);
      T1.call(() -> stays.record(levels().build(), at(0), at(60)));
      points.add("t1", Nanos.of(at(7)), Map.of(), 1);
      T1.run(() -> series.invalidate("m"));
      meanwhile[0] = () -> stays.amend(id, at(5), at(20));
      EncounterRecording run = T1.call(() -> stays.record(levels().build(), at(0), at(60)));
      assertThat(run.amended()).isZero();
      assertThat(T1.call(() -> stays.find(id)).orElseThrow().end()).isEqualTo(at(20));
      meanwhile[0] = () -> {};
      assertThat(T1.call(() -> stays.record(levels().build(), at(0), at(60))).amended()).isOne();
      assertThat(T1.call(() -> stays.find(id)).orElseThrow().end()).isEqualTo(at(8));
    }
  }

  /** Another group is looked at from earlier on; this one's points before the range are not. */
  @Test
  void record_pointsBeforeTheRange_beginNothing() throws Exception {
    PointsBackend points = new PointsBackend();
    points.add("t1", Nanos.of(at(0)), Map.of("device", "d1"), 9);
    try (TimeSeries series = series(points)) {
      Encounters stays = encounters(series);
      Detection detection = levels().groupBy("device").build();
      T1.call(() -> stays.record(detection, at(0), at(100)));
      for (int second : new int[] {70, 130, 190}) {
        points.add("t1", Nanos.of(at(second)), Map.of("device", "d2"), 9);
      }
      T1.run(() -> series.invalidate("m"));
      assertThat(T1.call(() -> stays.record(detection, at(100), at(300))).found())
          .containsExactly(
              Encounter.open("d1@" + at(0), at(0)), Encounter.open("d2@" + at(130), at(130)));
    }
  }

  private static Detection.Builder levels() {
    return Detection.builder("m")
        .start("value", FieldPredicate.ge("value", 5))
        .stop(
            "value",
            PointPredicate.and(FieldPredicate.ge("value", 0), FieldPredicate.le("value", 2)))
        .resolution(Duration.ofSeconds(1));
  }

  private static void assertRefused(Callable<?> call, String part) {
    assertThatThrownBy(() -> T1.call(call))
        .isInstanceOf(RefusedQueryException.class)
        .hasMessageContaining(part);
  }

  private static Instant at(long second) {
    return Instant.parse("2026-03-01T00:00:00Z").plusSeconds(second);
  }

  private static TimeSeries series(Backend points) {
    return TimeSeries.builder()
        .backend(points)
        .clock(new SteppingClock(Instant.parse("2026-05-01T00:00:00Z")))
        .lateness(Duration.ofMinutes(1))
        .build();
  }

  private static Encounters encounters(TimeSeries series) {
    return Encounters.builder(series, "stay")
        .measurements("m")
        .store(EncounterStore.inMemory())
        .build();
  }

  private static void with(RandomGenerator random, Body body) throws Exception {
    PointsBackend points = new PointsBackend();
    try (TimeSeries series = series(points)) {
      Encounters encounters = encounters(series);
      body.run(
          new DetectionSchedule(
              random,
              series,
              encounters,
              "m",
              false,
              readings ->
                  readings.forEach(
                      each ->
                          points.add(
                              each.tenant(),
                              Nanos.of(each.time()),
                              Schedule.tags(each.device(), each.ward()),
                              each.value()))));
    }
  }
}
