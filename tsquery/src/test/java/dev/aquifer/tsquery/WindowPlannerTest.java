package dev.aquifer.tsquery;

import static org.assertj.core.api.Assertions.assertThat;

import dev.aquifer.Tenant;
import dev.aquifer.testkit.Proof;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.BitSet;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.function.LongConsumer;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/** What the planner does by stretches, against the rules for each window by itself. */
class WindowPlannerTest {
  private static final long NOW = 60;
  private static final Window WINDOW = new Window(Duration.ofNanos(10), Duration.ZERO);
  private static final Track TRACK =
      new Track(Tenant.of("DFW"), "flights", "any", new Edges(WINDOW));

  @Test
  void plan_anything_isByTheRulesOfEachWindow() {
    Proof.of("window-planner").tries(300, 100_000).each(WindowPlannerTest::oneTry);
  }

  private static void oneTry(RandomGenerator random) {
    WindowGrid grid = grid(random);
    BitSet pending = new BitSet();
    eachStretch(random, grid, (from, to) -> pending.set(from, to, random.nextInt(4) > 0));
    WindowPlanner.View view = view(random, grid);

    WindowPlanner.Plan plan = WindowPlanner.plan(grid, pending, view);

    Map<Long, Character> expected = new HashMap<>();
    Set<Flight> awaited = new LinkedHashSet<>();
    for (long bucket = grid.first(); bucket < grid.end(); bucket++) {
      if (pending.get((int) (bucket - grid.first()))) {
        expected.put(bucket, rule(grid, bucket, view, awaited));
      }
    }
    for (long bucket = grid.first() + 1; bucket < grid.end() - 1; bucket++) {
      // One that will not last, between two that are fetched.
      if (is(expected, bucket, 'f')
          && is(expected, bucket - 1, 'F')
          && is(expected, bucket + 1, 'F')) {
        expected.put(bucket, 'M');
      }
    }
    Map<Long, Character> planned = new HashMap<>();
    for (WindowPlanner.Cached part : plan.cached()) {
      assertThat(part.segment())
          .isSameAs(
              view.segments().apply(Math.floorDiv(part.segmentFirst(), (long) Segment.LENGTH)));
      each(part.run(), bucket -> planned.put(bucket, 'c'));
    }
    plan.fetch().forEach(run -> each(run, bucket -> planned.put(bucket, 'F')));
    expected.forEach(
        (bucket, state) ->
            assertThat(planned.get(bucket)).as("%d", bucket).isEqualTo(shown(state)));
    assertThat(planned.keySet()).isSubsetOf(expected.keySet());
    assertThat(plan.awaited()).containsExactlyInAnyOrderElementsOf(awaited);
    for (int i = 1; i < plan.fetch().size(); i++) {
      assertThat(plan.fetch().get(i - 1).to()).isLessThan(plan.fetch().get(i).from());
    }
  }

  private static WindowGrid grid(RandomGenerator random) {
    long start = random.nextLong(-20_000, 20_000);
    TimeRange range = TimeRange.ofNanos(start, start + random.nextLong(1, 13_000));
    return WindowGrid.of(WINDOW, range, QueryLimits.defaults(), 1);
  }

  private static WindowPlanner.View view(RandomGenerator random, WindowGrid grid) {
    Map<Long, Segment> segments = new HashMap<>();
    long last = Math.floorDiv(grid.end(), (long) Segment.LENGTH);
    for (long i = Math.floorDiv(grid.first(), (long) Segment.LENGTH); i <= last; i++) {
      if (random.nextInt(5) > 0) {
        segments.put(i, segment(random));
      }
    }
    List<Flight> flights = new ArrayList<>();
    for (int i = random.nextInt(3); i > 0; i--) {
      long from = random.nextLong(grid.first() - 5, grid.end());
      Run claim = new Run(from, from + random.nextInt(1, 200));
      flights.add(new Flight(TRACK, List.of(claim), i, new CompletableFuture<>()));
    }
    long within = random.nextBoolean() ? Long.MAX_VALUE : random.nextInt(60);
    return new WindowPlanner.View(segments::get, flights, NOW, within);
  }

  private static Segment segment(RandomGenerator random) {
    long[] at = new long[Segment.LENGTH];
    long[] until = new long[Segment.LENGTH];
    int longest = random.nextBoolean() ? 4 : 400;
    for (int from = 0; from < at.length; ) {
      int to = Math.min(at.length, from + random.nextInt(1, longest));
      Arrays.fill(at, from, to, random.nextInt(4) == 0 ? Segment.UNKNOWN : random.nextInt(80));
      Arrays.fill(until, from, to, random.nextInt(3) == 0 ? Segment.FOR_GOOD : random.nextInt(99));
      from = to;
    }
    return Segment.of(Marks.of(at, until), Map.of());
  }

  private interface StretchAction {
    void accept(int from, int to);
  }

  private static void eachStretch(RandomGenerator random, WindowGrid grid, StretchAction action) {
    for (int from = 0; from < grid.size(); ) {
      int to = Math.min(grid.size(), from + random.nextInt(1, 300));
      action.accept(from, to);
      from = to;
    }
  }

  /** S: stays for good; f: fresh; F: to be fetched; A: awaited. */
  private static char rule(
      WindowGrid grid, long bucket, WindowPlanner.View view, Set<Flight> awaited) {
    if (grid.clipped(bucket)) {
      return 'F';
    }
    Segment segment = view.segments().apply(Math.floorDiv(bucket, (long) Segment.LENGTH));
    int index = (int) Math.floorMod(bucket, (long) Segment.LENGTH);
    if (segment != null && segment.settled(index)) {
      return 'S';
    }
    if (segment != null
        && segment.fresh(index, view.now())
        && segment.fetchedWithin(view.within(), index, view.now())) {
      return 'f';
    }
    for (Flight flight : view.flights()) {
      if (flight.claims(bucket)) {
        awaited.add(flight);
        return 'A';
      }
    }
    return 'F';
  }

  private static @Nullable Character shown(char state) {
    return switch (state) {
      case 'S', 'f' -> 'c';
      case 'A' -> null;
      default -> 'F';
    };
  }

  private static boolean is(Map<Long, Character> states, long bucket, char state) {
    return states.getOrDefault(bucket, '-') == state;
  }

  private static void each(Run run, LongConsumer action) {
    for (long bucket = run.from(); bucket < run.to(); bucket++) {
      action.accept(bucket);
    }
  }
}
