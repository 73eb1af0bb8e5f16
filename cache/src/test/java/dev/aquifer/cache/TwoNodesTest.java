package dev.aquifer.cache;

import static org.assertj.core.api.Assertions.assertThat;

import dev.aquifer.CausalSession;
import dev.aquifer.CausalSessions;
import dev.aquifer.CausalToken;
import dev.aquifer.ReadFloor;
import dev.aquifer.Tag;
import dev.aquifer.Tenant;
import dev.aquifer.spi.WriteSet;
import dev.aquifer.testkit.Eventually;
import dev.aquifer.testkit.FaultProxy;
import dev.aquifer.testkit.RedisExtension;
import dev.aquifer.testkit.RedisServer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** Two nodes on one real Redis. */
class TwoNodesTest {
  @RegisterExtension static final RedisExtension REDIS = RedisExtension.own(RedisServer.builder());

  private static final Tenant DFW = Tenant.of("DFW");
  private static final Tag FLIGHT = Tag.table("flight");
  private static final CacheSettings SETTINGS = CacheSettings.builder().tags(FLIGHT).build();

  record Flight(long id, String to, int delay) {}

  private final AtomicReference<Flight> database = new AtomicReference<>(new Flight(1, "HNL", 0));
  private final AtomicInteger loads = new AtomicInteger();
  private FaultProxy proxy;
  private Node1 one;
  private Node1 two;

  /** One node, its sessions and its cache. */
  private record Node1(Caches caches, CausalSessions sessions, TieredCache<Long, Flight> flights)
      implements AutoCloseable {
    static Node1 open(String uri) {
      CausalSessions sessions = new CausalSessions();
      Caches caches =
          Caches.builder()
              .redis(uri)
              .sessions(sessions)
              .remoteTimeout(Duration.ofMillis(400))
              .build();
      return new Node1(caches, sessions, caches.cache("flight", Flight.class, SETTINGS));
    }

    @Override
    public void close() {
      caches.close();
    }
  }

  @BeforeEach
  void open() {
    REDIS.database().flush();
    proxy = FaultProxy.to(REDIS.server().host(), REDIS.server().port());
    one = Node1.open(REDIS.database().uri().toString());
    two =
        Node1.open("redis://" + proxy.host() + ":" + proxy.port() + "/" + REDIS.database().index());
  }

  @AfterEach
  void close() {
    one.close();
    two.close();
    proxy.close();
  }

  private Flight read(Node1 node) {
    return as(() -> node.flights.get(1L, this::load));
  }

  private Flight load(Long id) {
    loads.incrementAndGet();
    return database.get();
  }

  private static <T> T as(Callable<T> body) {
    try {
      return DFW.call(body);
    } catch (Exception e) {
      throw new AssertionError(e);
    }
  }

  private void write(int delay) {
    database.set(new Flight(1, "HNL", delay));
  }

  @Test
  void get_filledByTheOtherNode_answersFromRedis() {
    assertThat(read(one)).isEqualTo(new Flight(1, "HNL", 0));
    Eventually.within(Duration.ofSeconds(5))
        .until("the fill is in Redis", () -> as(() -> two.flights.getIfPresent(1L)) != null);
    assertThat(read(two)).isEqualTo(new Flight(1, "HNL", 0));
    assertThat(loads).hasValue(1);
    assertThat(two.flights.statistics().remoteHits()).isPositive();
  }

  @Test
  void invalidateTags_onOneNode_voidsTheOther() {
    read(one);
    read(two);
    write(7);
    as(
        () -> {
          one.caches.invalidateTags(FLIGHT);
          return true;
        });
    assertThat(read(one).delay()).isEqualTo(7);
    Eventually.within(Duration.ofSeconds(5)).until("node two", () -> read(two).delay() == 7);
  }

  @Test
  void invalidateKey_onOneNode_voidsTheOther() {
    read(one);
    read(two);
    write(8);
    as(
        () -> {
          one.flights.invalidate(1L);
          return true;
        });
    assertThat(read(one).delay()).isEqualTo(8);
    Eventually.within(Duration.ofSeconds(5)).until("node two", () -> read(two).delay() == 8);
  }

  @Test
  void committed_withoutTenant_voidsEveryTenant() {
    read(one);
    read(two);
    write(9);
    one.caches.committed(new WriteSet(1, null, Set.of("flight"), false), ReadFloor.NONE);
    assertThat(read(one).delay()).isEqualTo(9);
    Eventually.within(Duration.ofSeconds(5)).until("node two", () -> read(two).delay() == 9);
  }

  @Test
  void token_whileEventsAreCut_readsYourWrites() throws Exception {
    read(one);
    read(two);
    // What Redis publishes reaches node two late; its memory still counts as proven.
    proxy.delay(Duration.ofMillis(150));
    write(11);
    CausalSession writer = one.sessions.open();
    as(
        () ->
            one.sessions.call(
                writer,
                () -> {
                  one.caches.invalidateTags(FLIGHT);
                  return true;
                }));
    CausalToken token = CausalToken.of(null, writer.sequences());
    CausalSession reader = two.sessions.open();
    reader.accept(CausalToken.parse(token.toString()));
    Flight seen = as(() -> two.sessions.call(reader, () -> two.flights.get(1L, this::load)));
    assertThat(seen.delay()).isEqualTo(11);
  }

  @Test
  void get_redisPaused_answersInTimeAndRecovers() {
    read(one);
    REDIS.server().pause();
    long begun = System.nanoTime();
    try {
      write(13);
      as(
          () -> {
            one.caches.invalidateTags(FLIGHT);
            return true;
          });
      assertThat(read(one).delay()).isEqualTo(13);
      assertThat(System.nanoTime() - begun).isLessThan(TimeUnit.SECONDS.toNanos(2));
      assertThat(one.caches.health().pending()).isEqualTo(1);
    } finally {
      REDIS.server().resume();
    }
    Eventually.within(Duration.ofSeconds(10))
        .until("nothing waits", () -> one.caches.health().pending() == 0);
    Eventually.within(Duration.ofSeconds(10)).until("node two", () -> read(two).delay() == 13);
    Eventually.within(Duration.ofSeconds(10)).until("proven", () -> one.caches.health().proven());
  }

  @Test
  void get_thousandCallersOnTwoNodes_loadsOnce() throws Exception {
    ExecutorService threads = Executors.newCachedThreadPool();
    try {
      CountDownLatch go = new CountDownLatch(1);
      List<Future<Flight>> all = new ArrayList<>();
      for (int i = 0; i < 1000; i++) {
        Node1 node = i % 2 == 0 ? one : two;
        all.add(
            threads.submit(
                () -> {
                  go.await();
                  return read(node);
                }));
      }
      go.countDown();
      for (Future<Flight> each : all) {
        assertThat(each.get(20, TimeUnit.SECONDS).to()).isEqualTo("HNL");
      }
      assertThat(loads).hasValue(1);
    } finally {
      threads.shutdownNow();
    }
  }

  @Test
  void put_onOneNode_isSeenOnTheOther() {
    read(one);
    read(two);
    as(
        () -> {
          one.flights.put(1L, new Flight(1, "SFO", 1));
          return true;
        });
    assertThat(read(one).to()).isEqualTo("SFO");
    Eventually.within(Duration.ofSeconds(5)).until("two", () -> read(two).to().equals("SFO"));
  }

  @Test
  void getAll_someStored_loadsTheRestInOneCall() {
    read(one);
    List<Set<Long>> asked = new ArrayList<>();
    Map<Long, Flight> found =
        as(
            () ->
                one.flights.getAll(
                    Set.of(1L, 2L, 3L),
                    keys -> {
                      asked.add(keys);
                      return Map.of(2L, new Flight(2, "ORD", 0));
                    }));
    assertThat(found).containsOnlyKeys(1L, 2L);
    assertThat(asked).containsExactly(Set.of(2L, 3L));
  }

  @Test
  void entry_damaged_isAMiss() {
    read(one);
    Eventually.within(Duration.ofSeconds(5))
        .until("stored", () -> as(() -> two.flights.getIfPresent(1L)) != null);
    Object keys = REDIS.database().command("KEYS", "aq:{DFW:0}:v:*");
    assertThat((List<?>) keys).hasSize(1);
    REDIS.database().command("SET", ((List<?>) keys).get(0).toString(), "garbage");
    try (Node1 three = Node1.open(REDIS.database().uri().toString())) {
      assertThat(read(three)).isEqualTo(database.get());
      assertThat(three.flights.statistics().faults()).isEqualTo(1);
    }
    assertThat(loads).hasValue(2);
  }
}
