package dev.aquifer.tsquery;

import static org.assertj.core.api.Assertions.assertThat;

import dev.aquifer.Tenant;
import dev.aquifer.testkit.Proof;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.PriorityQueue;
import java.util.SplittableRandom;
import java.util.random.RandomGenerator;
import org.junit.jupiter.api.Test;

/** What one tenant that floods costs another, simulated: a backend of fixed concurrency. */
class FloodTest {
  private static final Tenant QUIET = Tenant.of("quiet");
  private static final Tenant FLOOD = Tenant.of("flood");
  private static final int CONCURRENCY = 8;
  private static final double SERVICE = 1;
  private static final int REQUESTS = 2_000;

  @Test
  void quietTenant_besideOneThatFloods_losesAtMostATenthOfItsP99() {
    Proof.of("flood")
        .tries(20, 2_000)
        .each(
            random -> {
              long seed = random.nextLong();
              RequestLimits limits = RequestLimits.concurrent(CONCURRENCY / 2).withQueued(REQUESTS);
              double alone = p99(new Simulation(seed, limits, QUIET, false).run());
              double beside = p99(new Simulation(seed, limits, QUIET, true).run());
              assertThat(beside).isLessThanOrEqualTo(1.1 * alone);

              // In one line, first come first served, it would wait for all that were before it.
              RequestLimits none = RequestLimits.concurrent(CONCURRENCY).withQueued(REQUESTS);
              double unfair = p99(new Simulation(seed, none, FLOOD, true).run());
              assertThat(unfair).isGreaterThan(3 * alone);
            });
  }

  private static double p99(List<Double> times) {
    times.sort(Comparator.naturalOrder());
    return times.get(times.size() * 99 / 100);
  }

  private record Request(boolean quiet, double arrived) {}

  private record Event(double time, boolean arrival, Request request) {}

  /** Arrivals of one tenant at random, and another that always has 50 requests waiting. */
  private static final class Simulation {
    private final RandomGenerator random;
    private final RequestLimits limits;
    private final Tenant quiet;
    private final boolean flood;
    private final TurnOrder<Request> order = new TurnOrder<>(CONCURRENCY);
    private final PriorityQueue<Event> events =
        new PriorityQueue<>(Comparator.comparingDouble(Event::time));
    private final List<Double> times = new ArrayList<>();

    Simulation(long seed, RequestLimits limits, Tenant quiet, boolean flood) {
      this.random = new SplittableRandom(seed);
      this.limits = limits;
      this.quiet = quiet;
      this.flood = flood;
    }

    List<Double> run() {
      double time = 0;
      for (int i = 0; i < REQUESTS; i++) {
        // One and a half of its four at a time, on average.
        time += -Math.log(1 - random.nextDouble()) * SERVICE / 1.5;
        events.add(new Event(time, true, new Request(true, time)));
      }
      for (int i = 0; flood && i < 50; i++) {
        enter(new Request(false, 0), 0);
      }
      while (times.size() < REQUESTS) {
        Event event = events.remove();
        if (event.arrival()) {
          enter(event.request(), event.time());
        } else {
          ended(event.request(), event.time());
        }
      }
      return times;
    }

    private void enter(Request request, double now) {
      TurnOrder.Entry entry = order.enter(tenant(request), limits, request);
      assertThat(entry).isNotEqualTo(TurnOrder.Entry.FULL);
      if (entry == TurnOrder.Entry.BEGUN) {
        begin(request, now);
      }
    }

    private void begin(Request request, double now) {
      events.add(new Event(now + SERVICE, false, request));
    }

    private void ended(Request request, double now) {
      if (request.quiet()) {
        times.add(now - request.arrived());
      }
      order.leave(tenant(request)).forEach(next -> begin(next, now));
      if (!request.quiet()) {
        enter(new Request(false, now), now);
      }
    }

    /** Where the quiet one has no name of its own, all stand in one line. */
    private Tenant tenant(Request request) {
      return request.quiet() ? quiet : FLOOD;
    }
  }
}
