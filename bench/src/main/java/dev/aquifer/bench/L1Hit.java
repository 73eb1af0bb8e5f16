package dev.aquifer.bench;

import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Warmup;

/**
 * A value is in memory: text keys, expiry after write, a bound on the size. Redis stands behind all
 * but Caffeine.
 */
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Fork(1)
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 5, time = 1)
public class L1Hit {
  /** Aquifer. */
  @Benchmark
  public Flight aquifer(AquiferCache state, Keys keys) {
    return state.cache.get(keys.next(), AquiferCache::load);
  }

  /** Caffeine alone, with the same settings. */
  @Benchmark
  public Flight caffeine(CaffeineCache state, Keys keys) {
    return state.cache.get(keys.next(), AquiferCache::load);
  }

  /** Caffeine alone, with settings that cost it less. */
  @Benchmark
  public Flight caffeinePlain(CaffeineCache.Plain state, Keys keys) {
    return state.cache.get(keys.next(), AquiferCache::load);
  }

  /** JetCache. */
  @Benchmark
  public Flight jetcache(JetCacheTiers state, Keys keys) {
    return state.tiers.get(keys.next());
  }

  /** Redisson. */
  @Benchmark
  public Flight redisson(RedissonTiers state, Keys keys) {
    return state.map.get(keys.next());
  }
}
