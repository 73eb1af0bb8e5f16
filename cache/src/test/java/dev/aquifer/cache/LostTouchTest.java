package dev.aquifer.cache;

import static dev.aquifer.cache.TestNode.FLIGHT;
import static org.assertj.core.api.Assertions.assertThat;

import dev.aquifer.Tag;
import dev.aquifer.cache.TestNode.Flight;
import dev.aquifer.spi.Observer.CacheFault;
import dev.aquifer.testkit.Eventually;
import dev.aquifer.testkit.FaultProxy;
import dev.aquifer.testkit.RedisExtension;
import dev.aquifer.testkit.RedisServer;
import java.lang.reflect.Type;
import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** What a node missed, what Redis forgot, and what came between a look and its end. */
class LostTouchTest {
  @RegisterExtension static final RedisExtension REDIS = RedisExtension.own(RedisServer.builder());

  private static final Duration SOON = Duration.ofSeconds(10);
  private static final String STATE = "aq:{DFW:0}:s";
  private static final String STREAM = "aq:{DFW:0}:e";

  private final AtomicInteger delay = new AtomicInteger();
  private FaultProxy proxy;
  private TestNode one;
  private TestNode two;

  @BeforeEach
  void open() {
    REDIS.database().flush();
    proxy = FaultProxy.to(REDIS.server().host(), REDIS.server().port());
    one = TestNode.open(uri());
    two = TestNode.open(TestNode.through(proxy, REDIS.database()));
  }

  @AfterEach
  void close() {
    REDIS.server().resume();
    one.close();
    two.close();
    proxy.close();
  }

  private static String uri() {
    return REDIS.database().uri().toString();
  }

  private Flight load(Long id) {
    return new Flight(id, "HNL", delay.get());
  }

  private static long stored(String field) {
    return Long.parseLong(String.valueOf(REDIS.database().command("HGET", STATE, field)));
  }

  /** Until the node's fill of the key is in Redis, for all to be answered from there. */
  private void awaitFill(TestNode other, long id) {
    Eventually.within(SOON)
        .until("stored", () -> TestNode.as(() -> other.flights().getIfPresent(id)) != null);
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
    delay.set(20);
    one.invalidate(FLIGHT);
    TestNode.DFW.run(() -> one.flights().invalidate(2L));
    for (int i = 0; i < 50; i++) {
      one.invalidate(other);
    }
    if (streamLost) {
      REDIS.database().command("XTRIM", STREAM, "MAXLEN", "0");
    }
    proxy.heal();
    Eventually.within(SOON).until("proven", () -> two.caches().health().proven());
    return two.read(1, this::load).delay() != 20 || two.read(2, this::load).delay() != 20;
  }

  @Test
  void flushAll_thenVoided_servesNothingOldAnywhere() {
    one.read(1, this::load);
    two.read(1, this::load);
    long before = two.partition().incarnation();
    delay.set(21);
    REDIS.server().command("FLUSHALL");
    one.invalidate(Tag.of("other"));
    // The state that named the older voids is lost, so all that is older is void: R9.
    assertThat(one.read(1, this::load).delay()).isEqualTo(21);
    Eventually.within(SOON).until("node two knows", () -> two.partition().incarnation() != before);
    Eventually.within(SOON).until("and is complete", () -> two.partition().incarnation() != 0);
    assertThat(two.read(1, this::load).delay()).isEqualTo(21);
  }

  @Test
  void sequence_regressed_voidsEverythingEverywhere() {
    assertThat(oldAfterRegression(true)).isFalse();
  }

  @Test
  void sequence_regressedUnnoticed_servesTheOld() {
    two.guards().regressions = false;
    assertThat(oldAfterRegression(false)).isTrue();
  }

  /** R6: a failover lost the newest void, which node two had applied; the old entries are there. */
  private boolean oldAfterRegression(boolean noticed) {
    one.read(1, this::load);
    one.read(2, this::load);
    awaitFill(two, 1);
    awaitFill(two, 2);
    long sequence = stored("n");
    delay.set(22);
    one.invalidate(FLIGHT);
    Eventually.within(SOON)
        .until("node two heard it", () -> two.partition().applied() == sequence + 1);
    // Node one stays away, or it would notice too.
    one.close();
    REDIS.database().command("HSET", STATE, "n", Long.toString(sequence));
    REDIS.database().command("HDEL", STATE, KeyText.tagName(FLIGHT.name()));
    REDIS.database().command("DEL", STREAM);
    assertThat(two.read(2, this::load).delay()).isEqualTo(22);
    if (noticed) {
      Eventually.within(SOON).until("all is void in Redis", () -> stored("f") > sequence + 1);
    }
    try (TestNode three = TestNode.open(uri())) {
      return three.read(1, this::load).delay() != 22;
    }
  }

  @Test
  void pending_moreThanTheLimit_voidsEverythingOnReturn() {
    try (TestNode small = TestNode.open(uri(), caches -> caches.pendingLimit(3))) {
      small.read(1, this::load);
      two.read(1, this::load);
      long floor = stored("f");
      REDIS.server().pause();
      delay.set(23);
      small.invalidate(FLIGHT);
      for (int i = 0; i < 20; i++) {
        small.invalidate(Tag.of("other", Integer.toString(i)));
        assertThat(small.caches().health().pending()).isBetween(1, 3);
      }
      assertThat(small.faults()).contains(CacheFault.OVERFLOW);
      assertThat(small.read(1, this::load).delay()).isEqualTo(23);
      REDIS.server().resume();
      // One void of all that there is, in place of what did not fit.
      Eventually.within(SOON).until("told", () -> stored("f") > floor);
      assertThat(stored("f")).isLessThanOrEqualTo(stored("n"));
      Eventually.within(SOON).until("nothing waits", () -> small.caches().health().pending() == 0);
      Eventually.within(SOON).until("node two", () -> two.read(1, this::load).delay() == 23);
      assertThat(small.read(1, this::load).delay()).isEqualTo(23);
    }
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
    awaitFill(two, 1);
    CountDownLatch judged = new CountDownLatch(1);
    CountDownLatch go = new CountDownLatch(1);
    Codec slow = new HaltingCodec(judged, go);
    ExecutorService thread = Executors.newSingleThreadExecutor();
    try (TestNode three = TestNode.open(uri(), caches -> caches.codec(slow))) {
      three.guards().earlyTicks = guarded;
      Future<Flight> overtaken = thread.submit(() -> three.read(1, this::load));
      assertThat(judged.await(10, TimeUnit.SECONDS)).isTrue();
      delay.set(24);
      three.invalidate(FLIGHT);
      go.countDown();
      assertThat(overtaken.get(10, TimeUnit.SECONDS).delay()).isZero();
      return three.read(1, this::load).delay() != 24;
    } finally {
      go.countDown();
      thread.shutdownNow();
    }
  }

  /** CBOR that is read only when it may. */
  private static final class HaltingCodec implements Codec {
    private final CborCodec cbor = new CborCodec();
    private final CountDownLatch begun;
    private final CountDownLatch go;

    HaltingCodec(CountDownLatch begun, CountDownLatch go) {
      this.begun = begun;
      this.go = go;
    }

    @Override
    public int id() {
      return cbor.id();
    }

    @Override
    public int version() {
      return cbor.version();
    }

    @Override
    public ForType forType(Type type) {
      ForType plain = cbor.forType(type);
      return new ForType() {
        @Override
        public byte[] encode(Object value) throws Exception {
          return plain.encode(value);
        }

        @Override
        public Object decode(byte[] bytes) throws Exception {
          begun.countDown();
          if (!go.await(10, TimeUnit.SECONDS)) {
            throw new IllegalStateException("never told to go on");
          }
          return plain.decode(bytes);
        }
      };
    }
  }
}
