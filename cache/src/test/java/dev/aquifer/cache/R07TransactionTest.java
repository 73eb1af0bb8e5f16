package dev.aquifer.cache;

import static dev.aquifer.cache.TestNode.DFW;
import static dev.aquifer.cache.TestNode.FLIGHT;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.aquifer.ConfigurationException;
import dev.aquifer.ReadFloor;
import dev.aquifer.cache.TestNode.Flight;
import dev.aquifer.spi.Observer.CacheFault;
import dev.aquifer.spi.WriteSet;
import dev.aquifer.testkit.Eventually;
import dev.aquifer.testkit.FaultProxy;
import dev.aquifer.testkit.RedisDatabase;
import dev.aquifer.testkit.RedisExtension;
import dev.aquifer.testkit.RedisServer;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * R7: what a transaction overwrites, around its commit. Guard: {@link Guards#poison}; each race
 * runs with it, and without it, where the old value is found.
 */
class R07TransactionTest extends TwoNodeRace {
  @RegisterExtension static final RedisExtension REDIS = RedisExtension.own(RedisServer.builder());

  private static final Duration LIMIT = Duration.ofSeconds(1);
  private static final WriteSet WRITES = new WriteSet(1, DFW, Set.of("flight"), false);

  @Override
  RedisDatabase redis() {
    return REDIS.database();
  }

  @AfterEach
  void resume() {
    REDIS.server().resume();
  }

  private static UnaryOperator<CachesBuilder> limit(Duration limit) {
    return caches -> caches.poisonLimit(limit);
  }

  private static boolean poisonStored() {
    return Long.valueOf(1).equals(REDIS.database().command("HEXISTS", STATE, "p"));
  }

  private static void awaitRedisTime(Duration later) {
    long until = redisMillis() + later.toMillis();
    Eventually.within(SOON).until("its clock", () -> redisMillis() > until);
  }

  private static long redisMillis() {
    List<?> time = (List<?>) REDIS.server().command("TIME");
    return Long.parseLong(time.get(0).toString()) * 1000
        + Long.parseLong(time.get(1).toString()) / 1000;
  }

  @Test
  void crash_betweenCommitAndVoid_isOverAtTheLimit() {
    assertThat(staleAfterCrash(true)).isFalse();
  }

  @Test
  void crash_withoutPoison_isStaleBeyondTheLimit() {
    assertThat(staleAfterCrash(false)).isTrue();
  }

  /** The writer commits and is gone. Node two answers from its memory and asks Redis nothing. */
  private boolean staleAfterCrash(boolean guarded) {
    two.read(1, this::load);
    awaitStored(one, 1);
    try (FaultProxy proxy = FaultProxy.to(REDIS.server().host(), REDIS.server().port());
        TestNode writer = TestNode.open(TestNode.through(proxy, REDIS.database()), limit(LIMIT))) {
      writer.guards().poison = guarded;
      writer.caches().committing(WRITES);
      row.set(NEW);
      proxy.refuse();
      proxy.reset();
    }
    // The commit has not returned to anybody: what there is may be served.
    assertThat(two.read(1, this::load).delay()).isIn(0, NEW);
    if (guarded) {
      Eventually.within(SOON).until("void", () -> two.read(1, this::load).delay() == NEW);
    } else {
      awaitRedisTime(LIMIT.multipliedBy(2));
    }
    return two.read(1, this::load).delay() != NEW || one.read(1, this::load).delay() != NEW;
  }

  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void processKilled_betweenCommitAndVoid_isOverAtTheLimit(boolean guarded) throws Exception {
    REDIS.database().command("SET", "row", "0");
    Loader<Long, Flight, Exception> loader =
        id ->
            new Flight(
                id,
                "HNL",
                Integer.parseInt(String.valueOf(REDIS.database().command("GET", "row"))));
    two.read(1, loader);
    Process writer =
        new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-cp",
                System.getProperty("java.class.path"),
                DyingWriter.class.getName(),
                uri(),
                Boolean.toString(guarded))
            .inheritIO()
            .start();
    try {
      assertThat(writer.waitFor(60, TimeUnit.SECONDS)).isTrue();
      assertThat(writer.exitValue()).isEqualTo(DyingWriter.DIED);
    } finally {
      writer.destroyForcibly();
    }
    assertThat(REDIS.database().command("GET", "row")).isEqualTo(Integer.toString(NEW));
    if (guarded) {
      Eventually.within(SOON).until("void", () -> two.read(1, loader).delay() == NEW);
    } else {
      awaitRedisTime(LIMIT.multipliedBy(2));
      assertThat(two.read(1, loader).delay()).isZero();
    }
  }

  /** A process that commits and dies before it can void. Its database is a key in Redis. */
  static final class DyingWriter {
    static final int DIED = 77;

    private DyingWriter() {}

    public static void main(String[] args) {
      TestNode writer = TestNode.open(args[0], limit(LIMIT));
      writer.guards().poison = Boolean.parseBoolean(args[1]);
      writer.caches().committing(WRITES);
      io.lettuce.core.RedisClient database = io.lettuce.core.RedisClient.create(args[0]);
      database.connect().sync().set("row", Integer.toString(NEW));
      Runtime.getRuntime().halt(DIED);
    }
  }

  @Test
  void unknownOutcome_commitTakesEffectAfterTheVoid_isNotStale() {
    assertThat(staleAfterUnknownOutcome(true)).isFalse();
  }

  @Test
  void unknownOutcome_withoutPoison_isStale() {
    assertThat(staleAfterUnknownOutcome(false)).isTrue();
  }

  /** The void comes first, then loads on both nodes, which read the old row; then the commit. */
  private boolean staleAfterUnknownOutcome(boolean guarded) {
    one.guards().poison = guarded;
    one.caches().committing(WRITES);
    one.caches().outcomeUnknown(WRITES, ReadFloor.NONE);
    assertThat(two.read(1, this::load).delay()).isZero();
    assertThat(one.read(2, this::load).delay()).isZero();
    if (!guarded) {
      awaitStored(one, 1);
    }
    row.set(NEW);
    sync(one);
    sync(two);
    return one.read(1, this::load).delay() != NEW
        || two.read(1, this::load).delay() != NEW
        || one.read(2, this::load).delay() != NEW
        || two.read(2, this::load).delay() != NEW;
  }

  @Test
  void unknownOutcome_writerLives_endsWithAVoid() {
    try (TestNode writer = TestNode.open(uri(), limit(LIMIT))) {
      writer.caches().committing(WRITES);
      writer.caches().outcomeUnknown(WRITES, ReadFloor.NONE);
      assertThat(poisonStored()).isTrue();
      Eventually.within(SOON).until("lifted", () -> !poisonStored());
      Eventually.within(SOON)
          .until("stored again", () -> writer.read(1, this::load) != null && stored(two, 1));
    }
  }

  @Test
  void unknownOutcome_withoutRedis_isNotStale() {
    CacheSettings settings = CacheSettings.builder().tags(FLIGHT).build();
    try (Caches alone = Caches.builder().poisonLimit(LIMIT).build()) {
      TieredCache<Long, Flight> flights = alone.cache("flight", Flight.class, settings);
      alone.committing(WRITES);
      alone.outcomeUnknown(WRITES, ReadFloor.NONE);
      assertThat(TestNode.as(() -> flights.get(1L, this::load)).delay()).isZero();
      row.set(NEW);
      assertThat(TestNode.as(() -> flights.get(1L, this::load)).delay()).isEqualTo(NEW);
      Eventually.within(SOON)
          .until(
              "kept again",
              () ->
                  TestNode.as(
                      () -> {
                        flights.get(1L, this::load);
                        return flights.getIfPresent(1L) != null;
                      }));
    }
  }

  @Test
  void openTransaction_refilledBeforeItsCommit_isVoidAfter() {
    one.read(1, this::load);
    // Voided by hand inside the transaction, filled again from what the others still see.
    one.invalidate(FLIGHT);
    assertThat(two.read(1, this::load).delay()).isZero();
    awaitStored(one, 1);
    one.caches().committing(WRITES);
    row.set(NEW);
    one.caches().committed(WRITES, ReadFloor.NONE);
    assertThat(one.read(1, this::load).delay()).isEqualTo(NEW);
    sync(two);
    assertThat(two.read(1, this::load).delay()).isEqualTo(NEW);
    assertThat(poisonStored()).isFalse();
    awaitStored(two, 1);
  }

  @Test
  void poisoned_storedValuesAreServedAndNoneIsStored() {
    one.read(1, this::load);
    awaitStored(two, 1);
    one.caches().committing(WRITES);
    int before = loads.get();
    assertThat(two.read(1, this::load)).isNotNull();
    assertThat(one.read(1, this::load)).isNotNull();
    assertThat(loads).hasValue(before);
    two.read(2, this::load);
    two.read(2, this::load);
    assertThat(loads).hasValue(before + 2);
    assertThat(two.faults()).contains(CacheFault.FILL_REFUSED);
    // Who comes later learns it with the state.
    try (TestNode three = TestNode.open(uri())) {
      three.read(3, this::load);
      assertThat(stored(three, 3)).isFalse();
      assertThat(stored(one, 3)).isFalse();
    }
  }

  @Test
  void rolledBack_liftsThePoisonAndVoidsNothing() {
    one.read(1, this::load);
    awaitStored(two, 1);
    one.caches().committing(WRITES);
    assertThat(poisonStored()).isTrue();
    one.caches().rolledBack(WRITES);
    Eventually.within(SOON).until("lifted", () -> !poisonStored());
    int before = loads.get();
    assertThat(one.read(1, this::load)).isNotNull();
    assertThat(two.read(1, this::load)).isNotNull();
    assertThat(loads).hasValue(before);
    sync(two);
    two.read(2, this::load);
    awaitStored(one, 2);
  }

  @Test
  void loadBegunBefore_storedWhilePoisoned_isRefusedByRedis() throws Exception {
    try (HeldLoad held = new HeldLoad()) {
      held.begin(() -> two.read(1, id -> held.hold(load(id))));
      one.caches().committing(WRITES);
      held.end();
    }
    Eventually.within(SOON).until("told", () -> two.faults().contains(CacheFault.FILL_REFUSED));
    assertThat((List<?>) REDIS.database().command("KEYS", "aq:{DFW:0}:v:*")).isEmpty();
  }

  @Test
  void writeWithoutTenant_poisonsEveryTenant() {
    WriteSet everybody = new WriteSet(2, null, Set.of("flight"), false);
    one.caches().committing(everybody);
    Partition shared = two.caches().node().shared;
    TestNode.as(() -> two.caches().node().remote().sync(shared));
    two.read(1, this::load);
    assertThat(stored(two, 1)).isFalse();
    row.set(NEW);
    one.caches().committed(everybody, ReadFloor.NONE);
    TestNode.as(() -> two.caches().node().remote().sync(shared));
    assertThat(two.read(1, this::load).delay()).isEqualTo(NEW);
    awaitStored(two, 1);
  }

  @Test
  void severalWriters_poisonStandsUntilTheLast() {
    WriteSet other = new WriteSet(2, DFW, Set.of("flight", "crew"), false);
    one.caches().committing(WRITES);
    two.caches().committing(other);
    one.caches().committed(WRITES, ReadFloor.NONE);
    one.read(1, this::load);
    assertThat(stored(one, 1)).isFalse();
    // All of the tenant is void: the poison is not lost with the markers.
    DFW.run(one.caches()::invalidateTenant);
    assertThat(poisonStored()).isTrue();
    one.read(1, this::load);
    assertThat(stored(one, 1)).isFalse();
    two.caches().committed(other, ReadFloor.NONE);
    sync(one);
    one.read(1, this::load);
    awaitStored(two, 1);
  }

  @Test
  void slowCommit_beyondTheLimit_isVoidAfterItAllTheSame() {
    try (TestNode writer = TestNode.open(uri(), limit(LIMIT))) {
      writer.caches().committing(WRITES);
      Eventually.within(SOON).until("given up", () -> !poisonStored());
      sync(two);
      two.read(1, this::load);
      awaitStored(writer, 1);
      row.set(NEW);
      writer.caches().committed(WRITES, ReadFloor.NONE);
      sync(two);
      assertThat(two.read(1, this::load).delay()).isEqualTo(NEW);
      assertThat(writer.read(1, this::load).delay()).isEqualTo(NEW);
    }
  }

  @Test
  void redisPaused_delaysTheCommitByTheTimeoutAndVoidsAfterwards() {
    two.read(1, this::load);
    awaitStored(one, 1);
    REDIS.server().pause();
    long begun = System.nanoTime();
    one.caches().committing(WRITES);
    row.set(NEW);
    one.caches().committed(WRITES, ReadFloor.NONE);
    assertThat(System.nanoTime() - begun).isLessThan(TimeUnit.SECONDS.toNanos(5));
    assertThat(one.read(1, this::load).delay()).isEqualTo(NEW);
    assertThat(one.caches().health().pending()).isEqualTo(1);
    REDIS.server().resume();
    Eventually.within(SOON).until("told", () -> one.caches().health().pending() == 0);
    Eventually.within(SOON).until("node two", () -> two.read(1, this::load).delay() == NEW);
  }

  @Test
  void redisAwayBetweenCommitAndVoid_poisonIsLiftedOnReturn() {
    one.caches().committing(WRITES);
    assertThat(poisonStored()).isTrue();
    REDIS.server().pause();
    row.set(NEW);
    one.caches().committed(WRITES, ReadFloor.NONE);
    REDIS.server().resume();
    // Long before its time is up.
    Eventually.within(SOON).until("lifted", () -> !poisonStored());
    Eventually.within(SOON).until("told", () -> one.caches().health().pending() == 0);
    Eventually.within(SOON).until("stored", () -> read(one, 1) == NEW && stored(two, 1));
  }

  @Test
  void redisAwayWhenCommitting_isToldOfTheUnknownOutcome() {
    REDIS.server().pause();
    one.caches().committing(WRITES);
    assertThat(one.caches().node().remote().reachable()).isTrue();
    REDIS.server().resume();
    one.caches().outcomeUnknown(WRITES, ReadFloor.NONE);
    assertThat(poisonStored()).isTrue();
    sync(two);
    assertThat(read(two, 1)).isZero();
    row.set(NEW);
    assertThat(read(two, 1)).isEqualTo(NEW);
    assertThat(read(one, 1)).isEqualTo(NEW);
  }

  @Test
  void moreWritersThanPoisons_commitAllTheSame() {
    for (int i = 0; i < 300; i++) {
      one.caches().committing(new WriteSet(i, DFW, Set.of("t" + i), false));
    }
    for (int i = 0; i < 300; i++) {
      one.caches().committed(new WriteSet(i, DFW, Set.of("t" + i), false), ReadFloor.NONE);
    }
    assertThat(poisonStored()).isFalse();
    read(one, 1);
    awaitStored(two, 1);
  }

  @Test
  void poisonsDamagedInRedis_nothingFails() {
    one.caches().committing(WRITES);
    REDIS.database().command("HSET", STATE, "p", "garbage");
    row.set(NEW);
    one.caches().committed(WRITES, ReadFloor.NONE);
    assertThat(read(one, 1)).isEqualTo(NEW);
    awaitStored(two, 1);
  }

  @Test
  void build_limitBelowTheTimeout_isRefused() {
    CachesBuilder builder =
        Caches.builder().remoteTimeout(Duration.ofMillis(50)).poisonLimit(Duration.ofMillis(50));
    assertThatThrownBy(builder::build)
        .isInstanceOf(ConfigurationException.class)
        .hasMessageContaining("poisonLimit PT0.05S")
        .hasMessageContaining("remoteTimeout PT0.05S");
    Caches.builder().poisonLimit(Duration.ZERO).build().close();
  }
}
