package dev.aquifer.cache;

import static dev.aquifer.cache.TestNode.FLIGHT;
import static org.assertj.core.api.Assertions.assertThat;

import dev.aquifer.cache.TestNode.Flight;
import dev.aquifer.testkit.RedisDatabase;
import dev.aquifer.testkit.RedisExtension;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/**
 * R2: a node reads an entry of Redis and finds it current; it is voided, which removes nothing here
 * yet; then it is kept in memory. Guard: {@link Guards#earlyTicks}.
 */
class R02MemoryFillTest extends TwoNodeRace {
  @RegisterExtension static final RedisExtension REDIS = RedisExtension.shared();

  @Override
  RedisDatabase redis() {
    return REDIS.database();
  }

  @Test
  void fill_racedByVoid_isNotServed() throws Exception {
    assertThat(oldAfterRacedFill(true)).isFalse();
  }

  @Test
  void fill_racedByVoidWithLateTick_isServed() throws Exception {
    assertThat(oldAfterRacedFill(false)).isTrue();
  }

  /** R2: an entry of Redis was judged current, is voided, and only then kept in memory. */
  private boolean oldAfterRacedFill(boolean guarded) throws Exception {
    one.read(1, this::load);
    awaitStored(two, 1);
    CountDownLatch judged = new CountDownLatch(1);
    CountDownLatch go = new CountDownLatch(1);
    Codec slow = new InterruptedCodec(() -> halt(judged, go));
    ExecutorService thread = Executors.newSingleThreadExecutor();
    try (TestNode three = TestNode.open(uri(), caches -> caches.codec(slow))) {
      three.guards().earlyTicks = guarded;
      Future<Flight> overtaken = thread.submit(() -> three.read(1, this::load));
      assertThat(judged.await(10, TimeUnit.SECONDS)).isTrue();
      row.set(24);
      three.invalidate(FLIGHT);
      go.countDown();
      assertThat(overtaken.get(10, TimeUnit.SECONDS).delay()).isZero();
      return three.read(1, this::load).delay() != 24;
    } finally {
      go.countDown();
      thread.shutdownNow();
    }
  }

  private static void halt(CountDownLatch begun, CountDownLatch go) {
    begun.countDown();
    try {
      if (!go.await(10, TimeUnit.SECONDS)) {
        throw new IllegalStateException("never told to go on");
      }
    } catch (InterruptedException e) {
      throw new IllegalStateException(e);
    }
  }
}
