package dev.aquifer.cache;

import static dev.aquifer.cache.TestNode.DFW;
import static dev.aquifer.cache.TestNode.FLIGHT;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.aquifer.Tag;
import dev.aquifer.cache.TestNode.Flight;
import dev.aquifer.spi.Observer.CacheFault;
import dev.aquifer.testkit.Eventually;
import dev.aquifer.testkit.RedisExtension;
import dev.aquifer.testkit.RedisServer;
import io.lettuce.core.RedisClient;
import io.lettuce.core.api.StatefulRedisConnection;
import io.lettuce.core.codec.ByteArrayCodec;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** What goes over the wire, counted by Redis itself. */
class RedisReadsTest {
  @RegisterExtension static final RedisExtension REDIS = RedisExtension.own(RedisServer.builder());

  private static final Duration SOON = Duration.ofSeconds(20);

  private final AtomicInteger loads = new AtomicInteger();
  private final AtomicInteger delay = new AtomicInteger();

  @BeforeEach
  void flush() {
    REDIS.database().flush();
  }

  private static String uri() {
    return REDIS.database().uri().toString();
  }

  private static CachesBuilder noMemory(CachesBuilder caches) {
    return caches.memoryBytes(0);
  }

  private Flight load(Long id) {
    loads.incrementAndGet();
    return new Flight(id, "HNL", delay.get());
  }

  private Map<Long, Flight> loadAll(Set<Long> ids) {
    loads.incrementAndGet();
    Map<Long, Flight> found = new HashMap<>();
    ids.forEach(id -> found.put(id, new Flight(id, "HNL", delay.get())));
    return found;
  }

  private static Set<Long> ids(int count) {
    Set<Long> ids = new LinkedHashSet<>();
    for (long id = 0; id < count; id++) {
      ids.add(id);
    }
    return ids;
  }

  private static void awaitStored(int count) {
    Eventually.within(SOON)
        .until(
            "stored",
            () -> ((List<?>) REDIS.database().command("KEYS", "aq:{DFW:0}:v:*")).size() == count);
  }

  /** How often each command ran since the last call of {@link #forget}. */
  private static Map<String, Integer> ran() {
    Map<String, Integer> ran = new HashMap<>();
    String stats = String.valueOf(REDIS.database().command("INFO", "commandstats"));
    Matcher each = Pattern.compile("cmdstat_([a-z_|]+):calls=(\\d+)").matcher(stats);
    while (each.find()) {
      ran.put(each.group(1), Integer.parseInt(each.group(2)));
    }
    return ran;
  }

  private static void forget() {
    REDIS.database().command("CONFIG", "RESETSTAT");
  }

  @Test
  void hit_takesOneCommandAndNoScript() {
    try (TestNode one = TestNode.open(uri());
        TestNode two = TestNode.open(uri(), RedisReadsTest::noMemory)) {
      one.read(1, this::load);
      awaitStored(1);
      // The first one learns where the partition is.
      two.read(1, this::load);
      forget();
      two.read(1, this::load);
      assertThat(TestNode.as(() -> two.flights().getIfPresent(1L))).isNotNull();
      assertThat(ran()).containsEntry("mget", 2).doesNotContainKeys("evalsha", "eval", "get");
      assertThat(loads).hasValue(1);
    }
  }

  @Test
  void hit_afterAVoidThatWasNotHeard_isRefused() {
    assertThat(delayAfterUnheardVoid(true)).isEqualTo(7);
  }

  @Test
  void hit_afterAVoidThatWasNotHeardWithoutGuard_isServed() {
    assertThat(delayAfterUnheardVoid(false)).isZero();
  }

  /** Redis has a marker that no event told of: only the position beside the entry shows it. */
  private int delayAfterUnheardVoid(boolean guarded) {
    try (TestNode one = TestNode.open(uri());
        TestNode two = TestNode.open(uri(), RedisReadsTest::noMemory)) {
      two.guards().positions = guarded;
      one.read(1, this::load);
      awaitStored(1);
      two.read(1, this::load);
      delay.set(7);
      String next = Long.toString(two.partition().applied() + 1);
      String state = "aq:{DFW:0}:s";
      String incarnation = String.valueOf(REDIS.database().command("HGET", state, "i"));
      REDIS.database().command("HSET", state, "n", next, KeyText.tagName(FLIGHT.name()), next);
      REDIS.database().command("SET", "aq:{DFW:0}:p", incarnation + " " + next);
      return two.read(1, this::load).delay();
    }
  }

  @Test
  void position_lostOrForged_isPutRight() {
    try (TestNode one = TestNode.open(uri());
        TestNode two = TestNode.open(uri(), RedisReadsTest::noMemory)) {
      one.read(1, this::load);
      awaitStored(1);
      two.read(1, this::load);
      for (String forged : List.of("", "x", "0 0", "1 ", "ffffffffffffffff 99999999999999999999")) {
        REDIS.database().command("SET", "aq:{DFW:0}:p", forged);
        assertThat(two.read(1, this::load).delay()).as(forged).isZero();
      }
      REDIS.database().command("DEL", "aq:{DFW:0}:p");
      REDIS.database().command("LPUSH", "aq:{DFW:0}:p", "x");
      two.read(1, this::load);
      forget();
      two.read(1, this::load);
      assertThat(ran()).doesNotContainKey("evalsha");
      assertThat(loads).hasValue(1);
      delay.set(3);
      one.invalidate(FLIGHT);
      assertThat(two.read(1, this::load).delay()).isEqualTo(3);
    }
  }

  @Test
  void miss_ofACacheThatMostlyMisses_asksTheScriptAtOnce() {
    try (TestNode one = TestNode.open(uri())) {
      for (long id = 0; id < 100; id++) {
        one.read(id, this::load);
      }
      forget();
      one.read(1000, this::load);
      assertThat(ran()).doesNotContainKey("mget");
    }
  }

  @Test
  void getAll_cold_isOneScriptEachWayAndOneLoad() {
    try (TestNode one = TestNode.open(uri());
        TestNode two = TestNode.open(uri(), RedisReadsTest::noMemory)) {
      one.read(9999, this::load);
      two.read(9999, this::load);
      awaitStored(1);
      loads.set(0);
      forget();
      assertThat(TestNode.as(() -> one.flights().getAll(ids(500), this::loadAll)))
          .hasSize(500)
          .containsKeys(0L, 499L);
      assertThat(loads).hasValue(1);
      awaitStored(501);
      // Leases, fills; there may be a look before them.
      assertThat(ran()).containsEntry("evalsha", 2);
      forget();
      assertThat(TestNode.as(() -> two.flights().getAll(ids(500), this::loadAll))).hasSize(500);
      assertThat(ran()).containsEntry("mget", 1).doesNotContainKey("evalsha");
      assertThat(loads).hasValue(1);
      assertThat((List<?>) REDIS.database().command("KEYS", "aq:{DFW:0}:l:*")).isEmpty();
    }
  }

  @Test
  void putAll_andInvalidateAll_areOneRoundTripEach() {
    try (TestNode one = TestNode.open(uri());
        TestNode two = TestNode.open(uri(), RedisReadsTest::noMemory)) {
      one.read(9999, this::load);
      two.read(9999, this::load);
      awaitStored(1);
      Map<Long, Flight> all = new HashMap<>();
      ids(300).forEach(id -> all.put(id, new Flight(id, "OGG", 5)));
      forget();
      DFW.run(() -> one.flights().putAll(all));
      awaitStored(301);
      // The void, the fill.
      assertThat(ran()).containsEntry("evalsha", 2);
      assertThat(two.read(7, this::load).to()).isEqualTo("OGG");
      forget();
      DFW.run(() -> one.flights().invalidateAll(ids(300)));
      assertThat(ran()).containsEntry("evalsha", 1);
      awaitStored(1);
      assertThat(two.read(7, this::load).to()).isEqualTo("HNL");
    }
  }

  @Test
  void getAllOutcomes_loaderFailsForSome_tellsEachKey() {
    IllegalStateException broken = new IllegalStateException("no seat map");
    try (TestNode one = TestNode.open(uri())) {
      BulkLoader<Long, Flight, Exception> partial =
          ids -> {
            Map<Long, Flight> found = loadAll(ids);
            found.remove(2L);
            found.remove(3L);
            throw new PartialLoadException(found, Map.of(2L, broken));
          };
      BulkResult<Long, Flight> result =
          TestNode.as(() -> one.flights().getAllOutcomes(ids(5), partial));
      assertThat(result.values().keySet()).containsExactly(0L, 1L, 4L);
      assertThat(result.errors()).containsExactly(Map.entry(2L, broken));
      assertThatThrownBy(() -> DFW.call(() -> one.flights().getAll(Set.of(2L), partial)))
          .isSameAs(broken);
      // What was loaded is kept; what failed is not, and its lease was given back.
      assertThat(TestNode.as(() -> one.flights().getIfPresent(4L))).isNotNull();
      awaitStored(4);
      Eventually.within(SOON)
          .until(
              "no lease is left",
              () -> ((List<?>) REDIS.database().command("KEYS", "aq:{DFW:0}:l:*")).isEmpty());
    }
  }

  @Test
  void getAll_loaderThrows_throwsThatAndLeavesNoLease() {
    IllegalStateException broken = new IllegalStateException("down");
    try (TestNode one = TestNode.open(uri());
        TestNode two = TestNode.open(uri())) {
      assertThatThrownBy(
              () ->
                  DFW.call(
                      () ->
                          one.flights()
                              .getAll(
                                  ids(50),
                                  ids -> {
                                    throw broken;
                                  })))
          .isSameAs(broken);
      assertThat(TestNode.as(() -> two.flights().getAll(ids(50), this::loadAll))).hasSize(50);
      assertThat(loads).hasValue(1);
    }
  }

  @Test
  void getAll_keysThatOthersLoad_areWaitedFor() {
    try (TestNode one = TestNode.open(uri());
        TestNode two = TestNode.open(uri())) {
      var halves =
          List.of(
              DFW.call(() -> one.flights().getAllAsync(ids(100), TestNode.later(this::loadAll))),
              DFW.call(() -> two.flights().getAllAsync(ids(200), TestNode.later(this::loadAll))));
      halves.forEach(half -> assertThat(half.join().errors()).isEmpty());
      assertThat(halves.get(0).join().values()).hasSize(100);
      assertThat(halves.get(1).join().values()).hasSize(200);
      assertThat(loads).hasValueLessThanOrEqualTo(2);
    } catch (Exception e) {
      throw new AssertionError(e);
    }
  }

  @Test
  void invalidateTag_touchesAsManyKeysForManyEntriesAsForOne() {
    try (TestNode one = TestNode.open(uri())) {
      List<Map<String, Integer>> cost = new ArrayList<>();
      for (int count : new int[] {1, 2_000}) {
        TestNode.as(() -> one.flights().getAll(ids(count), this::loadAll));
        awaitStored(count);
        forget();
        one.invalidate(FLIGHT, Tag.of("other"));
        Map<String, Integer> ran = ran();
        ran.remove("info");
        ran.remove("config|resetstat");
        ran.remove("time");
        ran.remove("ping");
        assertThat(ran).containsEntry("evalsha", 1).doesNotContainKeys("scan", "keys", "unlink");
        cost.add(ran);
      }
      assertThat(cost.get(1)).isEqualTo(cost.get(0));
    }
  }

  @Test
  void memory_keepsNoLongerThanRedis_whateverTheNodesClocks() {
    for (Duration ahead : List.of(Duration.ofMinutes(-5), Duration.ofMinutes(5))) {
      REDIS.database().flush();
      try (TestNode one = TestNode.open(uri());
          TestNode two =
              TestNode.open(
                  uri(), caches -> caches.clock(() -> System.nanoTime() + ahead.toNanos()))) {
        TieredCache<Long, Flight> brief = brief(one);
        TieredCache<Long, Flight> other = brief(two);
        TestNode.as(() -> brief.get(1L, this::load));
        awaitStored(1);
        // Kept in memory of both until Redis drops it, then by nobody.
        assertThat(TestNode.as(() -> other.getIfPresent(1L))).isNotNull();
        Eventually.within(SOON)
            .until(
                "dropped",
                () -> ((List<?>) REDIS.database().command("KEYS", "aq:{DFW:0}:v:*")).isEmpty());
        Eventually.within(Duration.ofSeconds(2))
            .until("forgotten", () -> TestNode.as(() -> other.getIfPresent(1L)) == null);
      }
    }
  }

  private static TieredCache<Long, Flight> brief(TestNode node) {
    CacheSettings settings = CacheSettings.builder().ttl(Duration.ofMillis(700)).build();
    return node.caches().cache("brief", Flight.class, settings);
  }

  @Test
  void entry_ofAnotherFormat_isAMissCountedApart() {
    try (TestNode one = TestNode.open(uri());
        RedisClient client = closing();
        StatefulRedisConnection<byte[], byte[]> raw = client.connect(ByteArrayCodec.INSTANCE)) {
      one.read(1, this::load);
      awaitStored(1);
      byte[] key = raw.sync().keys("aq:{DFW:0}:v:*").get(0);
      byte[] entry = raw.sync().get(key);
      entry[3] = 77;
      raw.sync().set(key, entry);
      try (TestNode two = TestNode.open(uri())) {
        two.read(1, this::load);
        assertThat(two.faults()).containsExactly(CacheFault.FOREIGN);
      }
      assertThat(loads).hasValue(2);
    }
  }

  private static RedisClient closing() {
    return RedisClient.create(uri());
  }
}
