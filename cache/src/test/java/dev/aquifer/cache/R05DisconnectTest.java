package dev.aquifer.cache;

import static dev.aquifer.cache.TestNode.FLIGHT;
import static org.assertj.core.api.Assertions.assertThat;

import dev.aquifer.Tag;
import dev.aquifer.cache.TestNode.Flight;
import dev.aquifer.testkit.Eventually;
import dev.aquifer.testkit.FaultProxy;
import dev.aquifer.testkit.RedisDatabase;
import dev.aquifer.testkit.RedisExtension;
import java.time.Duration;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/**
 * R5: node two is away while others void what it holds. Guards: {@link Guards#replay} when it comes
 * back; while it hears nothing and is told nothing of that, {@link CacheSettings#remoteLoss}, which
 * an application may take out itself.
 */
class R05DisconnectTest extends TwoNodeRace {
  @RegisterExtension static final RedisExtension REDIS = RedisExtension.shared();

  private FaultProxy proxy;

  @Override
  RedisDatabase redis() {
    return REDIS.database();
  }

  @BeforeEach
  void farNode() {
    two.close();
    proxy = FaultProxy.to(REDIS.server().host(), REDIS.server().port());
    two = TestNode.open(TestNode.through(proxy, REDIS.database()));
  }

  @AfterEach
  void closeProxy() {
    proxy.close();
  }

  @Test
  void memory_subscriptionCutWhileVoidsHappen_servesNothingOld() {
    assertThat(oldAfterCut(false)).isFalse();
  }

  @Test
  void memory_streamShorterThanTheCut_servesNothingOld() {
    assertThat(oldAfterCut(true)).isFalse();
  }

  @Test
  void memory_subscriptionCutWithoutReplay_servesTheOld() {
    two.guards().replay = false;
    assertThat(oldAfterCut(false)).isTrue();
  }

  /** R5: node two is away while a tag, a key and many others are voided. */
  private boolean oldAfterCut(boolean streamLost) {
    Tag other = Tag.of("other");
    one.read(1, this::load);
    two.read(1, this::load);
    two.read(2, this::load);
    proxy.refuse();
    proxy.reset();
    Eventually.within(SOON).until("cut", () -> !two.caches().health().proven());
    row.set(20);
    one.invalidate(FLIGHT);
    TestNode.DFW.run(() -> one.flights().invalidate(2L));
    for (int i = 0; i < 50; i++) {
      one.invalidate(other);
    }
    if (streamLost) {
      redis().command("XTRIM", STREAM, "MAXLEN", "0");
    }
    proxy.heal();
    Eventually.within(SOON).until("proven", () -> two.caches().health().proven());
    return two.read(1, this::load).delay() != 20 || two.read(2, this::load).delay() != 20;
  }

  @Test
  void linkSilent_memoryStopsAnswering() {
    assertThat(oldWhileSilent(RemoteLossPolicy.load())).isFalse();
  }

  @Test
  void linkSilentAndMemoryMayServe_isOld() {
    assertThat(oldWhileSilent(RemoteLossPolicy.serveMemory(Duration.ofHours(1)))).isTrue();
  }

  /** Nothing arrives any more, and no connection is closed. */
  private boolean oldWhileSilent(RemoteLossPolicy policy) {
    TieredCache<Long, Flight> cache =
        two.caches()
            .cache(
                "silent",
                Flight.class,
                CacheSettings.builder().tags(FLIGHT).remoteLoss(policy).build());
    TestNode.as(() -> cache.get(1L, this::load));
    proxy.drop();
    row.set(NEW);
    one.invalidate(FLIGHT);
    Eventually.within(SOON).until("silent", () -> !two.caches().health().proven());
    return TestNode.as(() -> cache.get(1L, this::load)).delay() != NEW;
  }
}
