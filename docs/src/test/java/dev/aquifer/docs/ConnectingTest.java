package dev.aquifer.docs;

import static org.assertj.core.api.Assertions.assertThat;

import dev.aquifer.cache.CacheHealth;
import dev.aquifer.cache.Caches;
import dev.aquifer.testkit.RedisCluster;
import java.time.Duration;
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
}
