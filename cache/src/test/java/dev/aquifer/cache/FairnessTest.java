package dev.aquifer.cache;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.aquifer.ConfigurationException;
import dev.aquifer.Tenant;
import dev.aquifer.testkit.DeterministicScheduler;
import dev.aquifer.testkit.FakeTicker;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.Test;

/** Memory between tenants. Reads are the cache's own; only time and threads are the test's. */
class FairnessTest {
  private static final Tenant GREEDY = Tenant.of("greedy");
  private static final int OTHERS = 9;

  /** Of about 1,300 bytes each, there is room for 3,000 values: 300 a tenant. */
  private static final long MEMORY = 3_000 * 1_300L;

  private static final int KEYS = 250;
  private static final int ROUNDS = 3 * KEYS;

  private final FakeTicker ticker = new FakeTicker();
  private final DeterministicScheduler scheduler = new DeterministicScheduler(ticker);

  private Caches open(long bytes) {
    return Caches.builder()
        .memoryBytes(bytes)
        .clock(ticker)
        .scheduler(scheduler)
        .executor(Runnable::run)
        .build();
  }

  private static TieredCache<Integer, String> texts(Caches caches) {
    return caches.cache(
        "texts", String.class, CacheSettings.builder().ttl(Duration.ofHours(1)).build());
  }

  private static String read(TieredCache<Integer, String> cache, Tenant tenant, int key) {
    return Reads.as(tenant, () -> String.valueOf(cache.get(key, k -> "value " + k)));
  }

  private static void fill(TieredCache<Integer, String> cache, Tenant tenant, int from, int to) {
    for (int key = from; key < to; key++) {
      read(cache, tenant, key);
    }
  }

  private static long bytes(Caches caches, Tenant tenant) {
    return caches.node().share(tenant).bytes.get();
  }

  /** The share of the others' reads that memory answers, from 0 to 1. */
  private double hitRate(boolean greedy, boolean floors) {
    try (Caches caches = open(MEMORY)) {
      caches.node().fairness().apart = floors;
      TieredCache<Integer, String> cache = texts(caches);
      Random random = new Random(7);
      int reads = 0;
      int misses = 0;
      int greedyKey = 0;
      for (int round = 0; round < ROUNDS; round++) {
        for (int other = 0; other < OTHERS; other++) {
          Tenant tenant = Tenant.of("other" + other);
          int key = random.nextInt(KEYS);
          int[] missed = new int[1];
          Reads.as(
              tenant,
              () ->
                  cache.get(
                      key,
                      k -> {
                        missed[0]++;
                        return "value " + k;
                      }));
          if (round >= ROUNDS / 2) {
            reads++;
            misses += missed[0];
          }
        }
        // A working set of 100 times its part, and keys that are never asked for again.
        for (int i = 0; greedy && i < 100; i++) {
          read(cache, GREEDY, greedyKey++ % 30_000);
          if (i % 10 == 0) {
            read(cache, GREEDY, -greedyKey);
          }
        }
        scheduler.advance(Duration.ofMillis(20));
      }
      assertThat(caches.node().fairness().bytes()).isLessThanOrEqualTo(MEMORY);
      return 1 - (double) misses / reads;
    }
  }

  @Test
  void read_oneTenantAtHundredTimesItsPart_othersLoseAtMostTwoPoints() {
    double alone = hitRate(false, true);
    assertThat(alone).isGreaterThan(0.7);
    assertThat(hitRate(true, true)).isGreaterThanOrEqualTo(alone - 0.02);
  }

  /**
   * What the floors are for: without {@link Fairness#apart} the test above fails. Nothing stale
   * follows from that, so it is none of {@link Guards}.
   */
  @Test
  void read_noFloors_othersLoseMore() {
    assertThat(hitRate(true, false)).isLessThan(hitRate(false, false) - 0.02);
  }

  @Test
  void read_othersIdle_theirPartsAreLentAndGivenBack() {
    try (Caches caches = open(MEMORY)) {
      TieredCache<Integer, String> cache = texts(caches);
      for (int other = 0; other < OTHERS; other++) {
        read(cache, Tenant.of("other" + other), 0);
      }
      fill(cache, GREEDY, 0, 2_000);
      scheduler.advance(Duration.ofSeconds(5));
      fill(cache, GREEDY, 2_000, 6_000);
      assertThat(bytes(caches, GREEDY)).isGreaterThan(MEMORY * 8 / 10);

      for (int other = 0; other < OTHERS; other++) {
        fill(cache, Tenant.of("other" + other), 0, KEYS);
      }
      for (int other = 0; other < OTHERS; other++) {
        assertThat(bytes(caches, Tenant.of("other" + other))).isGreaterThan(KEYS * 1_200L);
      }
      assertThat(bytes(caches, GREEDY)).isBetween(MEMORY / 11, MEMORY / 2);
      assertThat(caches.node().fairness().bytes()).isLessThanOrEqualTo(MEMORY);
    }
  }

  @Test
  void weight_changed_partsFollowAtOnce() {
    try (Caches caches = open(MEMORY)) {
      TieredCache<Integer, String> cache = texts(caches);
      Tenant other = Tenant.of("other");
      for (int key = 0; key < 6_000; key++) {
        read(cache, GREEDY, key);
        read(cache, other, key);
        if (key % 500 == 0) {
          scheduler.advance(Duration.ofSeconds(1));
        }
      }
      assertThat(bytes(caches, GREEDY)).isBetween(MEMORY * 4 / 10, MEMORY * 6 / 10);
      caches.weight(other, 9);
      fill(cache, other, 6_000, 9_000);
      scheduler.advance(Duration.ofSeconds(1));
      fill(cache, other, 9_000, 12_000);
      assertThat(bytes(caches, GREEDY)).isBetween(MEMORY * 5 / 100, MEMORY * 2 / 10);
      assertThat(bytes(caches, other)).isGreaterThan(MEMORY * 7 / 10);
    }
  }

  @Test
  void memoryBytes_changed_boundFollowsAtOnce() {
    try (Caches caches = open(MEMORY)) {
      TieredCache<Integer, String> cache = texts(caches);
      fill(cache, GREEDY, 0, 4_000);
      read(cache, Tenant.of("other"), 1);
      caches.memoryBytes(MEMORY / 10);
      assertThat(caches.node().fairness().bytes()).isBetween(MEMORY / 20, MEMORY / 10);
      caches.memoryBytes(2 * MEMORY);
      fill(cache, GREEDY, 0, 10_000);
      scheduler.advance(Duration.ofSeconds(1));
      fill(cache, GREEDY, 0, 10_000);
      assertThat(caches.node().fairness().bytes()).isBetween(MEMORY * 3 / 2, 2 * MEMORY);
      caches.memoryBytes(0);
      assertThat(caches.node().fairness().bytes()).isZero();
      assertThatThrownBy(() -> caches.memoryBytes(-1))
          .isInstanceOf(ConfigurationException.class)
          .hasMessageContaining("-1");
      assertThatThrownBy(() -> caches.weight(GREEDY, 0))
          .isInstanceOf(ConfigurationException.class)
          .hasMessageContaining("greedy");
      assertThatThrownBy(() -> caches.weight(GREEDY, Double.NaN))
          .isInstanceOf(ConfigurationException.class);
    }
  }

  /** More tenants beyond their parts than have a pool each: the others are still apart. */
  @Test
  void read_manyGreedyTenants_theModestKeepTheirs() {
    try (Caches caches = open(MEMORY)) {
      TieredCache<Integer, String> cache = texts(caches);
      Tenant modest = Tenant.of("modest");
      int greedy = Fairness.OWN + 30;
      int modestKeys = 20;
      for (int key = 0; key < 200; key++) {
        for (int i = 0; i < greedy; i++) {
          read(cache, Tenant.of("greedy" + i), key);
        }
        fill(cache, modest, 0, modestKeys);
        scheduler.advance(Duration.ofMillis(100));
      }
      assertThat(bytes(caches, modest)).isGreaterThan(modestKeys * 1_200L);
      assertThat(caches.node().fairness().bytes()).isLessThanOrEqualTo(MEMORY);
    }
  }

  /** What is found in the views is what the pools count, after any order of events. */
  @Test
  void anything_atTheSameTime_booksBalance() throws Exception {
    try (Caches caches = open(MEMORY / 4)) {
      TieredCache<Integer, String> cache = texts(caches);
      List<Tenant> tenants = new ArrayList<>();
      for (int i = 0; i < 6; i++) {
        tenants.add(Tenant.of("t" + i));
      }
      AtomicBoolean over = new AtomicBoolean();
      ExecutorService threads = Executors.newFixedThreadPool(5);
      try {
        List<Future<?>> work = new ArrayList<>();
        for (int i = 0; i < 4; i++) {
          work.add(
              threads.submit(
                  () -> {
                    for (int n = 0; n < 20_000; n++) {
                      ThreadLocalRandom random = ThreadLocalRandom.current();
                      Tenant tenant = tenants.get(random.nextInt(1 + n % 6));
                      int key = random.nextInt(random.nextInt(1, 2_000));
                      if (n % 7 == 0) {
                        tenant.run(() -> cache.put(key, "put"));
                      } else {
                        read(cache, tenant, key);
                      }
                    }
                  }));
        }
        Future<?> upkeep =
            threads.submit(
                () -> {
                  for (int n = 0; !over.get(); n++) {
                    caches.weight(tenants.get(n % 6), 1 + n % 5);
                    caches.memoryBytes(MEMORY / 4 - n % 3 * (MEMORY / 16));
                  }
                });
        for (Future<?> one : work) {
          one.get();
        }
        over.set(true);
        upkeep.get();
      } finally {
        over.set(true);
        threads.shutdownNow();
      }
      Fairness fairness = caches.node().fairness();
      fairness.balance();
      fairness.balance();
      for (Share share : fairness.shares()) {
        long found =
            share.views.stream()
                .flatMap(view -> view.entries.values().stream())
                .mapToLong(Held::weight)
                .sum();
        assertThat(share.bytes.get()).as(share.tenant.id()).isEqualTo(found);
      }
      assertThat(fairness.held()).isEqualTo(fairness.bytes());
      assertThat(fairness.bytes()).isPositive().isLessThanOrEqualTo(fairness.total());
      caches.memoryBytes(0);
      assertThat(fairness.bytes()).isZero();
      assertThat(fairness.held()).isZero();
    }
  }

  private static final class Reads {
    static <T> T as(Tenant tenant, Callable<T> body) {
      try {
        return tenant.call(body);
      } catch (Exception e) {
        throw new AssertionError(e);
      }
    }
  }
}
