package dev.aquifer.cache;

import static dev.aquifer.cache.TimedNode.DFW;
import static dev.aquifer.cache.TimedNode.as;
import static org.assertj.core.api.Assertions.assertThat;

import dev.aquifer.Tenant;
import java.time.Duration;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** A scan of what is not there takes no more memory than it may. */
class NegativeLimitTest {
  private static final int LIMIT = 100;

  private final TimedNode node = new TimedNode();
  private final AtomicInteger loads = new AtomicInteger();
  private final TieredCache<String, String> cache =
      node.cache(settings -> settings.negativeLimit(LIMIT));

  @AfterEach
  void close() {
    node.close();
  }

  private @Nullable String absent(String key) {
    loads.incrementAndGet();
    return null;
  }

  private void scan(Tenant tenant, String prefix, int keys) {
    tenant.run(
        () -> {
          for (int i = 0; i < keys; i++) {
            cache.get(prefix + i, this::absent);
          }
        });
  }

  @Test
  void get_moreAbsentKeysThanMay_areNotRemembered() {
    as(() -> cache.get("value", k -> k));
    scan(DFW, "a", 10 * LIMIT);
    CacheStatistics statistics = cache.statistics();
    assertThat(statistics.entries()).isEqualTo(LIMIT + 1);
    assertThat(statistics.negativesRefused()).isEqualTo(9 * LIMIT);
    assertThat(as(() -> cache.getIfPresent("value"))).isEqualTo("value");
    loads.set(0);
    scan(DFW, "a", LIMIT);
    assertThat(loads).hasValue(0);
    // Another tenant has its own.
    scan(Tenant.of("ORD"), "a", LIMIT);
    scan(Tenant.of("ORD"), "a", LIMIT);
    assertThat(loads).hasValue(LIMIT);
  }

  @Test
  void get_timeOfTheRememberedIsUp_othersAreRemembered() {
    scan(DFW, "a", LIMIT);
    node.pass(Duration.ofSeconds(31));
    scan(DFW, "b", LIMIT);
    scan(DFW, "c", LIMIT);
    loads.set(0);
    scan(DFW, "c", LIMIT);
    assertThat(cache.statistics().entries()).isEqualTo(LIMIT);
    assertThat(loads.get()).isLessThanOrEqualTo(LIMIT);
    assertThat(cache.statistics().negativesRefused()).isLessThan(3 * LIMIT);
  }

  @Test
  void get_absenceEnds_countIsGivenBack() {
    for (int i = 0; i < 3 * LIMIT; i++) {
      String key = "k" + i;
      scan(DFW, key, 1);
      DFW.run(() -> cache.put(key + 0, "value"));
    }
    assertThat(cache.statistics().negativesRefused()).isZero();
  }
}
