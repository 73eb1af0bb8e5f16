package dev.aquifer.bench;

import dev.aquifer.Tag;
import dev.aquifer.cache.CacheSettings;
import dev.aquifer.cache.Caches;
import dev.aquifer.cache.TieredCache;
import java.time.Duration;
import org.openjdk.jmh.annotations.Level;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;

/** Aquifer's two tiers, with every key in both. */
@State(Scope.Benchmark)
public class AquiferCache extends Redis {
  Caches caches;
  TieredCache<String, Flight> cache;

  /** Starts the server and fills the cache. */
  @Setup(Level.Trial)
  public void open() {
    open(64 << 20);
  }

  void open(long memoryBytes, Tag... tags) {
    startServer();
    // Patient: on a busy machine a slow answer must not count as a miss, or silence as a lost link.
    caches =
        Caches.builder()
            .redis(server.uri().toString())
            .memoryBytes(memoryBytes)
            .remoteTimeout(Duration.ofSeconds(2))
            .silenceLimit(Duration.ofSeconds(10))
            .build();
    cache =
        caches.cache("flights", Flight.class, CacheSettings.builder().ttl(TTL).tags(tags).build());
    Keys.TENANT.run(() -> Keys.all().forEach(key -> cache.get(key, AquiferCache::load)));
  }

  static Flight load(String key) {
    return Flight.of(Integer.parseInt(key.substring("flight:".length())));
  }

  /** Ends them. */
  @TearDown(Level.Trial)
  public void close() {
    caches.close();
    stopServer();
  }

  /** With three tags on every value. */
  @State(Scope.Benchmark)
  public static class Tagged extends AquiferCache {
    @Override
    @Setup(Level.Trial)
    public void open() {
      open(64 << 20, Tag.table("flight"), Tag.table("airport"), Tag.of("carrier", "AA"));
    }
  }

  /** With nothing in memory. */
  @State(Scope.Benchmark)
  public static class RemoteOnly extends AquiferCache {
    @Override
    @Setup(Level.Trial)
    public void open() {
      open(0);
    }
  }
}
