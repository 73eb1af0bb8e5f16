package dev.aquifer.bench;

import com.github.benmanes.caffeine.cache.Cache;
import com.github.benmanes.caffeine.cache.Caffeine;
import com.github.benmanes.caffeine.cache.Expiry;
import java.time.Duration;
import java.util.concurrent.ThreadLocalRandom;
import org.openjdk.jmh.annotations.Level;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;

/**
 * Caffeine alone, which is the floor: no second tier, no other node, no tags. Bounded by weight,
 * and every value with a time of its own, as Aquifer has it.
 */
@State(Scope.Benchmark)
public class CaffeineCache {
  private static final int WEIGHT = 512;

  Cache<String, Flight> cache;

  /** Fills the cache. */
  @Setup(Level.Trial)
  public void open() {
    fill(
        Caffeine.newBuilder()
            .maximumWeight((long) WEIGHT * Redis.CAPACITY)
            .weigher((String key, Flight value) -> WEIGHT)
            .expireAfter(Expiry.<String, Flight>writing((key, value) -> varied()))
            .build());
  }

  final void fill(Cache<String, Flight> empty) {
    cache = empty;
    Keys.all().forEach(key -> cache.put(key, AquiferCache.load(key)));
  }

  private static Duration varied() {
    double factor = 0.9 + 0.2 * ThreadLocalRandom.current().nextDouble();
    return Duration.ofMillis(Math.round(Redis.TTL.toMillis() * factor));
  }

  /** Bounded by their number, and all values with the same time: less than Aquifer does. */
  @State(Scope.Benchmark)
  public static class Plain extends CaffeineCache {
    @Override
    @Setup(Level.Trial)
    public void open() {
      fill(Caffeine.newBuilder().maximumSize(Redis.CAPACITY).expireAfterWrite(Redis.TTL).build());
    }
  }
}
