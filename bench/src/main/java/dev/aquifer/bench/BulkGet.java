package dev.aquifer.bench;

import dev.aquifer.cache.BulkLoader;
import io.lettuce.core.KeyValue;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.Warmup;

/** 500 values that are in Redis only, at once: one round trip, and the same CBOR decoded. */
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MICROSECONDS)
@Fork(1)
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 5, time = 1)
public class BulkGet {
  private static final int COUNT = 500;
  private static final BulkLoader<String, Flight, RuntimeException> NONE =
      keys -> {
        throw new IllegalStateException("Not in Redis: " + keys);
      };

  /** The keys that are asked for: another set at each call. */
  @State(Scope.Thread)
  public static class Sets {
    private final List<Set<String>> sets = new ArrayList<>();
    private int next;

    /** Makes them. */
    @Setup
    public void draw() {
      Keys keys = new Keys();
      keys.shuffle();
      for (int i = 0; i < 16; i++) {
        Set<String> set = new LinkedHashSet<>();
        while (set.size() < COUNT) {
          set.add(keys.next());
        }
        sets.add(set);
      }
    }

    Set<String> next() {
      return sets.get(next++ & 15);
    }
  }

  /** Aquifer. */
  @Benchmark
  public Map<String, Flight> aquifer(AquiferCache.RemoteOnly state, Sets sets, Keys keys) {
    return all(state.cache.getAll(sets.next(), NONE));
  }

  /** Lettuce alone. */
  @Benchmark
  public Map<String, Flight> lettuce(LettuceClient state, Sets sets) {
    Map<String, Flight> found = new HashMap<>();
    for (KeyValue<String, byte[]> one : state.commands.mget(sets.next().toArray(String[]::new))) {
      found.put(one.getKey(), FlightBytes.decode(one.getValue()));
    }
    return all(found);
  }

  /** JetCache. */
  @Benchmark
  public Map<String, Flight> jetcache(JetCacheTiers state, Sets sets) {
    return all(state.remote.getAll(sets.next()));
  }

  /** Redisson. */
  @Benchmark
  public Map<String, Flight> redisson(RedissonTiers state, Sets sets) {
    return all(
        state.client.getBuckets(RedissonTiers.CODEC).get(sets.next().toArray(String[]::new)));
  }

  private static Map<String, Flight> all(Map<String, Flight> found) {
    if (found.size() != COUNT) {
      throw new IllegalStateException("%d of %d values".formatted(found.size(), COUNT));
    }
    return found;
  }
}
