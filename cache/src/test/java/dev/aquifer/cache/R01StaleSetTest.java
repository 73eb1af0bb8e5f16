package dev.aquifer.cache;

import static org.assertj.core.api.Assertions.assertThat;

import dev.aquifer.testkit.RedisDatabase;
import dev.aquifer.testkit.RedisExtension;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/**
 * R1, stale set: node one misses and reads the old row; node two writes it and voids the key; node
 * one stores what it read. Guards: {@link Guards#leases} in Redis, {@link Guards#overtakenLoads} in
 * the process, either of which is enough here.
 */
class R01StaleSetTest extends TwoNodeRace {
  @RegisterExtension static final RedisExtension REDIS = RedisExtension.shared();

  @Override
  RedisDatabase redis() {
    return REDIS.database();
  }

  @Test
  void keyVoidedDuringLoad_isNotStale() throws Exception {
    assertThat(stale()).isFalse();
  }

  @Test
  void keyVoidedDuringLoad_leaseAlone_isNotStale() throws Exception {
    one.guards().overtakenLoads = false;
    assertThat(stale()).isFalse();
  }

  @Test
  void keyVoidedDuringLoad_withoutGuards_isStale() throws Exception {
    for (TestNode node : new TestNode[] {one, two}) {
      node.guards().overtakenLoads = false;
      node.guards().leases = false;
      node.guards().markers = false;
    }
    assertThat(stale()).isTrue();
  }

  private boolean stale() throws Exception {
    try (HeldLoad held = new HeldLoad()) {
      held.begin(() -> one.read(1, id -> held.hold(load(id))));
      row.set(NEW);
      TestNode.DFW.run(() -> two.flights().invalidate(1L));
      held.end();
    }
    sync(one);
    sync(two);
    return read(two, 1) != NEW || read(one, 1) != NEW;
  }
}
