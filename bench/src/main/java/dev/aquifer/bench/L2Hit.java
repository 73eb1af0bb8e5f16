package dev.aquifer.bench;

import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Warmup;

/** A value is in Redis only: one round trip over loopback, and the same CBOR decoded. */
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Fork(1)
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 5, time = 1)
public class L2Hit {
  /** Aquifer. */
  @Benchmark
  public Flight aquifer(AquiferCache.RemoteOnly state, Keys keys) {
    return present(state.cache.getIfPresent(keys.next()));
  }

  /** Lettuce alone. */
  @Benchmark
  public Flight lettuce(LettuceClient state, Keys keys) {
    return FlightBytes.decode(state.commands.get(keys.next()));
  }

  /** JetCache. */
  @Benchmark
  public Flight jetcache(JetCacheTiers state, Keys keys) {
    return present(state.remote.get(keys.next()));
  }

  /** Redisson. */
  @Benchmark
  public Flight redisson(RedissonTiers state, Keys keys) {
    return present(state.client.<Flight>getBucket(keys.next(), RedissonTiers.CODEC).get());
  }

  /** A miss is far cheaper, or far dearer, than what is asked here. */
  private static Flight present(Flight flight) {
    if (flight == null) {
      throw new IllegalStateException("Not in Redis: this measures misses");
    }
    return flight;
  }
}
