package dev.aquifer.cache;

import com.github.benmanes.caffeine.cache.Cache;
import com.github.benmanes.caffeine.cache.Caffeine;
import dev.aquifer.Tenant;
import io.github.bucket4j.Bucket;
import io.github.bucket4j.BucketConfiguration;
import io.github.bucket4j.ConsumptionProbe;
import io.github.bucket4j.TimeMeter;
import io.github.bucket4j.distributed.ExpirationAfterWriteStrategy;
import io.github.bucket4j.distributed.proxy.AsyncProxyManager;
import io.github.bucket4j.redis.lettuce.Bucket4jLettuce;
import io.github.bucket4j.redis.lettuce.RedisApi;
import io.lettuce.core.RedisFuture;
import io.lettuce.core.ScriptOutputType;
import io.lettuce.core.cluster.api.async.RedisClusterAsyncCommands;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.function.LongSupplier;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * The token buckets of tenants: in the process, or in Redis. Those of idle tenants are dropped when
 * they would be full; of more active tenants than {@link #MOST} some begin anew early.
 *
 * <p>Shared buckets count by the clocks of the nodes. One that is ahead makes the others wait for
 * it: it costs loads, never freshness.
 */
final class Rates {
  private static final int MOST = 10_000;

  private final TimeMeter clock;
  private final Cache<Rate, Bucket> here;
  private volatile @Nullable AsyncProxyManager<byte[]> shared;

  /** One limit of one tenant. A changed one is another, with a bucket of its own. */
  record Rate(Tenant tenant, String what, int perSecond, int burst) {
    String text() {
      return "%d %s per second (burst %d)".formatted(perSecond, what, burst);
    }
  }

  Rates(LongSupplier nanos) {
    this.clock =
        new TimeMeter() {
          @Override
          public long currentTimeNanos() {
            return nanos.getAsLong();
          }

          @Override
          public boolean isWallClockBased() {
            return false;
          }
        };
    this.here =
        Caffeine.newBuilder()
            .maximumSize(MOST)
            .expireAfterAccess(Duration.ofSeconds(Limits.LONGEST_FILL_SECONDS))
            .ticker(nanos::getAsLong)
            .executor(Runnable::run)
            .build();
  }

  /** Takes a token: 0 if there was one, else in how many nanoseconds there will be. */
  long take(Rate rate) {
    Bucket bucket =
        here.get(
            rate,
            r ->
                Bucket.builder()
                    .withCustomTimePrecision(clock)
                    .addLimit(
                        limit ->
                            limit
                                .capacity(r.burst())
                                .refillGreedy(r.perSecond(), Duration.ofSeconds(1)))
                    .build());
    return wait(bucket.tryConsumeAndReturnRemaining(1));
  }

  /** The same of a bucket in Redis; null where there is none to ask. */
  @Nullable CompletableFuture<Long> takeShared(Rate rate) {
    AsyncProxyManager<byte[]> manager = shared;
    if (manager == null) {
      return null;
    }
    BucketConfiguration configuration =
        BucketConfiguration.builder()
            .addLimit(
                limit ->
                    limit
                        .capacity(rate.burst())
                        .refillGreedy(rate.perSecond(), Duration.ofSeconds(1)))
            .build();
    String key =
        "aq:{%s}:b:%s:%d:%d"
            .formatted(rate.tenant().id(), rate.what(), rate.perSecond(), rate.burst());
    try {
      return manager
          .builder()
          .build(
              key.getBytes(StandardCharsets.UTF_8),
              () -> CompletableFuture.completedFuture(configuration))
          .tryConsumeAndReturnRemaining(1)
          .thenApply(Rates::wait);
    } catch (RuntimeException e) {
      return CompletableFuture.failedFuture(e);
    }
  }

  /** How many buckets there are in the process. */
  long size() {
    here.cleanUp();
    return here.estimatedSize();
  }

  void share(Supplier<RedisClusterAsyncCommands<byte[], byte[]>> redis, Duration timeout) {
    shared =
        new Bucket4jLettuce.LettuceBasedProxyManagerBuilder<>(new Commands<>(redis))
            .requestTimeout(timeout)
            .expirationAfterWrite(
                ExpirationAfterWriteStrategy.basedOnTimeForRefillingBucketUpToMax(
                    Duration.ofMinutes(1)))
            .build()
            .asAsync();
  }

  private static long wait(ConsumptionProbe probe) {
    return probe.isConsumed() ? 0 : Math.max(1, probe.getNanosToWaitForRefill());
  }

  /** Whatever connection there is at the time. The arrays of keys that it is given are Object[]. */
  private record Commands<K>(Supplier<RedisClusterAsyncCommands<K, byte[]>> redis)
      implements RedisApi<K> {
    @Override
    @SuppressWarnings("TypeParameterUnusedInFormals")
    public <V> RedisFuture<V> eval(
        String script, ScriptOutputType output, K[] keys, byte[][] args) {
      return redis.get().eval(script, output, keys, args);
    }

    @Override
    public RedisFuture<byte[]> get(K key) {
      return redis.get().get(key);
    }

    @Override
    @SuppressWarnings("unchecked")
    public RedisFuture<?> delete(K key) {
      return redis.get().del(key);
    }
  }
}
