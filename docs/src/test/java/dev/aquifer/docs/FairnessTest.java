package dev.aquifer.docs;

import static org.assertj.core.api.Assertions.assertThat;

import dev.aquifer.Tenant;
import dev.aquifer.cache.CacheSettings;
import dev.aquifer.cache.Caches;
import dev.aquifer.cache.TieredCache;
import java.time.Duration;
import org.junit.jupiter.api.Test;

class FairnessTest {
  @Test
  void memory() throws Exception {
    // snippet: cache-fairness
    Caches caches =
        Caches.builder()
            .memoryBytes(256L << 20)
            .cleanupInterval(Duration.ofMinutes(1)) // 5 minutes by default
            .build();
    caches.weight(Tenant.of("DFW"), 4); // four times the part of a tenant of weight 1
    caches.memoryBytes(512L << 20); // while traffic runs
    // end
    try (caches) {
      TieredCache<String, String> texts =
          caches.cache("texts", String.class, CacheSettings.defaults());
      assertThat(Tenant.of("DFW").call(() -> texts.get("k", k -> "v"))).isEqualTo("v");
      caches.memoryBytes(0);
      assertThat(Tenant.of("DFW").call(() -> texts.get("k", k -> "w"))).isEqualTo("w");
    }
  }
}
