package dev.aquifer.tsquery.encounter;

import dev.aquifer.RefusedQueryException;
import dev.aquifer.tsquery.BatchAnswer;
import dev.aquifer.tsquery.Encounter;
import dev.aquifer.tsquery.Series;
import dev.aquifer.tsquery.TimeRange;
import dev.aquifer.tsquery.TimeSeries;
import dev.aquifer.tsquery.TimeSeriesQuery;
import dev.aquifer.tsquery.TimeSeriesResult;
import dev.aquifer.tsquery.ValueColumn;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.NavigableSet;
import java.util.TreeSet;

/**
 * Finds encounters by counting points in windows: 3,600 times as long as the resolution first, then
 * 60 times, then as long, the shorter ones only where {@link Signals} needs them. The windows are
 * those of ordinary queries, so settled ones come from the cache. Used by one thread, once.
 */
final class Detector {
  private static final int FINER = 60;
  private static final int LEVELS = 3;

  /** Windows that one detection may count points in, each of its two or three sorts. */
  static final long MOST_WINDOWS = 1_000_000;

  /** Windows of one query: short enough for many groups, long enough to be few. */
  private static final long QUERY_WINDOWS = 3_600;

  private static final int MOST_IN_BATCH = 48;
  private static final long BATCH_POINTS = 1_000_000;

  private final TimeSeries series;
  private final Detection detection;
  private final long start;
  private final long stop;
  private final Map<String, Long> begins;
  private final long begin;
  private final Map<String, Signals> groups = new HashMap<>();
  private long windows;

  /**
   * A run over a range.
   *
   * @param range on edges of windows of the resolution
   * @param begins groups for which the range begins at another time, by their key
   */
  Detector(TimeSeries series, Detection detection, TimeRange range, Map<String, Long> begins) {
    this.series = series;
    this.detection = detection;
    this.begin = EncounterOrder.nanos(range.start());
    this.begins = begins;
    this.start = begins.values().stream().mapToLong(each -> each).reduce(begin, Math::min);
    this.stop = EncounterOrder.nanos(range.stop());
  }

  /**
   * The range in whole windows of the resolution: both ends moved back to the edges before them.
   */
  static TimeRange whole(Detection detection, TimeRange range) {
    long length = detection.resolutionNanos();
    long from = edge(EncounterOrder.nanos(range.start()), length);
    long to = edge(EncounterOrder.nanos(range.stop()), length);
    if (from >= to) {
      throw new RefusedQueryException(
          "The range %s has no whole window of %s, the resolution of the %s."
              .formatted(range, detection.resolution(), detection));
    }
    return new TimeRange(EncounterOrder.instant(from), EncounterOrder.instant(to));
  }

  /** The last edge at or before a time; the time itself where none fits. */
  static long edge(long nanos, long length) {
    long edge = nanos - Math.floorMod(nanos, length);
    return edge > nanos ? nanos : edge;
  }

  /** What was found, in order of start. */
  List<Encounter> found() {
    NavigableSet<Long> marked = new TreeSet<>();
    long wider = 0;
    for (long width : widths()) {
      for (int kind = 0; kind < detection.countings(); kind++) {
        for (TimeSeriesResult result : ask(kind, width, ranges(marked, wider))) {
          took(kind, width, result);
        }
      }
      NavigableSet<Long> before = new TreeSet<>(marked);
      marked.clear();
      for (Signals group : groups.values()) {
        group.refine(before);
        if (width > detection.resolutionNanos()) {
          group.mark(marked, stop);
        }
      }
      wider = width;
    }
    List<Encounter> all = new ArrayList<>();
    groups.forEach(
        (key, signals) -> signals.found(stop).forEach(each -> all.add(encounter(key, each))));
    all.sort(EncounterOrder.BY_START);
    return List.copyOf(all);
  }

  private static Encounter encounter(String key, Signals.Found found) {
    String id = GroupKey.id(key, EncounterOrder.instant(found.start()));
    return new Encounter(
        id,
        EncounterOrder.instant(found.start()),
        found.open() ? null : EncounterOrder.instant(found.end()));
  }

  /** The lengths of windows, the longest first; coarse ones only where they spare something. */
  private List<Long> widths() {
    long resolution = detection.resolutionNanos();
    long quiet = detection.quietNanos();
    List<Long> widths = new ArrayList<>(List.of(resolution));
    for (long width = resolution * FINER, i = 1; i < LEVELS; width *= FINER, i++) {
      // A silence shorter than two windows may hide between them.
      boolean shows = quiet == 0 || 2 * width <= quiet;
      if (shows && width < stop - start) {
        widths.add(0, width);
      }
    }
    return widths;
  }

  /** What the windows that are marked cover, or all; in pieces that are not too long. */
  private List<long[]> ranges(NavigableSet<Long> marked, long wider) {
    List<long[]> ranges = new ArrayList<>();
    if (wider == 0) {
      ranges.add(new long[] {start, stop});
      return ranges;
    }
    for (long from : marked) {
      long to = Math.min(stop, from + wider);
      long[] last = ranges.isEmpty() ? null : ranges.get(ranges.size() - 1);
      if (last != null && last[1] == from) {
        last[1] = to;
      } else {
        ranges.add(new long[] {Math.max(start, from), to});
      }
    }
    return ranges;
  }

  private List<TimeSeriesResult> ask(int kind, long width, List<long[]> ranges) {
    List<TimeSeriesQuery> queries = new ArrayList<>();
    for (long[] range : ranges) {
      if (kind == 0) {
        windows += (range[1] - range[0]) / width + 1;
        requireFew(width);
      }
      for (long from = range[0]; from < range[1]; ) {
        long to = range[1];
        if ((to - from) / width > QUERY_WINDOWS) {
          to = edge(from, width * QUERY_WINDOWS) + width * QUERY_WINDOWS;
        }
        queries.add(query(kind, width, from, to));
        from = to;
      }
    }
    List<TimeSeriesResult> results = new ArrayList<>();
    // Of many groups few at a time, so that together they are within the limit of one query.
    long room = BATCH_POINTS / (QUERY_WINDOWS * Math.max(1, groups.size()));
    int most = (int) Math.max(1, Math.min(MOST_IN_BATCH, room));
    for (int from = 0; from < queries.size(); from += most) {
      ask(queries.subList(from, Math.min(queries.size(), from + most)), width, results);
    }
    return results;
  }

  private void requireFew(long width) {
    if (windows > MOST_WINDOWS) {
      throw new RefusedQueryException(
          "The %s would look at more than %,d windows, the last of %s, in %s; take a shorter range, a coarser resolution, or narrower conditions."
              .formatted(
                  detection,
                  MOST_WINDOWS,
                  Duration.ofNanos(width),
                  new TimeRange(EncounterOrder.instant(start), EncounterOrder.instant(stop))));
    }
  }

  private void ask(List<TimeSeriesQuery> queries, long width, List<TimeSeriesResult> results) {
    List<BatchAnswer> answers;
    try {
      answers = series.queryAll(queries);
    } catch (RefusedQueryException e) {
      // Together they are larger than the tenant's limit; perhaps not one by one.
      queries.forEach(query -> askAlone(query, width, results));
      return;
    }
    for (BatchAnswer answer : answers) {
      if (answer.error() instanceof RefusedQueryException) {
        askAlone(answer.query(), width, results);
      } else {
        results.add(answer.orThrow());
      }
    }
  }

  /** Of many groups a shorter range is still within the limits. */
  private void askAlone(TimeSeriesQuery query, long width, List<TimeSeriesResult> results) {
    try {
      results.add(series.query(query));
    } catch (RefusedQueryException e) {
      TimeRange range = (TimeRange) query.range();
      long from = EncounterOrder.nanos(range.start());
      long to = EncounterOrder.nanos(range.stop());
      long middle = edge(from + (to - from) / 2, width);
      if (middle <= from || middle >= to) {
        throw e;
      }
      askAlone(between(query, from, middle), width, results);
      askAlone(between(query, middle, to), width, results);
    }
  }

  private TimeSeriesQuery query(int kind, long width, long from, long to) {
    return detection.counting(
        kind, Duration.ofNanos(width), EncounterOrder.instant(from), EncounterOrder.instant(to));
  }

  private static TimeSeriesQuery between(TimeSeriesQuery query, long from, long to) {
    return query.withRange(EncounterOrder.instant(from), EncounterOrder.instant(to));
  }

  private void took(int kind, long width, TimeSeriesResult result) {
    int sign = kind == 0 ? Signals.START : kind == 1 ? Signals.STOP : Signals.ACTIVE;
    for (Series one : result.series()) {
      String key = GroupKey.of(detection, one.group());
      Signals group =
          groups.computeIfAbsent(
              key, each -> new Signals(begins.getOrDefault(each, begin), detection.quietNanos()));
      ValueColumn counts = one.columns().get(0);
      for (int i = 0; i < one.size(); i++) {
        if (!counts.isNull(i) && counts.longAt(i) > 0) {
          long from = one.startNanos(i);
          group.saw(from, Math.min(stop, from + width), sign);
        }
      }
    }
  }
}
