package dev.aquifer.cache;

import static dev.aquifer.cache.TimedNode.as;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.aquifer.AquiferException;
import dev.aquifer.LoadTimeoutException;
import dev.aquifer.Position;
import dev.aquifer.ReadFloor;
import dev.aquifer.Tag;
import dev.aquifer.spi.WriteSet;
import dev.aquifer.testkit.Eventually;
import java.io.IOException;
import java.lang.reflect.Proxy;
import java.time.Duration;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Executor;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** What becomes of threads, places and timers when a load ends otherwise than it should. */
class LoadThreadsTest {
  private static final Duration LIMIT = Duration.ofSeconds(5);
  private static final Eventually SOON = Eventually.within(Duration.ofSeconds(10));

  private final ExecutorService callers = Executors.newCachedThreadPool();
  private final ExecutorService loaders = Executors.newSingleThreadExecutor();

  /** What the executor throws instead of running the next load. */
  private final AtomicReference<Throwable> broken = new AtomicReference<>();

  private volatile boolean full;

  private final Executor breaking =
      work -> {
        Throwable error = broken.getAndSet(null);
        if (full) {
          throw new RejectedExecutionException("full");
        }
        if (error != null) {
          throw Flights.<RuntimeException>sneaky(error);
        }
        loaders.execute(work);
      };

  private final TimedNode node = new TimedNode(settings -> settings.executor(breaking));
  private final AtomicInteger loads = new AtomicInteger();

  @AfterEach
  void close() {
    node.close();
    callers.shutdownNow();
    loaders.shutdownNow();
  }

  private static TieredCache<String, String> cache(TimedNode of) {
    return of.cache(
        settings -> settings.loadTimeout(LIMIT).staleOnError(Duration.ofHours(1)).jitter(0));
  }

  private String loaded(String key) {
    loads.incrementAndGet();
    return "loaded";
  }

  @Test
  void hardLimit_loaderEndsByTheInterrupt_threadAndPlaceAreFreeAgain() throws Exception {
    TieredCache<String, String> cache = cache(node);
    node.caches.limits(TimedNode.DFW, Limits.builder().concurrentLoads(1, 0).build());
    CountDownLatch loading = new CountDownLatch(1);
    CountDownLatch never = new CountDownLatch(1);
    Future<String> slow =
        callers.submit(
            () ->
                as(
                    () ->
                        cache.get(
                            "k",
                            k -> {
                              loading.countDown();
                              never.await();
                              return "late";
                            })));
    assertThat(loading.await(10, TimeUnit.SECONDS)).isTrue();
    node.pass(LIMIT);
    assertThatThrownBy(() -> slow.get(10, TimeUnit.SECONDS))
        .hasCauseInstanceOf(LoadTimeoutException.class);
    // The one thread goes on to its next work, and is not interrupted in it.
    assertThat(
            loaders.submit(() -> Thread.currentThread().isInterrupted()).get(10, TimeUnit.SECONDS))
        .isFalse();
    SOON.until("the place is free", () -> node.caches.node().limiter.bulkhead.size() == 0);
    assertThat(as(() -> cache.get("k", this::loaded))).isEqualTo("loaded");
  }

  /** What the load must be shown is asked of the primary, which takes until then. */
  @Test
  void hardLimit_passesBeforeTheLoaderIsCalled_itIsNotCalled() throws Exception {
    AtomicReference<TimedNode> routed = new AtomicReference<>();
    DemandedPositions positions =
        new DemandedPositions() {
          @Override
          public @Nullable Position resolve(ReadFloor floor) {
            routed.get().pass(LIMIT);
            return super.resolve(floor);
          }
        };
    try (TimedNode slow =
        new TimedNode(settings -> settings.executor(loaders).positions(positions))) {
      routed.set(slow);
      TieredCache<String, String> cache =
          slow.cache(settings -> settings.loadTimeout(LIMIT).tags(Tag.table("flight")));
      slow.caches.committed(
          new WriteSet(1, TimedNode.DFW, Set.of("flight"), false), ReadFloor.after(17));
      slow.pass(Duration.ofMinutes(1));
      assertThatThrownBy(() -> as(() -> cache.get("k", this::loaded)))
          .isInstanceOf(LoadTimeoutException.class);
      assertThat(
              loaders
                  .submit(() -> Thread.currentThread().isInterrupted())
                  .get(10, TimeUnit.SECONDS))
          .isFalse();
      assertThat(loads).hasValue(0);
    }
  }

  @Test
  void executor_failsOrRefuses_nothingIsKeptOfTheLoad() {
    TieredCache<String, String> cache = cache(node);
    Limits one = Limits.builder().concurrentLoads(1, 0).build();
    int failures = 0;
    for (Limits limits : List.of(Limits.NONE, one)) {
      for (Throwable error :
          List.of(
              new OutOfMemoryError("no more threads"), new RejectedExecutionException("full"))) {
        String key = limits + error.toString();
        int timers = node.timer.pending();
        // Whoever is answered may come before the thread that loaded for it is free again.
        SOON.until("all is free", () -> node.caches.node().limiter.bulkhead.size() == 0);
        node.caches.limits(TimedNode.DFW, limits);
        broken.set(error);
        assertThatThrownBy(() -> as(() -> cache.get(key, this::loaded)))
            .isInstanceOfAny(OutOfMemoryError.class, AquiferException.class);
        failures++;
        assertThat(node.timer.pending()).isEqualTo(timers);
        node.pass(Duration.ofSeconds(30));
        assertThat(as(() -> cache.get(key, this::loaded))).isEqualTo("loaded");
        node.pass(LIMIT);
        assertThat(cache.statistics().failures()).isEqualTo(failures);
      }
    }
  }

  @Test
  void schedule_executorIsFullForOnce_goesOnWithTheNextRound() {
    TieredCache<String, String> cache = cache(node);
    AtomicInteger rounds = new AtomicInteger();
    try (Schedule schedule =
        as(
            () ->
                cache.keepWarm(
                    () -> {
                      rounds.incrementAndGet();
                      return List.of();
                    },
                    keys -> Map.of(),
                    WarmUp.defaults()))) {
      SOON.until("the next round is planned", () -> rounds.get() == 1 && schedule.planned());
      full = true;
      node.pass(Duration.ofMinutes(40));
      full = false;
      assertThat(rounds).hasValue(1);
      assertThat(schedule.planned()).isTrue();
      node.pass(Duration.ofMinutes(40));
      SOON.until("it went on", () -> rounds.get() == 2);
    }
  }

  @Test
  void renew_fails_saysSoThoughTheOldValueIsFresh() {
    TieredCache<String, String> cache = cache(node);
    assertThat(as(() -> cache.get("k", this::loaded))).isEqualTo("loaded");
    MemoryKey at = new MemoryKey(as(() -> cache.core.view(TimedNode.DFW)), "k");
    assertThatThrownBy(
            () ->
                as(
                    () -> {
                      node.caches
                          .node()
                          .flights
                          .renew(
                              at,
                              "k",
                              () -> {
                                throw new IOException("the database is away");
                              });
                      return "";
                    }))
        .hasRootCauseInstanceOf(IOException.class);
    assertThat(as(() -> cache.getIfPresent("k"))).isEqualTo("loaded");
  }

  /** It came to wait for a key of the batch before the batch came to wait for its turn. */
  @Test
  void concurrentLoads_loadWaitsForAKeyOfABatch_runsTheBatch() throws Exception {
    ScheduledExecutorService timer = Executors.newSingleThreadScheduledExecutor();
    AtomicReference<Callable<?>> boarded = new AtomicReference<>();
    AtomicInteger timed = new AtomicInteger();
    ScheduledExecutorService watched =
        (ScheduledExecutorService)
            Proxy.newProxyInstance(
                LoadThreadsTest.class.getClassLoader(),
                new Class<?>[] {ScheduledExecutorService.class},
                (proxy, method, arguments) -> {
                  Callable<?> then = boarded.get();
                  if (then != null
                      && method.getName().equals("schedule")
                      && timed.incrementAndGet() == 2) {
                    then.call();
                  }
                  return method.invoke(timer, arguments);
                });
    try (Caches caches = Caches.builder().scheduler(watched).build()) {
      TieredCache<String, String> cache =
          caches.cache(
              "texts",
              String.class,
              CacheSettings.builder()
                  .loadTimeout(LIMIT)
                  .staleOnError(Duration.ofHours(1))
                  .softTimeout(Duration.ofSeconds(4))
                  .build());
      caches.limits(Limits.builder().concurrentLoads(1, 5).build());
      CountDownLatch loading = new CountDownLatch(1);
      CountDownLatch go = new CountDownLatch(1);
      AtomicReference<Thread> waits = new AtomicReference<>();
      Future<String> load =
          callers.submit(
              () ->
                  as(
                      () ->
                          cache.get(
                              "x",
                              x -> {
                                loading.countDown();
                                assertThat(go.await(10, TimeUnit.SECONDS)).isTrue();
                                waits.set(Thread.currentThread());
                                return "with " + cache.get("b", b -> "alone");
                              })));
      assertThat(loading.await(10, TimeUnit.SECONDS)).isTrue();
      // Both keys have flights then, each with its soft limit.
      boarded.set(
          () -> {
            go.countDown();
            SOON.until(
                "it waits",
                () -> waits.get() != null && waits.get().getState() == Thread.State.TIMED_WAITING);
            return true;
          });
      Map<String, String> found =
          as(
              () ->
                  cache.getAll(
                      new LinkedHashSet<>(List.of("a", "b")), keys -> Map.of("a", "A", "b", "B")));
      assertThat(found).isEqualTo(Map.of("a", "A", "b", "B"));
      assertThat(load.get(10, TimeUnit.SECONDS)).isEqualTo("with B");
    } finally {
      timer.shutdownNow();
    }
  }
}
