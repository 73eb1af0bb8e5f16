package dev.aquifer.metrics;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.sun.management.ThreadMXBean;
import dev.aquifer.Tenant;
import dev.aquifer.spi.Observer.CacheFault;
import dev.aquifer.spi.Observer.NodeState;
import dev.aquifer.spi.Observer.PoolReason;
import dev.aquifer.spi.Observer.Role;
import dev.aquifer.spi.Observer.RouteReason;
import dev.aquifer.spi.Observer.Scope;
import dev.aquifer.spi.Observer.Tier;
import dev.aquifer.spi.Observer.WindowRefusal;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.Timer;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.lang.management.ManagementFactory;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class AquiferMetricsTest {
  private static final Tenant DFW = Tenant.of("DFW");

  private final SimpleMeterRegistry registry = new SimpleMeterRegistry();
  private final AquiferMetrics metrics = AquiferMetrics.of(registry);

  @AfterEach
  void close() {
    metrics.close();
    registry.close();
  }

  @Test
  void cacheAnswered_byEachTier_countsHitsAndMisses() {
    metrics.cacheAnswered("flights", DFW, Tier.L1);
    metrics.cacheAnswered("flights", DFW, Tier.L1);
    metrics.cacheAnswered("flights", DFW, Tier.L2);
    metrics.cacheAnswered("flights", DFW, Tier.STALE);
    metrics.cacheAnswered("flights", DFW, Tier.SOURCE);
    metrics.cacheAnswered("airports", DFW, Tier.SOURCE);

    assertThat(count("cache.gets", "cache", "flights", "tier", "l1", "result", "hit")).isEqualTo(2);
    assertThat(count("cache.gets", "cache", "flights", "tier", "l2", "result", "hit")).isEqualTo(1);
    assertThat(count("cache.gets", "cache", "flights", "tier", "stale", "result", "hit"))
        .isEqualTo(1);
    assertThat(count("cache.gets", "cache", "flights", "tier", "source", "result", "miss"))
        .isEqualTo(1);
    assertThat(count("cache.gets", "cache", "airports", "tier", "source", "result", "miss"))
        .isEqualTo(1);
  }

  @Test
  void cacheAnswered_firstRead_showsEveryTierAtZero() {
    metrics.cacheAnswered("flights", DFW, Tier.L1);

    assertThat(registry.find("cache.gets").counters()).hasSize(Tier.values().length);
  }

  @Test
  void cacheLoaded_returnedAndThrown_timesBothApart() {
    metrics.cacheLoaded("flights", DFW, 2_000_000, null);
    metrics.cacheLoaded("flights", DFW, 4_000_000, null);
    metrics.cacheLoaded("flights", DFW, 9_000_000, new IllegalStateException("no"));

    Timer success =
        registry.get("cache.loads").tags("cache", "flights", "outcome", "success").timer();
    Timer failure =
        registry.get("cache.loads").tags("cache", "flights", "outcome", "failure").timer();
    assertThat(success.count()).isEqualTo(2);
    assertThat(success.totalTime(TimeUnit.MILLISECONDS)).isEqualTo(6);
    assertThat(failure.totalTime(TimeUnit.MILLISECONDS)).isEqualTo(9);
    assertThat(failure.getId().getTag("tenant")).isEqualTo("DFW");
  }

  @Test
  void cacheLoaded_clockWentBack_countsAsNoTime() {
    metrics.cacheLoaded("flights", DFW, -5, null);

    Timer timer = registry.get("cache.loads").timer();
    assertThat(timer.count()).isEqualTo(1);
    assertThat(timer.totalTime(TimeUnit.NANOSECONDS)).isZero();
  }

  @Test
  void cacheInvalidatedAndFault_countNamesAndFaults() {
    metrics.cacheInvalidated(DFW, Scope.TAG, 3);
    metrics.cacheInvalidated(DFW, Scope.TAG, 2);
    metrics.cacheInvalidated(DFW, Scope.KEY, 1);
    metrics.cacheFault("flights", CacheFault.DAMAGED, null);

    assertThat(count("cache.invalidations", "scope", "tag", "tenant", "DFW")).isEqualTo(5);
    assertThat(count("cache.invalidations", "scope", "key", "tenant", "DFW")).isEqualTo(1);
    assertThat(count("aquifer.cache.faults", "cache", "flights", "fault", "damaged")).isEqualTo(1);
  }

  @Test
  void remoteChanged_lostAndFound_isShown() {
    assertThat(gauge("aquifer.cache.remote.usable")).isNaN();
    metrics.remoteChanged(false, "timeout");
    assertThat(gauge("aquifer.cache.remote.usable")).isZero();
    metrics.remoteChanged(true, "answers");
    assertThat(gauge("aquifer.cache.remote.usable")).isEqualTo(1);
  }

  @Test
  void routed_byNodeRoleAndReason_counts() {
    metrics.routed("db2", Role.REPLICA, RouteReason.READ);
    metrics.routed("db2", Role.REPLICA, RouteReason.READ);
    metrics.routed("db1", Role.PRIMARY, RouteReason.FRESHNESS);

    assertThat(count("aquifer.routes", "node", "db2", "role", "replica", "reason", "read"))
        .isEqualTo(2);
    assertThat(count("aquifer.routes", "node", "db1", "role", "primary", "reason", "freshness"))
        .isEqualTo(1);
  }

  @Test
  void lagSampled_knownThenUnknown_isSecondsThenNaN() {
    metrics.lagSampled("db2", Duration.ofMillis(1_500), 4_096);
    assertThat(gauge("aquifer.replica.lag", "node", "db2")).isEqualTo(1.5);
    assertThat(gauge("aquifer.replica.lag.bytes", "node", "db2")).isEqualTo(4_096);

    metrics.lagSampled("db2", null, -1);
    assertThat(gauge("aquifer.replica.lag", "node", "db2")).isNaN();
    assertThat(gauge("aquifer.replica.lag.bytes", "node", "db2")).isNaN();
  }

  @Test
  void lagSampled_longestDuration_isStillSeconds() {
    metrics.lagSampled("db2", Duration.ofSeconds(Long.MAX_VALUE), Long.MAX_VALUE);

    assertThat(gauge("aquifer.replica.lag", "node", "db2")).isEqualTo((double) Long.MAX_VALUE);
  }

  @Test
  void nodeChanged_severalTimes_showsTheLastStateOnly() {
    metrics.nodeChanged("db2", NodeState.HEALTHY, NodeState.SUSPECT, "missed one");
    metrics.nodeChanged("db2", NodeState.SUSPECT, NodeState.EJECTED, "missed three");

    assertThat(gauge("aquifer.node.state", "node", "db2", "state", "ejected")).isEqualTo(1);
    assertThat(registry.find("aquifer.node.state").gauges())
        .hasSize(NodeState.values().length)
        .extracting(Gauge::value)
        .containsOnlyOnce(1.0)
        .containsOnly(0.0, 1.0);
    assertThat(count("aquifer.node.changes", "node", "db2")).isEqualTo(2);
  }

  @Test
  void roleChanged_promoted_showsTheNewRole() {
    metrics.roleChanged("db2", Role.UNKNOWN, Role.REPLICA);
    metrics.roleChanged("db2", Role.REPLICA, Role.PRIMARY);

    assertThat(gauge("aquifer.node.role", "node", "db2", "role", "primary")).isEqualTo(1);
    assertThat(gauge("aquifer.node.role", "node", "db2", "role", "replica")).isZero();
  }

  @Test
  void windowAnsweredAndListenerFailed_count() {
    metrics.windowAnswered("delays", DFW, 24, 1, 1);
    metrics.windowAnswered("delays", DFW, 24, 0, 0);
    metrics.windowQueued("delays", DFW, 2_000_000_000L);
    metrics.windowFetched("delays", DFW, 1_000_000_000L, 700, null);
    metrics.windowFetched("delays", DFW, 3_000_000_000L, 33, new IllegalStateException());
    metrics.windowRefused("delays", DFW, WindowRefusal.QUEUE);
    metrics.listenerFailed("cache", new IllegalStateException());

    assertThat(registry.get("aquifer.windows.queue").timer().totalTime(TimeUnit.SECONDS))
        .isEqualTo(2);
    assertThat(
            registry
                .get("aquifer.windows.fetches")
                .tag("outcome", "failure")
                .timer()
                .totalTime(TimeUnit.SECONDS))
        .isEqualTo(3);
    assertThat(
            count(
                "aquifer.windows.refusals",
                "measurement",
                "delays",
                "why",
                "queue",
                "tenant",
                "DFW"))
        .isEqualTo(1);
    assertThat(count("aquifer.windows.shown", "measurement", "delays")).isEqualTo(48);
    assertThat(count("aquifer.windows.fetched", "measurement", "delays")).isEqualTo(1);
    assertThat(count("aquifer.windows.bytes", "measurement", "delays")).isEqualTo(733);
    assertThat(count("aquifer.windows.requests", "measurement", "delays")).isEqualTo(1);
    assertThat(count("aquifer.listener.failures")).isEqualTo(1);
  }

  @Test
  void pools_countDecisionsAndLeaks_andShowTheirSize() {
    metrics.poolDecided("db1", PoolReason.STEADY, 10, 10);
    metrics.poolDecided("db1", PoolReason.EXPLORE, 10, 15);
    metrics.poolReachable("db1", false, "refused");
    metrics.connectionLeaked("db1", Duration.ofSeconds(5), new Exception());

    assertThat(count("aquifer.pool.decisions", "pool", "db1", "reason", "explore")).isEqualTo(1);
    assertThat(count("aquifer.pool.leaks", "pool", "db1")).isEqualTo(1);
    assertThat(registry.get("aquifer.pool.size").tag("pool", "db1").gauge().value()).isEqualTo(15);
    assertThat(registry.get("aquifer.pool.reachable").tag("pool", "db1").gauge().value()).isZero();
  }

  @Test
  void topTenants_moreTenants_countAsOtherAndNothingIsLost() {
    SimpleMeterRegistry own = new SimpleMeterRegistry();
    try (AquiferMetrics few = AquiferMetrics.builder(own).topTenants(3).tenantsOnReads().build()) {
      for (int i = 0; i < 1_000; i++) {
        Tenant tenant = Tenant.of("t" + i);
        few.cacheAnswered("flights", tenant, Tier.L1);
        few.cacheLoaded("flights", tenant, 1, null);
        few.cacheInvalidated(tenant, Scope.KEY, 1);
      }
      few.cacheAnswered("flights", Tenant.of("t1"), Tier.L1);

      assertThat(own.find("cache.gets").counters()).hasSize(4);
      assertThat(own.find("cache.loads").timers()).hasSize(4);
      assertThat(own.find("cache.invalidations").counters()).hasSize(4);
      assertThat(own.get("cache.gets").tag("tenant", "t1").counter().count()).isEqualTo(2);
      assertThat(own.get("cache.gets").tag("tenant", "other").counter().count()).isEqualTo(997);
    }
  }

  @Test
  void topTenants_zero_leavesTheTagOut() {
    SimpleMeterRegistry own = new SimpleMeterRegistry();
    try (AquiferMetrics none = AquiferMetrics.builder(own).topTenants(0).build()) {
      none.cacheLoaded("flights", DFW, 1, null);
      none.cacheInvalidated(DFW, Scope.KEY, 1);

      assertThat(own.getMeters()).allMatch(meter -> meter.getId().getTag("tenant") == null);
      assertThat(own.get("cache.loads").timer().count()).isEqualTo(1);
    }
  }

  @Test
  void names_thousandsOfEach_stayBelowTheLimit() {
    SimpleMeterRegistry own = new SimpleMeterRegistry();
    try (AquiferMetrics few = AquiferMetrics.builder(own).names(10).build()) {
      for (int i = 0; i < 5_000; i++) {
        few.cacheAnswered("c" + i, DFW, Tier.L1);
        few.routed("n" + i, Role.REPLICA, RouteReason.READ);
        few.lagSampled("n" + i, Duration.ZERO, 0);
        few.windowAnswered("m" + i, DFW, 1, 1, 1);
      }

      assertThat(own.find("cache.gets").counters()).hasSize(11 * Tier.values().length);
      assertThat(own.find("aquifer.routes").counters()).hasSize(11);
      assertThat(own.get("aquifer.routes").tag("node", "other").counter().count()).isEqualTo(4_990);
      assertThat(own.find("aquifer.windows.shown").counters()).hasSize(11);
      assertThat(own.find("aquifer.replica.lag").gauges())
          .as("one gauge cannot speak for several nodes")
          .hasSize(10)
          .noneMatch(gauge -> "other".equals(gauge.getId().getTag("node")));
    }
  }

  @ParameterizedTest
  @ValueSource(
      strings = {"", "  ", "a\nb", "a\u0000b", "a\u202eb", "\ud800", "a\u2028b", "other", "LONG"})
  void names_hostile_countAsOther(String name) {
    String hostile = name.equals("LONG") ? "x".repeat(1_000_000) : name;
    metrics.cacheAnswered(hostile, DFW, Tier.L2);
    metrics.routed(hostile, Role.PRIMARY, RouteReason.WRITE);

    assertThat(count("cache.gets", "cache", "other", "tier", "l2")).isEqualTo(1);
    assertThat(count("aquifer.routes", "node", "other")).isEqualTo(1);
  }

  @ParameterizedTest
  @ValueSource(strings = {"<script>", "a\"b{c=\"d\"}", "ÅÄÖ", "航班", "{tenant:0}", "x,y"})
  void names_thatPrint_areKeptAsTheyAre(String name) {
    metrics.cacheAnswered(name, DFW, Tier.L2);

    assertThat(count("cache.gets", "cache", name, "tier", "l2")).isEqualTo(1);
  }

  @Test
  void counters_from8Threads_areExact() throws Exception {
    int threads = 8;
    int each = 20_000;
    ExecutorService pool = Executors.newFixedThreadPool(threads);
    try {
      CountDownLatch start = new CountDownLatch(1);
      List<Future<?>> done = new ArrayList<>();
      for (int t = 0; t < threads; t++) {
        done.add(
            pool.submit(
                () -> {
                  start.await();
                  for (int i = 0; i < each; i++) {
                    metrics.cacheAnswered("cache" + i % 7, Tenant.of("t" + i % 50), Tier.L1);
                    metrics.routed("node" + i % 3, Role.REPLICA, RouteReason.READ);
                    metrics.cacheLoaded("cache" + i % 7, Tenant.of("t" + i % 50), 1, null);
                  }
                  return null;
                }));
      }
      start.countDown();
      for (Future<?> future : done) {
        future.get(60, TimeUnit.SECONDS);
      }
    } finally {
      pool.shutdownNow();
    }

    assertThat(sum("cache.gets")).isEqualTo(threads * each);
    assertThat(sum("aquifer.routes")).isEqualTo(threads * each);
    assertThat(registry.find("cache.loads").timers().stream().mapToInt(t -> (int) t.count()).sum())
        .isEqualTo(threads * each);
    assertThat(
            registry.find("cache.loads").tag("cache", "cache0").timers().stream()
                .map(timer -> timer.getId().getTag("tenant"))
                .distinct())
        .hasSizeLessThanOrEqualTo(21);
  }

  @Test
  void hotMethods_namesSeen_allocateNothing() {
    assertThat(allocatedByReads(metrics)).isLessThan(0.5);
    SimpleMeterRegistry own = new SimpleMeterRegistry();
    try (AquiferMetrics tagged =
        AquiferMetrics.builder(own).topTenants(1).names(1).tenantsOnReads().build()) {
      tagged.cacheAnswered("first", Tenant.of("first"), Tier.L1);
      tagged.routed("first", Role.PRIMARY, RouteReason.WRITE);
      assertThat(allocatedByReads(tagged)).as("also as other").isLessThan(0.5);
    }
  }

  /** Bytes a pair of calls. */
  private static double allocatedByReads(AquiferMetrics observer) {
    ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
    String cache = "flights";
    int calls = 200_000;
    double bytes = Double.MAX_VALUE;
    for (int round = 0; round < 4; round++) {
      long before = threads.getCurrentThreadAllocatedBytes();
      for (int i = 0; i < calls; i++) {
        observer.cacheAnswered(cache, DFW, Tier.L1);
        observer.routed("db2", Role.REPLICA, RouteReason.READ);
      }
      bytes = Math.min(bytes, (threads.getCurrentThreadAllocatedBytes() - before) / (double) calls);
    }
    return bytes;
  }

  @Test
  void close_withMeters_removesAllOfItsOwnAndNoOther() {
    registry.counter("application.orders").increment();
    metrics.cacheAnswered("flights", DFW, Tier.L1);
    metrics.cacheLoaded("flights", DFW, 1, null);
    metrics.nodeChanged("db2", NodeState.HEALTHY, NodeState.EJECTED, "gone");
    metrics.lagSampled("db2", Duration.ZERO, 0);

    metrics.close();
    metrics.close();

    assertThat(registry.getMeters())
        .extracting(meter -> meter.getId().getName())
        .containsExactly("application.orders");
  }

  @Test
  void close_thenCalled_countsNoMore() {
    metrics.cacheAnswered("flights", DFW, Tier.L1);
    metrics.close();

    metrics.cacheAnswered("airports", DFW, Tier.L1);
    metrics.cacheLoaded("airports", DFW, 1, null);
    metrics.lagSampled("db2", Duration.ZERO, 0);
    metrics.listenerFailed("cache", new IllegalStateException());

    assertThat(registry.getMeters()).isEmpty();
  }

  @Test
  void close_whileOthersRegister_leavesNoMeterBehind() throws Exception {
    ExecutorService pool = Executors.newFixedThreadPool(2);
    try {
      for (int round = 0; round < 200; round++) {
        AquiferMetrics racing = AquiferMetrics.builder(registry).tag("round", "" + round).build();
        CountDownLatch start = new CountDownLatch(1);
        List<Future<?>> done = new ArrayList<>();
        for (int t = 0; t < 2; t++) {
          String name = "cache" + t;
          done.add(
              pool.submit(
                  () -> {
                    start.await();
                    for (int i = 0; i < 20; i++) {
                      racing.cacheAnswered(name + i, DFW, Tier.L1);
                    }
                    return null;
                  }));
        }
        start.countDown();
        racing.close();
        for (Future<?> future : done) {
          future.get(30, TimeUnit.SECONDS);
        }
      }
    } finally {
      pool.shutdownNow();
    }

    assertThat(registry.find("cache.gets").counters()).isEmpty();
  }

  @Test
  void build_sameRegistryTwice_refusedUnlessToldApart() {
    assertThatThrownBy(() -> AquiferMetrics.of(registry))
        .isInstanceOf(IllegalStateException.class)
        .hasMessageContaining("tag(");

    try (AquiferMetrics second = AquiferMetrics.builder(registry).tag("instance", "b").build()) {
      second.cacheAnswered("flights", DFW, Tier.L1);
      metrics.cacheAnswered("flights", DFW, Tier.L1);
    }
    assertThat(sum("cache.gets")).as("closing one leaves the other").isEqualTo(1);
    metrics.close();
    AquiferMetrics.of(registry).close();
  }

  @Test
  void build_settingsOutOfBounds_refusedWithTheValue() {
    assertThatThrownBy(() -> AquiferMetrics.builder(registry).topTenants(-1).build())
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("-1");
    assertThatThrownBy(() -> AquiferMetrics.builder(registry).names(0).build())
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("names is 0");
    assertThatThrownBy(
            () -> AquiferMetrics.builder(registry).topTenants(0).tenantsOnReads().build())
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("topTenants(0)")
        .hasMessageContaining("tenantsOnReads()");
  }

  @Test
  void bindSystem_thenClose_bringsAndTakesTheJvmsMeters() {
    SimpleMeterRegistry own = new SimpleMeterRegistry();
    own.gauge("jvm.own", 1);
    try (AquiferMetrics system = AquiferMetrics.builder(own).bindSystem().build()) {
      assertThat(system).isNotNull();
      assertThat(own.get("jvm.memory.used").gauges()).isNotEmpty();
      assertThat(own.get("system.cpu.count").gauge().value()).isPositive();
      assertThat(own.get("process.uptime").meter()).isNotNull();
    }
    assertThat(own.getMeters())
        .extracting(meter -> meter.getId().getName())
        .containsExactly("jvm.own");
  }

  private double count(String name, String... tags) {
    return registry.get(name).tags(tags).counter().count();
  }

  private double gauge(String name, String... tags) {
    return registry.get(name).tags(tags).gauge().value();
  }

  private double sum(String name) {
    return registry.find(name).counters().stream().mapToDouble(c -> c.count()).sum();
  }
}
