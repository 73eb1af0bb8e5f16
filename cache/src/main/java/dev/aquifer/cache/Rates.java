package dev.aquifer.cache;

import com.github.benmanes.caffeine.cache.Cache;
import com.github.benmanes.caffeine.cache.Caffeine;
import dev.aquifer.Tenant;
import io.github.bucket4j.Bucket;
import io.github.bucket4j.BucketConfiguration;
import io.github.bucket4j.ConsumptionProbe;
import io.github.bucket4j.TimeMeter;
import io.github.bucket4j.distributed.AsyncBucketProxy;
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
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The token buckets of tenants: in the process, or in Redis. Those of idle tenants are dropped when
 * they would be full; of more active tenants than {@link #MOST} some begin anew early.
 *
 * <p>Shared buckets count by the clocks of the nodes. One that is ahead makes the others wait for
 * it: it costs loads, never freshness.
 */
final class Rates {
  private static final Logger LOG = LoggerFactory.getLogger(Rates.class);
  private static final int MOST = 10_000;

  private final TimeMeter clock;
  private final LongSupplier nanos;
  private final Cache<Rate, Counted> here;
  private volatile @Nullable AsyncProxyManager<byte[]> shared;

  /** One limit of one tenant. A changed one is another, with a bucket of its own. */
  record Rate(Tenant tenant, String what, int perSecond, int burst) {
    String text() {
      return "%d %s per second (burst %d)".formatted(perSecond, what, burst);
    }
  }

  /** What is known of a rate in this process. */
  private static final class Counted {
    final Bucket bucket;

    /** Until when the bucket in Redis is known to be empty. */
    volatile long empty;

    Counted(Bucket bucket, long now) {
      this.bucket = bucket;
      this.empty = now;
    }
  }

  /** The bucket in Redis will be in debt for so long. */
  private void owes(Counted counted, long wait) {
    if (wait > 0) {
      counted.empty = nanos.getAsLong() + wait;
    }
  }

  Rates(LongSupplier nanos) {
    this.nanos = nanos;
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
    return wait(counted(rate).bucket.tryConsumeAndReturnRemaining(1));
  }

  private Counted counted(Rate rate) {
    return here.get(
        rate,
        r ->
            new Counted(
                Bucket.builder()
                    .withCustomTimePrecision(clock)
                    .addLimit(
                        limit ->
                            limit
                                .capacity(r.burst())
                                .refillGreedy(r.perSecond(), Duration.ofSeconds(1)))
                    .build(),
                nanos.getAsLong()));
  }

  /**
   * Takes a token here, and of the bucket in Redis without waiting for its answer: what other nodes
   * took shows a moment later. What was taken beyond its end meanwhile is owed, so the rate holds.
   *
   * @param ask whether Redis may be asked; else this node counts by itself
   * @return whether there was one, as far as is known
   */
  boolean takeAhead(Rate rate, boolean ask) {
    Counted counted = counted(rate);
    boolean empty = ask && counted.empty - nanos.getAsLong() > 0;
    if (empty || !counted.bucket.tryConsume(1)) {
      return false;
    }
    AsyncBucketProxy bucket = ask ? inRedis(rate) : null;
    if (bucket != null) {
      try {
        var unused = bucket.consumeIgnoringRateLimits(1).thenAccept(wait -> owes(counted, wait));
      } catch (RuntimeException e) {
        LOG.debug("Redis was not told what {} took; it is counted here", rate, e);
      }
    }
    return true;
  }

  /** As {@link #take} of the bucket in Redis; null where there is none to ask. */
  @Nullable CompletableFuture<Long> takeShared(Rate rate) {
    AsyncBucketProxy bucket = inRedis(rate);
    if (bucket == null) {
      return null;
    }
    try {
      return bucket.tryConsumeAndReturnRemaining(1).thenApply(Rates::wait);
    } catch (RuntimeException e) {
      return CompletableFuture.failedFuture(e);
    }
  }

  private @Nullable AsyncBucketProxy inRedis(Rate rate) {
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
    return manager
        .builder()
        .build(
            key.getBytes(StandardCharsets.UTF_8),
            () -> CompletableFuture.completedFuture(configuration));
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
