package dev.aquifer.cache;

import static org.assertj.core.api.Assertions.assertThat;

import dev.aquifer.Tenant;
import dev.aquifer.testkit.Proof;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;

/**
 * How long callers wait for a load that does not end, where an older value may be served: by the
 * clock of the machine, so the record says it, and the test claims only that they need not wait for
 * the load.
 */
class SoftLimitTest {
  private static final Tenant DFW = Tenant.of("DFW");
  private static final Duration SOFT = Duration.ofMillis(100);
  private static final int CALLERS = 8;

  @Test
  void slowLoads_callersAreAnsweredAtTheSoftLimit() {
    Proof.of("soft-limit")
        .tries(40, 800)
        .run(
            run -> {
              AtomicLong passed = new AtomicLong();
              CountDownLatch never = new CountDownLatch(1);
              ExecutorService callers = Executors.newFixedThreadPool(CALLERS);
              CacheSettings settings =
                  CacheSettings.builder()
                      .ttl(Duration.ofMinutes(1))
                      .staleOnError(Duration.ofHours(1))
                      .softTimeout(SOFT)
                      .build();
              try (Caches caches =
                  Caches.builder().clock(() -> System.nanoTime() + passed.get()).build()) {
                TieredCache<Long, String> cache = caches.cache("texts", String.class, settings);
                for (long key = 0; key < run.tries(); key++) {
                  long at = key;
                  DFW.call(() -> cache.get(at, k -> "old"));
                }
                passed.addAndGet(Duration.ofMinutes(5).toNanos());
                List<Future<Long>> waits = new ArrayList<>();
                for (long key = 0; key < run.tries(); key++) {
                  long at = key;
                  waits.add(callers.submit(() -> waited(cache, at, never)));
                }
                long[] micros = new long[waits.size()];
                for (int i = 0; i < micros.length; i++) {
                  micros[i] = waits.get(i).get(60, TimeUnit.SECONDS);
                }
                Arrays.sort(micros);
                run.tried(micros.length);
                run.detail("soft limit, ms", SOFT.toMillis());
                run.detail("shortest, us", micros[0]);
                run.detail("median, us", micros[micros.length / 2]);
                run.detail("P99, us", micros[(int) (micros.length * 0.99)]);
                run.detail("longest, us", micros[micros.length - 1]);
              } finally {
                never.countDown();
                callers.shutdownNow();
              }
            });
  }

  private static long waited(TieredCache<Long, String> cache, long key, CountDownLatch never)
      throws Exception {
    long begun = System.nanoTime();
    String served =
        DFW.call(
            () ->
                cache.get(
                    key,
                    k -> {
                      assertThat(never.await(60, TimeUnit.SECONDS)).isTrue();
                      return "new";
                    }));
    long took = TimeUnit.NANOSECONDS.toMicros(System.nanoTime() - begun);
    assertThat(served).isEqualTo("old");
    return took;
  }
}
