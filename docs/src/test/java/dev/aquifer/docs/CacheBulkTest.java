package dev.aquifer.docs;

import static org.assertj.core.api.Assertions.assertThat;

import dev.aquifer.Tenant;
import dev.aquifer.cache.BulkResult;
import dev.aquifer.cache.CacheSettings;
import dev.aquifer.cache.Caches;
import dev.aquifer.cache.PartialLoadException;
import dev.aquifer.cache.TieredCache;
import dev.aquifer.testkit.RedisExtension;
import java.util.HashMap;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

class CacheBulkTest {
  @RegisterExtension static final RedisExtension REDIS = RedisExtension.shared();

  /** A remote service that knows of no seats in some flights. */
  private static Map<Integer, String> ask(Set<Integer> flights) {
    Map<Integer, String> seats = new HashMap<>();
    Map<Integer, Exception> failed = new HashMap<>();
    for (Integer flight : flights) {
      if (flight % 2 == 0) {
        seats.put(flight, flight + "A");
      } else {
        failed.put(flight, new IllegalStateException("No seats in flight " + flight));
      }
    }
    // snippet: cache-partial
    if (!failed.isEmpty()) {
      throw new PartialLoadException(seats, failed); // what there is, and why the rest is not
    }
    // end
    return seats;
  }

  @Test
  void bulk() throws Exception {
    String redis = REDIS.database().uri().toString();
    try (Caches caches = Caches.builder().redis(redis).build()) {
      TieredCache<Integer, String> seats =
          caches.cache("seats", String.class, CacheSettings.defaults());
      Tenant tenant = Tenant.of("DFW");
      // snippet: cache-bulk
      BulkResult<Integer, String> result =
          tenant.call(() -> seats.getAllOutcomes(Set.of(101, 102), CacheBulkTest::ask));
      String seat = result.values().get(102);
      Throwable why = result.errors().get(101);

      CompletableFuture<BulkResult<Integer, String>> later =
          tenant.call(
              () ->
                  seats.getAllAsync(
                      Set.of(104, 106),
                      missing -> CompletableFuture.supplyAsync(() -> ask(missing))));
      CompletableFuture<Void> told = tenant.call(() -> seats.putAllAsync(Map.of(108, "108C")));
      // end
      assertThat(seat).isEqualTo("102A");
      assertThat(why).hasMessage("No seats in flight 101");
      assertThat(later.get(20, TimeUnit.SECONDS).orThrow()).containsOnlyKeys(104, 106);
      told.get(20, TimeUnit.SECONDS);
      assertThat(tenant.call(() -> seats.getIfPresent(108))).isEqualTo("108C");
    }
  }
}
