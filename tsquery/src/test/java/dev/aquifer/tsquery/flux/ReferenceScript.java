package dev.aquifer.tsquery.flux;

import java.time.Instant;
import java.time.ZoneId;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/** A recorded script of a range, filters of equality and windows, and what it answers. */
final class ReferenceScript {
  private static final Map<String, String> UNITS =
      Map.of("s", "1000000000", "m", "60000000000", "h", "3600000000000", "d", "86400000000000");

  /** A row; start and stop are those of the range where windows were put together again. */
  record Row(long start, long stop, @Nullable Long time, @Nullable Object value) {}

  private final String text;
  private final long start;
  private final long stop;
  private final Map<String, String> equal = new LinkedHashMap<>();

  ReferenceScript(String text) {
    this.text = text.replaceAll("\\s+", " ");
    this.start = nanos(one("start: ([^,]+Z)"));
    this.stop = nanos(one("stop: ([^)]+Z)"));
    Matcher equals = Pattern.compile("r\\.(\\w+) == \"(\\w+)\"").matcher(this.text);
    while (equals.find()) {
      equal.put(equals.group(1), equals.group(2));
    }
  }

  /** Each series that has a point in the range. */
  Map<Map<String, String>, List<Row>> answer() {
    Map<Map<String, String>, List<ReferencePoints.Value>> series = new LinkedHashMap<>();
    for (ReferencePoints.Value each : ReferencePoints.of(one("bucket: \"(\\w+)\""))) {
      if (each.key().entrySet().containsAll(equal.entrySet())
          && start <= each.time()
          && each.time() < stop) {
        series.computeIfAbsent(new TreeMap<>(each.key()), key -> new ArrayList<>()).add(each);
      }
    }
    Map<Map<String, String>, List<Row>> answer = new LinkedHashMap<>();
    series.forEach((key, values) -> answer.put(key, rows(values)));
    return answer;
  }

  private List<Row> rows(List<ReferencePoints.Value> values) {
    boolean aggregateWindow = text.contains("aggregateWindow");
    boolean createEmpty = aggregateWindow && !text.contains("createEmpty: false");
    boolean atStart = text.contains("timeSrc: \"_start\"");
    String function = function(aggregateWindow);
    ReferenceAggregates aggregates = new ReferenceAggregates(values.get(0).unsigned());
    double q = function.equals("quantile") ? Double.parseDouble(one("q: ([0-9.]+)")) : 0;
    String method = function.equals("quantile") ? one("method: \"(\\w+)\"") : "";
    List<Row> rows = new ArrayList<>();
    for (ReferenceWindows.Bounds window : windows().within(start, stop)) {
      Long label = aggregateWindow ? (Long) (atStart ? window.start() : window.stop()) : null;
      List<ReferenceAggregates.Point> points = new ArrayList<>();
      for (ReferencePoints.Value each : values) {
        if (window.contains(each.time())) {
          points.add(new ReferenceAggregates.Point(each.time(), each.value()));
        }
      }
      if (!points.isEmpty()) {
        for (ReferenceAggregates.Found found : aggregates.of(function, q, method, points)) {
          rows.add(
              aggregateWindow
                  ? new Row(start, stop, label, found.value())
                  : new Row(window.start(), window.stop(), found.time(), found.value()));
        }
      } else if (createEmpty) {
        rows.add(new Row(start, stop, label, ofNothing(function)));
      }
    }
    return rows;
  }

  private static @Nullable Object ofNothing(String function) {
    return switch (function) {
      case "count" -> 0L;
      case "integral" -> 0.0;
      default -> null;
    };
  }

  private String function(boolean aggregateWindow) {
    if (text.contains("quantile(")) {
      return "quantile";
    }
    return aggregateWindow ? one("fn: (\\w+)[,)]") : one("window\\([^)]*\\) \\|> (\\w+)\\(");
  }

  private ReferenceWindows windows() {
    String every = one("every: (\\w+)");
    String period = text.contains("period:") ? one("period: (\\w+)") : every;
    long offset = text.contains(", offset:") ? length(one(", offset: (-?\\w+)")) : 0;
    ZoneId zone = ZoneOffset.UTC;
    if (text.contains("timezone.location")) {
      zone = ZoneId.of(one("location\\(name: \"([^\"]+)\""));
    } else if (text.contains("timezone.fixed")) {
      zone =
          ZoneOffset.ofTotalSeconds(
              (int) (length(one("fixed\\(offset: (-?\\w+)")) / 1_000_000_000L));
    }
    return new ReferenceWindows(in(every), in(period), ReferenceWindows.Length.nanos(offset), zone);
  }

  private static ReferenceWindows.Length in(String duration) {
    long count = length(duration);
    return duration.matches("\\d+(mo|y)")
        ? ReferenceWindows.Length.months(count)
        : ReferenceWindows.Length.nanos(count);
  }

  private static long length(String duration) {
    long length = 0;
    Matcher part = Pattern.compile("(\\d+)([a-z]+)").matcher(duration);
    while (part.find()) {
      long count = Long.parseLong(part.group(1));
      length +=
          switch (part.group(2)) {
            case "mo" -> count;
            case "y" -> 12 * count;
            case "w" -> 7 * count * Long.parseLong(UNITS.get("d"));
            default -> count * Long.parseLong(UNITS.get(part.group(2)));
          };
    }
    return duration.startsWith("-") ? -length : length;
  }

  private String one(String regex) {
    Matcher matcher = Pattern.compile(regex).matcher(text);
    if (!matcher.find()) {
      throw new IllegalArgumentException("no " + regex + " in " + text);
    }
    return matcher.group(1);
  }

  private static long nanos(String time) {
    Instant instant = Instant.parse(time);
    return instant.getEpochSecond() * 1_000_000_000L + instant.getNano();
  }
}
