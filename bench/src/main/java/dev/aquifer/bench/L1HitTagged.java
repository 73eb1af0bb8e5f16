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
 * As {@link L1Hit}, where each value depends on three tags, any of which may have been voided. The
 * peers know no tags; Caffeine without any is the floor.
 */
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Fork(1)
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 5, time = 1)
public class L1HitTagged {
  /** Aquifer. */
  @Benchmark
  public Flight aquifer(AquiferCache.Tagged state, Keys keys) {
    return state.cache.get(keys.next(), AquiferCache::load);
  }

  /** Caffeine alone, with the same settings but no tags. */
  @Benchmark
  public Flight caffeine(CaffeineCache state, Keys keys) {
    return state.cache.get(keys.next(), AquiferCache::load);
  }

  /** Caffeine alone, with settings that cost it less. */
  @Benchmark
  public Flight caffeinePlain(CaffeineCache.Plain state, Keys keys) {
    return state.cache.get(keys.next(), AquiferCache::load);
  }
}
