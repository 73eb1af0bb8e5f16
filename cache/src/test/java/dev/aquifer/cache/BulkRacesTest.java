package dev.aquifer.cache;

import static dev.aquifer.cache.TestNode.DFW;
import static dev.aquifer.cache.TestNode.FLIGHT;
import static org.assertj.core.api.Assertions.assertThat;

import dev.aquifer.CausalSession;
import dev.aquifer.CausalToken;
import dev.aquifer.ReadFloor;
import dev.aquifer.cache.TestNode.Flight;
import dev.aquifer.spi.WriteSet;
import dev.aquifer.testkit.Eventually;
import dev.aquifer.testkit.RedisDatabase;
import dev.aquifer.testkit.RedisExtension;
import java.lang.reflect.InvocationHandler;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * Many keys are looked for in Redis at once, without a flight each: what is voided after Redis
 * answered and before the answer is used, or while it is, is not served from memory later. Guards:
 * {@link Guards#earlyCells}, {@link Guards#markers}, {@link Guards#earlyTicks}.
 */
class BulkRacesTest extends TwoNodeRace {
  @RegisterExtension static final RedisExtension REDIS = RedisExtension.shared();

  private static final Set<Long> IDS = Set.of(1L, 2L, 3L);
  private static final List<Integer> OLD = List.of(0, 0, 0);
  private static final List<Integer> NEWS = List.of(NEW, NEW, NEW);

  @Override
  RedisDatabase redis() {
    return REDIS.database();
  }

  /** What is void: all of it holds the keys. */
  enum Kind {
    KEYS,
    TAG,
    CACHE,
    TENANT,
    ALL_TENANTS
  }

  private static void invalidate(Kind kind, TestNode node) {
    switch (kind) {
      case KEYS -> DFW.run(() -> node.flights().invalidateAll(IDS));
      case TAG -> node.invalidate(FLIGHT);
      case CACHE -> DFW.run(() -> node.flights().invalidateAll());
      case TENANT -> DFW.run(() -> node.caches().invalidateTenant());
      case ALL_TENANTS ->
          node.caches().committed(new WriteSet(1, null, Set.of("flight"), false), ReadFloor.NONE);
    }
  }

  @ParameterizedTest
  @EnumSource
  void voidAfterRedisAnswered_isNotServed(Kind kind) {
    assertThat(delaysAfterVoid(kind, false)).containsOnly(NEWS);
  }

  @ParameterizedTest
  @EnumSource
  void voidAfterRedisAnsweredAsync_isNotServed(Kind kind) {
    assertThat(delaysAfterVoid(kind, true)).containsOnly(NEWS);
  }

  @Test
  void keysVoidAfterRedisAnsweredWithLateCells_areServed() {
    two.guards().earlyCells = false;
    assertThat(delaysAfterVoid(Kind.KEYS, false)).containsOnly(OLD);
  }

  @ParameterizedTest
  @EnumSource
  void voidAfterRedisAnsweredWithoutMarkers_isServed(Kind kind) {
    two.guards().markers = false;
    assertThat(delaysAfterVoid(kind, false)).first().isEqualTo(OLD);
  }

  @ParameterizedTest
  @EnumSource
  void voidWhileTheAnswerIsDecoded_isNotKept(Kind kind) {
    assertThat(delaysAfterVoidOfDecoded(kind, true)).containsOnly(NEW);
  }

  @ParameterizedTest
  @EnumSource
  void voidWhileTheAnswerIsDecodedWithLateTicks_isServed(Kind kind) {
    assertThat(delaysAfterVoidOfDecoded(kind, false)).contains(0);
  }

  @Test
  void session_demandsMoreThanRedisAnswered_isNotGivenTheOld() {
    assertThat(delaysInSession(true)).isEqualTo(NEWS);
  }

  @Test
  void session_demandsNothing_mayBeGivenWhatWasCurrentWhenRedisAnswered() {
    assertThat(delaysInSession(false)).isEqualTo(OLD);
  }

  /** With no markers, the session's demand alone judges. */
  private List<Integer> delaysInSession(boolean demands) {
    two.guards().markers = false;
    fill();
    CausalSession reader = two.sessions().open();
    AtomicBoolean raced =
        between(
            () -> {
              voided(Kind.KEYS, two);
              Map<String, Long> seen = Map.of(two.partition().name, two.partition().applied());
              reader.accept(CausalToken.of(null, demands ? seen : Map.of()));
              return true;
            });
    List<Integer> delays = delays(() -> two.sessions().call(reader, () -> getAll(two)));
    assertThat(raced).isTrue();
    return delays;
  }

  /** What is read when Redis has answered and all is voided then, and what is read after that. */
  private List<List<Integer>> delaysAfterVoid(Kind kind, boolean async) {
    fill();
    AtomicBoolean raced = between(() -> voided(kind, two));
    List<Integer> first =
        delays(
            () ->
                async
                    ? two.flights().getAllAsync(IDS, TestNode.later(this::loadAll)).join().orThrow()
                    : getAll(two));
    assertThat(raced).isTrue();
    return List.of(first, delays(() -> getAll(two)));
  }

  private List<Integer> delaysAfterVoidOfDecoded(Kind kind, boolean guarded) {
    fill();
    AtomicBoolean raced = new AtomicBoolean();
    AtomicBoolean armed = new AtomicBoolean();
    TestNode[] three = new TestNode[1];
    Runnable once =
        () -> {
          if (armed.get() && raced.compareAndSet(false, true)) {
            voided(kind, three[0]);
          }
        };
    try (TestNode node = TestNode.open(uri(), caches -> caches.codec(new InterruptedCodec(once)))) {
      three[0] = node;
      node.guards().earlyTicks = guarded;
      learn(node);
      armed.set(true);
      assertThat(delays(() -> getAll(node))).contains(0);
      assertThat(raced).isTrue();
      return delays(() -> getAll(node));
    }
  }

  private void fill() {
    TestNode.as(() -> getAll(one));
    Eventually.within(SOON)
        .until(
            "stored",
            () -> ((List<?>) redis().command("KEYS", "aq:{DFW:0}:v:*")).size() == IDS.size());
    learn(two);
  }

  /** So that a plain look in Redis tells it what is current. */
  private static void learn(TestNode node) {
    sync(node);
    Remote remote = Objects.requireNonNull(node.caches().node().remote());
    Eventually.within(SOON).until("a clock", () -> remote.clock().known());
    Eventually.within(SOON).until("proven", () -> node.caches().health().proven());
  }

  /** The row changes, another node voids, and this one has heard of it. */
  private boolean voided(Kind kind, TestNode heardBy) {
    row.set(NEW);
    invalidate(kind, one);
    Eventually.within(SOON)
        .until(
            "heard",
            () ->
                heardBy.partition().applied() >= one.partition().applied()
                    && heardBy.caches().node().shared.applied()
                        >= one.caches().node().shared.applied());
    return true;
  }

  private Map<Long, Flight> getAll(TestNode node) {
    return node.flights().getAll(IDS, this::loadAll);
  }

  private Map<Long, Flight> loadAll(Set<Long> ids) {
    Map<Long, Flight> found = new HashMap<>();
    ids.forEach(id -> found.put(id, load(id)));
    return found;
  }

  private static List<Integer> delays(Callable<Map<Long, Flight>> read) {
    List<Integer> delays = new ArrayList<>();
    TestNode.as(read).values().forEach(flight -> delays.add(flight.delay()));
    assertThat(delays).hasSize(IDS.size());
    return delays;
  }

  /** Does this once: after Redis answered node two's look, before the answer is used. */
  private AtomicBoolean between(Callable<Boolean> work) {
    AtomicBoolean done = new AtomicBoolean();
    Remote plain = Objects.requireNonNull(two.caches().node().remote());
    InvocationHandler link =
        (self, method, args) -> {
          Object answer = called(() -> method.invoke(plain, args));
          return method.getName().equals("look") && answer != null
              ? held((Remote.Look) answer, work, done)
              : answer;
        };
    two.caches().node().attach(proxy(Remote.class, link));
    return done;
  }

  private static Remote.Look held(Remote.Look plain, Callable<Boolean> work, AtomicBoolean done) {
    return proxy(
        Remote.Look.class,
        (self, method, args) -> {
          if (method.getName().equals("current") && done.compareAndSet(false, true)) {
            assertThat(work.call()).isTrue();
          }
          return called(() -> method.invoke(plain, args));
        });
  }

  private static Object called(Callable<Object> body) throws Throwable {
    try {
      return body.call();
    } catch (InvocationTargetException e) {
      throw Objects.requireNonNull(e.getCause());
    }
  }

  private static <T> T proxy(Class<T> type, InvocationHandler handler) {
    return type.cast(Proxy.newProxyInstance(type.getClassLoader(), new Class<?>[] {type}, handler));
  }
}
