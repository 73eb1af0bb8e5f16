package dev.aquifer.cache;

import static dev.aquifer.cache.TestNode.FLIGHT;
import static org.assertj.core.api.Assertions.assertThat;

import dev.aquifer.CausalSession;
import dev.aquifer.CausalToken;
import dev.aquifer.ReadFloor;
import dev.aquifer.cache.TestNode.Flight;
import dev.aquifer.testkit.Eventually;
import dev.aquifer.testkit.FaultProxy;
import dev.aquifer.testkit.RedisExtension;
import dev.aquifer.testkit.RedisServer;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** Voids that come, or are heard of, at a moment when it is easy to miss them. */
class HeardTooLateTest {
  @RegisterExtension static final RedisExtension REDIS = RedisExtension.own(RedisServer.builder());

  private static final Duration SOON = Duration.ofSeconds(10);
  private static final String LONG_KEY = "longer than such a key may be";

  private final AtomicInteger delay = new AtomicInteger();
  private final ExecutorService threads = Executors.newCachedThreadPool();
  private FaultProxy proxy;
  private TestNode one;
  private TestNode two;

  @BeforeEach
  void open() {
    REDIS.database().flush();
    proxy = FaultProxy.to(REDIS.server().host(), REDIS.server().port());
    one = TestNode.open(REDIS.database().uri().toString());
    two = TestNode.open(TestNode.through(proxy, REDIS.database()));
  }

  @AfterEach
  void close() {
    threads.shutdownNow();
    one.close();
    two.close();
    proxy.close();
  }

  private Flight load(Object id) {
    return new Flight(1, "HNL", delay.get());
  }

  /** Its keys are kept in memory only, and loaded without a lease. */
  private static TieredCache<String, Flight> unshared(TestNode node) {
    return node.caches()
        .cache(
            "unshared", Flight.class, CacheSettings.builder().maxKeyChars(16).tags(FLIGHT).build());
  }

  private Flight readUnshared(TieredCache<String, Flight> cache) {
    return TestNode.as(() -> cache.get(LONG_KEY, this::load));
  }

  @Test
  void event_ofAPartitionThatWasNeverAskedFor_voidsWhatMemoryHas() {
    TieredCache<String, Flight> cache = unshared(two);
    readUnshared(cache);
    delay.set(1);
    one.invalidate(FLIGHT);
    Eventually.within(SOON).until("heard", () -> readUnshared(cache).delay() == 1);
  }

  @Test
  void events_missedOfAPartitionThatWasNeverAskedFor_voidWhatMemoryHas() {
    TieredCache<String, Flight> cache = unshared(two);
    readUnshared(cache);
    proxy.refuse();
    proxy.reset();
    Eventually.within(SOON).until("cut", () -> !two.caches().health().proven());
    delay.set(2);
    one.invalidate(FLIGHT);
    proxy.heal();
    Eventually.within(SOON).until("proven", () -> two.caches().health().proven());
    assertThat(readUnshared(cache).delay()).isEqualTo(2);
  }

  @Test
  void token_joinsALoadThatTheVoidOvertakes_isNotGivenTheOld() throws Exception {
    TieredCache<String, Flight> cache = unshared(two);
    two.read(1, this::load);
    CountDownLatch go = new CountDownLatch(1);
    CountDownLatch loading = new CountDownLatch(1);
    CompletableFuture<Flight> first =
        CompletableFuture.supplyAsync(
            () ->
                TestNode.as(
                    () ->
                        cache.get(
                            LONG_KEY,
                            key -> {
                              Flight old = load(key);
                              loading.countDown();
                              assertThat(go.await(20, TimeUnit.SECONDS)).isTrue();
                              return old;
                            })),
            threads);
    assertThat(loading.await(10, TimeUnit.SECONDS)).isTrue();
    proxy.stopReading();
    delay.set(3);
    CausalSession writer = one.sessions().open();
    TestNode.as(
        () ->
            one.sessions()
                .call(
                    writer,
                    () -> {
                      one.caches().invalidateTags(FLIGHT);
                      return true;
                    }));
    CausalSession reader = two.sessions().open();
    reader.accept(CausalToken.of(null, writer.sequences()));
    CompletableFuture<Flight> second = new CompletableFuture<>();
    Thread bearer =
        new Thread(
            () ->
                second.completeAsync(
                    () ->
                        TestNode.as(
                            () ->
                                two.sessions().call(reader, () -> cache.get(LONG_KEY, this::load))),
                    Runnable::run));
    bearer.start();
    Eventually.within(SOON)
        .until("it waits", () -> bearer.getState() == Thread.State.TIMED_WAITING);
    proxy.heal();
    Eventually.within(SOON)
        .until("heard", () -> two.partition().applied() >= one.partition().applied());
    go.countDown();
    assertThat(first.get(10, TimeUnit.SECONDS).delay()).isZero();
    assertThat(second.get(10, TimeUnit.SECONDS).delay()).isEqualTo(3);
  }

  @Test
  void load_joinedLongAfterTheLinkFellSilent_isBegunAnew() throws Exception {
    AtomicLong ahead = new AtomicLong();
    CountDownLatch go = new CountDownLatch(1);
    CountDownLatch loading = new CountDownLatch(1);
    try (TestNode three =
        TestNode.open(
            TestNode.through(proxy, REDIS.database()),
            caches -> caches.clock(() -> System.nanoTime() + ahead.get()))) {
      three.read(2, this::load);
      CompletableFuture<Flight> first =
          CompletableFuture.supplyAsync(
              () ->
                  three.read(
                      1,
                      key -> {
                        Flight old = load(key);
                        loading.countDown();
                        assertThat(go.await(20, TimeUnit.SECONDS)).isTrue();
                        return old;
                      }),
              threads);
      assertThat(loading.await(10, TimeUnit.SECONDS)).isTrue();
      proxy.drop();
      delay.set(4);
      one.invalidate(FLIGHT);
      ahead.set(TimeUnit.SECONDS.toNanos(3));
      CompletableFuture<Flight> late =
          CompletableFuture.supplyAsync(() -> three.read(1, this::load), threads);
      try {
        assertThat(late.get(10, TimeUnit.SECONDS).delay()).isEqualTo(4);
      } finally {
        go.countDown();
      }
      assertThat(first.get(10, TimeUnit.SECONDS).delay()).isZero();
    }
  }

  @Test
  void getAll_voidAfterItsLoadAndBeforeTheNextKeysTurn_isNotKept() {
    Thread caller = Thread.currentThread();
    AtomicBoolean atOnce = new AtomicBoolean();
    try (TestNode three =
        TestNode.open(
            REDIS.database().uri().toString(),
            caches ->
                caches.executor(
                    work -> {
                      if (atOnce.get() && Thread.currentThread() == caller) {
                        work.run();
                      } else {
                        threads.execute(work);
                      }
                    }))) {
      atOnce.set(true);
      List<Set<Long>> calls = new ArrayList<>();
      Map<Long, Flight> found =
          TestNode.as(
              () ->
                  three
                      .flights()
                      .getAll(
                          Set.of(1L, 2L, 3L),
                          keys -> {
                            calls.add(keys);
                            Map<Long, Flight> loaded = new HashMap<>();
                            keys.forEach(key -> loaded.put(key, load(key)));
                            delay.set(5);
                            three.invalidate(FLIGHT);
                            return loaded;
                          }));
      atOnce.set(false);
      assertThat(calls).hasSize(1);
      assertThat(found.values()).allMatch(flight -> flight.delay() == 0);
      for (long key = 1; key <= 3; key++) {
        assertThat(three.read(key, this::load).delay()).as("key %s", key).isEqualTo(5);
      }
    }
  }

  @Test
  void entry_readBeforeMarkersWereTakenOver_isNotKept() {
    one.read(1, this::load);
    two.read(2, this::load);
    Eventually.within(SOON)
        .until(
            "both are stored",
            () -> ((List<?>) REDIS.database().command("KEYS", "aq:{DFW:0}:v:*")).size() == 2);
    Remote plain = Objects.requireNonNull(two.caches().node().remote());
    AtomicBoolean first = new AtomicBoolean(true);
    two.caches()
        .node()
        .attach(
            (Remote)
                Proxy.newProxyInstance(
                    Remote.class.getClassLoader(),
                    new Class<?>[] {Remote.class},
                    (self, method, args) -> {
                      if (method.isDefault()) {
                        return java.lang.reflect.InvocationHandler.invokeDefault(
                            self, method, args);
                      }
                      try {
                        Object answer = method.invoke(plain, args);
                        if (method.getName().equals("read") && first.getAndSet(false)) {
                          voidUnheard();
                        }
                        return answer;
                      } catch (InvocationTargetException e) {
                        throw Objects.requireNonNull(e.getCause());
                      }
                    }));
    two.read(1, this::load);
    assertThat(first).isFalse();
    assertThat(two.read(1, this::load).delay()).isEqualTo(6);
  }

  /** A key, which leaves no marker, is voided while node two is away; then the stream is lost. */
  private void voidUnheard() {
    proxy.refuse();
    proxy.reset();
    Eventually.within(SOON).until("cut", () -> !two.caches().health().proven());
    delay.set(6);
    TestNode.DFW.run(() -> one.flights().invalidate(1L));
    REDIS.database().command("XTRIM", "aq:{DFW:0}:e", "MAXLEN", "0");
    proxy.heal();
    Eventually.within(SOON).until("proven", () -> two.caches().health().proven());
  }

  @Test
  void hear_eventsBeforeItAreMissing_voidsAllUntilTheyAreKnown() {
    AtomicLong ticks = new AtomicLong();
    Partition partition = new Partition("DFW:0", TestNode.DFW, ticks, System::nanoTime);
    partition.catchUp(
        new CatchUp(7, 10, 0, List.of(), Map.of(), Map.of(), null, Gaps.NONE), ReadFloor.NONE);
    TagCell[] cells = {partition.cell("t:1")};

    long tick = ticks.get();
    assertThat(partition.hear(7, 11, Notice.read("3:t:2"), ReadFloor.NONE)).isTrue();
    assertThat(partition.holds(tick, cells)).isTrue();
    // What the twelfth voided is not known, and whoever is asked for it may not answer.
    assertThat(partition.hear(7, 13, Notice.read("3:t:2"), ReadFloor.NONE)).isFalse();
    assertThat(partition.holds(tick, cells)).isFalse();

    tick = ticks.get();
    assertThat(partition.holds(tick, cells)).isTrue();
    assertThat(partition.hear(8, 1, Notice.read("3:t:2"), ReadFloor.NONE)).isFalse();
    assertThat(partition.holds(tick, cells)).isFalse();
  }
}
