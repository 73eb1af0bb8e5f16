package dev.aquifer.cache;

import static dev.aquifer.cache.TestNode.DFW;
import static dev.aquifer.cache.TestNode.FLIGHT;
import static org.assertj.core.api.Assertions.assertThat;

import dev.aquifer.ReadFloor;
import dev.aquifer.Tag;
import dev.aquifer.cache.TestNode.Flight;
import dev.aquifer.spi.WriteSet;
import dev.aquifer.testkit.RedisDatabase;
import dev.aquifer.testkit.RedisExtension;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.EnumSource.Mode;

/**
 * R3: a load reads the old rows, what it depends on is voided elsewhere, and the entry is stored
 * afterwards. Guards: {@link Guards#markers} in Redis and in every reader, {@link
 * Guards#overtakenLoads} in the process that loads.
 */
class R03TagTest extends TwoNodeRace {
  @RegisterExtension static final RedisExtension REDIS = RedisExtension.shared();

  private static final Tag LATE = Tag.of("late");

  @Override
  RedisDatabase redis() {
    return REDIS.database();
  }

  /** What is voided while it is loaded. */
  enum Scope {
    TAG,
    COMMIT,
    COMMIT_OF_NO_TENANT,
    CACHE,
    TENANT;

    void by(TestNode node) {
      switch (this) {
        case TAG -> node.invalidate(FLIGHT);
        case COMMIT -> commit(node, new WriteSet(1, DFW, Set.of("flight"), false));
        case COMMIT_OF_NO_TENANT -> commit(node, new WriteSet(2, null, Set.of("flight"), false));
        case CACHE -> DFW.run(node.flights()::invalidateAll);
        default -> DFW.run(node.caches()::invalidateTenant);
      }
    }

    private static void commit(TestNode node, WriteSet writes) {
      node.caches().committing(writes);
      node.caches().committed(writes, ReadFloor.NONE);
    }
  }

  @ParameterizedTest
  @EnumSource
  void get_voidedDuringLoad_isNotStale(Scope how) throws Exception {
    assertThat(stale(how, false)).isFalse();
  }

  @ParameterizedTest
  @EnumSource
  void getAll_voidedDuringLoad_isNotStale(Scope how) throws Exception {
    assertThat(stale(how, true)).isFalse();
  }

  @ParameterizedTest
  @EnumSource
  void get_voidedDuringLoadMarkersAlone_isNotStale(Scope how) throws Exception {
    one.guards().overtakenLoads = false;
    assertThat(stale(how, false)).isFalse();
  }

  /**
   * What voids all of a tenant leaves no marker: it raises the floor below which nothing stands.
   */
  @ParameterizedTest
  @EnumSource(mode = Mode.EXCLUDE, names = "TENANT")
  void get_voidedDuringLoadWithoutGuards_isStale(Scope how) throws Exception {
    withoutGuards();
    assertThat(stale(how, false)).isTrue();
  }

  @ParameterizedTest
  @EnumSource(mode = Mode.EXCLUDE, names = "TENANT")
  void getAll_voidedDuringLoadWithoutGuards_isStale(Scope how) throws Exception {
    withoutGuards();
    assertThat(stale(how, true)).isTrue();
  }

  private void withoutGuards() {
    for (TestNode node : new TestNode[] {one, two}) {
      node.guards().markers = false;
      node.guards().overtakenLoads = false;
      // A poison would keep it out too.
      node.guards().poison = false;
    }
  }

  private boolean stale(Scope how, boolean bulk) throws Exception {
    try (HeldLoad held = new HeldLoad()) {
      held.begin(
          () ->
              bulk
                  ? TestNode.as(
                      () ->
                          one.flights()
                              .getAll(
                                  Set.of(1L, 2L),
                                  ids -> held.hold(Map.of(1L, load(1L), 2L, load(2L)))))
                  : one.read(1, id -> held.hold(load(id))));
      row.set(NEW);
      how.by(two);
      held.end();
    }
    sync(one);
    sync(two);
    return read(two, 1) != NEW || read(one, 1) != NEW;
  }

  @Test
  void tagKnownOnlyFromTheValue_voidedDuringLoad_isNotStale() throws Exception {
    assertThat(staleByLateTag()).isFalse();
  }

  @Test
  void tagKnownOnlyFromTheValue_withoutGuards_isStale() throws Exception {
    withoutGuards();
    assertThat(staleByLateTag()).isTrue();
  }

  private boolean staleByLateTag() throws Exception {
    TieredCache<Long, Flight> here = late(one);
    TieredCache<Long, Flight> there = late(two);
    try (HeldLoad held = new HeldLoad()) {
      held.begin(() -> DFW.call(() -> here.get(1L, id -> held.hold(load(id)))));
      row.set(NEW);
      two.invalidate(LATE);
      held.end();
    }
    sync(one);
    sync(two);
    return TestNode.as(() -> there.get(1L, this::load)).delay() != NEW;
  }

  private static TieredCache<Long, Flight> late(TestNode node) {
    return node.caches()
        .cache(
            "late",
            new TypeRef<Flight>() {},
            CacheSettings.defaults(),
            (key, value) -> Set.of(LATE));
  }
}
