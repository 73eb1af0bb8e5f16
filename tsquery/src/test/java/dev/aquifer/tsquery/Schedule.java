package dev.aquifer.tsquery;

import static org.assertj.core.api.Assertions.assertThat;

import dev.aquifer.Tenant;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;

/**
 * A random schedule of queries, on-time and late writes, invalidations and moves of the clock, run
 * against a backend that can be written to. Late writes are told of; on-time ones (at or after the
 * clock's now) are not, and must show because open windows are never kept in a schedule. Every
 * answer must be the reference's, where one knows the points, or else the uncached one, bit for
 * bit.
 */
final class Schedule {
  /** Writes a point that every later read sees. */
  interface Writer {
    void write(String tenant, Instant time, String device, String ward, double value);
  }

  /** A scale that makes days of seconds. */
  static final int DAYS = 10_000;

  static final Instant NOON = Instant.parse("2026-03-01T12:00:00Z");
  private static final Duration STEP = Duration.ofSeconds(10);
  private static final List<String> TENANTS = List.of("t1", "t2");
  private static final List<String> DEVICES = List.of("d1", "d2", "d'3\\x");

  private final RandomGenerator random;
  private final SteppingClock clock;
  private final TimeSeries series;
  private final Writer writer;
  private final Instant origin;
  private final List<TimeSeriesQuery> shapes;
  private Consumer<Runnable> duringFetch = change -> {};
  private @Nullable ReferenceAnswer reference;
  private int scale = 1;
  private boolean whole;
  private long shown;
  private long fetched;

  Schedule(
      RandomGenerator random,
      SteppingClock clock,
      TimeSeries series,
      Writer writer,
      List<TimeSeriesQuery> shapes) {
    this.random = random;
    this.clock = clock;
    this.series = series;
    this.writer = writer;
    this.origin = clock.instant();
    this.shapes = shapes;
  }

  /** Ageing under which exactness needs nothing but invalidation: open windows are never kept. */
  static Ageing exact(RandomGenerator random) {
    return exact(random, 1);
  }

  /** The same for a schedule of that scale. */
  static Ageing exact(RandomGenerator random, int scale) {
    return new Ageing(
        Duration.ZERO,
        seconds(random, 1, 300, scale),
        seconds(random, 0, 300, scale),
        seconds(random, 1, 900, scale),
        seconds(random, 300, 900, scale),
        seconds(random, 1, 1800, scale),
        seconds(random, 0, 1200, scale));
  }

  private static Duration seconds(RandomGenerator random, int from, int to, int scale) {
    return Duration.ofSeconds(random.nextInt(from, to)).multipliedBy(scale);
  }

  static TimeSeriesQuery shape(RandomGenerator random, String measurement) {
    return shape(random, measurement, EveryAggregate.of("value"));
  }

  static TimeSeriesQuery shape(RandomGenerator random, String measurement, List<Selection> all) {
    TimeSeriesQuery.Builder query =
        TimeSeriesQuery.builder(measurement)
            .every(Duration.ofSeconds(random.nextInt(1, 40)))
            .offset(Duration.ofSeconds(random.nextInt(-20, 20)))
            .last(Duration.ofMinutes(1))
            .fill(fill(random));
    int first = random.nextInt(all.size());
    query.select(all.get(first));
    if (random.nextBoolean()) {
      query.select(all.get((first + 1 + random.nextInt(all.size() - 1)) % all.size()));
    }
    if (random.nextBoolean()) {
      query.groupBy("device");
    }
    stages(random, query);
    switch (random.nextInt(9)) {
      case 0 -> query.where(TagPredicate.ne("ward", "icu"));
      case 1 -> query.where(TagPredicate.in("device", List.of("d'3\\x", "d1")));
      case 2 -> query.where(PointPredicate.not(TagPredicate.matches("ward", "^i")));
      case 3 -> query.where(FieldPredicate.gt("value", random.nextInt(-100, 100)));
      case 4 ->
          query.where(
              PointPredicate.not(
                  PointPredicate.or(
                      TagPredicate.eq("ward", "icu"),
                      FieldPredicate.lt("value", random.nextInt(-50, 50) + 0.5))));
      case 5 ->
          query.where(
              PointPredicate.or(
                  TagPredicate.eq("device", "d1"), FieldPredicate.le("value", -12.5)));
      default -> {}
    }
    return query.build();
  }

  /**
   * Lets late writes, and the word of them, also overtake fetches: what is handed over is to be
   * done after the next fetch has read and before it is kept.
   */
  Schedule overtaking(Consumer<Runnable> during) {
    duringFetch = during;
    return this;
  }

  /** Has answers judged by a reference that is told of each point, too. */
  Schedule judgedBy(ReferenceAnswer judge) {
    reference = judge;
    return this;
  }

  /** Has all values whole. */
  Schedule ofWholeNumbers(boolean all) {
    whole = all;
    return this;
  }

  /**
   * A scale: half of them of seconds, half of days, with windows that are put together of others.
   */
  static int scale(RandomGenerator random) {
    return random.nextBoolean() ? 1 : DAYS;
  }

  /** Its windows that many times as long. */
  static TimeSeriesQuery scaled(TimeSeriesQuery shape, int factor) {
    return shape.toBuilder()
        .every(shape.window().every().duration().multipliedBy(factor))
        .offset(shape.window().offset().duration().multipliedBy(factor))
        .build();
  }

  /** Makes all times that many times as long. */
  Schedule scaledBy(int factor) {
    scale = factor;
    return this;
  }

  private Duration millis(int from, int to) {
    return Duration.ofMillis(random.nextInt(from, to)).multipliedBy(scale);
  }

  void run(int steps) throws Exception {
    for (int i = 0; i < steps; i++) {
      step();
    }
  }

  /** Windows in all cached answers. */
  long shown() {
    return shown;
  }

  /** Windows that had to be fetched for them. */
  long fetched() {
    return fetched;
  }

  private void step() throws Exception {
    switch (random.nextInt(12)) {
      case 0 -> clock.advance(STEP.multipliedBy(random.nextInt(1, 12)).multipliedBy(scale));
      case 1 -> write(clock.instant().plus(millis(0, 40_000)), false);
      case 2 -> write(clock.instant().minus(millis(1, 400_000)), true);
      case 3 -> invalidate();
      default -> query();
    }
  }

  private void write(Instant time, boolean late) {
    Tenant tenant = tenant();
    String device = DEVICES.get(random.nextInt(DEVICES.size()));
    String ward = random.nextBoolean() ? "icu" : random.nextBoolean() ? "er" : "";
    double value = random.nextInt(-1000, 1000) / 10.0 + random.nextInt(3) * 1e-9;
    value = whole ? Math.rint(value) + 0.0 : value;
    writer.write(tenant.id(), time, device, ward, value);
    if (reference != null) {
      reference.add(tenant.id(), Nanos.of(time), tags(device, ward), value);
    }
    if (late) {
      tenant.run(() -> series.invalidate(shapes.get(0).measurement(), time, time.plusNanos(1)));
    }
  }

  private void invalidate() {
    Instant from = clock.instant().minus(millis(0, 400_000));
    tenant()
        .run(
            () ->
                series.invalidate(shapes.get(0).measurement(), from, from.plus(millis(1, 60_001))));
  }

  private void query() throws Exception {
    TimeSeriesQuery shape = shapes.get(random.nextInt(shapes.size()));
    Instant stop = clock.instant().plus(millis(-300_000, 30_000));
    if (random.nextBoolean()) {
      stop = Instant.ofEpochSecond(stop.getEpochSecond());
    }
    Instant start = stop.minus(millis(1, 400_000));
    TimeSeriesQuery query = shape.withRange(start, stop);
    Tenant tenant = tenant();
    // Stages work on an answer's windows; what they make of them is for other tests to say.
    ReferenceAnswer judge = query.stages().isEmpty() ? reference : null;
    Map<Map<String, String>, ReferenceAnswer.Shown> expected =
        judge != null
            ? judge.answer(tenant, query)
            : ReferenceAnswer.shown(tenant.call(() -> series.queryUncached(query)));
    if (judge != null && random.nextInt(8) == 0) {
      equal("uncached", tenant.call(() -> series.queryUncached(query)), expected, query, tenant);
    }
    if (random.nextInt(4) == 0) {
      Instant late = start.plus(millis(0, 400_000));
      duringFetch.accept(() -> write(late.isBefore(clock.instant()) ? late : start, true));
    }
    TimeSeriesResult cached = tenant.call(() -> series.query(query));
    duringFetch.accept(() -> {});
    shown += cached.shown();
    fetched += cached.fetched();
    equal("cached", cached, expected, query, tenant);
  }

  private void equal(
      String how,
      TimeSeriesResult answer,
      Map<Map<String, String>, ReferenceAnswer.Shown> expected,
      TimeSeriesQuery query,
      Tenant tenant) {
    assertThat(ReferenceAnswer.shown(answer))
        .as(
            "%s %s for %s, %s after the start",
            how, query, tenant, Duration.between(origin, clock.instant()))
        .isEqualTo(expected);
  }

  private Tenant tenant() {
    return Tenant.of(TENANTS.get(random.nextInt(TENANTS.size())));
  }

  private static void stages(RandomGenerator random, TimeSeriesQuery.Builder query) {
    switch (random.nextInt(14)) {
      case 0 -> query.then(Stage.difference());
      case 1 -> query.then(Stage.derivative(Duration.ofMinutes(1)));
      case 2 -> query.then(Stage.cumulativeSum()).then(Stage.tail(5));
      case 3 -> query.then(Stage.movingAverage(3));
      case 4 -> query.then(Stage.limit(4));
      default -> {}
    }
  }

  private static Fill fill(RandomGenerator random) {
    return switch (random.nextInt(6)) {
      case 4 -> Fill.linear();
      case 0 -> Fill.nulls();
      case 1 -> Fill.previous();
      case 2 -> Fill.value(-7L);
      case 3 -> Fill.value(0.5);
      default -> Fill.none();
    };
  }

  static Map<String, String> tags(String device, String ward) {
    return ward.isEmpty() ? Map.of("device", device) : Map.of("device", device, "ward", ward);
  }
}
