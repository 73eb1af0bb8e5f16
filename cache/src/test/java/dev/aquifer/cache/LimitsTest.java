package dev.aquifer.cache;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.aquifer.ConfigurationException;
import dev.aquifer.Tenant;
import dev.aquifer.TenantLimitException;
import dev.aquifer.testkit.Eventually;
import dev.aquifer.testkit.FakeTicker;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Limits of one process, time in the test's hand. */
class LimitsTest {
  private static final Tenant DFW = Tenant.of("DFW");
  private static final Tenant ATL = Tenant.of("ATL");

  private final FakeTicker ticker = new FakeTicker();
  private final Caches caches = Caches.builder().clock(ticker).build();
  private final TieredCache<Long, String> gates =
      caches.cache("gates", String.class, CacheSettings.defaults());
  private final ExecutorService callers = Executors.newCachedThreadPool();

  @AfterEach
  void close() {
    callers.shutdownNow();
    caches.close();
  }

  private String load(Tenant tenant, long key) {
    try {
      return tenant.call(() -> gates.get(key, k -> "gate " + k));
    } catch (RuntimeException e) {
      throw e;
    } catch (Exception e) {
      throw new AssertionError(e);
    }
  }

  @Test
  void loads_overTheRate_areRefusedUntilThereIsATokenAgain() {
    caches.limits(Limits.builder().loads(2, 2).build());
    load(DFW, 1);
    load(DFW, 2);
    assertThatThrownBy(() -> load(DFW, 3))
        .isInstanceOfSatisfying(
            TenantLimitException.class,
            e -> {
              assertThat(e.tenant()).isEqualTo(DFW);
              assertThat(e.limit()).isEqualTo("2 loads per second (burst 2)");
              assertThat(e.retryAfter()).isEqualTo(Duration.ofMillis(500));
            })
        .hasMessageContainingAll("DFW", "2 loads per second", "PT0.5S");
    assertThat(load(DFW, 1)).as("what is cached costs nothing").isEqualTo("gate 1");
    assertThat(load(ATL, 3)).as("another tenant's limit is its own").isEqualTo("gate 3");
    ticker.advance(Duration.ofMillis(500));
    assertThat(load(DFW, 3)).isEqualTo("gate 3");
    assertThatThrownBy(() -> load(DFW, 4)).isInstanceOf(TenantLimitException.class);
  }

  @Test
  void limits_ofOneTenant_replaceThoseOfAllAtRunTime() {
    caches.limits(Limits.builder().loads(1, 1).build());
    Limits more = Limits.builder().loads(3, 3).build();
    caches.limits(DFW, more);
    assertThat(caches.limits(DFW)).isEqualTo(more);
    for (int i = 0; i < 3; i++) {
      load(DFW, i);
    }
    assertThatThrownBy(() -> load(DFW, 3)).isInstanceOf(TenantLimitException.class);
    caches.limits(DFW, null);
    caches.limits(Limits.NONE);
    assertThat(load(DFW, 3)).isEqualTo("gate 3");
  }

  @Test
  void buckets_ofIdleTenants_areDropped() {
    caches.limits(Limits.builder().loads(1, 600).build());
    for (int i = 0; i < 100; i++) {
      load(Tenant.of("t" + i), 1);
    }
    assertThat(caches.node().limiter.rates.size()).isEqualTo(100);
    ticker.advance(Duration.ofSeconds(Limits.LONGEST_FILL_SECONDS + 1));
    assertThat(caches.node().limiter.rates.size()).isZero();
  }

  @Test
  void concurrentLoads_ofASlowTenant_leaveThreadsToOthers() throws Exception {
    caches.limits(Limits.builder().concurrentLoads(2, 3).build());
    CountDownLatch go = new CountDownLatch(1);
    AtomicInteger running = new AtomicInteger();
    AtomicInteger most = new AtomicInteger();
    List<CompletableFuture<String>> calls = new ArrayList<>();
    for (long key = 0; key < 10; key++) {
      long at = key;
      calls.add(CompletableFuture.supplyAsync(() -> slow(at, go, running, most), callers));
    }
    Eventually.within(Duration.ofSeconds(10))
        .until("five are refused", () -> calls.stream().filter(this::refused).count() == 5);
    Eventually.within(Duration.ofSeconds(10)).asserts(() -> assertThat(running).hasValue(2));
    assertThat(load(ATL, 1)).isEqualTo("gate 1");
    go.countDown();
    for (CompletableFuture<String> call : calls) {
      assertThat(call.handle((value, error) -> true).get(10, TimeUnit.SECONDS)).isTrue();
    }
    assertThat(calls.stream().filter(this::refused)).hasSize(5);
    assertThat(most).hasValue(2);
    Eventually.within(Duration.ofSeconds(10))
        .until("nothing is kept of idle tenants", () -> caches.node().limiter.bulkhead.size() == 0);
  }

  private boolean refused(CompletableFuture<String> call) {
    return call.isCompletedExceptionally();
  }

  private String slow(long key, CountDownLatch go, AtomicInteger running, AtomicInteger most) {
    try {
      return DFW.call(
          () ->
              gates.get(
                  key,
                  k -> {
                    most.accumulateAndGet(running.incrementAndGet(), Math::max);
                    assertThat(go.await(20, TimeUnit.SECONDS)).isTrue();
                    running.decrementAndGet();
                    return "slow";
                  }));
    } catch (RuntimeException e) {
      throw e;
    } catch (Exception e) {
      throw new AssertionError(e);
    }
  }

  @Test
  void concurrentLoads_loadWithinALoad_doesNotWaitForItself() throws Exception {
    caches.limits(Limits.builder().concurrentLoads(1, 0).build());
    String found = DFW.call(() -> gates.get(1L, k -> "with " + load(DFW, 2)));
    assertThat(found).isEqualTo("with gate 2");
  }

  /** The load that another waits for stood in the queue behind it already. */
  @Test
  void concurrentLoads_loadWaitsForAQueuedOne_runsIt() throws Exception {
    caches.limits(Limits.builder().concurrentLoads(1, 1).build());
    CountDownLatch loading = new CountDownLatch(1);
    CountDownLatch go = new CountDownLatch(1);
    CompletableFuture<String> first =
        CompletableFuture.supplyAsync(
            () -> {
              try {
                return DFW.call(
                    () ->
                        gates.get(
                            1L,
                            k -> {
                              loading.countDown();
                              assertThat(go.await(10, TimeUnit.SECONDS)).isTrue();
                              return "with " + load(DFW, 2);
                            }));
              } catch (Exception e) {
                throw new AssertionError(e);
              }
            },
            callers);
    assertThat(loading.await(10, TimeUnit.SECONDS)).isTrue();
    CompletableFuture<String> queued = CompletableFuture.supplyAsync(() -> load(DFW, 2), callers);
    Eventually.within(Duration.ofSeconds(10))
        .until("it is queued", () -> caches.node().limiter.bulkhead.waiting(DFW) == 1);
    go.countDown();
    assertThat(first.get(10, TimeUnit.SECONDS)).isEqualTo("with gate 2");
    assertThat(queued.get(10, TimeUnit.SECONDS)).isEqualTo("gate 2");
  }

  @Test
  void limits_contradictory_areRefused() {
    assertThatThrownBy(() -> Limits.builder().loads(0, 5).build())
        .isInstanceOf(ConfigurationException.class)
        .hasMessageContainingAll("loads", "0 per second", "burst 5");
    assertThatThrownBy(() -> Limits.builder().loads(1, 601).build())
        .isInstanceOf(ConfigurationException.class);
    assertThatThrownBy(() -> Limits.builder().concurrentLoads(0, 5).build())
        .isInstanceOf(ConfigurationException.class)
        .hasMessageContainingAll("concurrentLoads is 0", "queuedLoads is 5");
    assertThatThrownBy(() -> Limits.builder().shared(true).build())
        .isInstanceOf(ConfigurationException.class)
        .hasMessageContainingAll("shared", "loadsPerSecond is 0", "invalidationsPerSecond is 0");
  }
}
