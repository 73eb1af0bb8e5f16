package dev.aquifer.tsquery;

import static org.assertj.core.api.Assertions.assertThat;

import dev.aquifer.tsquery.flux.Recorded;
import dev.aquifer.tsquery.flux.RecordedAnswers;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.time.Period;
import java.time.ZoneId;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * The windows of a real InfluxDB's answers, by the calendar, in zones, with offsets and periods:
 * their ends, as far as they are in the range, are the labels of the rows. Of the meter, which is
 * read every six hours, also what is in them.
 */
class RecordedGridTest {
  private static final Pattern RANGE =
      Pattern.compile("range\\(start: (\\S+), stop: ([0-9TZ:.-]+)\\)");
  private static final Pattern ZONE = Pattern.compile("location\\(name: \"([^\"]+)\"\\)");
  private static final Pattern FIXED = Pattern.compile("fixed\\(offset: -5h30m\\)");
  private static final Instant SILENT = Instant.parse("2026-05-03T00:00:00Z");
  private static final Instant AGAIN = Instant.parse("2026-07-12T00:00:00Z");

  private static final Map<String, byte[]> ANSWERS = RecordedAnswers.all();

  static Stream<Recorded.Case> windows() {
    List<Recorded.Case> cases =
        Recorded.cases().stream()
            .filter(
                each ->
                    each.group().equals("calendar")
                        || each.id().startsWith("window/period")
                        || each.id().startsWith("window/offset"))
            .toList();
    assertThat(cases).hasSize(25);
    return cases.stream();
  }

  @ParameterizedTest
  @MethodSource("windows")
  void grid_ofARecordedCase_hasTheRecordedWindows(Recorded.Case recorded) {
    Matcher range = RANGE.matcher(recorded.flux());
    assertThat(range.find()).isTrue();
    TimeRange asked = new TimeRange(Instant.parse(range.group(1)), Instant.parse(range.group(2)));
    WindowGrid grid = WindowGrid.of(window(recorded.flux()), asked, QueryLimits.defaults(), 1);

    List<Map.Entry<Instant, String>> expected = new ArrayList<>();
    for (long bucket = grid.first(); bucket < grid.end(); bucket++) {
      long from = Math.max(grid.start(bucket), asked.startNanos());
      long to = Math.min(grid.stop(bucket), asked.stopNanos());
      assertThat(grid.clipped(bucket))
          .isEqualTo(from > grid.start(bucket) || to < grid.stop(bucket));
      expected.add(Map.entry(Nanos.instant(to), read(recorded, from, to)));
    }

    for (List<Map.Entry<Instant, String>> rows : tables(recorded).values()) {
      assertThat(rows.stream().map(Map.Entry::getKey))
          .isEqualTo(expected.stream().map(Map.Entry::getKey).toList());
      if (recorded.group().equals("calendar")) {
        assertThat(rows).isEqualTo(expected);
      }
    }
  }

  /** What the meter has in a window: how many readings, or whether there are any. */
  private static String read(Recorded.Case recorded, long from, long to) {
    long every = Duration.ofHours(6).toNanos();
    long readings = 0;
    for (long at = -Math.floorDiv(-from, every) * every; at < to; at += every) {
      Instant time = Nanos.instant(at);
      boolean silent = !time.isBefore(SILENT) && time.isBefore(AGAIN);
      readings += silent && recorded.id().endsWith("-t2") ? 0 : 1;
    }
    return recorded.flux().contains("fn: count") ? Long.toString(readings) : "" + (readings > 0);
  }

  /** The labels and values of each table. */
  private static Map<String, List<Map.Entry<Instant, String>>> tables(Recorded.Case recorded) {
    byte[] answer = ANSWERS.get(recorded.id().replace('/', '-') + ".csv");
    Map<String, List<Map.Entry<Instant, String>>> tables = new TreeMap<>();
    List<String> header = List.of();
    for (String line : new String(answer, StandardCharsets.UTF_8).lines().toList()) {
      List<String> cells = List.of(line.split(",", -1));
      if (line.startsWith(",result,")) {
        header = cells;
      } else if (line.startsWith(",,")) {
        String value = cells.get(header.indexOf("_value"));
        tables
            .computeIfAbsent(cells.get(2), key -> new ArrayList<>())
            .add(
                Map.entry(
                    Instant.parse(cells.get(header.indexOf("_time"))),
                    recorded.flux().contains("fn: count") ? value : "" + !value.isEmpty()));
      }
    }
    assertThat(tables).isNotEmpty();
    return tables;
  }

  private static Window window(String flux) {
    Step every = step(flux, "every");
    Step period = step(flux, "period");
    Step offset = step(flux, "offset");
    Matcher zone = ZONE.matcher(flux);
    ZoneId by = FIXED.matcher(flux).find() ? ZoneOffset.ofHoursMinutes(-5, -30) : ZoneOffset.UTC;
    return new Window(
        every, period.zero() ? every : period, offset, zone.find() ? ZoneId.of(zone.group(1)) : by);
  }

  private static Step step(String flux, String name) {
    Matcher window =
        Pattern.compile("aggregateWindow\\(.*?" + name + ": (-?)([0-9]+)([a-z]+)").matcher(flux);
    if (!window.find()) {
      return Step.ZERO;
    }
    int count = Integer.parseInt(window.group(1) + window.group(2));
    return switch (window.group(3)) {
      case "m" -> Step.of(Duration.ofMinutes(count));
      case "h" -> Step.of(Duration.ofHours(count));
      case "d" -> Step.of(Period.ofDays(count));
      case "w" -> Step.of(Period.ofWeeks(count));
      case "mo" -> Step.of(Period.ofMonths(count));
      case "y" -> Step.of(Period.ofYears(count));
      default -> throw new IllegalArgumentException(window.group());
    };
  }
}
