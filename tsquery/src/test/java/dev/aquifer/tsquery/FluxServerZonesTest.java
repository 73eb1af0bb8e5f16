package dev.aquifer.tsquery;

import static org.assertj.core.api.Assertions.assertThat;

import com.influxdb.query.FluxRecord;
import com.influxdb.query.FluxTable;
import dev.aquifer.Tenant;
import dev.aquifer.testkit.Proof;
import java.time.Duration;
import java.time.Instant;
import java.time.LocalDateTime;
import java.time.ZoneId;
import java.time.ZoneOffset;
import java.time.zone.ZoneOffsetTransition;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.concurrent.atomic.LongAdder;
import java.util.random.RandomGenerator;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * The windows of zones as a real InfluxDB 2.x makes them by {@code location}: the same, about
 * changes of the clock. Not where an edge lies inside a repeated hour: there the server leaves out
 * points of the hour's second pass.
 */
@ParameterizedClass(name = "{0}", allowZeroInvocations = true)
@MethodSource("oneForm")
class FluxServerZonesTest extends FluxServer {
  private static final List<String> ZONES =
      List.of(
          "Europe/Berlin",
          "America/New_York",
          "Australia/Lord_Howe",
          "America/Sao_Paulo",
          "Pacific/Apia",
          "Asia/Kolkata");

  private record Row(Instant start, long count) {}

  FluxServerZonesTest(Form form) {
    super(form);
  }

  static Stream<Form> oneForm() {
    return forms().limit(1);
  }

  @Test
  void query_windowsOfAZone_areThoseOfTheServersLocation() {
    LongAdder compared = new LongAdder();
    Proof.of("flux-zones")
        .tries(60, 5_000)
        .each(
            random -> {
              ZoneId zone = ZoneId.of(ZONES.get(random.nextInt(ZONES.size())));
              Instant about = change(random, zone);
              Window window = Calendars.window(random, zone);
              long span = Math.min(Duration.ofDays(900).toNanos(), 12 * window.every().shortest());
              TimeRange range =
                  new TimeRange(
                      about.minusNanos(random.nextLong(1, span)),
                      about.plusNanos(random.nextLong(1, span)));
              if (comparable(window, range)) {
                compare(random, window, range);
                compared.increment();
              }
            });
    assertThat(compared.sum()).isGreaterThan(20);
  }

  private void compare(RandomGenerator random, Window window, TimeRange range) throws Exception {
    String own = "zone" + COUNT.incrementAndGet();
    StringBuilder lines = new StringBuilder();
    for (int i = 0; i < 60; i++) {
      long time = random.nextLong(range.startNanos(), range.stopNanos());
      lines.append(Lines.key(own, "t1", "d1", "")).append(" value=1 ").append(time).append('\n');
    }
    database.write(lines.toString());
    TimeSeriesQuery query =
        CalendarSchedule.query(own, window)
            .range(range.start(), range.stop())
            .select(Aggregate.COUNT, "value")
            .build();
    WindowGrid grid = WindowGrid.of(window, range, QueryLimits.defaults(), 1);
    List<Row> ours = new ArrayList<>();
    for (Series each : Tenant.of("t1").call(() -> series.query(query)).series()) {
      for (int i = 0; i < each.size(); i++) {
        // Of those that are cut at the start, Flux tells no more than that.
        Instant start = each.start(i).isBefore(range.start()) ? range.start() : each.start(i);
        ours.add(new Row(start, each.column(Aggregate.COUNT, "value").longAt(i)));
      }
    }
    assertThat(sorted(ours))
        .as("%s, %s, %d windows", window, range, grid.size())
        .isEqualTo(sorted(theirs(own, window, range)));
  }

  private List<Row> theirs(String own, Window window, TimeRange range) {
    String flux =
        """
        import "timezone"
        option location = timezone.location(name: "%s")
        from(bucket: "%s")
          |> range(start: %s, stop: %s)
          |> filter(fn: (r) => r._measurement == "%s")
          |> window(every: %s, period: %s, offset: %s)
          |> count()
        """
            .formatted(
                window.zone(),
                database.name(),
                range.start(),
                range.stop(),
                own,
                flux(window.every()),
                flux(window.period()),
                flux(window.offset()));
    List<Row> rows = new ArrayList<>();
    for (FluxTable table : client.getQueryApi().query(flux, database.server().org())) {
      for (FluxRecord record : table.getRecords()) {
        Instant start = record.getStart();
        Object count = record.getValue();
        if (start != null && count instanceof Long number && number > 0) {
          rows.add(new Row(start, number));
        }
      }
    }
    return rows;
  }

  private static List<Row> sorted(List<Row> rows) {
    return rows.stream()
        .sorted(Comparator.comparing(Row::start).thenComparingLong(Row::count))
        .toList();
  }

  private static String flux(Step step) {
    return step.calendar() ? step.months() + "mo" : step.nanos() + "ns";
  }

  /** Whether the server's windows hold each point of the range that they should. */
  private static boolean comparable(Window window, TimeRange range) {
    if (window.zone().equals(ZoneOffset.UTC)) {
      return false;
    }
    WindowGrid grid = WindowGrid.of(window, range, QueryLimits.defaults(), 1);
    // Windows that are cut at both ends are one to Flux.
    if (grid.size() == 0 || window.period().shortest() > range.stopNanos() - range.startNanos()) {
      return false;
    }
    for (long bucket = grid.first(); bucket < grid.end(); bucket++) {
      // Flux has overlapping windows that begin in skipped time, all at the same moment.
      if (grid.start(bucket) == grid.start(bucket + 1)
          || twice(window, grid.start(bucket))
          || twice(window, grid.stop(bucket))) {
        return false;
      }
    }
    return true;
  }

  /** Whether the clock shows a time twice, and this is the first. */
  private static boolean twice(Window window, long nanos) {
    LocalDateTime local = LocalDateTime.ofInstant(Nanos.instant(nanos), window.zone());
    ZoneOffsetTransition change = window.zone().getRules().getTransition(local);
    return change != null
        && change.isOverlap()
        && !local.equals(change.getDateTimeAfter())
        && !local.equals(change.getDateTimeBefore());
  }

  private static Instant change(RandomGenerator random, ZoneId zone) {
    Instant after =
        zone.getId().equals("Pacific/Apia")
            ? Instant.parse("2011-12-01T00:00:00Z")
            : Instant.parse("2012-01-01T00:00:00Z").plus(Duration.ofDays(random.nextInt(2_000)));
    ZoneOffsetTransition next = zone.getRules().nextTransition(after);
    return next == null ? after : next.getInstant();
  }
}
