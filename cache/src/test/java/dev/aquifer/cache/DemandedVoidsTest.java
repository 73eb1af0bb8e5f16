package dev.aquifer.cache;

import static dev.aquifer.cache.TestNode.DFW;
import static dev.aquifer.cache.TestNode.FLIGHT;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.aquifer.CausalSession;
import dev.aquifer.CausalToken;
import dev.aquifer.Tag;
import dev.aquifer.UnavailableException;
import dev.aquifer.cache.TestNode.Flight;
import dev.aquifer.testkit.Eventually;
import dev.aquifer.testkit.FaultProxy;
import dev.aquifer.testkit.RedisExtension;
import dev.aquifer.testkit.RedisServer;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** Tokens of a writer whose voids Redis was not told of yet. */
class DemandedVoidsTest {
  @RegisterExtension static final RedisExtension REDIS = RedisExtension.own(RedisServer.builder());

  private static final Duration PATIENT = Duration.ofSeconds(30);

  private final AtomicReference<Flight> database = new AtomicReference<>(new Flight(1, "HNL", 0));
  private FaultProxy proxy;
  private TestNode writer;
  private TestNode reader;

  @BeforeEach
  void open() {
    REDIS.database().flush();
    proxy = FaultProxy.to(REDIS.server().host(), REDIS.server().port());
    writer = TestNode.open(REDIS.database().uri().toString());
    // Memory of the reader counts as proven for long after nothing arrives any more.
    reader =
        TestNode.open(
            TestNode.through(proxy, REDIS.database()), caches -> caches.silenceLimit(PATIENT));
  }

  @AfterEach
  void close() {
    REDIS.server().resume();
    writer.close();
    reader.close();
    proxy.close();
  }

  private Flight load(Long id) {
    return database.get();
  }

  private CausalToken token(CausalSession session) {
    return CausalToken.parse(CausalToken.of(null, session.sequences()).toString());
  }

  private Flight readWith(CausalToken token) {
    CausalSession session = reader.sessions().open();
    session.accept(token);
    return reader.read(session, 1, this::load);
  }

  /** Both hold the old value; the reader hears nothing more, Redis takes nothing, a row changes. */
  private CausalSession voidedUnheard() {
    writer.read(1, this::load);
    reader.read(1, this::load);
    proxy.drop();
    REDIS.server().pause();
    database.set(new Flight(1, "HNL", 30));
    CausalSession session = writer.sessions().open();
    TestNode.as(
        () ->
            writer
                .sessions()
                .call(
                    session,
                    () -> {
                      writer.caches().invalidateTags(FLIGHT);
                      return true;
                    }));
    assertThat(writer.caches().health().pending()).isEqualTo(1);
    return session;
  }

  @Test
  void demandVoids_redisPaused_refusesTheTokenUntilRedisWasTold() {
    CausalSession session = voidedUnheard();

    long begun = System.nanoTime();
    assertThatThrownBy(
            () -> DFW.run(() -> writer.caches().demandVoids(session, Duration.ofMillis(300))))
        .isInstanceOf(UnavailableException.class)
        .hasMessageContaining("DFW:0")
        .hasMessageContaining("PT0.3S");
    assertThat(System.nanoTime() - begun)
        .isBetween(TimeUnit.MILLISECONDS.toNanos(290), TimeUnit.SECONDS.toNanos(2));
    assertThat(session.sequences()).isEmpty();
    assertThat(writer.caches().health().pending()).isEqualTo(1);

    REDIS.server().resume();
    DFW.run(() -> writer.caches().demandVoids(session, Duration.ofSeconds(10)));
    assertThat(session.sequences()).containsKey("DFW:0");
    // The reader's link is as deaf as before: its memory still has the old value.
    assertThat(reader.read(1, this::load).delay()).isZero();
    assertThat(readWith(token(session)).delay()).isEqualTo(30);
  }

  @Test
  void token_withoutDemand_isServedTheOldValue() {
    CausalSession session = voidedUnheard();
    REDIS.server().resume();
    assertThat(readWith(token(session)).delay()).isZero();
  }

  @Test
  void demandVoids_nothingWaits_asksNobody() {
    writer.read(1, this::load);
    CausalSession session = writer.sessions().open();
    REDIS.server().pause();
    DFW.run(() -> writer.caches().demandVoids(session, Duration.ofMillis(1)));
    assertThat(session.sequence("DFW:0")).isEqualTo(writer.partition().applied()).isPositive();
  }

  @Test
  void demandVoids_interrupted_saysSoAndStaysInterrupted() {
    CausalSession session = voidedUnheard();
    Thread.currentThread().interrupt();
    try {
      assertThatThrownBy(() -> DFW.run(() -> writer.caches().demandVoids(session, PATIENT)))
          .isInstanceOf(UnavailableException.class)
          .hasMessageContaining("Interrupted")
          .hasMessageContaining("DFW:0");
    } finally {
      assertThat(Thread.interrupted()).isTrue();
    }
    assertThat(writer.caches().health().pending()).isEqualTo(1);
  }

  @Test
  void takePartition_othersWait_takesThatAlone() throws Exception {
    PendingVoids pending = new PendingVoids(10);
    Partition mine = writer.partition();
    Partition other = writer.caches().node().shared;
    pending.add(other, List.of("t1"), List.of());
    pending.add(mine, List.of("t2", "t3"), List.of());
    PendingVoids.Taken taken = pending.take(mine);
    assertThat(taken.names()).containsExactly("t2", "t3");
    assertThat(pending.take(mine)).isNull();
    assertThat(pending.size()).isEqualTo(3);
    // What was taken is not told yet.
    assertThat(pending.none(mine)).isFalse();
    assertThat(pending.awaitNone(mine, 1_000_000)).isFalse();
    CompletableFuture<Boolean> waits =
        CompletableFuture.supplyAsync(
            () -> {
              try {
                return pending.awaitNone(mine, TimeUnit.SECONDS.toNanos(20));
              } catch (InterruptedException e) {
                throw new AssertionError(e);
              }
            },
            work -> new Thread(work, "awaits").start());
    Eventually.within(Duration.ofSeconds(10))
        .until(
            "it waits",
            () ->
                Thread.getAllStackTraces().keySet().stream()
                    .anyMatch(
                        thread ->
                            thread.getName().equals("awaits")
                                && thread.getState() == Thread.State.TIMED_WAITING));
    pending.back(taken);
    assertThat(pending.none(mine)).isFalse();
    pending.sent(pending.take(mine));
    assertThat(waits.get(5, TimeUnit.SECONDS)).isTrue();
    assertThat(pending.none(other)).isFalse();
  }

  @Test
  void sent_moreCameMeanwhile_stillWaits() {
    PendingVoids pending = new PendingVoids(10);
    Partition mine = writer.partition();
    pending.add(mine, List.of(Tag.of("a").name()), List.of());
    PendingVoids.Taken first = pending.take(mine);
    pending.add(mine, List.of(Tag.of("b").name()), List.of());
    pending.sent(first);
    assertThat(pending.none(mine)).isFalse();
    pending.sent(pending.take(mine));
    assertThat(pending.none(mine)).isTrue();
  }
}
