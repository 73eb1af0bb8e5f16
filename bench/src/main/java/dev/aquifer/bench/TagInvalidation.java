package dev.aquifer.bench;

import dev.aquifer.Tag;
import dev.aquifer.Tenant;
import dev.aquifer.TenantContext;
import dev.aquifer.cache.BulkLoader;
import dev.aquifer.cache.CacheSettings;
import dev.aquifer.cache.Caches;
import dev.aquifer.cache.TieredCache;
import io.lettuce.core.RedisClient;
import io.lettuce.core.api.StatefulRedisConnection;
import java.time.Duration;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Level;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Warmup;

/** One tag is voided that many entries in Redis carry. */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MICROSECONDS)
@Fork(1)
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 5, time = 1)
public class TagInvalidation extends Redis {
  private static final Tenant TENANT = Tenant.of("DFW");
  private static final Tag TAG = Tag.table("flight");
  private static final int BATCH = 500;

  /** How many entries carry the tag. */
  @Param({"1000", "1000000"})
  public int entries;

  private Caches caches;
  private TenantContext.Scope scope;

  /** Fills Redis through the cache, in batches. */
  @Setup(Level.Trial)
  public void fill() {
    startServer();
    caches =
        Caches.builder()
            .redis(server.uri().toString())
            .memoryBytes(0)
            .remoteTimeout(Duration.ofSeconds(2))
            .silenceLimit(Duration.ofSeconds(10))
            .build();
    TieredCache<String, Flight> cache =
        caches.cache("flights", Flight.class, CacheSettings.builder().ttl(TTL).tags(TAG).build());
    BulkLoader<String, Flight, RuntimeException> loader =
        keys -> {
          Map<String, Flight> loaded = new HashMap<>();
          keys.forEach(key -> loaded.put(key, Flight.of(Integer.parseInt(key))));
          return loaded;
        };
    for (int from = 0; from < entries; from += BATCH) {
      Set<String> keys = new LinkedHashSet<>();
      for (int i = from; i < Math.min(entries, from + BATCH); i++) {
        keys.add(Integer.toString(i));
      }
      TENANT.run(() -> cache.getAll(keys, loader));
    }
    awaitFilled();
  }

  /**
   * The last fill may still be on its way; a fill is never behind a later command of its server.
   */
  private void awaitFilled() {
    RedisClient client = RedisClient.create(server.uri().toString());
    try (StatefulRedisConnection<String, String> connection = client.connect()) {
      long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(10);
      while (connection.sync().dbsize() < entries) {
        if (System.nanoTime() - deadline > 0) {
          throw new IllegalStateException(
              "Redis has %d of %d entries".formatted(connection.sync().dbsize(), entries));
        }
      }
    } finally {
      client.shutdown(Duration.ZERO, Duration.ofSeconds(2));
    }
  }

  /** Enters the tenant. */
  @Setup(Level.Iteration)
  public void enter() {
    scope = TenantContext.enter(TENANT);
  }

  /** Leaves it. */
  @TearDown(Level.Iteration)
  public void leave() {
    scope.close();
  }

  /** Ends them. */
  @TearDown(Level.Trial)
  public void close() {
    caches.close();
    stopServer();
  }

  /** Aquifer. */
  @Benchmark
  public void aquifer() {
    caches.invalidateTags(List.of(TAG));
  }
}
