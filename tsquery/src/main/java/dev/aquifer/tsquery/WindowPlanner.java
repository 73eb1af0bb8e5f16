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
import java.util.function.LongPredicate;
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

  WindowPlanner(WindowGrid grid) {
    this.grid = grid;
  }

  /**
   * The plan.
   *
   * @param pending indexes in the grid of the windows that have no answer yet
   */
  Plan plan(BitSet pending, View view) {
    byte[] states = new byte[grid.size()];
    Set<Flight> awaited = new LinkedHashSet<>();
    Map<Long, Segment> seen = new HashMap<>();
    classify(pending, view, states, awaited, seen);
    join(states);
    mergeGaps(states);
    List<Cached> cached = new ArrayList<>();
    for (Run run : runs(states, state -> state == SETTLED || state == FRESH)) {
      split(run, seen, cached);
    }
    return new Plan(cached, runs(states, state -> state == FETCH), List.copyOf(awaited));
  }

  private void classify(
      BitSet pending, View view, byte[] states, Set<Flight> awaited, Map<Long, Segment> seen) {
    long segmentIndex = Long.MIN_VALUE;
    Segment segment = null;
    for (int i = pending.nextSetBit(0); i >= 0; i = pending.nextSetBit(i + 1)) {
      long bucket = grid.first() + i;
      if (grid.clipped(bucket)) {
        states[i] = FETCH;
        continue;
      }
      long index = Math.floorDiv(bucket, (long) Segment.LENGTH);
      if (index != segmentIndex) {
        segmentIndex = index;
        segment = view.segments.apply(index);
        if (segment != null) {
          seen.put(index, segment);
        }
      }
      int inSegment = (int) Math.floorMod(bucket, (long) Segment.LENGTH);
      states[i] = known(segment, inSegment, view);
      if (states[i] != NONE) {
        continue;
      }
      Flight flight = claimant(bucket, view.flights);
      if (flight != null) {
        awaited.add(flight);
      }
      states[i] = flight == null ? FETCH : AWAIT;
    }
  }

  /** How a segment answers a window; none: not at all. */
  private static byte known(@Nullable Segment segment, int index, View view) {
    if (segment == null || !segment.fresh(index, view.now)) {
      return NONE;
    }
    if (segment.settled(index)) {
      return SETTLED;
    }
    return segment.fetchedWithin(view.within, index, view.now) ? FRESH : NONE;
  }

  /** Windows that the clock skips are with those before them. */
  private void join(byte[] states) {
    for (int i = 1; grid.skips() && i < states.length; i++) {
      if (grid.skipped(grid.first() + i)) {
        states[i] = states[i - 1];
      }
    }
  }

  private static @Nullable Flight claimant(long bucket, List<Flight> flights) {
    for (Flight flight : flights) {
      if (flight.claims(bucket)) {
        return flight;
      }
    }
    return null;
  }

  private static void mergeGaps(byte[] states) {
    int lastFetch = -1;
    for (int i = 0; i < states.length; i++) {
      if (states[i] == FETCH) {
        int gap = i - lastFetch - 1;
        if (lastFetch >= 0 && gap > 0 && gap <= MERGED_GAP && allFresh(states, lastFetch + 1, i)) {
          Arrays.fill(states, lastFetch + 1, i, FETCH);
        }
        lastFetch = i;
      }
    }
  }

  private static boolean allFresh(byte[] states, int from, int to) {
    for (int i = from; i < to; i++) {
      if (states[i] != FRESH) {
        return false;
      }
    }
    return true;
  }

  private List<Run> runs(byte[] states, LongPredicate wanted) {
    List<Run> runs = new ArrayList<>();
    int from = -1;
    for (int i = 0; i <= states.length; i++) {
      boolean in = i < states.length && states[i] != NONE && wanted.test(states[i]);
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
  private static void split(Run run, Map<Long, Segment> seen, List<Cached> into) {
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
