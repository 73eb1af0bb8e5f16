package dev.aquifer.cache;

import static dev.aquifer.cache.TestNode.DFW;
import static dev.aquifer.cache.TestNode.FLIGHT;
import static org.assertj.core.api.Assertions.assertThat;

import dev.aquifer.CausalSession;
import dev.aquifer.CausalToken;
import dev.aquifer.Position;
import dev.aquifer.ReadFloor;
import dev.aquifer.cache.TestNode.Flight;
import dev.aquifer.spi.PositionSource;
import dev.aquifer.spi.WriteSet;
import dev.aquifer.testkit.Eventually;
import dev.aquifer.testkit.FaultProxy;
import dev.aquifer.testkit.RedisDatabase;
import dev.aquifer.testkit.RedisExtension;
import java.time.Duration;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * R8, replica lag: a row is written and voided; the next load reads a replica that has not replayed
 * the write. Guard: {@link Guards#floors}, the demand that a void leaves to the loads after it.
 */
class R08ReplicaLagTest extends TwoNodeRace {
  @RegisterExtension static final RedisExtension REDIS = RedisExtension.shared();

  private final AtomicLong written = new AtomicLong(100);
  private final AtomicLong replayed = new AtomicLong(100);
  private volatile int onReplica;

  @Override
  RedisDatabase redis() {
    return REDIS.database();
  }

  /** A router over a primary and a replica, which answers what it may. */
  private final class Router implements PositionSource {
    private final ThreadLocal<ReadFloor> demand = ThreadLocal.withInitial(() -> ReadFloor.NONE);

    @Override
    public ReadFloor now() {
      return ReadFloor.at(new Position(1, 1, written.get()));
    }

    @Override
    public @Nullable Position resolve(ReadFloor floor) {
      return floor.position();
    }

    @Override
    public <T> T call(ReadFloor floor, Callable<T> body) throws Exception {
      ReadFloor outer = demand.get();
      demand.set(outer.and(floor));
      try {
        return body.call();
      } finally {
        demand.set(outer);
      }
    }

    Flight load(Long id) {
      Position least = demand.get().position();
      boolean replica = least == null || least.lsn() <= replayed.get();
      return new Flight(id, "HNL", replica ? onReplica : row.get());
    }
  }

  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void tagVoided_loadAfterIsShownTheWrite(boolean byWriter) {
    assertThat(stale(byWriter, true, () -> one.invalidate(FLIGHT))).isFalse();
  }

  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void tagVoided_withoutFloors_isStale(boolean byWriter) {
    assertThat(stale(byWriter, false, () -> one.invalidate(FLIGHT))).isTrue();
  }

  @Test
  void keyVoided_loadAfterIsShownTheWrite() {
    Runnable invalidate = () -> DFW.run(() -> one.flights().invalidate(1L));
    assertThat(stale(true, true, invalidate)).isFalse();
    assertThat(stale(false, true, invalidate)).isFalse();
  }

  @Test
  void keyVoided_withoutFloors_isStale() {
    assertThat(stale(true, false, () -> DFW.run(() -> one.flights().invalidate(1L)))).isTrue();
  }

  /** The load after the void is the writer's, or another node's. */
  private boolean stale(boolean byWriter, boolean guarded, Runnable invalidate) {
    Router router = new Router();
    one.close();
    two.close();
    redis().flush();
    row.set(0);
    onReplica = 0;
    one = TestNode.open(uri(), caches -> caches.positions(router));
    two = TestNode.open(uri(), caches -> caches.positions(router));
    one.guards().floors = guarded;
    two.guards().floors = guarded;
    one.read(1, router::load);
    two.read(1, router::load);
    row.set(NEW);
    written.addAndGet(50);
    invalidate.run();
    TestNode node = byWriter ? one : two;
    sync(node);
    int seen = node.read(1, router::load).delay();
    awaitStored(byWriter ? two : one, 1);
    // Caught up: what was filled before stays.
    replayed.set(written.get());
    onReplica = NEW;
    return seen != NEW || one.read(1, router::load).delay() != NEW;
  }

  /** Its session speaks of a void that has not arrived. */
  @Test
  void tokenOfWhatIsNotHeard_loadIsShownTheWrite() {
    Router router = new Router();
    try (FaultProxy proxy = FaultProxy.to(redis().uri().getHost(), redis().uri().getPort());
        TestNode away =
            TestNode.open(
                TestNode.through(proxy, redis()),
                caches -> caches.positions(router).silenceLimit(Duration.ofMinutes(1)))) {
      assertThat(away.read(1, router::load).delay()).isZero();
      proxy.stopReading();
      row.set(NEW);
      written.addAndGet(50);
      one.invalidate(FLIGHT);
      CausalSession bearer = away.sessions().open();
      long demand = one.partition().applied();
      bearer.accept(CausalToken.of(null, Map.of(one.partition().name, demand)));
      assertThat(away.read(bearer, 1, router::load).delay()).isEqualTo(NEW);
    }
  }

  /** Nobody tells node two what is void: it loads, and from whom? */
  @Test
  void linkLost_loadIsShownWhatOthersWrote() {
    Router router = new Router();
    try (FaultProxy proxy = FaultProxy.to(redis().uri().getHost(), redis().uri().getPort());
        TestNode away =
            TestNode.open(TestNode.through(proxy, redis()), caches -> caches.positions(router))) {
      assertThat(away.read(1, router::load).delay()).isZero();
      proxy.refuse();
      proxy.reset();
      Eventually.within(SOON).until("lost", () -> !away.caches().health().proven());
      row.set(NEW);
      written.addAndGet(50);
      one.invalidate(FLIGHT);
      assertThat(away.read(1, router::load).delay()).isEqualTo(NEW);
    }
  }

  /** What was void for all tenants is not named any more where it is heard of at last. */
  @Test
  void stateOfAllTenantsMadeAnew_loadIsShownWhatOthersWrote() {
    Router router = new Router();
    WriteSet everybody = new WriteSet(2, null, Set.of("flight"), false);
    try (FaultProxy proxy = FaultProxy.to(redis().uri().getHost(), redis().uri().getPort());
        TestNode away =
            TestNode.open(TestNode.through(proxy, redis()), caches -> caches.positions(router))) {
      assertThat(away.read(1, router::load).delay()).isZero();
      proxy.refuse();
      proxy.reset();
      Eventually.within(SOON).until("lost", () -> !away.caches().health().proven());
      row.set(NEW);
      written.addAndGet(50);
      one.caches().committed(everybody, ReadFloor.NONE);
      redis().command("DEL", "aq:{*:0}:s");
      proxy.heal();
      Eventually.within(SOON).until("back", () -> away.caches().health().proven());
      assertThat(away.read(1, router::load).delay()).isEqualTo(NEW);
    }
  }

  @Test
  void committed_floorIsDemandedOfLoads() {
    Router router = new Router();
    try (TestNode writer = TestNode.open(uri(), caches -> caches.positions(router))) {
      writer.read(1, router::load);
      row.set(NEW);
      long at = written.addAndGet(50);
      WriteSet writes = new WriteSet(1, DFW, Set.of("flight"), false);
      writer.caches().committing(writes);
      writer.caches().committed(writes, ReadFloor.at(new Position(1, 1, at)));
      assertThat(writer.read(1, router::load).delay()).isEqualTo(NEW);
      Eventually.within(SOON).until("stored", () -> stored(one, 1));
    }
  }
}
