package dev.aquifer.cache;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.aquifer.AquiferException;
import dev.aquifer.ConfigurationException;
import dev.aquifer.LoadTimeoutException;
import dev.aquifer.Position;
import dev.aquifer.ReadFloor;
import dev.aquifer.Tag;
import dev.aquifer.Tenant;
import dev.aquifer.UnavailableException;
import dev.aquifer.testkit.FakeTicker;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** One tier, one process. */
class TieredCacheTest {
  private static final Tenant DFW = Tenant.of("DFW");
  private static final Tenant ORD = Tenant.of("ORD");
  private static final Tag FLIGHT = Tag.table("flight");

  private final Caches caches = Caches.builder().build();
  private final AtomicInteger loads = new AtomicInteger();

  @AfterEach
  void close() {
    caches.close();
    caches.close();
  }

  private TieredCache<String, String> cache(Duration limit) {
    return caches.cache(
        "texts", String.class, CacheSettings.builder().tags(FLIGHT).loadTimeout(limit).build());
  }

  private String load(String key) {
    return key + loads.incrementAndGet();
  }

  @Test
  void get_otherTenant_loadsItsOwn() throws Exception {
    TieredCache<String, String> cache = cache(Duration.ofSeconds(5));
    assertThat(DFW.call(() -> cache.get("k", this::load))).isEqualTo("k1");
    assertThat(ORD.call(() -> cache.get("k", this::load))).isEqualTo("k2");
    assertThat(DFW.call(() -> cache.get("k", this::load))).isEqualTo("k1");
    DFW.run(() -> caches.invalidateTags(FLIGHT));
    assertThat(ORD.call(() -> cache.get("k", this::load))).isEqualTo("k2");
    assertThat(DFW.call(() -> cache.get("k", this::load))).isEqualTo("k3");
    DFW.run(caches::invalidateTenant);
    assertThat(DFW.call(() -> cache.get("k", this::load))).isEqualTo("k4");
    DFW.run(cache::invalidateAll);
    assertThat(DFW.call(() -> cache.get("k", this::load))).isEqualTo("k5");
    DFW.run(() -> cache.invalidate("k"));
    assertThat(DFW.call(() -> cache.get("k", this::load))).isEqualTo("k6");
    DFW.run(() -> cache.put("k", "put"));
    assertThat(DFW.call(() -> cache.get("k", this::load))).isEqualTo("put");
  }

  @Test
  void get_loaderAsksForItsOwnKey_isRefused() {
    TieredCache<String, String> cache = cache(Duration.ofSeconds(20));
    assertThatThrownBy(
            () ->
                DFW.call(
                    () -> cache.get("a", a -> cache.get("b", b -> cache.get("a", this::load)))))
        .isInstanceOf(AquiferException.class)
        .hasMessageContaining("texts");
  }

  @Test
  void get_loadNeverReturns_timesOutAndStartsAnew() throws Exception {
    TieredCache<String, String> cache = cache(Duration.ofMillis(200));
    CountDownLatch never = new CountDownLatch(1);
    CountDownLatch interrupted = new CountDownLatch(1);
    assertThatThrownBy(
            () ->
                DFW.call(
                    () ->
                        cache.get(
                            "k",
                            k -> {
                              try {
                                never.await();
                              } catch (InterruptedException e) {
                                interrupted.countDown();
                                throw e;
                              }
                              return k;
                            })))
        .isInstanceOf(LoadTimeoutException.class)
        .hasMessageContaining("DFW");
    assertThat(interrupted.await(5, TimeUnit.SECONDS)).isTrue();
    assertThat(DFW.call(() -> cache.get("k", this::load))).isEqualTo("k1");
  }

  @Test
  void get_oneWaiterInterrupted_loadGoesOnForOthers() throws Exception {
    TieredCache<String, String> cache = cache(Duration.ofSeconds(20));
    CountDownLatch begun = new CountDownLatch(1);
    CountDownLatch go = new CountDownLatch(1);
    ExecutorService threads = Executors.newCachedThreadPool();
    Callable<@Nullable String> read =
        () ->
            DFW.call(
                () ->
                    cache.get(
                        "k",
                        k -> {
                          begun.countDown();
                          assertThat(go.await(10, TimeUnit.SECONDS)).isTrue();
                          return load(k);
                        }));
    try {
      Future<@Nullable String> first = threads.submit(read);
      assertThat(begun.await(5, TimeUnit.SECONDS)).isTrue();
      Future<@Nullable String> second = threads.submit(read);
      first.cancel(true);
      go.countDown();
      assertThat(second.get(10, TimeUnit.SECONDS)).isEqualTo("k1");
      assertThat(loads).hasValue(1);
    } finally {
      threads.shutdownNow();
    }
  }

  @Test
  void get_voidedWhileLoading_isNotKept() throws Exception {
    TieredCache<String, String> cache = cache(Duration.ofSeconds(5));
    assertThat(keptThoughVoided(cache)).isFalse();
    assertThat(cache.statistics().faults()).isEqualTo(1);
  }

  /** Race R3 in one process: a load that began before a void ends after it. */
  private boolean keptThoughVoided(TieredCache<String, String> cache) throws Exception {
    DFW.call(
        () ->
            cache.get(
                "k",
                k -> {
                  caches.invalidateTags(FLIGHT);
                  return "old";
                }));
    return "old".equals(DFW.call(() -> cache.getIfPresent("k")));
  }

  @Test
  void get_null_isRememberedForItsOwnTime() throws Exception {
    FakeTicker clock = new FakeTicker();
    try (Caches timed = Caches.builder().clock(clock).build()) {
      TieredCache<String, String> cache =
          timed.cache(
              "n",
              String.class,
              CacheSettings.builder()
                  .ttl(Duration.ofMinutes(10))
                  .negativeTtl(Duration.ofSeconds(10))
                  .build());
      Callable<@Nullable String> read =
          () ->
              cache.get(
                  "k",
                  k -> {
                    loads.incrementAndGet();
                    return null;
                  });
      assertThat(DFW.call(read)).isNull();
      assertThat(DFW.call(read)).isNull();
      assertThat(loads).hasValue(1);
      clock.advance(Duration.ofSeconds(12));
      assertThat(DFW.call(read)).isNull();
      assertThat(loads).hasValue(2);
    }
  }

  @Test
  void get_afterVoid_loadsAtItsPosition() throws Exception {
    DemandedPositions positions =
        new DemandedPositions() {
          @Override
          public ReadFloor now() {
            return ReadFloor.at(new Position(1, 1, 77));
          }
        };
    try (Caches routed = Caches.builder().positions(positions).build()) {
      TieredCache<String, String> cache =
          routed.cache("r", String.class, CacheSettings.builder().tags(FLIGHT).build());
      DFW.call(() -> cache.get("k", this::load));
      DFW.run(() -> routed.invalidateTags(FLIGHT));
      DFW.call(() -> cache.get("k", this::load));
    }
    assertThat(positions.demanded)
        .containsExactly(ReadFloor.NONE, ReadFloor.at(new Position(1, 1, 77)));
  }

  @Test
  void build_unknownHost_isNamedWithoutPassword() {
    assertThatThrownBy(
            () ->
                Caches.builder()
                    .redis("redis://user:geheim@127.0.0.1:1")
                    .connectTimeout(Duration.ofSeconds(2))
                    .build())
        .isInstanceOf(UnavailableException.class)
        .hasMessageContaining("127.0.0.1:1")
        .hasMessageNotContaining("geheim");
    assertThatThrownBy(() -> Caches.builder().redis("geheim nowhere").build())
        .isInstanceOf(ConfigurationException.class)
        .hasMessageNotContaining("geheim");
  }

  @Test
  void build_redisNotRequired_readsLoad() throws Exception {
    try (Caches away =
        Caches.builder()
            .redis("redis://127.0.0.1:1")
            .redisRequired(false)
            .connectTimeout(Duration.ofSeconds(2))
            .build()) {
      TieredCache<String, String> cache = away.cache("a", String.class, CacheSettings.defaults());
      assertThat(DFW.call(() -> cache.get("k", this::load))).isEqualTo("k1");
      DFW.run(() -> cache.invalidate("k"));
      assertThat(DFW.call(() -> cache.get("k", this::load))).isEqualTo("k2");
      assertThat(away.health().pending()).isEqualTo(1);
    }
  }

  @Test
  void keyText_hostileKeys_areAllDifferent() {
    List<Object> keys = new ArrayList<>(List.of("", "a", "1", 1, 1L, (short) 1, '1', 1.0, true));
    List<String> parts = List.of("", "a", ":", "s1:a", "]", "[", "a]", "n", "1:", "}", "\u0000");
    for (String a : parts) {
      for (String b : parts) {
        keys.add(List.of(a, b));
        keys.add(List.of(a + b));
        keys.add(List.of(List.of(a), b));
        keys.add(List.of(a, List.of(b)));
      }
    }
    List<Object> distinct = keys.stream().distinct().toList();
    assertThat(distinct.stream().map(KeyText::of).distinct().count()).isEqualTo(distinct.size());
  }
}
