package dev.aquifer.cache;

import static dev.aquifer.cache.TestNode.DFW;
import static dev.aquifer.cache.TestNode.FLIGHT;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.aquifer.ConfigurationException;
import dev.aquifer.Tenant;
import dev.aquifer.cache.Adoption.Mode;
import dev.aquifer.cache.TestNode.Flight;
import dev.aquifer.testkit.Eventually;
import dev.aquifer.testkit.RedisExtension;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import java.util.stream.Collectors;
import java.util.stream.LongStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** Caches that are switched off, on and in between while they are used. */
class AdoptionTest {
  @RegisterExtension static final RedisExtension REDIS = RedisExtension.shared();

  private final AtomicReference<Flight> database = new AtomicReference<>(new Flight(1, "HNL", 0));
  private final AtomicInteger loads = new AtomicInteger();
  private TestNode one;
  private TestNode two;

  @BeforeEach
  void open() {
    REDIS.database().flush();
    one = TestNode.open(REDIS.database().uri().toString());
    two = TestNode.open(REDIS.database().uri().toString());
  }

  @AfterEach
  void close() {
    one.close();
    two.close();
  }

  private Flight read(TestNode node) {
    return node.read(
        1,
        id -> {
          loads.incrementAndGet();
          return database.get();
        });
  }

  private void write(int delay) {
    database.set(new Flight(1, "HNL", delay));
  }

  @Test
  void off_everyCall_isTheSources() {
    one.caches().adoption(Adoption.of(Mode.OFF));
    for (int i = 1; i <= 3; i++) {
      write(i);
      assertThat(read(one).delay()).isEqualTo(i);
      assertThat(loads).hasValue(i);
    }
    assertThat(TestNode.as(() -> one.flights().getIfPresent(1L))).isNull();
    assertThat(TestNode.as(() -> one.flights().getAsync(1L, this::later).get()).delay())
        .isEqualTo(3);
    one.caches().adoption(Adoption.of(Mode.ON));
    assertThat(TestNode.as(() -> one.flights().getIfPresent(1L))).isNull();
    assertThat(TestNode.as(() -> two.flights().getIfPresent(1L))).isNull();
    assertThat(one.flights().statistics().loads()).isZero();
  }

  private CompletableFuture<Flight> later(Long id) {
    return CompletableFuture.supplyAsync(database::get);
  }

  @Test
  void off_loaderThrows_reachesTheCaller() {
    one.caches().adoption(Adoption.of(Mode.OFF));
    IllegalStateException error = new IllegalStateException("no such gate");
    assertThatThrownBy(
            () ->
                one.read(
                    1,
                    id -> {
                      throw error;
                    }))
        .isSameAs(error);
    CompletableFuture<Flight> failed =
        TestNode.as(() -> one.flights().getAsync(1L, id -> CompletableFuture.failedFuture(error)));
    assertThatThrownBy(failed::get).hasCause(error);
  }

  @Test
  void offAndOn_voidedMeanwhileByTag_isNotServed() {
    read(one);
    one.caches().adoption(Adoption.of(Mode.OFF));
    write(1);
    two.invalidate(FLIGHT);
    Eventually.within(Duration.ofSeconds(10))
        .until("heard", () -> one.partition().applied() == two.partition().applied());
    one.caches().adoption(Adoption.of(Mode.ON));
    assertThat(read(one).delay()).isEqualTo(1);
  }

  @Test
  void offAndOn_putMeanwhile_isNotServedAsItWas() {
    assertThat(delayAfterPutWhileOff()).isEqualTo(2);
  }

  @Test
  void offAndOn_putMeanwhileWithoutGuard_isServedAsItWas() {
    one.guards().voidsWhileOff = false;
    assertThat(delayAfterPutWhileOff()).isZero();
  }

  private int delayAfterPutWhileOff() {
    read(one);
    one.caches().adoption(Adoption.of(Mode.OFF));
    write(2);
    TestNode.as(
        () -> {
          one.flights().put(1L, database.get());
          return true;
        });
    one.caches().adoption(Adoption.of(Mode.ON));
    return read(one).delay();
  }

  @Test
  void shadow_everyCall_isTheSourcesAndFillsTheCache() {
    meet(one);
    one.caches().adoption(Adoption.of(Mode.SHADOW));
    assertThat(read(one).delay()).isZero();
    Eventually.within(Duration.ofSeconds(10))
        .until("filled", () -> one.flights().shadow().filled() == 1);
    for (int i = 1; i <= 5; i++) {
      read(one);
    }
    assertThat(loads).hasValue(6);
    Eventually.within(Duration.ofSeconds(10))
        .until("compared", () -> one.flights().shadow().same() == 5);
    assertThat(one.flights().statistics().memoryHits()).isEqualTo(5);
    one.caches().adoption(Adoption.of(Mode.ON));
    read(one);
    read(two);
    assertThat(loads).hasValue(6);
  }

  /** What is read before the tenant's state is known is stored nowhere. */
  private static void meet(TestNode node) {
    assertThat(TestNode.as(() -> node.flights().getIfPresent(1L))).isNull();
  }

  @Test
  void shadow_filledElsewhere_isReadFromRedis() {
    read(two);
    Eventually.within(Duration.ofSeconds(10))
        .until("stored", () -> TestNode.as(() -> one.flights().getIfPresent(1L)) != null);
    TestNode three = TestNode.open(REDIS.database().uri().toString());
    try (three) {
      three.caches().adoption(Adoption.of(Mode.SHADOW));
      read(three);
      Eventually.within(Duration.ofSeconds(10))
          .until("compared", () -> three.flights().shadow().same() == 1);
      assertThat(three.flights().statistics().remoteHits()).isEqualTo(1);
    }
  }

  /** The source is read, then written and voided, and only then does the shadow store. */
  @Test
  void shadow_voidedWhileTheSourceIsRead_isStoredNowhere() {
    assertThat(staleAfterOvertakenShadow()).isFalse();
  }

  @Test
  void shadow_voidedWhileTheSourceIsReadWithoutGuard_isStored() {
    one.guards().overtakenLoads = false;
    assertThat(staleAfterOvertakenShadow()).isTrue();
  }

  private boolean staleAfterOvertakenShadow() {
    meet(one);
    one.caches().adoption(Adoption.of(Mode.SHADOW));
    one.read(
        1,
        id -> {
          Flight old = database.get();
          write(3);
          two.invalidate(FLIGHT);
          return old;
        });
    Eventually.within(Duration.ofSeconds(10))
        .until("looked at", () -> one.flights().shadow().overtaken() == 1);
    assertThat(one.flights().shadow().filled()).isZero();
    // After the fill on the same connection.
    TestNode.as(() -> one.caches().node().remote().sync(one.partition()));
    return REDIS.database().command("KEYS", "aq:{DFW:0}:v:*") instanceof List<?> kept
        && !kept.isEmpty();
  }

  @Test
  void mode_severalRules_theNearestDecides() {
    Adoption rules =
        Adoption.of(Mode.OFF)
            .tenants(100, Mode.SHADOW)
            .tenant(DFW, Mode.ON)
            .cache("gates", Adoption.of(Mode.OFF).keys(100, Mode.SHADOW))
            .cache("crews", Mode.OFF);
    assertThat(rules.mode("flight", DFW, 1L)).isEqualTo(Mode.ON);
    assertThat(rules.mode("flight", Tenant.of("ATL"), 1L)).isEqualTo(Mode.SHADOW);
    assertThat(rules.mode("gates", DFW, 1L)).isEqualTo(Mode.SHADOW);
    assertThat(rules.mode("crews", DFW, 1L)).isEqualTo(Mode.OFF);
    assertThat(rules).isNotEqualTo(Adoption.of(Mode.OFF)).hasToString(rules.toString());
  }

  @Test
  void shares_whenRaised_keepThoseThatWereIn() {
    Adoption some = Adoption.of(Mode.OFF).tenants(10, Mode.ON).keys(10, Mode.SHADOW);
    Adoption more = Adoption.of(Mode.OFF).tenants(30, Mode.ON).keys(30, Mode.SHADOW);
    Set<Tenant> tenants =
        LongStream.range(0, 5_000).mapToObj(i -> Tenant.of("t" + i)).collect(Collectors.toSet());
    Set<Tenant> in =
        tenants.stream()
            .filter(t -> some.mode("flight", t, "k") == Mode.ON)
            .collect(Collectors.toSet());
    assertThat(in.size()).isBetween(350, 650);
    assertThat(in).allMatch(t -> more.mode("gates", t, "other") == Mode.ON);
    Tenant out = tenants.stream().filter(t -> !in.contains(t)).findFirst().orElseThrow();
    long keys =
        LongStream.range(0, 5_000)
            .filter(key -> some.mode("flight", out, key) == Mode.SHADOW)
            .count();
    assertThat(keys).isBetween(350L, 650L);
  }

  @Test
  void rules_outOfRange_areRefused() {
    assertThatThrownBy(() -> Adoption.of(Mode.ON).tenants(101, Mode.OFF))
        .isInstanceOf(ConfigurationException.class)
        .hasMessageContaining("tenants")
        .hasMessageContaining("101");
    assertThatThrownBy(() -> Adoption.of(Mode.ON).keys(Double.NaN, Mode.OFF))
        .isInstanceOf(ConfigurationException.class);
    Adoption nested = Adoption.of(Mode.ON).cache("gates", Mode.OFF);
    assertThatThrownBy(() -> Adoption.of(Mode.ON).cache("crews", nested))
        .isInstanceOf(ConfigurationException.class)
        .hasMessageContaining("crews")
        .hasMessageContaining("gates");
  }

  @Test
  void getAll_someKeysOn_asksEachWhereItBelongs() {
    Adoption half = Adoption.of(Mode.OFF).keys(50, Mode.ON);
    one.caches().adoption(half);
    Set<Long> keys = LongStream.range(0, 40).boxed().collect(Collectors.toSet());
    Map<Long, Integer> asked = new LinkedHashMap<>();
    for (int round = 0; round < 2; round++) {
      Map<Long, Flight> found =
          TestNode.as(
              () ->
                  one.flights()
                      .getAll(
                          keys,
                          wanted -> {
                            Map<Long, Flight> loaded = new LinkedHashMap<>();
                            for (Long id : wanted) {
                              asked.merge(id, 1, Integer::sum);
                              if (id != 7) {
                                loaded.put(id, new Flight(id, "HNL", 0));
                              }
                            }
                            return loaded;
                          }));
      assertThat(found.keySet())
          .containsExactlyElementsOf(keys.stream().filter(k -> k != 7).toList());
    }
    keys.forEach(
        key ->
            assertThat(asked.get(key)).isEqualTo(half.mode("flight", DFW, key) == Mode.ON ? 1 : 2));
    assertThat(asked).containsValues(1, 2);
  }
}
