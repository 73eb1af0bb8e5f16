package dev.aquifer.cache;

import static dev.aquifer.cache.TestNode.FLIGHT;
import static dev.aquifer.cache.TestNode.as;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.aquifer.testkit.Eventually;
import dev.aquifer.testkit.FaultProxy;
import dev.aquifer.testkit.RedisExtension;
import java.io.IOException;
import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** Values near and past their time, and absence, of two nodes on one real Redis. */
class AgedInRedisTest {
  @RegisterExtension static final RedisExtension REDIS = RedisExtension.shared();

  private static final Eventually SOON = Eventually.within(Duration.ofSeconds(20));

  /** The second load's value lives longer, so that it is seen to be another's. */
  private static final CacheSettings REFRESHED =
      CacheSettings.builder()
          .tags(FLIGHT)
          .refreshAhead(100)
          .jitter(0)
          .ttlPolicy(
              (key, value, load) ->
                  value.equals("v1") ? Duration.ofMinutes(1) : Duration.ofMinutes(2))
          .build();

  private final AtomicLong ahead = new AtomicLong();
  private final AtomicInteger loads = new AtomicInteger();
  private TestNode one;
  private TestNode two;

  @BeforeEach
  void open() {
    REDIS.database().flush();
    one = node();
    two = node();
  }

  private TestNode node() {
    TestNode node =
        TestNode.open(
            REDIS.database().uri().toString(),
            settings -> settings.clock(() -> System.nanoTime() + ahead.get()));
    due(node, true);
    return node;
  }

  /** Whether what the node comes to hold from now on is to be loaded again at once. */
  private static void due(TestNode node, boolean atOnce) {
    node.caches().node().lifetimes.random = () -> atOnce ? Math.nextDown(1.0) : 0;
  }

  @AfterEach
  void close() {
    one.close();
    two.close();
  }

  private static TieredCache<String, String> cache(TestNode node, CacheSettings settings) {
    return node.caches().cache("texts", String.class, settings);
  }

  private String load(String key) {
    ahead.addAndGet(Duration.ofMillis(100).toNanos());
    int load = loads.incrementAndGet();
    if (load > 1) {
      due(one, false);
      due(two, false);
    }
    return "v" + load;
  }

  @Test
  void remoteHit_due_answersAtOnceAndIsLoadedOnceForAllNodes() throws Exception {
    TieredCache<String, String> first = cache(one, REFRESHED);
    TieredCache<String, String> second = cache(two, REFRESHED);
    assertThat(as(() -> first.get("k", this::load))).isEqualTo("v1");
    inRedis(second);
    CountDownLatch begun = new CountDownLatch(1);
    CountDownLatch go = new CountDownLatch(1);
    Loader<String, String, Exception> slow =
        k -> {
          begun.countDown();
          assertThat(go.await(20, TimeUnit.SECONDS)).isTrue();
          return load(k);
        };
    // In Redis, due: the second node has it, and loads behind. It holds the lease.
    assertThat(as(() -> second.get("k", slow))).isEqualTo("v1");
    assertThat(begun.await(20, TimeUnit.SECONDS)).isTrue();
    // In memory, due: the first node wants to load, and waits for the second.
    assertThat(as(() -> first.get("k", this::load))).isEqualTo("v1");
    SOON.asserts(() -> assertThat(first.statistics().refreshes()).isEqualTo(1));
    go.countDown();
    SOON.asserts(
        () -> {
          assertThat(as(() -> first.getIfPresent("k"))).isEqualTo("v2");
          assertThat(as(() -> second.getIfPresent("k"))).isEqualTo("v2");
        });
    assertThat(loads).hasValue(2);
    assertThat(second.statistics().refreshes()).isEqualTo(1);
  }

  private static void inRedis(TieredCache<String, String> asSeenBy) {
    SOON.asserts(() -> assertThat(as(() -> asSeenBy.getIfPresent("k"))).isNotNull());
  }

  @Test
  void refresh_overtakenByAnotherNodesVoid_isStoredNowhere() throws Exception {
    TieredCache<String, String> first = cache(one, REFRESHED);
    TieredCache<String, String> second = cache(two, REFRESHED);
    as(() -> first.get("k", this::load));
    CountDownLatch begun = new CountDownLatch(1);
    CountDownLatch go = new CountDownLatch(1);
    as(
        () ->
            first.get(
                "k",
                k -> {
                  begun.countDown();
                  assertThat(go.await(20, TimeUnit.SECONDS)).isTrue();
                  return "old";
                }));
    assertThat(begun.await(20, TimeUnit.SECONDS)).isTrue();
    two.invalidate(FLIGHT);
    go.countDown();
    SOON.asserts(() -> assertThat(first.statistics().fillsRefused()).isEqualTo(1));
    assertThat(as(() -> second.get("k", k -> "new"))).isEqualTo("new");
    SOON.asserts(() -> assertThat(as(() -> first.getIfPresent("k"))).isEqualTo("new"));
  }

  private static final CacheSettings KEPT =
      CacheSettings.builder()
          .tags(FLIGHT)
          .ttl(Duration.ofMillis(30))
          .staleOnError(Duration.ofHours(1))
          .build();

  @Test
  void get_loadFails_servesWhatRedisKeeps() {
    TieredCache<String, String> first = cache(one, KEPT);
    as(() -> first.get("k", this::load));
    SOON.asserts(() -> assertThat(as(() -> first.getIfPresent("k"))).isNull());
    TieredCache<String, String> second = cache(two, KEPT);
    for (int i = 0; i < 3; i++) {
      assertThat(failing(second)).isEqualTo("v1");
    }
    assertThat(second.statistics().staleAnswers()).isEqualTo(3);
    assertThat(second.statistics().remoteHits()).isZero();
    // The second and third were not tried: what Redis had is in memory now, and known to be stale.
    assertThat(second.statistics().failures()).isEqualTo(1);
    one.invalidate(FLIGHT);
    SOON.asserts(
        () -> assertThatThrownBy(() -> failing(second)).hasRootCauseMessage("database away"));
    try (TestNode three = node()) {
      TieredCache<String, String> third = cache(three, KEPT);
      assertThatThrownBy(() -> failing(third)).hasRootCauseMessage("database away");
    }
  }

  @Test
  void get_loadSucceeds_replacesWhatRedisKeeps() {
    TieredCache<String, String> first = cache(one, KEPT);
    as(() -> first.get("k", this::load));
    SOON.asserts(() -> assertThat(as(() -> first.getIfPresent("k"))).isNull());
    TieredCache<String, String> second = cache(two, KEPT);
    assertThat(as(() -> second.get("k", this::load))).isEqualTo("v2");
    assertThat(second.statistics().staleAnswers()).isZero();
  }

  private static String failing(TieredCache<String, String> cache) {
    return as(
        () ->
            cache.get(
                "k",
                k -> {
                  throw new IOException("database away");
                }));
  }

  @Test
  void get_redisNotHeard_nobodyVouchesForWhatIsKept() {
    try (FaultProxy proxy = FaultProxy.to(REDIS.server().host(), REDIS.server().port());
        TestNode away =
            TestNode.open(
                TestNode.through(proxy, REDIS.database()),
                settings -> settings.clock(() -> System.nanoTime() + ahead.get()))) {
      TieredCache<String, String> cache = cache(away, KEPT);
      as(() -> cache.get("k", this::load));
      SOON.asserts(() -> assertThat(as(() -> cache.getIfPresent("k"))).isNull());
      assertThat(failing(cache)).isEqualTo("v1");
      proxy.drop();
      ahead.addAndGet(Duration.ofMinutes(1).toNanos());
      assertThatThrownBy(() -> failing(cache)).hasRootCauseMessage("database away");
    }
  }
}
