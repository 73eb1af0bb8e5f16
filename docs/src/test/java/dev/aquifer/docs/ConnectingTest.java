package dev.aquifer.docs;

import static org.assertj.core.api.Assertions.assertThat;

import dev.aquifer.Tenant;
import dev.aquifer.cache.CacheHealth;
import dev.aquifer.cache.CacheSettings;
import dev.aquifer.cache.Caches;
import dev.aquifer.cache.TieredCache;
import dev.aquifer.testkit.RedisCluster;
import dev.aquifer.testkit.RedisServer;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

class ConnectingTest {
  private static final Logger log = LoggerFactory.getLogger(ConnectingTest.class);

  @Test
  void cluster() {
    try (RedisCluster cluster = RedisCluster.start()) {
      // snippet: redis-cluster
      Caches caches =
          Caches.builder()
              .redis(cluster.uri()) // redis-cluster://127.0.0.1:16379,127.0.0.1:16380,…
              .connectTimeout(Duration.ofSeconds(10))
              .build();
      for (CacheHealth.Server master : caches.health().servers()) {
        log.info("{} connected={}", master.address(), master.connected());
      }
      // end
      try (caches) {
        assertThat(caches.health().servers()).hasSize(3).allMatch(CacheHealth.Server::subscribed);
      }
    }
  }

  @Test
  void partitions() {
    try (RedisServer server = RedisServer.start()) {
      String redis = server.uri().toString();
      // snippet: partitions
      Caches caches = Caches.builder().redis(redis).partitions(Tenant.of("DFW"), 8).build();
      // end
      try (caches) {
        TieredCache<Integer, String> names =
            caches.cache("names", String.class, CacheSettings.builder().build());
        Tenant.of("DFW")
            .run(
                () -> {
                  for (int key = 0; key < 200; key++) {
                    names.put(key, "name " + key);
                  }
                });
        assertThat((List<?>) server.command("KEYS", "aq:{DFW:*}:s")).hasSize(8);
      }
    }
  }
}
