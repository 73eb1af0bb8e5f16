package dev.aquifer.tsquery;

import dev.aquifer.Tenant;
import java.time.Duration;
import java.time.Period;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * The window of a query that has not ended, put together of shorter ones: those that are settled
 * come from the cache, and what is younger is read each time the window is to be read. A day so
 * costs what its last hour does.
 *
 * <p>The answer is the one that the whole window would have, bit for bit. So it is done for numbers
 * of points and smallest, largest, first and last values; of whole numbers also for sums, and for
 * means where the backend reads a sum and a number of the same points ({@link Backend#totals}). And
 * it is no older: a part that is not settled is good for as long as an open window is, also where
 * queries for such windows themselves would keep it for longer.
 *
 * <p>Used by one thread.
 */
final class OpenWindow {
  /** What is shorter is read sooner than it is put together. */
  private static final long SHORTEST = Duration.ofHours(6).toNanos();

  private static final int FEWEST_PARTS = 24;
  private static final int MANY_PARTS = 144;

  /** What is longer is read whole. */
  private static final long LONGEST = Duration.ofDays(36_500).toNanos();

  /** Of more parts a window is not put together. */
  private static final int MOST_PARTS = 2_000;

  /** Wider than any parts: what a query may have is for its own windows to keep to. */
  private static final QueryLimits LIMITS =
      new QueryLimits(2L * MOST_PARTS, Duration.ofDays(2 * 36_500), Integer.MAX_VALUE);

  /** Of how many months a window at most is put together of days. */
  private static final int MONTHS_OF_DAYS = 6;

  private static final Set<Aggregate> OF_ANY =
      Set.of(Aggregate.COUNT, Aggregate.MIN, Aggregate.MAX, Aggregate.FIRST, Aggregate.LAST);

  private final long bucket;
  private final TimeSeriesQuery query;
  private final QueryRun run;

  private OpenWindow(long bucket, TimeSeriesQuery query, QueryRun run) {
    this.bucket = bucket;
    this.query = query;
    this.run = run;
  }

  /**
   * The open window of a query; null where it has none, or one that is better read whole: its parts
   * would say something else, or less than half of it is settled.
   *
   * @param budget how many points its parts may have
   */
  static @Nullable OpenWindow of(
      QuerySetting setting,
      Tenant tenant,
      TimeSeriesQuery query,
      TimeRange range,
      WindowGrid grid,
      PointBudget budget) {
    long now = Nanos.of(setting.clock().instant());
    long bucket = grid.endedBefore(now);
    if (bucket == grid.end()
        || grid.start(bucket) > now
        || !query.window().tiles()
        || !query.selections().stream().allMatch(each -> adds(each, query, setting.backend()))) {
      return null;
    }
    long lateness = setting.ageing().lateness().toNanos();
    Step every = query.window().every();
    boolean fits = every.shortest() >= SHORTEST && every.shortest() <= LONGEST;
    Step step = fits ? step(every, lateness) : null;
    if (step == null || every.shortest() / step.shortest() > MOST_PARTS) {
      return null;
    }
    long from = Math.max(range.startNanos(), grid.start(bucket));
    long to = Math.min(range.stopNanos(), grid.stop(bucket));
    TimeRange part = TimeRange.ofNanos(from, to);
    TimeSeriesQuery parts = parts(query, step, part);
    WindowGrid partGrid = WindowGrid.of(parts.window(), part, LIMITS, parts.selections().size());
    long settled = partGrid.endedBefore(now - lateness);
    if (settled == partGrid.first()
        || (partGrid.stop(settled - 1) - from) * 2 < Math.min(now, to) - from) {
      return null;
    }
    QueryRun run = new QueryRun(setting, tenant, parts, part, partGrid, budget, true);
    return new OpenWindow(bucket, query, run);
  }

  /** Its number in the query's grid. */
  long bucket() {
    return bucket;
  }

  /** What asks for its parts. */
  QueryRun run() {
    return run;
  }

  /**
   * Puts the window together, when all parts are there.
   *
   * @return false when the parts are such that only the server can say what they make, as sums that
   *     pass 64 bits; the window is as if nothing had been put there
   */
  boolean putInto(Assembly target) {
    int index = (int) (bucket - target.grid().first());
    for (Map.Entry<Group, Cells[]> entry : run.assembly().series().entrySet()) {
      Cells[] made = target.cells(entry.getKey());
      for (int i = 0; i < made.length; i++) {
        Selection selection = query.selections().get(i);
        if (!put(selection, entry.getValue(), made[i], index)) {
          target.expect(List.of(new Run(bucket, bucket + 1)));
          target.forget();
          return false;
        }
      }
    }
    return true;
  }

  private static boolean adds(Selection selection, TimeSeriesQuery query, Backend backend) {
    Aggregate aggregate = selection.aggregate();
    return OF_ANY.contains(aggregate)
        || ((aggregate == Aggregate.SUM || aggregate == Aggregate.MEAN)
            && backend.totals(query, selection.field()));
  }

  /**
   * How long its parts are: what is read each time is as long as points may be late, and up to one
   * part more; shorter ones would save little then.
   */
  private static @Nullable Step step(Step every, long lateness) {
    if (every.calendar()) {
      return every.months() > MONTHS_OF_DAYS
          ? Step.of(Period.ofMonths(1))
          : Step.of(Duration.ofDays(1));
    }
    long least = every.nanos() / MANY_PARTS;
    return StepLadder.part(
        every, Math.min(every.nanos() / FEWEST_PARTS, Math.max(lateness, least)));
  }

  private static TimeSeriesQuery parts(TimeSeriesQuery query, Step step, TimeRange range) {
    Window window = query.window();
    TimeSeriesQuery.Builder parts =
        TimeSeriesQuery.builder(query.measurement())
            .range(range.start(), range.stop())
            .zone(window.zone())
            .groupBy(query.groupBy().toArray(String[]::new));
    if (step.calendar()) {
      parts.every(Period.ofMonths((int) step.months()));
    } else {
      parts.every(step.duration());
    }
    // Months begin at the first of any month, wherever longer ones begin.
    if (!window.offset().calendar()) {
      parts.offset(window.offset().duration());
    }
    if (query.predicate() != null) {
      parts.where(query.predicate());
    }
    Set<Selection> selections = new LinkedHashSet<>();
    for (Selection selection : query.selections()) {
      if (selection.aggregate() == Aggregate.MEAN) {
        selections.add(new Selection(Aggregate.SUM, selection.field()));
        selections.add(new Selection(Aggregate.COUNT, selection.field()));
      } else {
        selections.add(selection);
      }
    }
    selections.forEach(parts::select);
    return parts.build();
  }

  private Cells column(Aggregate aggregate, Selection of, Cells[] columns) {
    return columns[run.query().selections().indexOf(new Selection(aggregate, of.field()))];
  }

  private boolean put(Selection selection, Cells[] columns, Cells into, int index) {
    if (selection.aggregate() == Aggregate.MEAN) {
      return mean(
          column(Aggregate.SUM, selection, columns),
          column(Aggregate.COUNT, selection, columns),
          into,
          index);
    }
    Cells parts = column(selection.aggregate(), selection, columns);
    return switch (selection.aggregate()) {
      case FIRST, LAST -> end(selection.aggregate() == Aggregate.FIRST, parts, into, index);
      case MIN, MAX -> extreme(selection.aggregate() == Aggregate.MIN, parts, into, index);
      default -> sum(parts, into, index);
    };
  }

  private static boolean end(boolean first, Cells parts, Cells into, int index) {
    int[] present = new int[parts.size()];
    int count = parts.present(present);
    if (count > 0) {
      into.copy(parts, first ? present[0] : present[count - 1], index, 1);
    }
    return true;
  }

  /** Whole numbers and others are compared only where both are sure to be told apart. */
  private static boolean extreme(boolean least, Cells parts, Cells into, int index) {
    int best = -1;
    for (int i = 0; i < parts.size(); i++) {
      byte kind = parts.kindAt(i);
      if (kind == Cells.ABSENT) {
        continue;
      }
      if (kind == Cells.DOUBLE ? Double.isNaN(real(parts, i)) : kind != Cells.LONG) {
        return false;
      }
      if (best < 0) {
        best = i;
      } else if (kind != parts.kindAt(best)) {
        return false;
      } else {
        int order =
            kind == Cells.LONG
                ? Long.compare(parts.bitsAt(i), parts.bitsAt(best))
                : Double.compare(real(parts, i), real(parts, best));
        best = (least ? order < 0 : order > 0) ? i : best;
      }
    }
    if (best >= 0) {
      into.copy(parts, best, index, 1);
    }
    return true;
  }

  private static double real(Cells cells, int index) {
    return Double.longBitsToDouble(cells.bitsAt(index));
  }

  private static boolean sum(Cells parts, Cells into, int index) {
    Long total = total(parts);
    if (total != null && parts.anyPresent(0, parts.size())) {
      into.put(index, Cells.LONG, total);
    }
    return total != null;
  }

  private static boolean mean(Cells sums, Cells counts, Cells into, int index) {
    Long sum = total(sums);
    Long count = total(counts);
    if (sum == null || count == null) {
      return false;
    }
    if (count > 0) {
      double mean = (double) sum / count + 0.0;
      into.put(index, Cells.DOUBLE, Double.doubleToRawLongBits(mean));
    }
    return true;
  }

  /** The sum of what is there; null where it is not one of whole numbers in 64 bits. */
  private static @Nullable Long total(Cells parts) {
    long total = 0;
    for (int i = 0; i < parts.size(); i++) {
      byte kind = parts.kindAt(i);
      if (kind != Cells.ABSENT && kind != Cells.LONG) {
        return null;
      }
      try {
        total = Math.addExact(total, kind == Cells.LONG ? parts.bitsAt(i) : 0);
      } catch (ArithmeticException e) {
        return null;
      }
    }
    return total;
  }
}
