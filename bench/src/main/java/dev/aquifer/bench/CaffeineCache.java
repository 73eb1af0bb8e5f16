package dev.aquifer.bench;

import com.github.benmanes.caffeine.cache.Cache;
import com.github.benmanes.caffeine.cache.Caffeine;
import org.openjdk.jmh.annotations.Level;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;

/** Caffeine alone, which is the floor: no second tier, no other node, no tags. */
@State(Scope.Benchmark)
public class CaffeineCache {
  Cache<String, Flight> cache;

  /** Fills the cache. */
  @Setup(Level.Trial)
  public void open() {
    cache = Caffeine.newBuilder().maximumSize(Redis.CAPACITY).expireAfterWrite(Redis.TTL).build();
    Keys.all().forEach(key -> cache.put(key, AquiferCache.load(key)));
  }
}
