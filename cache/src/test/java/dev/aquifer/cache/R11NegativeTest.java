package dev.aquifer.cache;

import static dev.aquifer.cache.TestNode.DFW;
import static dev.aquifer.cache.TestNode.FLIGHT;
import static org.assertj.core.api.Assertions.assertThat;

import dev.aquifer.ReadFloor;
import dev.aquifer.cache.TestNode.Flight;
import dev.aquifer.spi.WriteSet;
import dev.aquifer.testkit.RedisDatabase;
import dev.aquifer.testkit.RedisExtension;
import java.time.Duration;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/**
 * R11: that there is no row is remembered, and then there is one. Guard: absence depends on the
 * table like any value ({@link Guards#markers} in Redis; in memory, the void's tick), and lives for
 * a shorter time of its own.
 */
class R11NegativeTest extends TwoNodeRace {
  @RegisterExtension static final RedisExtension REDIS = RedisExtension.shared();

  private static final WriteSet INSERT = new WriteSet(1, DFW, Set.of("flight"), false);
  private static final Duration TTL = Duration.ofMinutes(10);
  private static final Duration NEGATIVE_TTL = Duration.ofSeconds(20);

  private volatile @Nullable Flight inserted;
  private TieredCache<Long, Flight> here;
  private TieredCache<Long, Flight> there;

  @Override
  RedisDatabase redis() {
    return REDIS.database();
  }

  @BeforeEach
  void caches() {
    here = cache(one);
    there = cache(two);
  }

  private static TieredCache<Long, Flight> cache(TestNode node) {
    CacheSettings settings =
        CacheSettings.builder().ttl(TTL).negativeTtl(NEGATIVE_TTL).tags(FLIGHT).build();
    return node.caches().cache("rows", Flight.class, settings);
  }

  private @Nullable Flight find(Long id) {
    loads.incrementAndGet();
    return inserted;
  }

  private @Nullable Flight read(TieredCache<Long, Flight> cache) {
    return TestNode.as(() -> cache.get(1L, this::find));
  }

  @Test
  void absent_isRememberedForItsOwnTimeInBothTiers() {
    assertThat(read(here)).isNull();
    sync(one);
    assertThat(read(there)).isNull();
    assertThat(read(here)).isNull();
    assertThat(loads).hasValue(1);
    List<?> entries = (List<?>) redis().command("KEYS", "aq:{DFW:0}:v:*");
    assertThat(entries).hasSize(1);
    assertThat((Long) redis().command("PTTL", entries.get(0).toString()))
        .isBetween(1L, NEGATIVE_TTL.toMillis() * 11 / 10);
  }

  @Test
  void insertCommitted_absenceIsVoidEverywhere() {
    assertThat(absentAfterInsert()).isFalse();
  }

  @Test
  void insertCommitted_withoutMarkers_absenceRevives() {
    assertThat(absentWithoutMarkers()).isTrue();
  }

  private boolean absentAfterInsert() {
    read(here);
    sync(one);
    read(there);
    insert();
    sync(two);
    return read(here) == null || read(there) == null;
  }

  /** A node that holds nothing in memory finds it in Redis. */
  private boolean absentWithoutMarkers() {
    read(here);
    sync(one);
    insert();
    try (TestNode three = TestNode.open(uri())) {
      three.guards().markers = false;
      return read(cache(three)) == null;
    }
  }

  private void insert() {
    one.caches().committing(INSERT);
    inserted = new Flight(1, "HNL", NEW);
    one.caches().committed(INSERT, ReadFloor.NONE);
  }

  @Test
  void insertCommittedDuringTheLook_absenceIsStoredNowhere() throws Exception {
    assertThat(absentAfterOvertakenLook()).isFalse();
  }

  @Test
  void insertCommittedDuringTheLook_withoutGuards_absenceIsStored() throws Exception {
    for (TestNode node : List.of(one, two)) {
      node.guards().markers = false;
      node.guards().overtakenLoads = false;
      node.guards().poison = false;
    }
    assertThat(absentAfterOvertakenLook()).isTrue();
  }

  private boolean absentAfterOvertakenLook() throws Exception {
    try (HeldLoad held = new HeldLoad()) {
      held.begin(
          () ->
              TestNode.as(
                  () ->
                      there.get(
                          1L,
                          id -> {
                            Flight none = find(id);
                            held.hold("looked");
                            return none;
                          })));
      insert();
      held.end();
    }
    sync(two);
    sync(one);
    return read(here) == null;
  }
}
