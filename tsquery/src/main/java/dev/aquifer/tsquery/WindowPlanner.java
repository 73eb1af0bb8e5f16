package dev.aquifer.tsquery;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.BitSet;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.LongFunction;
import org.jspecify.annotations.Nullable;

/**
 * Decides, window by window, where the pending part of a query comes from: clipped windows are
 * always fetched, exactly and for this query alone; whole windows come from a fresh segment, from a
 * flight that claims them, or are fetched. A refresh of a sliding range so fetches its two edges
 * and a short tail, in one request.
 *
 * <p>Runs to fetch that touch become one range. A single window between two of them that is cached
 * but will not last is fetched again with them, which costs less than one more range; windows that
 * are settled never are.
 *
 * <p>One plan each.
 */
final class WindowPlanner {
  private static final int MERGED_GAP = 1;

  private static final byte NONE = 0;
  private static final byte SETTLED = 1;
  private static final byte FRESH = 2;
  private static final byte AWAIT = 3;
  private static final byte FETCH = 4;

  /** Windows that a segment answers. */
  record Cached(Segment segment, long segmentFirst, Run run) {}

  /** Where the pending windows come from. */
  record Plan(List<Cached> cached, List<Run> fetch, List<Flight> awaited) {}

  /**
   * What the planner looks at; all of it under the ledger's lock.
   *
   * @param within how long ago a window that is not settled may have been fetched at most,
   *     nanoseconds
   */
  record View(
      LongFunction<@Nullable Segment> segments, List<Flight> flights, long now, long within) {}

  private final WindowGrid grid;
  private final View view;
  private final byte[] states;
  private final Set<Flight> awaited = new LinkedHashSet<>();
  private final Map<Long, Segment> seen = new HashMap<>();

  private WindowPlanner(WindowGrid grid, View view) {
    this.grid = grid;
    this.view = view;
    this.states = new byte[grid.size()];
  }

  /**
   * The plan.
   *
   * @param pending indexes in the grid of the windows that have no answer yet
   */
  static Plan plan(WindowGrid grid, BitSet pending, View view) {
    return new WindowPlanner(grid, view).plan(pending);
  }

  private Plan plan(BitSet pending) {
    classify(pending);
    join();
    mergeGaps();
    List<Cached> cached = new ArrayList<>();
    for (Run run : runs(SETTLED, FRESH)) {
      split(run, cached);
    }
    return new Plan(cached, runs(FETCH, FETCH), List.copyOf(awaited));
  }

  /** By stretches of windows that are all alike: of a day by minutes there are few. */
  private void classify(BitSet pending) {
    int wholeFrom = (int) (grid.fullFirst() - grid.first());
    int wholeTo = (int) (grid.fullEnd() - grid.first());
    for (int i = pending.nextSetBit(0); i >= 0; ) {
      int end = pending.nextClearBit(i);
      int from = Math.min(end, Math.max(i, wholeFrom));
      int to = Math.max(from, Math.min(end, wholeTo));
      Arrays.fill(states, i, from, FETCH);
      while (from < to) {
        from = segment(from, to);
      }
      Arrays.fill(states, to, end, FETCH);
      i = pending.nextSetBit(end);
    }
  }

  /** Whole windows of one segment; the window after them. */
  private int segment(int from, int end) {
    long index = Math.floorDiv(grid.first() + from, (long) Segment.LENGTH);
    int at = (int) (grid.first() + from - index * Segment.LENGTH);
    int to = Math.min(end, from + Segment.LENGTH - at);
    Segment segment = view.segments.apply(index);
    if (segment == null) {
      claimed(from, to);
      return to;
    }
    seen.put(index, segment);
    for (int i = from; i < to; ) {
      int next = Math.min(to, i + segment.alike(at) - at);
      byte state = known(segment, at);
      if (state == NONE) {
        claimed(i, next);
      } else {
        Arrays.fill(states, i, next, state);
      }
      at += next - i;
      i = next;
    }
    return to;
  }

  /** How a segment answers a window; none: not at all. */
  private byte known(Segment segment, int index) {
    if (!segment.fresh(index, view.now)) {
      return NONE;
    }
    if (segment.settled(index)) {
      return SETTLED;
    }
    return segment.fetchedWithin(view.within, index, view.now) ? FRESH : NONE;
  }

  /** Windows that no segment answers: others fetch them, or this query does. */
  private void claimed(int from, int to) {
    for (int i = from; i < to; i++) {
      Flight flight = claimant(grid.first() + i);
      if (flight != null) {
        awaited.add(flight);
      }
      states[i] = flight == null ? FETCH : AWAIT;
    }
  }

  private @Nullable Flight claimant(long bucket) {
    for (Flight flight : view.flights) {
      if (flight.claims(bucket)) {
        return flight;
      }
    }
    return null;
  }

  /** Windows that the clock skips are with those before them. */
  private void join() {
    for (int i = 1; grid.skips() && i < states.length; i++) {
      if (grid.skipped(grid.first() + i)) {
        states[i] = states[i - 1];
      }
    }
  }

  private void mergeGaps() {
    int lastFetch = -1;
    for (int i = 0; i < states.length; i++) {
      if (states[i] == FETCH) {
        int gap = i - lastFetch - 1;
        if (lastFetch >= 0 && gap > 0 && gap <= MERGED_GAP && allFresh(lastFetch + 1, i)) {
          Arrays.fill(states, lastFetch + 1, i, FETCH);
        }
        lastFetch = i;
      }
    }
  }

  private boolean allFresh(int from, int to) {
    for (int i = from; i < to; i++) {
      if (states[i] != FRESH) {
        return false;
      }
    }
    return true;
  }

  /** Windows side by side that are in either state. */
  private List<Run> runs(byte either, byte or) {
    List<Run> runs = new ArrayList<>();
    int from = -1;
    for (int i = 0; i <= states.length; i++) {
      boolean in = i < states.length && (states[i] == either || states[i] == or);
      if (in && from < 0) {
        from = i;
      } else if (!in && from >= 0) {
        runs.add(new Run(grid.first() + from, grid.first() + i));
        from = -1;
      }
    }
    return runs;
  }

  /** From the segments that were looked at: one may be evicted at any moment. */
  private void split(Run run, List<Cached> into) {
    for (long from = run.from(); from < run.to(); ) {
      long index = Math.floorDiv(from, (long) Segment.LENGTH);
      long to = Math.min(run.to(), (index + 1) * Segment.LENGTH);
      Segment segment = seen.get(index);
      if (segment != null) {
        into.add(new Cached(segment, index * Segment.LENGTH, new Run(from, to)));
      }
      from = to;
    }
  }
}
