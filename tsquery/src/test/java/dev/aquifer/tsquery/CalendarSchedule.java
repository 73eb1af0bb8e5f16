package dev.aquifer.tsquery;

import static org.assertj.core.api.Assertions.assertThat;

import dev.aquifer.Tenant;
import java.time.Duration;
import java.time.Instant;
import java.time.LocalDateTime;
import java.time.Period;
import java.time.ZoneId;
import java.time.ZoneOffset;
import java.time.temporal.ChronoUnit;
import java.time.zone.ZoneOffsetTransition;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Predicate;
import java.util.random.RandomGenerator;

/**
 * A random schedule, as {@link Schedule} is one, of windows by the calendar and in zones, about a
 * change of the zone's clock. Answers, cached or not, must be what java.time's calendar and a look
 * at all points say.
 */
final class CalendarSchedule {
  /** Where clocks are set forth and back: by an hour, by half of it, by a day, or never. */
  private static final List<ZoneId> ZONES =
      List.of(
          ZoneId.of("Europe/Berlin"),
          ZoneId.of("America/New_York"),
          ZoneId.of("Australia/Lord_Howe"),
          ZoneId.of("America/St_Johns"),
          ZoneId.of("Pacific/Apia"),
          ZoneId.of("Africa/Casablanca"),
          ZoneId.of("Asia/Kolkata"),
          ZoneOffset.UTC);

  private static final Tenant TENANT = Tenant.of("t1");
  private static final List<String> DEVICES = List.of("d1", "d2");

  private record Point(Instant time, String device, double value) {}

  private record Row(String device, Instant start, double count, double sum) {}

  private final RandomGenerator random;
  private final SteppingClock clock;
  private final Schedule.Writer writer;
  private final List<TimeSeriesQuery> shapes = new ArrayList<>();
  private final Instant about;
  private final List<Point> points = new ArrayList<>();

  CalendarSchedule(
      RandomGenerator random, Schedule.Writer writer, String measurement, Predicate<Window> can) {
    this.random = random;
    this.writer = writer;
    ZoneId zone = ZONES.get(random.nextInt(ZONES.size()));
    this.about = change(zone);
    this.clock = new SteppingClock(about);
    while (shapes.size() < 2) {
      Window window = Calendars.window(random, zone);
      if (can.test(window)) {
        shapes.add(shape(measurement, window));
      }
    }
  }

  /** Runs against series of this clock whose open windows are not kept. */
  void run(Backend backend, int steps) throws Exception {
    try (TimeSeries series =
        TimeSeries.builder().backend(backend).clock(clock).ageing(Schedule.exact(random)).build()) {
      for (int i = 0; i < 40; i++) {
        write(somewhere());
      }
      for (int i = 0; i < steps; i++) {
        step(series);
      }
    }
  }

  private void step(TimeSeries series) throws Exception {
    switch (random.nextInt(8)) {
      case 0 -> clock.advance(Duration.ofNanos(random.nextLong(span(random.nextInt(2)) / 4)));
      case 1 -> write(clock.instant().plusSeconds(random.nextInt(10_000)));
      case 2 -> {
        Instant time = somewhere();
        write(time);
        TENANT.run(() -> series.invalidate(shapes.get(0).measurement(), time, time.plusNanos(1)));
      }
      default -> query(series);
    }
  }

  private void query(TimeSeries series) throws Exception {
    int shape = random.nextInt(shapes.size());
    Instant start = about.plusNanos(random.nextLong(-span(shape), span(shape) / 2));
    start = random.nextBoolean() ? start : start.truncatedTo(ChronoUnit.HOURS);
    Instant stop = start.plusNanos(random.nextLong(1, span(shape)));
    TimeSeriesQuery query = shapes.get(shape).withRange(start, stop);
    List<Row> expected = expected(query.window(), start, stop);

    TimeSeriesResult uncached = TENANT.call(() -> series.queryUncached(query));
    assertThat(rows(uncached)).as("uncached %s, %s", query, query.window()).isEqualTo(expected);
    TimeSeriesResult cached = TENANT.call(() -> series.query(query));
    assertThat(rows(cached)).as("cached %s, %s", query, query.window()).isEqualTo(expected);
  }

  private static List<Row> rows(TimeSeriesResult result) {
    List<Row> rows = new ArrayList<>();
    for (Series series : result.series()) {
      for (int i = 0; i < series.size(); i++) {
        rows.add(
            new Row(
                series.group().get("device"),
                series.start(i),
                number(series.column(Aggregate.COUNT, "value"), i),
                number(series.column(Aggregate.SUM, "value"), i)));
      }
    }
    return rows;
  }

  private static double number(ValueColumn column, int index) {
    return column.kind() == ValueKind.LONG ? column.longAt(index) : column.doubleAt(index);
  }

  private List<Row> expected(Window window, Instant start, Instant stop) {
    List<Row> rows = new ArrayList<>();
    for (long i = before(window, start); ; i++) {
      Instant begins = instant(local(window, i), window.zone());
      if (!begins.isBefore(stop)) {
        break;
      }
      Instant ends =
          instant(
              local(window, i)
                  .plusMonths(window.period().months())
                  .plus(window.period().duration()),
              window.zone());
      boolean skipped =
          begins.equals(ends) || begins.equals(instant(local(window, i + 1), window.zone()));
      Map<String, double[]> sums = new TreeMap<>();
      for (Point point : points) {
        Instant time = point.time();
        if (!skipped
            && !time.isBefore(begins)
            && time.isBefore(ends)
            && !time.isBefore(start)
            && time.isBefore(stop)) {
          double[] sum = sums.computeIfAbsent(point.device(), key -> new double[2]);
          sum[0]++;
          sum[1] += point.value();
        }
      }
      sums.forEach((device, sum) -> rows.add(new Row(device, begins, sum[0], sum[1])));
    }
    rows.sort(Comparator.comparing(Row::device).thenComparing(Row::start));
    return rows;
  }

  /** A window that ended before a time, and surely so. */
  private static long before(Window window, Instant time) {
    long days = time.getEpochSecond() / 86_400 - 2;
    if (window.every().calendar()) {
      long months =
          days / 31
              - 24
              - window.period().months()
              - window.period().nanos() / 2_000_000_000_000_000L;
      return months / window.every().months() - 24;
    }
    long nanos =
        Duration.ofDays(days).toNanos() - window.period().nanos() - 2 * window.every().nanos();
    return nanos / window.every().nanos() - 1;
  }

  private static LocalDateTime local(Window window, long i) {
    return LocalDateTime.of(1970, 1, 1, 0, 0)
        .plusMonths(window.offset().months() + i * window.every().months())
        .plus(window.offset().duration())
        .plus(window.every().duration().multipliedBy(i));
  }

  private static Instant instant(LocalDateTime local, ZoneId zone) {
    ZoneOffsetTransition change = zone.getRules().getTransition(local);
    return change != null && change.isGap()
        ? change.getInstant()
        : local.atZone(zone).withEarlierOffsetAtOverlap().toInstant();
  }

  private void write(Instant time) {
    String device = DEVICES.get(random.nextInt(DEVICES.size()));
    // Eighths: in any order they add up to the same.
    double value = random.nextInt(-1_000, 1_000) / 8.0;
    points.add(new Point(time, device, value));
    writer.write(TENANT.id(), time, device, "w" + points.size(), value);
  }

  private Instant somewhere() {
    long span = span(random.nextInt(shapes.size()));
    return about.plusNanos(random.nextLong(-span, span)).truncatedTo(ChronoUnit.MICROS);
  }

  /** Some windows of a shape. */
  private long span(int shape) {
    return Math.min(
        Duration.ofDays(1_500).toNanos(), 20 * shapes.get(shape).window().every().shortest());
  }

  private Instant change(ZoneId zone) {
    Instant after =
        zone.getId().equals("Pacific/Apia")
            ? Instant.parse("2011-12-01T00:00:00Z")
            : Instant.parse("2020-01-01T00:00:00Z").plus(Duration.ofDays(random.nextInt(3_000)));
    ZoneOffsetTransition next = zone.getRules().nextTransition(after);
    return next == null ? after : next.getInstant();
  }

  private static TimeSeriesQuery shape(String measurement, Window window) {
    TimeSeriesQuery made =
        query(measurement, window)
            .select(Aggregate.COUNT, "value")
            .select(Aggregate.SUM, "value")
            .last(Duration.ofMinutes(1))
            .groupBy("device")
            .build();
    assertThat(made.window()).isEqualTo(window);
    return made;
  }

  /** A query that has these windows, by what a user would say. */
  static TimeSeriesQuery.Builder query(String measurement, Window window) {
    TimeSeriesQuery.Builder query = TimeSeriesQuery.builder(measurement).zone(window.zone());
    if (window.every().calendar()) {
      query.every(Period.ofMonths((int) window.every().months()));
    } else {
      query.every(window.every().duration());
    }
    if (window.period().calendar()) {
      query.period(Period.ofMonths((int) window.period().months()));
    } else {
      query.period(window.period().duration());
    }
    if (window.offset().calendar()) {
      query.offset(Period.ofMonths((int) window.offset().months()));
    } else {
      query.offset(window.offset().duration());
    }
    return query;
  }
}
