package dev.aquifer.cache;

import static dev.aquifer.cache.TimedNode.as;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.aquifer.ConfigurationException;
import dev.aquifer.spi.Observer.CacheFault;
import java.time.Duration;
import java.time.Instant;
import java.util.Map;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class TtlPolicyTest {
  private static final Instant NOW = Instant.parse("2030-05-01T12:00:00Z");

  private final TimedNode node = new TimedNode();
  private final AtomicInteger loads = new AtomicInteger();

  @AfterEach
  void close() {
    node.close();
  }

  private static TtlPolicy.Load load(@Nullable Duration idle) {
    return new TtlPolicy.Load(NOW, Duration.ZERO, idle);
  }

  private static <V> Duration ttl(TtlPolicy<String, V> policy, V value) {
    return policy.ttl("k", value, load(null));
  }

  @Test
  void byAge_olderIsKeptLonger() {
    TtlPolicy<String, Instant> policy = TtlPolicy.byAge(changed -> changed);
    assertThat(ttl(policy, NOW.plusSeconds(9))).hasMinutes(5);
    assertThat(ttl(policy, NOW.minus(Duration.ofMinutes(59)))).hasMinutes(5);
    assertThat(ttl(policy, NOW.minus(Duration.ofHours(1)))).hasMinutes(30);
    assertThat(ttl(policy, NOW.minus(Duration.ofHours(23)))).hasMinutes(30);
    assertThat(ttl(policy, NOW.minus(Duration.ofHours(24)))).hasHours(2);
  }

  @Test
  void byActivity_usedLatelyIsKeptLonger() {
    TtlPolicy<String, String> policy = TtlPolicy.byActivity();
    assertThat(policy.ttl("k", "v", load(Duration.ofMinutes(4)))).hasHours(1);
    assertThat(policy.ttl("k", "v", load(Duration.ofMinutes(5)))).hasMinutes(30);
    assertThat(policy.ttl("k", "v", load(Duration.ofMinutes(30)))).hasMinutes(10);
    assertThat(policy.ttl("k", "v", load(null))).hasMinutes(10);
  }

  @Test
  void byCategoryAndByKind_takeWhatIsListed() {
    TtlPolicy<String, String> category =
        TtlPolicy.byCategory(
            value -> value.startsWith("image") ? TtlCategory.IMAGE : TtlCategory.API_RESPONSE);
    assertThat(ttl(category, "image of a wing")).hasHours(24);
    assertThat(ttl(category, "quote")).hasMinutes(5);
    assertThat(ttl(TtlPolicy.of(TtlCategory.TENANT_SETTINGS), "v")).hasHours(1);
    TtlPolicy<String, String> kind =
        TtlPolicy.byKind(
            key -> key.length(), Map.of(1, Duration.ofSeconds(7)), Duration.ofSeconds(8));
    assertThat(kind.ttl("k", "v", load(null))).hasSeconds(7);
    assertThat(kind.ttl("key", "v", load(null))).hasSeconds(8);
    assertThat(TtlCategory.values()).hasSize(10);
  }

  @Test
  void steps_contradicting_areRefused() {
    Duration minute = Duration.ofMinutes(1);
    assertThatThrownBy(() -> new TtlPolicy.Steps(minute, minute, minute, minute, minute))
        .isInstanceOf(ConfigurationException.class)
        .hasMessageContaining("PT1M");
    assertThatThrownBy(() -> TtlPolicy.fixed(Duration.ofDays(31)))
        .isInstanceOf(ConfigurationException.class)
        .hasMessageContaining("PT744H");
  }

  private String read(TieredCache<String, String> cache) {
    return as(() -> cache.get("k", k -> k + loads.incrementAndGet()));
  }

  private void assertLives(TieredCache<String, String> cache, Duration ttl) {
    String value = read(cache);
    node.pass(ttl.minusNanos(1));
    assertThat(read(cache)).isEqualTo(value);
    node.pass(Duration.ofNanos(1));
    assertThat(read(cache)).isNotEqualTo(value);
  }

  @Test
  void get_ownFunction_decides() {
    TtlPolicy<String, String> policy =
        (key, value, load) -> value.equals("k1") ? Duration.ofSeconds(3) : Duration.ofHours(3);
    TieredCache<String, String> cache = node.cache(settings -> settings.ttlPolicy(policy));
    assertLives(cache, Duration.ofSeconds(3));
    assertLives(cache, Duration.ofHours(3));
    assertThat(node.faults).isEmpty();
  }

  @ParameterizedTest
  @ValueSource(strings = {"throws", "null", "negative", "huge", "type", "overflow"})
  void get_policyFails_cachesTtlCountsAndFaultIsTold(String how) {
    TtlPolicy<Integer, Integer> wrongType = (key, value, load) -> Duration.ofDays(value);
    TtlPolicy<String, String> policy = (key, value, load) -> nonsense(how);
    TieredCache<String, String> cache =
        node.cache(settings -> settings.ttlPolicy(how.equals("type") ? wrongType : policy));
    assertLives(cache, Duration.ofMinutes(10));
    assertThat(node.faults).containsExactly(CacheFault.POLICY, CacheFault.POLICY);
    assertThat(cache.statistics().faults()).isEqualTo(2);
  }

  @SuppressWarnings("NullAway") // what a careless policy may return
  private static Duration nonsense(String how) {
    return switch (how) {
      case "null" -> null;
      case "negative" -> Duration.ofMillis(-1);
      case "huge" -> Duration.ofSeconds(Long.MAX_VALUE);
      case "overflow" -> nonsense(how);
      default -> throw new IllegalStateException(how);
    };
  }

  @Test
  void get_policySaysZero_isNotStored() {
    TieredCache<String, String> cache =
        node.cache(settings -> settings.ttlPolicy(TtlPolicy.fixed(Duration.ZERO)));
    assertThat(read(cache)).isEqualTo("k1");
    assertThat(read(cache)).isEqualTo("k2");
  }

  @Test
  void get_absent_isForNegativeTtlAlone() {
    TieredCache<String, String> cache =
        node.cache(settings -> settings.ttlPolicy((key, value, load) -> Duration.ofHours(9)));
    as(() -> cache.get("k", k -> null) == null);
    node.pass(Duration.ofSeconds(30));
    assertThat(read(cache)).isEqualTo("k1");
  }

  @Test
  void get_jitter_variesByNoMoreThanSet() {
    node.caches.node().lifetimes.random = () -> 0;
    assertLives(node.cache(settings -> settings.jitter(0.5)), Duration.ofMinutes(5));
    node.caches.node().lifetimes.random = () -> Math.nextDown(1.0);
    TieredCache<String, String> later =
        node.caches.cache(
            "later",
            String.class,
            CacheSettings.builder().ttl(Duration.ofMinutes(10)).jitter(0.1).build());
    assertLives(later, Duration.ofMinutes(11));
  }

  @Test
  void get_byActivity_knowsTheUseBeforeToTheMinute() {
    TieredCache<String, String> cache =
        node.cache(settings -> settings.ttlPolicy(TtlPolicy.byActivity()));
    // Not used before: ten minutes. Used until its end: an hour.
    assertThat(read(cache)).isEqualTo("k1");
    for (int minute = 0; minute < 9; minute++) {
      node.pass(Duration.ofMinutes(1));
      assertThat(read(cache)).isEqualTo("k1");
    }
    node.pass(Duration.ofMinutes(1));
    assertThat(read(cache)).isEqualTo("k2");
    node.pass(Duration.ofMinutes(59));
    assertThat(as(() -> cache.getIfPresent("k"))).isEqualTo("k2");
    // Idle for 20 minutes by then: half an hour.
    node.pass(Duration.ofMinutes(20));
    assertThat(read(cache)).isEqualTo("k3");
    node.pass(Duration.ofMinutes(30).minusNanos(1));
    assertThat(as(() -> cache.getIfPresent("k"))).isEqualTo("k3");
    node.pass(Duration.ofHours(2));
    assertLives(cache, Duration.ofMinutes(10));
  }

  @Test
  void settings_contradicting_areRefusedNamingBoth() {
    assertRefused(
        CacheSettings.builder()
            .staleOnError(Duration.ofHours(1))
            .softTimeout(Duration.ofSeconds(30)),
        "softTimeout",
        "loadTimeout");
    assertRefused(
        CacheSettings.builder().softTimeout(Duration.ofSeconds(1)), "softTimeout", "staleOnError");
    assertRefused(
        CacheSettings.builder().retryAfter(Duration.ofSeconds(2), Duration.ofSeconds(1)),
        "retryAtMost",
        "retryAfter");
    assertRefused(
        CacheSettings.builder().ttl(Duration.ofSeconds(1)).negativeTtl(Duration.ofSeconds(2)),
        "negativeTtl",
        "ttl");
    assertRefused(CacheSettings.builder().jitter(0.51), "jitter", "0.5");
    assertRefused(CacheSettings.builder().jitter(Double.NaN), "jitter", "NaN");
    assertRefused(CacheSettings.builder().refreshAhead(-1), "refreshAhead", "-1");
    assertRefused(CacheSettings.builder().negativeLimit(-1), "negativeLimit", "-1");
    assertRefused(
        CacheSettings.builder().staleOnError(Duration.ofDays(31)), "staleOnError", "PT720H");
    assertThatThrownBy(() -> Caches.builder().refreshLimit(1, 2).build())
        .isInstanceOf(ConfigurationException.class)
        .hasMessageContaining("refreshLimit");
  }

  private static void assertRefused(CacheSettings.Builder settings, String... named) {
    assertThatThrownBy(settings::build)
        .isInstanceOf(ConfigurationException.class)
        .hasMessageContainingAll(named);
  }

  interface Wings {
    @Cached(category = TtlCategory.IMAGE, jitter = 0)
    String image(String id);
  }

  interface TwoTimes {
    @Cached(category = TtlCategory.IMAGE, ttl = "5m")
    String image(String id);
  }

  @Test
  void cached_category_isItsTime() {
    Wings wings = CachingProxy.of(Wings.class, id -> id + loads.incrementAndGet(), node.caches);
    assertThat(as(() -> wings.image("k"))).isEqualTo("k1");
    node.pass(Duration.ofHours(24).minusNanos(1));
    assertThat(as(() -> wings.image("k"))).isEqualTo("k1");
    node.pass(Duration.ofNanos(1));
    assertThat(as(() -> wings.image("k"))).isEqualTo("k2");
    assertThatThrownBy(() -> CachingProxy.of(TwoTimes.class, id -> id, node.caches))
        .isInstanceOf(ConfigurationException.class)
        .hasMessageContainingAll("TwoTimes.image", "IMAGE", "5m");
  }
}
