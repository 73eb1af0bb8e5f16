package dev.aquifer.cache;

import static org.assertj.core.api.Assertions.assertThat;

import dev.aquifer.CausalSession;
import dev.aquifer.CausalSessions;
import dev.aquifer.Position;
import dev.aquifer.ReadFloor;
import dev.aquifer.Tag;
import dev.aquifer.Tenant;
import dev.aquifer.spi.Observer.Scope;
import dev.aquifer.spi.WriteSet;
import dev.aquifer.testkit.DeterministicScheduler;
import dev.aquifer.testkit.FakeTicker;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import java.util.Set;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** What time frees without traffic, and that nothing is missed by it. */
class IdleTenantsTest {
  private static final Tenant DFW = Tenant.of("DFW");
  private static final Tag FLIGHT = Tag.table("flight");
  private static final Duration TTL = Duration.ofMinutes(1);

  private final FakeTicker ticker = new FakeTicker();
  private final DeterministicScheduler scheduler = new DeterministicScheduler(ticker);
  private final CausalSessions sessions = new CausalSessions(ticker);
  private final DemandedPositions positions = new DemandedPositions();
  private final List<ReadFloor> demanded = positions.demanded;
  private final AtomicInteger loads = new AtomicInteger();
  private final Caches caches =
      Caches.builder()
          .clock(ticker)
          .scheduler(scheduler)
          .sessions(sessions)
          .executor(Runnable::run)
          .positions(positions)
          .build();
  private final TieredCache<String, String> cache =
      caches.cache("texts", String.class, CacheSettings.builder().ttl(TTL).tags(FLIGHT).build());

  @AfterEach
  void close() {
    caches.close();
    assertThat(scheduler.pending()).as("tasks that outlive the caches").isZero();
  }

  private String read(String key) throws Exception {
    return String.valueOf(DFW.call(() -> cache.get(key, k -> k + loads.incrementAndGet())));
  }

  private void idle() {
    scheduler.advance(Duration.ofMinutes(30));
  }

  @Test
  void expired_noTraffic_memoryIsFreed() throws Exception {
    for (int i = 0; i < 100; i++) {
      read("k" + i);
    }
    Fairness fairness = caches.node().fairness();
    assertThat(fairness.bytes()).isGreaterThan(100_000);
    scheduler.advance(Duration.ofMinutes(4));
    assertThat(fairness.bytes()).as("before the first clean-up").isPositive();
    scheduler.advance(Duration.ofMinutes(2));
    assertThat(fairness.bytes()).isZero();
    assertThat(fairness.held()).isZero();
  }

  @Test
  void idle_nothingInMemory_nothingIsKept() throws Exception {
    read("k");
    Partition partition = caches.node().partition(DFW);
    idle();
    assertThat(partition.closed()).isTrue();
    assertThat(caches.node().partitions()).containsExactly(caches.node().shared);
    assertThat(caches.node().fairness().shares()).isEmpty();

    assertThat(read("k")).isEqualTo("k2");
    assertThat(read("k")).isEqualTo("k2");
    assertThat(caches.node().partition(DFW)).isNotSameAs(partition);
    DFW.run(() -> caches.invalidateTags(FLIGHT));
    assertThat(read("k")).isEqualTo("k3");
  }

  @Test
  void idle_stillUsed_isKept() throws Exception {
    read("k");
    Partition partition = caches.node().partition(DFW);
    for (int i = 0; i < 30; i++) {
      scheduler.advance(Duration.ofMinutes(2));
      read("k");
    }
    assertThat(caches.node().partition(DFW)).isSameAs(partition);
  }

  /** The session demands a sequence that the next partition must not fall behind. */
  @Test
  void idle_sessionSawVoids_memoryAnswersItAgain() throws Exception {
    CausalSession session = sessions.open();
    DFW.call(
        () ->
            sessions.call(
                session,
                () -> {
                  for (int i = 0; i < 5; i++) {
                    caches.invalidateTags(FLIGHT);
                  }
                  return null;
                }));
    idle();
    assertThat(sessions.call(session, () -> read("k"))).isEqualTo("k1");
    assertThat(sessions.call(session, () -> read("k"))).isEqualTo("k1");
  }

  /** What a commit demanded of loads is demanded of those after the idle time too (race R8). */
  @Test
  void idle_commitBefore_itsPositionIsStillDemanded() throws Exception {
    read("k");
    ReadFloor floor = ReadFloor.at(new Position(1, 1, 42));
    caches.committed(new WriteSet(1, DFW, Set.of("flight"), false), floor);
    idle();
    demanded.clear();
    read("k");
    assertThat(demanded).allSatisfy(d -> assertThat(d.and(floor)).isEqualTo(d)).isNotEmpty();
  }

  /** Whoever still works with what was dropped voids what took its place. */
  @Test
  void void_ofAClosedPartition_isMadeInTheNext() throws Exception {
    Partition before = caches.node().partition(DFW);
    idle();
    assertThat(before.closed()).isTrue();
    assertThat(read("k")).isEqualTo("k1");
    Voids voids = caches.node().voids;
    List<String> names = List.of(KeyText.tagName(FLIGHT.name()));
    Deque<Partition> found = new ArrayDeque<>(List.of(before, caches.node().partition(DFW)));
    voids.make(
        new Voids.What(
            () -> List.of(new Remote.Part(found.remove(), names, List.of())),
            DFW,
            Scope.TAG,
            1,
            ReadFloor.NONE,
            null,
            null));
    assertThat(found).as("asked again").isEmpty();
    assertThat(read("k")).isEqualTo("k2");
  }

  /** A commit's void: its position is demanded of loads in the next, its session knows of it. */
  @Test
  void voidPoisoned_ofAClosedPartition_keepsItsFloorAndSession() throws Exception {
    ReadFloor floor = ReadFloor.at(new Position(1, 1, 42));
    CausalSession session = sessions.open();
    Partition before = caches.node().partition(DFW);
    idle();
    read("k");
    demanded.clear();
    List<String> names = List.of(KeyText.tagName(FLIGHT.name()));
    Deque<Partition> found = new ArrayDeque<>(List.of(before, caches.node().partition(DFW)));
    Voids.What what =
        new Voids.What(
            () -> List.of(new Remote.Part(found.remove(), names, List.of())),
            DFW,
            Scope.TAG,
            1,
            floor,
            null,
            "poison");
    sessions.call(session, () -> caches.node().voids.make(what));
    assertThat(found).as("asked again").isEmpty();
    Partition next = caches.node().partition(DFW);
    assertThat(session.sequence(next.name)).isEqualTo(next.applied()).isPositive();
    assertThat(read("k")).isEqualTo("k2");
    assertThat(demanded).allSatisfy(d -> assertThat(d.and(floor)).isEqualTo(d)).isNotEmpty();
  }

  /** A load that began before serves its caller, and is kept nowhere. */
  @Test
  void fill_ofAClosedPartition_isNotKept() throws Exception {
    String loaded =
        DFW.call(
            () ->
                cache.get(
                    "k",
                    k -> {
                      caches.node().close(caches.node().partition(DFW));
                      return "old";
                    }));
    assertThat(loaded).isEqualTo("old");
    assertThat(read("k")).isEqualTo("k1");
    assertThat(read("k")).isEqualTo("k1");
  }
}
