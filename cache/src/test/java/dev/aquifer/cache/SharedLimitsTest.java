package dev.aquifer.cache;

import static dev.aquifer.cache.TestNode.FLIGHT;
import static org.assertj.core.api.Assertions.assertThat;

import dev.aquifer.CausalSession;
import dev.aquifer.CausalToken;
import dev.aquifer.Tag;
import dev.aquifer.TenantLimitException;
import dev.aquifer.cache.TestNode.Flight;
import dev.aquifer.testkit.Eventually;
import dev.aquifer.testkit.RedisExtension;
import dev.aquifer.testkit.RedisServer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Limits of two nodes on one real Redis. */
class SharedLimitsTest {
  @RegisterExtension static final RedisExtension REDIS = RedisExtension.own(RedisServer.builder());

  private final AtomicReference<Flight> database = new AtomicReference<>(new Flight(1, "HNL", 0));
  private final ExecutorService callers = Executors.newCachedThreadPool();
  private TestNode one;
  private TestNode two;

  @BeforeEach
  void open() {
    REDIS.database().flush();
    one = TestNode.open(REDIS.database().uri().toString());
    two = TestNode.open(REDIS.database().uri().toString());
  }

  @AfterEach
  void close() {
    callers.shutdownNow();
    one.close();
    two.close();
  }

  private static boolean loads(TestNode node, long id) {
    try {
      node.read(id, key -> new Flight(key, "HNL", 0));
      return true;
    } catch (TenantLimitException e) {
      return false;
    }
  }

  @Test
  void loads_sharedLimit_isOneForBothNodes() {
    Limits limits = Limits.builder().loads(1, 4).shared(true).build();
    one.caches().limits(limits);
    two.caches().limits(limits);
    long begun = System.nanoTime();
    int allowed = 0;
    for (int i = 0; i < 20; i++) {
      allowed += loads(i % 2 == 0 ? one : two, i) ? 1 : 0;
    }
    long seconds = TimeUnit.NANOSECONDS.toSeconds(System.nanoTime() - begun);
    assertThat(allowed).isBetween(4, 5 + (int) seconds);
    Object kept = REDIS.database().command("KEYS", "aq:{DFW}:b:*");
    assertThat((List<?>) kept).hasSize(1);
    assertThat((Long) REDIS.database().command("PTTL", ((List<?>) kept).get(0).toString()))
        .as("the bucket of an idle tenant is dropped")
        .isPositive();
  }

  @Test
  void loads_redisPaused_areLimitedHere() {
    one.caches().limits(Limits.builder().loads(1, 3).shared(true).build());
    assertThat(loads(one, 1)).isTrue();
    REDIS.server().pause();
    try {
      long allowed = IntStream.range(10, 30).filter(id -> loads(one, id)).count();
      assertThat(allowed).isBetween(3L, 19L);
    } finally {
      REDIS.server().resume();
    }
    Eventually.within(Duration.ofSeconds(10))
        .until("Redis is back", () -> one.caches().health().usable());
  }

  @Test
  void invalidations_overTheRate_goOutTogetherAndNoneIsLost() throws Exception {
    for (long id = 0; id < 8; id++) {
      loads(one, id);
      loads(two, id);
    }
    long before = one.partition().applied();
    one.caches().limits(Limits.builder().invalidations(1, 1).build());
    List<Future<?>> all = new ArrayList<>();
    for (long id = 0; id < 8; id++) {
      long key = id;
      all.add(
          callers.submit(
              () -> {
                for (int round = 1; round <= 6; round++) {
                  int delay = round;
                  TestNode.DFW.run(() -> one.flights().invalidate(key));
                  Flight seen = one.read(key, k -> new Flight(k, "HNL", delay));
                  assertThat(seen.delay()).isEqualTo(round);
                }
              }));
    }
    for (Future<?> each : all) {
      each.get(30, TimeUnit.SECONDS);
    }
    assertThat(one.partition().applied() - before).isBetween(6L, 40L);
    Eventually.within(Duration.ofSeconds(10))
        .until(
            "the other node heard of all",
            () -> two.partition().applied() >= one.partition().applied());
    for (long id = 0; id < 8; id++) {
      assertThat(two.read(id, k -> new Flight(k, "HNL", 6)).delay()).isEqualTo(6);
    }
  }

  /** Node one uses up what both may do: node two finds little left, and keeps all that it voids. */
  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void invalidations_usedUpElsewhere_goOutTogether(boolean shared) throws Exception {
    int burst = 40;
    Limits limits = Limits.builder().invalidations(1, burst).shared(shared).build();
    one.caches().limits(limits);
    two.caches().limits(limits);
    one.read(1, id -> database.get());
    two.read(1, id -> database.get());
    two.caches().node().limiter.groups.open = TimeUnit.SECONDS.toNanos(3);
    long begun = System.nanoTime();
    for (int i = 0; i < burst; i++) {
      one.invalidate(Tag.of("first"));
    }
    database.set(new Flight(1, "HNL", 3));
    int alone = 0;
    Future<?> last = callers.submit(() -> two.invalidate(FLIGHT));
    while (!openedByTwo(last)) {
      last.get(20, TimeUnit.SECONDS);
      alone++;
      last = callers.submit(() -> two.invalidate(FLIGHT));
    }
    long refilled = TimeUnit.NANOSECONDS.toSeconds(System.nanoTime() - begun);
    if (shared) {
      assertThat(alone).isLessThan(10 + (int) refilled);
    } else {
      assertThat(alone).isGreaterThanOrEqualTo(burst);
    }
    last.get(20, TimeUnit.SECONDS);
    assertThat(two.read(1, id -> database.get()).delay()).isEqualTo(3);
    Eventually.within(Duration.ofSeconds(10))
        .until("node one", () -> one.read(1, id -> database.get()).delay() == 3);
  }

  /** Whether the void waits with others to come, rather than being told by itself. */
  private boolean openedByTwo(Future<?> voided) {
    VoidGroups groups = two.caches().node().limiter.groups;
    Eventually.within(Duration.ofSeconds(20))
        .until("it is told or waits", () -> voided.isDone() || groups.size() == 1);
    return groups.size() == 1;
  }

  @Test
  void invalidations_sharedAndRedisPaused_areLimitedHereAndNoneIsLost() {
    one.caches().limits(Limits.builder().invalidations(1, 3).shared(true).build());
    one.read(1, id -> database.get());
    two.read(1, id -> database.get());
    REDIS.server().pause();
    try {
      for (int i = 1; i <= 8; i++) {
        database.set(new Flight(1, "HNL", i));
        one.invalidate(FLIGHT);
        assertThat(one.read(1, id -> database.get()).delay()).isEqualTo(i);
      }
    } finally {
      REDIS.server().resume();
    }
    Eventually.within(Duration.ofSeconds(10))
        .until("told", () -> one.caches().health().pending() == 0);
    Eventually.within(Duration.ofSeconds(10))
        .until("node two", () -> two.read(1, id -> database.get()).delay() == 8);
  }

  @Test
  void invalidation_overTheRate_isAcknowledgedWhenItIsTold() throws Exception {
    assertThat(delayAfterGroupedVoid()).isEqualTo(5);
  }

  @Test
  void invalidation_overTheRateWithoutGuard_isAcknowledgedTooEarly() throws Exception {
    one.guards().groupedVoids = false;
    assertThat(delayAfterGroupedVoid()).isZero();
  }

  /** One caller holds a group open; another's void joins it and is acknowledged; a node reads. */
  private int delayAfterGroupedVoid() throws Exception {
    one.read(1, id -> database.get());
    two.read(1, id -> database.get());
    one.caches().node().limiter.groups.open = TimeUnit.SECONDS.toNanos(3);
    one.caches().limits(Limits.builder().invalidations(1, 1).build());
    one.invalidate(Tag.of("first")); // takes the only token
    CausalSession writer = one.sessions().open();
    Future<?> leader = callers.submit(() -> one.invalidate(Tag.of("second")));
    Eventually.within(Duration.ofSeconds(10))
        .until("a group is open", () -> one.caches().node().limiter.groups.size() == 1);
    database.set(new Flight(1, "HNL", 5));
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
    reader.accept(CausalToken.parse(CausalToken.of(null, writer.sequences()).toString()));
    int seen = two.read(reader, 1, id -> database.get()).delay();
    leader.get(20, TimeUnit.SECONDS);
    return seen;
  }

  @Test
  void put_overTheRate_isSeenEverywhere() {
    one.read(1, id -> database.get());
    two.read(1, id -> database.get());
    one.caches().limits(Limits.builder().invalidations(1, 1).build());
    one.invalidate(Tag.of("first"));
    database.set(new Flight(1, "SFO", 6));
    TestNode.as(
        () -> {
          one.flights().put(1L, database.get());
          return true;
        });
    assertThat(one.read(1, id -> database.get()).to()).isEqualTo("SFO");
    Eventually.within(Duration.ofSeconds(10))
        .until("node two", () -> two.read(1, id -> database.get()).to().equals("SFO"));
  }

  /** While the old value is served, also by Redis. */
  @Test
  void refreshHottest_valueIsInRedis_isLoadedAnew() {
    one.read(1, id -> new Flight(id, "old", 0));
    try (Schedule schedule =
        TestNode.as(
            () ->
                one.flights()
                    .refreshHottest(10, Duration.ofDays(1), id -> new Flight(id, "new", 0)))) {
      assertThat(schedule).isNotNull();
      Eventually.within(Duration.ofSeconds(10))
          .until("here", () -> one.read(1, id -> new Flight(id, "missed", 0)).to().equals("new"));
      Eventually.within(Duration.ofSeconds(10))
          .until(
              "in Redis",
              () -> {
                Flight stored = TestNode.as(() -> two.flights().getIfPresent(1L));
                return stored != null && stored.to().equals("new");
              });
    }
  }

  @Test
  void invalidations_veryMany_becomeOneOfAll() throws Exception {
    one.read(1, id -> database.get());
    one.caches().limits(Limits.builder().invalidations(1, 1).build());
    one.invalidate(Tag.of("first"));
    Tag[] many =
        IntStream.range(0, 1_000)
            .mapToObj(i -> Tag.of("t", Integer.toString(i)))
            .toArray(Tag[]::new);
    one.invalidate(many);
    database.set(new Flight(1, "HNL", 9));
    assertThat(one.read(1, id -> database.get()).delay())
        .as("wider than it had to be")
        .isEqualTo(9);
  }
}
