package dev.aquifer.cache;

import static org.assertj.core.api.Assertions.assertThat;

import dev.aquifer.CausalSession;
import dev.aquifer.CausalToken;
import dev.aquifer.Tag;
import dev.aquifer.testkit.Eventually;
import dev.aquifer.testkit.FaultProxy;
import dev.aquifer.testkit.RedisDatabase;
import dev.aquifer.testkit.RedisExtension;
import dev.aquifer.testkit.RedisServer;
import dev.aquifer.testkit.RedisSnapshot;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/**
 * R6, where sequences hide it: another server goes on from where the newest void is missing, and
 * numbers others until the number of the lost one is passed. Guard: {@link Guards#regressions} with
 * the gap that each server leaves in the sequence.
 */
class R06RestoredTest extends TwoNodeRace {
  @RegisterExtension static final RedisExtension REDIS = RedisExtension.own(RedisServer.builder());

  private static final Tag OTHER = Tag.of("other");

  private FaultProxy proxy;
  private TestNode away;

  @Override
  RedisDatabase redis() {
    return REDIS.database();
  }

  @BeforeEach
  void openAway() {
    proxy = FaultProxy.to(REDIS.server().host(), REDIS.server().port());
    away = TestNode.open(TestNode.through(proxy, redis()));
  }

  @AfterEach
  void closeAway() {
    away.close();
    proxy.close();
  }

  private long number(String field) {
    return Long.parseLong(String.valueOf(redis().command("HGET", STATE, field)));
  }

  /**
   * Key 1 is void for the node that is away alone: the others are closed, and one comes that never
   * knew of it.
   *
   * @return the sequence of the void that was lost
   */
  private long lose() {
    read(one, 1);
    awaitStored(two, 1);
    sync(away);
    RedisSnapshot before = REDIS.server().snapshot();
    one.close();
    two.close();
    row.set(NEW);
    TestNode.as(
        () -> {
          away.flights().invalidate(1L);
          return true;
        });
    awaitBack(away);
    long lost = away.partition().applied();
    proxy.refuse();
    proxy.reset();
    REDIS.server().restore(before);
    one = TestNode.open(uri());
    return lost;
  }

  /** It has all that Redis has, and Redis all that it has. */
  private void awaitBack(TestNode node) {
    Eventually.within(SOON)
        .until(
            "it is back",
            () -> {
              CacheHealth health = node.caches().health();
              return health.usable()
                  && health.proven()
                  && health.pending() == 0
                  && node.partition().applied() == number("n");
            });
  }

  /** Not by who made the void: that one's session demands to be shown it. */
  private int readByAnybody(TestNode node) {
    return node.read(node.sessions().open(), 1, this::load).delay();
  }

  private void voidUntil(long sequence) {
    Eventually.within(SOON)
        .until(
            "the number is passed",
            () -> {
              one.invalidate(OTHER);
              return number("n") > sequence;
            });
  }

  @Test
  void lostVoidIsPassed_whoKnewOfItVoidsEverything() {
    long lost = lose();
    voidUntil(lost);
    proxy.heal();
    awaitBack(away);
    assertThat(readByAnybody(away)).isEqualTo(NEW);
    Eventually.within(SOON).until("all is void", () -> number("f") > lost);
    assertThat(read(one, 1)).isEqualTo(NEW);
  }

  @Test
  void lostVoidIsPassed_unnoticed_servesTheOld() {
    away.guards().regressions = false;
    long lost = lose();
    voidUntil(lost);
    proxy.heal();
    awaitBack(away);
    assertThat(readByAnybody(away)).isZero();
  }

  /** Redis comes back as it was before it lost its state: with an incarnation that was gone. */
  private void loseWithItsIncarnation() {
    read(one, 1);
    awaitStored(two, 1);
    sync(away);
    long before = away.partition().incarnation();
    RedisSnapshot snapshot = REDIS.server().snapshot();
    one.close();
    two.close();
    redis().flush();
    row.set(NEW);
    TestNode.as(
        () -> {
          away.flights().invalidate(1L);
          return true;
        });
    awaitBack(away);
    assertThat(away.partition().incarnation()).isNotEqualTo(before);
    REDIS.server().restore(snapshot);
    awaitBack(away);
  }

  @Test
  void incarnationComesBack_whoKnewALaterOneVoidsEverything() {
    loseWithItsIncarnation();
    assertThat(readByAnybody(away)).isEqualTo(NEW);
    one = TestNode.open(uri());
    assertThat(read(one, 1)).isEqualTo(NEW);
  }

  @Test
  void incarnationComesBack_unnoticed_servesTheOld() {
    away.guards().regressions = false;
    loseWithItsIncarnation();
    assertThat(readByAnybody(away)).isZero();
  }

  @Test
  void lostVoidIsPassed_tokenThatSpeaksOfItIsNotShownTheOld() {
    assertThat(shownToTheBearer(true)).isEqualTo(NEW);
  }

  @Test
  void lostVoidIsPassed_unnoticed_tokenThatSpeaksOfItIsShownTheOld() {
    assertThat(shownToTheBearer(false)).isZero();
  }

  private int shownToTheBearer(boolean noticed) {
    long lost = lose();
    one.guards().regressions = noticed;
    CausalSession bearer = one.sessions().open();
    bearer.accept(CausalToken.of(null, Map.of(one.partition().name, lost)));
    voidUntil(lost);
    sync(one);
    return one.read(bearer, 1, this::load).delay();
  }

  /**
   * Numbers that ran ahead of the server's clock, and then a state that is made anew: a demand of
   * it is above all of them, or a node that knows the old one alone would answer its bearer.
   */
  @Test
  void numbersAheadOfTheClock_stateIsMadeAnew_tokenOfItIsNotShownTheOld() {
    lose();
    one.invalidate(OTHER);
    redis().command("HINCRBY", STATE, "n", "60000000");
    one.invalidate(OTHER);
    try (FaultProxy link = FaultProxy.to(REDIS.server().host(), REDIS.server().port());
        TestNode behind =
            TestNode.open(
                TestNode.through(link, redis()),
                caches -> caches.silenceLimit(Duration.ofMinutes(1)))) {
      assertThat(read(behind, 2)).isEqualTo(NEW);
      assertThat(behind.partition().applied()).isEqualTo(number("n"));
      link.stopReading();
      proxy.heal();
      awaitBack(away);
      row.set(NEW + 1);
      TestNode.as(
          () -> {
            away.flights().invalidate(2L);
            return true;
          });
      CausalSession bearer = behind.sessions().open();
      long demand = away.partition().applied();
      bearer.accept(CausalToken.of(null, Map.of(away.partition().name, demand)));
      assertThat(behind.read(bearer, 2, this::load).delay()).isEqualTo(NEW + 1);
    }
  }

  /** What comes after it starts from the clock, and has to be above it. */
  @Test
  void anotherServer_numbersNotAheadOfItsClock() {
    one.invalidate(OTHER);
    redis().command("HSET", STATE, "n", Long.toString(micros() - 20_000));
    redis().command("HSET", STATE, "r", "another");
    one.invalidate(OTHER);
    assertThat(number("n")).isLessThanOrEqualTo(micros());
  }

  private static long micros() {
    List<?> time = (List<?>) REDIS.server().command("TIME");
    return Long.parseLong(time.get(0).toString()) * 1_000_000
        + Long.parseLong(time.get(1).toString());
  }

  /** What is stored stands: another server took over, and nothing is missing there. */
  @Test
  void nothingLost_allStands() {
    read(one, 1);
    awaitStored(two, 1);
    sync(away);
    REDIS.server().restore(REDIS.server().snapshot());
    away.invalidate(OTHER);
    one.invalidate(OTHER);
    awaitBack(two);
    awaitBack(away);
    assertThat(stored(two, 1)).isTrue();
    int before = loads.get();
    assertThat(read(away, 1)).isZero();
    assertThat(loads.get()).isEqualTo(before);
  }

  @Test
  void manyChangesOfServers_fewGapsAreKept_andWhoKeepsUpLosesNothing() {
    read(one, 1);
    awaitStored(two, 1);
    long floor = number("f");
    for (int i = 0; i < 40; i++) {
      redis().command("HSET", STATE, "r", "abc" + i);
      one.invalidate(OTHER);
      sync(two);
    }
    String gaps = String.valueOf(redis().command("HGET", STATE, "g"));
    assertThat(gaps.split(" ", -1)).hasSize(32);
    assertThat(gaps).startsWith("0:");
    assertThat(number("f")).isEqualTo(floor);
    assertThat(stored(two, 1)).isTrue();
  }
}
