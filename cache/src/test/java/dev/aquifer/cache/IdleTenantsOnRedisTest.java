package dev.aquifer.cache;

import static dev.aquifer.cache.TestNode.FLIGHT;
import static org.assertj.core.api.Assertions.assertThat;

import dev.aquifer.CausalSession;
import dev.aquifer.CausalToken;
import dev.aquifer.ReadFloor;
import dev.aquifer.spi.Observer.Scope;
import dev.aquifer.testkit.Eventually;
import dev.aquifer.testkit.RedisDatabase;
import dev.aquifer.testkit.RedisExtension;
import dev.aquifer.testkit.RedisServer;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** Tenants that a node forgets while others go on voiding, with Redis there and away. */
class IdleTenantsOnRedisTest extends TwoNodeRace {
  @RegisterExtension static final RedisExtension REDIS = RedisExtension.own(RedisServer.builder());

  private static final List<String> TAG = List.of(KeyText.tagName(FLIGHT.name()));

  private final AtomicLong passed = new AtomicLong();

  /** Its clock is in the test's hand. */
  private TestNode idler;

  @Override
  RedisDatabase redis() {
    return REDIS.database();
  }

  @BeforeEach
  void openIdler() {
    idler = TestNode.open(uri(), caches -> caches.clock(() -> System.nanoTime() + passed.get()));
  }

  @AfterEach
  void closeIdler() {
    REDIS.server().resume();
    idler.close();
  }

  /** Time passes in which nobody asks the idler for anything. */
  private void idle() {
    Node node = idler.caches().node();
    node.cleanUp();
    passed.addAndGet(TimeUnit.DAYS.toNanos(1));
    node.cleanUp();
  }

  private CausalSession told(TestNode by) {
    CausalSession writer = by.sessions().open();
    row.addAndGet(1);
    TestNode.as(
        () ->
            by.sessions()
                .call(
                    writer,
                    () -> {
                      by.caches().invalidateTags(FLIGHT);
                      return true;
                    }));
    CausalSession reader = idler.sessions().open();
    reader.accept(CausalToken.parse(CausalToken.of(null, writer.sequences()).toString()));
    return reader;
  }

  private int seen(CausalSession session) {
    return idler.read(session, 1, this::load).delay();
  }

  @Test
  void idle_othersVoidMeanwhile_nothingIsMissed() {
    read(idler, 1);
    Partition before = idler.partition();
    idle();
    assertThat(before.closed()).isTrue();
    assertThat(idler.caches().node().partitions()).containsExactly(idler.caches().node().shared);
    assertThat(seen(told(two))).isEqualTo(row.get());
    // In memory again, and void again.
    Eventually.within(SOON)
        .until(
            "from memory",
            () -> {
              int asked = loads.get();
              long hits = idler.flights().statistics().memoryHits();
              read(idler, 1);
              return loads.get() == asked && idler.flights().statistics().memoryHits() > hits;
            });
    assertThat(seen(told(two))).isEqualTo(row.get());
    assertThat(idler.partition()).isNotSameAs(before);
  }

  @Test
  void idle_voidsWaitForRedis_isKeptUntilTheyAreTold() {
    read(idler, 1);
    read(two, 1);
    Partition before = idler.partition();
    REDIS.server().pause();
    row.set(NEW);
    idler.invalidate(FLIGHT);
    assertThat(idler.caches().health().pending()).isEqualTo(1);
    idle();
    assertThat(before.closed()).isFalse();
    assertThat(idler.caches().health().pending()).isEqualTo(1);
    REDIS.server().resume();
    Eventually.within(SOON).until("told", () -> idler.caches().health().pending() == 0);
    Eventually.within(SOON).until("node two", () -> read(two, 1) == NEW);
    Eventually.within(SOON)
        .until(
            "forgotten",
            () -> {
              idle();
              return before.closed();
            });
    assertThat(read(idler, 1)).isEqualTo(NEW);
  }

  @Test
  void idle_redisAway_neitherMissesNorServesWhatWasVoid() {
    read(idler, 1);
    CausalSession reader = told(two);
    idle();
    REDIS.server().pause();
    Eventually.within(SOON).until("noticed", () -> !idler.caches().health().usable());
    assertThat(seen(reader)).isEqualTo(row.get());
    idle();
    row.addAndGet(1);
    two.invalidate(FLIGHT);
    assertThat(seen(reader)).as("what is loaded without Redis is loaded anew").isEqualTo(row.get());
    REDIS.server().resume();
    Eventually.within(SOON).until("told", () -> two.caches().health().pending() == 0);
    Eventually.within(SOON).until("back", () -> idler.caches().health().usable());
    assertThat(seen(told(two))).isEqualTo(row.get());
  }

  /** The session must know of the void that counted: that of the partition which took its place. */
  private void assertSessionKnows(CausalSession session) {
    Object last = redis().command("HGET", STATE, "n");
    assertThat(session.sequence(idler.partition().name))
        .isEqualTo(Long.parseLong(String.valueOf(last)));
    assertThat(read(idler, 1)).isEqualTo(row.get());
    Eventually.within(SOON).until("node two", () -> read(two, 1) == row.get());
  }

  /** A void that finds a partition which is closed before it is made. */
  private Voids.What meetingAClosedOne(@Nullable String poison) {
    read(idler, 1);
    read(two, 1);
    Partition before = idler.partition();
    idler.caches().node().close(before);
    row.set(NEW);
    AtomicInteger asked = new AtomicInteger();
    return new Voids.What(
        () ->
            List.of(
                new Remote.Part(
                    asked.getAndIncrement() == 0 ? before : idler.partition(), TAG, List.of())),
        TestNode.DFW,
        Scope.TAG,
        1,
        ReadFloor.NONE,
        null,
        poison);
  }

  @Test
  void makeAsync_inAClosedPartition_isOfTheSessionThatCalled() throws Exception {
    Voids voids = idler.caches().node().voids;
    Voids.What what = meetingAClosedOne(null);
    CausalSession session = idler.sessions().open();
    idler.sessions().call(session, () -> voids.makeAsync(what)).get(20, TimeUnit.SECONDS);
    assertSessionKnows(session);
  }

  @Test
  void make_inAClosedPartition_isOfTheSessionThatCalled() throws Exception {
    Voids voids = idler.caches().node().voids;
    for (String poison : new String[] {null, "p"}) {
      Voids.What what = meetingAClosedOne(poison);
      CausalSession session = idler.sessions().open();
      idler.sessions().call(session, () -> voids.make(what));
      assertSessionKnows(session);
    }
  }
}
