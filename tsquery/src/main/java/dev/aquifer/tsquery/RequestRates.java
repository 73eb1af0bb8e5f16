package dev.aquifer.tsquery;

import com.github.benmanes.caffeine.cache.Cache;
import com.github.benmanes.caffeine.cache.Caffeine;
import dev.aquifer.Tenant;
import io.github.bucket4j.Bucket;
import io.github.bucket4j.ConsumptionProbe;
import io.github.bucket4j.TimeMeter;
import java.time.Duration;
import java.util.function.LongSupplier;

/**
 * The token buckets of tenants. Those of idle tenants are dropped when they would be full; of more
 * active tenants than {@link #MOST} some begin anew early. Thread-safe.
 */
final class RequestRates {
  private static final int MOST = 10_000;

  private final TimeMeter clock;
  private final Cache<Rate, Bucket> buckets;

  /** A changed limit is another, with a bucket of its own. */
  private record Rate(Tenant tenant, int perSecond, int burst) {}

  RequestRates(LongSupplier nanos) {
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
    this.buckets =
        Caffeine.newBuilder()
            .maximumSize(MOST)
            .expireAfterAccess(Duration.ofSeconds(RequestLimits.LONGEST_FILL_SECONDS))
            .ticker(nanos::getAsLong)
            .executor(Runnable::run)
            .build();
  }

  /** Takes a token: zero if there was one, else in how long there will be. */
  Duration take(Tenant tenant, RequestLimits limits) {
    if (limits.perSecond() == 0) {
      return Duration.ZERO;
    }
    ConsumptionProbe probe =
        buckets
            .get(new Rate(tenant, limits.perSecond(), limits.burst()), this::bucket)
            .tryConsumeAndReturnRemaining(1);
    return probe.isConsumed()
        ? Duration.ZERO
        : Duration.ofNanos(Math.max(1, probe.getNanosToWaitForRefill()));
  }

  private Bucket bucket(Rate rate) {
    return Bucket.builder()
        .withCustomTimePrecision(clock)
        .addLimit(
            limit ->
                limit.capacity(rate.burst()).refillGreedy(rate.perSecond(), Duration.ofSeconds(1)))
        .build();
  }
}
