package dev.aquifer.tsquery;

import static org.assertj.core.api.Assertions.assertThat;

import dev.aquifer.Tenant;
import dev.aquifer.testkit.Proof;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class TurnOrderTest {
  private static final Tenant A = Tenant.of("a");
  private static final Tenant B = Tenant.of("b");
  private static final Tenant C = Tenant.of("c");
  private static final RequestLimits TWO = new RequestLimits(2, 10, 0, 0);

  @Test
  void leave_severalTenantsWait_runsOneOfEachInTurn() {
    TurnOrder<String> order = new TurnOrder<>(2);
    order.enter(A, TWO, "a1");
    order.enter(A, TWO, "a2");
    for (String waiting : List.of("a3", "a4", "a5")) {
      assertThat(order.enter(A, TWO, waiting)).isEqualTo(TurnOrder.Entry.QUEUED);
    }
    order.enter(B, TWO, "b1");
    order.enter(B, TWO, "b2");
    order.enter(C, TWO, "c1");

    List<String> begun = new ArrayList<>(order.leave(A));
    begun.addAll(order.leave(A));
    begun.addAll(order.leave(B));
    begun.addAll(order.leave(C));
    begun.addAll(order.leave(B));
    begun.addAll(order.leave(A));

    assertThat(begun).containsExactly("b1", "c1", "a3", "b2", "a4", "a5");
  }

  @Test
  void enter_tenantAtItsLimit_waitsThoughOthersMayRun() {
    TurnOrder<String> order = new TurnOrder<>(4);
    order.enter(A, TWO, "a1");
    order.enter(A, TWO, "a2");
    assertThat(order.enter(A, TWO, "a3")).isEqualTo(TurnOrder.Entry.QUEUED);
    assertThat(order.enter(B, TWO, "b1")).isEqualTo(TurnOrder.Entry.BEGUN);

    assertThat(order.leave(B)).isEmpty();
    assertThat(order.limit(A, new RequestLimits(3, 10, 0, 0))).containsExactly("a3");
    assertThat(order.running(A)).isEqualTo(3);
  }

  @Test
  void withdraw_lastThatWaits_isNotRun() {
    TurnOrder<String> order = new TurnOrder<>(1);
    order.enter(A, TWO, "a1");
    order.enter(B, TWO, "b1");
    order.withdraw(B, "b1");
    order.withdraw(B, "b1");

    assertThat(order.leave(A)).isEmpty();
    assertThat(order.tenants()).isZero();
  }

  /** Against a model that looks through all that wait. */
  @Test
  void anything_atRandom_keepsTheLimitsTheOrderAndNothingIdle() {
    Proof.of("turn-order")
        .tries(2_000, 200_000)
        .each(
            random -> {
              int most = random.nextInt(1, 5);
              TurnOrder<Integer> order = new TurnOrder<>(most);
              List<Tenant> tenants = List.of(A, B, C);
              Map<Tenant, RequestLimits> limits = new HashMap<>();
              Map<Tenant, List<Integer>> waiting = new HashMap<>();
              Map<Tenant, Integer> running = new HashMap<>();
              for (Tenant tenant : tenants) {
                limits.put(tenant, limits(random.nextInt(1, most + 1), random.nextInt(4)));
                waiting.put(tenant, new ArrayList<>());
                running.put(tenant, 0);
              }
              for (int request = 0; request < 60; request++) {
                Tenant tenant = tenants.get(random.nextInt(3));
                List<Integer> queue = waiting.get(tenant);
                List<Integer> begun = List.of();
                switch (random.nextInt(5)) {
                  case 0, 1 -> {
                    TurnOrder.Entry entry = order.enter(tenant, limits.get(tenant), request);
                    assertThat(entry == TurnOrder.Entry.FULL)
                        .isEqualTo(
                            !mayRun(tenant, most, limits, running)
                                && queue.size() >= limits.get(tenant).queued());
                    if (entry == TurnOrder.Entry.BEGUN) {
                      running.merge(tenant, 1, Integer::sum);
                    } else if (entry == TurnOrder.Entry.QUEUED) {
                      queue.add(request);
                    }
                  }
                  case 2, 3 -> {
                    if (running.get(tenant) > 0) {
                      running.merge(tenant, -1, Integer::sum);
                      begun = order.leave(tenant);
                    }
                  }
                  default -> {
                    if (random.nextBoolean() && !queue.isEmpty()) {
                      order.withdraw(tenant, queue.remove(random.nextInt(queue.size())));
                    } else {
                      limits.put(tenant, limits(random.nextInt(1, most + 1), random.nextInt(4)));
                      begun = order.limit(tenant, limits.get(tenant));
                    }
                  }
                }
                for (Integer next : begun) {
                  Tenant of =
                      tenants.stream().filter(t -> waiting.get(t).contains(next)).findAny().get();
                  assertThat(waiting.get(of).remove(0)).isEqualTo(next);
                  running.merge(of, 1, Integer::sum);
                  assertThat(running.get(of)).isLessThanOrEqualTo(limits.get(of).concurrent());
                }
                assertThat(order.running()).isLessThanOrEqualTo(most);
                for (Tenant each : tenants) {
                  assertThat(order.running(each)).isEqualTo(running.get(each));
                  assertThat(order.waiting(each)).isEqualTo(waiting.get(each).size());
                  assertThat(mayRun(each, most, limits, running) && !waiting.get(each).isEmpty())
                      .as("%s waits though it may run", each)
                      .isFalse();
                }
              }
            });
  }

  private static boolean mayRun(
      Tenant tenant, int most, Map<Tenant, RequestLimits> limits, Map<Tenant, Integer> running) {
    return running.values().stream().mapToInt(n -> n).sum() < most
        && running.get(tenant) < limits.get(tenant).concurrent();
  }

  private static RequestLimits limits(int concurrent, int queued) {
    return new RequestLimits(concurrent, queued, 0, 0);
  }
}
