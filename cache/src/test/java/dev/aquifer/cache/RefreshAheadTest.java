package dev.aquifer.cache;

import static dev.aquifer.cache.TimedNode.as;
import static org.assertj.core.api.Assertions.assertThat;

import dev.aquifer.Tag;
import dev.aquifer.Tenant;
import dev.aquifer.spi.Observer.Tier;
import java.time.Duration;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Values in use are loaded again before their time is up. */
class RefreshAheadTest {
  private static final Tag FLIGHT = Tag.table("flight");
  private static final Duration LOAD = Duration.ofSeconds(2);
  private static final Duration TTL = Duration.ofMinutes(10);

  private final TimedNode node = new TimedNode(settings -> settings.refreshLimit(4, 1));
  private final AtomicInteger loads = new AtomicInteger();

  @AfterEach
  void close() {
    node.close();
  }

  private TieredCache<String, String> cache() {
    return node.cache(settings -> settings.tags(FLIGHT));
  }

  /** Takes two seconds. */
  private String load(String key) {
    node.ticker.advance(LOAD);
    return key + loads.incrementAndGet();
  }

  private String read(TieredCache<String, String> cache, String key) {
    return as(() -> cache.get(key, this::load));
  }

  @Test
  void get_oneLoadsTimeBeforeExpiry_answersAtOnceAndLoadsBehind() {
    TieredCache<String, String> cache = cache();
    assertThat(read(cache, "k")).isEqualTo("k1");
    node.pass(TTL.minus(LOAD).minusNanos(1));
    assertThat(read(cache, "k")).isEqualTo("k1");
    assertThat(cache.statistics().refreshes()).isZero();
    node.pass(Duration.ofNanos(1));
    node.executor.hold();
    assertThat(read(cache, "k")).isEqualTo("k1");
    assertThat(read(cache, "k")).isEqualTo("k1");
    assertThat(node.executor.waiting()).isEqualTo(1);
    node.executor.go();
    assertThat(loads).hasValue(2);
    assertThat(read(cache, "k")).isEqualTo("k2");
    assertThat(node.answers).containsExactly(Tier.SOURCE, Tier.L1, Tier.L1, Tier.L1, Tier.L1);
    CacheStatistics statistics = cache.statistics();
    assertThat(statistics.refreshes()).isEqualTo(1);
    assertThat(statistics.loads()).isEqualTo(2);
    assertThat(statistics.averageLoadTime()).isEqualTo(LOAD);
    assertThat(statistics.hitRatio()).isEqualTo(0.8);
  }

  @Test
  void get_betaZero_neverLoadsBehind() {
    TieredCache<String, String> cache = node.cache(settings -> settings.refreshAhead(0));
    read(cache, "k");
    node.pass(TTL.minusNanos(1));
    assertThat(read(cache, "k")).isEqualTo("k1");
    assertThat(loads).hasValue(1);
    node.pass(Duration.ofNanos(1));
    assertThat(read(cache, "k")).isEqualTo("k2");
  }

  @Test
  void get_betaTen_loadsTenTimesAsEarly() {
    TieredCache<String, String> cache = node.cache(settings -> settings.refreshAhead(10));
    read(cache, "k");
    node.pass(TTL.minus(LOAD.multipliedBy(10)).minusMillis(1));
    read(cache, "k");
    assertThat(loads).hasValue(1);
    node.pass(Duration.ofMillis(2));
    read(cache, "k");
    assertThat(loads).hasValue(2);
  }

  @Test
  void getAllGetAsyncGetIfPresent_due_answerFromMemory() {
    TieredCache<String, String> cache = cache();
    read(cache, "k");
    node.pass(TTL.minus(LOAD));
    assertThat(as(() -> cache.getIfPresent("k"))).isEqualTo("k1");
    assertThat(loads).hasValue(1);
    node.executor.hold();
    Map<String, String> all =
        as(() -> cache.getAll(Set.of("k"), keys -> Map.of("k", load("k"), "other", "x")));
    assertThat(all).containsExactly(Map.entry("k", "k1"));
    node.executor.go();
    assertThat(as(() -> cache.getIfPresent("k"))).isEqualTo("k2");
    node.pass(TTL.minus(LOAD));
    node.executor.hold();
    assertThat(
            as(() -> cache.getAsync("k", k -> CompletableFuture.completedFuture(load(k))).join()))
        .isEqualTo("k2");
    node.executor.go();
    assertThat(read(cache, "k")).isEqualTo("k3");
  }

  @Test
  void refresh_overtakenByVoid_isNotKept() {
    assertThat(keptThoughVoided(cache())).isFalse();
  }

  /** The same with the guard out: this test would notice. */
  @Test
  void refresh_overtakenByVoidUnguarded_isKept() {
    node.caches.node().guards.overtakenLoads = false;
    assertThat(keptThoughVoided(cache())).isTrue();
  }

  /** Races R1 and R3 for a load in the background. */
  private boolean keptThoughVoided(TieredCache<String, String> cache) {
    read(cache, "k");
    node.pass(TTL.minus(LOAD));
    as(
        () ->
            cache.get(
                "k",
                k -> {
                  node.ticker.advance(LOAD.dividedBy(2));
                  node.caches.invalidateTags(FLIGHT);
                  return "old";
                }));
    assertThat(cache.statistics().refreshes()).isEqualTo(1);
    // Whether an old tick makes it void in memory is not asked here: was it stored?
    return cache.statistics().fillsRefused() == 0;
  }

  @Test
  void refresh_voidedWhileWaiting_isLoadedAnewByTheNextCaller() {
    TieredCache<String, String> cache = cache();
    read(cache, "k");
    node.pass(TTL.minus(LOAD));
    node.executor.hold();
    read(cache, "k");
    as(
        () -> {
          node.caches.invalidateTags(FLIGHT);
          return true;
        });
    assertThat(as(() -> cache.getIfPresent("k"))).isNull();
    node.executor.go();
    // The load began after the void, and was shown what it wrote.
    assertThat(as(() -> cache.getIfPresent("k"))).isEqualTo("k2");
  }

  @Test
  void getAllAsync_voidedWhileWaiting_isKept() {
    TieredCache<String, String> cache = cache();
    node.executor.hold();
    CompletableFuture<BulkResult<String, String>> all =
        as(
            () ->
                cache.getAllAsync(
                    Set.of("k"),
                    keys -> CompletableFuture.completedFuture(Map.of("k", load("k")))));
    as(
        () -> {
          node.caches.invalidateTags(FLIGHT);
          return true;
        });
    node.executor.go();
    assertThat(all).isCompleted();
    assertThat(as(() -> cache.getIfPresent("k"))).isEqualTo("k1");
  }

  @Test
  void refresh_fails_valueLivesOnAndIsTriedAgainLater() {
    TieredCache<String, String> cache = cache();
    read(cache, "k");
    node.pass(TTL.minus(LOAD));
    for (int i = 0; i < 3; i++) {
      assertThat(
              as(
                  () ->
                      cache.<Exception>get(
                          "k",
                          k -> {
                            throw new java.io.IOException("down");
                          })))
          .isEqualTo("k1");
    }
    assertThat(cache.statistics().failures()).isEqualTo(1);
    node.pass(Duration.ofMillis(1_999));
    assertThat(read(cache, "k")).isEqualTo("k1");
    assertThat(cache.statistics().loads()).isEqualTo(1);
  }

  @Test
  void refresh_moreThanMayRunAtATime_waitsForALaterHit() throws Exception {
    TieredCache<String, String> cache = node.cache(settings -> settings.refreshAhead(10));
    Tenant ord = Tenant.of("ORD");
    read(cache, "a");
    read(cache, "b");
    ord.call(() -> cache.get("a", this::load));
    node.pass(TTL.minus(LOAD.multipliedBy(10)));
    node.executor.hold();
    read(cache, "a");
    read(cache, "b");
    ord.call(() -> cache.get("a", this::load));
    assertThat(node.executor.waiting()).isEqualTo(2);
    assertThat(cache.statistics().refreshesRefused()).isEqualTo(1);
    node.executor.go();
    assertThat(read(cache, "b")).isEqualTo("b2");
    node.pass(LOAD);
    read(cache, "b");
    assertThat(cache.statistics().refreshes()).isEqualTo(3);
    assertThat(loads).hasValue(6);
  }
}
