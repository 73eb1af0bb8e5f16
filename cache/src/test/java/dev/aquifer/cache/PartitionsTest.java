package dev.aquifer.cache;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.aquifer.CausalSession;
import dev.aquifer.CausalToken;
import dev.aquifer.ConfigurationException;
import dev.aquifer.ReadFloor;
import dev.aquifer.Tag;
import dev.aquifer.batch.BatchSettings;
import dev.aquifer.spi.WriteSet;
import dev.aquifer.testkit.Eventually;
import dev.aquifer.testkit.FaultProxy;
import dev.aquifer.testkit.RedisExtension;
import dev.aquifer.testkit.RedisServer;
import java.time.Duration;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Collectors;
import java.util.stream.LongStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** A tenant that is divided among several partitions, by nodes that agree on it or do not. */
class PartitionsTest {
  @RegisterExtension static final RedisExtension REDIS = RedisExtension.own(RedisServer.builder());

  private static final int COUNT = 4;
  private static final Duration SOON = Duration.ofSeconds(20);
  private static final Set<Long> KEYS =
      LongStream.range(0, 40).boxed().collect(Collectors.toUnmodifiableSet());

  private final Map<Long, Integer> rows = new ConcurrentHashMap<>();
  private final AtomicInteger loads = new AtomicInteger();
  private TestNode one;
  private TestNode two;

  @BeforeEach
  void open() {
    REDIS.database().flush();
    one = divided(COUNT);
    two = divided(COUNT);
  }

  @AfterEach
  void close() {
    one.close();
    two.close();
  }

  private static TestNode divided(int count) {
    return divided(count, REDIS.database().uri().toString());
  }

  private static TestNode divided(int count, String uri) {
    return TestNode.open(uri, builder -> builder.partitions(TestNode.DFW, count));
  }

  private TestNode.Flight load(long id) {
    loads.incrementAndGet();
    return new TestNode.Flight(id, "HNL", rows.getOrDefault(id, 0));
  }

  private int delay(TestNode node, long id) {
    return node.read(id, this::load).delay();
  }

  private void everywhere(int delay) {
    KEYS.forEach(key -> rows.put(key, delay));
  }

  private List<Integer> delays(TestNode node) {
    return KEYS.stream().map(key -> delay(node, key)).distinct().toList();
  }

  private static int count(TestNode node) {
    return node.caches().node().partitions(TestNode.DFW).all.size();
  }

  private static Object redis(String... command) {
    return REDIS.database().command(command);
  }

  @Test
  void get_manyKeys_areSpreadAndFoundByBothNodes() {
    KEYS.forEach(key -> delay(one, key));
    assertThat(loads).hasValue(KEYS.size());
    for (int i = 0; i < COUNT; i++) {
      String pattern = "aq:{DFW:" + i + "}:v:*";
      Eventually.within(SOON)
          .until("partition " + i, () -> !((List<?>) redis("KEYS", pattern)).isEmpty());
    }
    Eventually.within(SOON)
        .until(
            "all are stored",
            () -> ((List<?>) redis("KEYS", "aq:{DFW:*}:v:*")).size() == KEYS.size());
    KEYS.forEach(key -> delay(two, key));
    assertThat(loads).hasValue(KEYS.size());
    KEYS.forEach(key -> delay(two, key));
    assertThat(two.flights().statistics().memoryHits()).isEqualTo(KEYS.size());
  }

  @Test
  void index_ofEveryKindOfKey_isTheSameInAnyForm() {
    List<Object> keys =
        List.of("a", 7L, 7, UUID.randomUUID(), Duration.ofDays(1), List.of("a", 2L), Set.of(1, 2));
    for (Object key : keys) {
      Object form = KeyForm.of(key);
      assertThat(Partitions.index(form, 32)).isBetween(0, 31);
      assertThat(Partitions.index(KeyForm.of(key), 32)).isEqualTo(Partitions.index(form, 32));
    }
    Object[] arguments = {"a", 2L};
    Object call = CallKey.of(arguments, true);
    assertThat(Partitions.index(KeyForm.of(call), 32))
        .isEqualTo(Partitions.index(KeyForm.of(List.of("a", 2L)), 32));
    Map<Integer, Integer> spread = new HashMap<>();
    LongStream.range(0, 32_000)
        .forEach(key -> spread.merge(Partitions.index(key, 32), 1, Integer::sum));
    assertThat(spread.values()).hasSize(32).allMatch(many -> many > 500 && many < 1500);
  }

  /** By the writer's causal token at once; by events alone soon. */
  @Test
  void voids_ofAnyKind_reachEveryPartitionOfTheOtherNode() {
    Map<String, Runnable> voids = new LinkedHashMap<>();
    voids.put("tag", () -> one.invalidate(TestNode.FLIGHT));
    voids.put("cache", () -> TestNode.DFW.run(() -> one.flights().invalidateAll()));
    voids.put("tenant", () -> TestNode.DFW.run(() -> one.caches().invalidateTenant()));
    voids.put("keys", () -> TestNode.DFW.run(() -> one.flights().invalidateAll(KEYS)));
    voids.put("async", () -> TestNode.DFW.run(() -> one.flights().invalidateAllAsync(KEYS).join()));
    voids.put(
        "tags, async",
        () ->
            TestNode.DFW.run(
                () -> one.caches().invalidateTagsAsync(Set.of(TestNode.FLIGHT)).join()));
    voids.put(
        "commit", () -> committed(one, new WriteSet(1, TestNode.DFW, Set.of("flight"), false)));
    int delay = 0;
    for (Map.Entry<String, Runnable> kind : voids.entrySet()) {
      delays(two);
      everywhere(++delay);
      CausalSession reader = after(one, two, kind.getValue());
      for (long key : KEYS) {
        assertThat(two.read(reader, key, this::load).delay()).as(kind.getKey()).isEqualTo(delay);
      }
      assertThat(delays(one)).as(kind.getKey()).containsExactly(delay);
      int now = delay;
      Eventually.within(SOON).until(kind.getKey(), () -> delays(two).equals(List.of(now)));
    }
  }

  /** A key that is not in the first of four partitions, so others look for it elsewhere. */
  private static long elsewhere() {
    return KEYS.stream().filter(key -> Partitions.index(key, COUNT) > 0).findAny().orElseThrow();
  }

  private void stored(TestNode node, long key) {
    delay(node, key);
    Eventually.within(SOON)
        .until("stored", () -> !((List<?>) redis("KEYS", "aq:{DFW:*}:v:*")).isEmpty());
  }

  /** A session on the reader's node that bears the token of one which did this on the writer's. */
  private static CausalSession after(TestNode writer, TestNode reader, Runnable voids) {
    CausalSession session = writer.sessions().open();
    TestNode.as(
        () ->
            writer
                .sessions()
                .call(
                    session,
                    () -> {
                      voids.run();
                      writer.caches().demandVoids(session, SOON);
                      return null;
                    }));
    CausalSession bears = reader.sessions().open();
    bears.accept(CausalToken.of(null, session.sequences()));
    return bears;
  }

  /** What a void that the writer's node acknowledged leaves for a reader who bears its token. */
  private int seen(TestNode writer, TestNode reader, long key, Runnable voids) {
    return reader.read(after(writer, reader, voids), key, this::load).delay();
  }

  private static void voidKey(TestNode node, long key) {
    TestNode.DFW.run(() -> node.flights().invalidate(key));
  }

  @Test
  void keyVoided_byANodeSetToAnotherNumber_isVoidForAll() {
    long key = elsewhere();
    stored(one, key);
    delay(two, key);
    try (TestNode late = divided(1)) {
      rows.put(key, 1);
      assertThat(seen(late, two, key, () -> voidKey(late, key))).isEqualTo(1);
      assertThat(count(late)).isEqualTo(COUNT);
      assertThat(delay(late, key)).isEqualTo(1);
      Eventually.within(SOON).until("one has heard", () -> delay(one, key) == 1);
    }
  }

  /** The same schedule with nothing that tells them, once or more: what the guard is there for. */
  @Test
  void keyVoided_byANodeSetToAnotherNumber_withoutTheGuardIsServed() {
    boolean served = false;
    for (int i = 0; i < 10 && !served; i++) {
      REDIS.database().flush();
      rows.clear();
      long key = elsewhere();
      try (TestNode four = divided(COUNT);
          TestNode late = divided(1)) {
        four.guards().divisions = false;
        late.guards().divisions = false;
        stored(four, key);
        rows.put(key, 1);
        served = seen(late, four, key, () -> voidKey(late, key)) == 0;
      }
    }
    assertThat(served).isTrue();
  }

  @Test
  void read_byANodeSetToAnotherNumber_showsWhatWasVoided() {
    long key = elsewhere();
    stored(one, key);
    try (TestNode late = divided(7)) {
      delay(late, key);
      rows.put(key, 1);
      assertThat(seen(one, late, key, () -> voidKey(one, key))).isEqualTo(1);
      assertThat(count(late)).isEqualTo(COUNT);
    }
  }

  @Test
  void first_whoUsesTheTenantDecides() {
    REDIS.database().flush();
    try (TestNode single = divided(1);
        TestNode four = divided(COUNT)) {
      delay(single, 1);
      delay(four, 1);
      assertThat(count(four)).isEqualTo(1);
      assertThat(count(single)).isEqualTo(1);
    }
  }

  /** What waits for Redis was named for partitions that are none. */
  @Test
  void voidsThatWait_ofANodeSetToAnotherNumber_areToldAll() {
    REDIS.database().flush();
    long key = elsewhere();
    try (FaultProxy proxy = FaultProxy.to(REDIS.server().host(), REDIS.server().port());
        TestNode late = divided(1, TestNode.through(proxy, REDIS.database()))) {
      proxy.refuse();
      proxy.reset();
      stored(one, key);
      rows.put(key, 1);
      voidKey(late, key);
      assertThat(late.caches().health().pending()).isPositive();
      assertThat(delay(late, key)).isEqualTo(1);
      proxy.heal();
      Eventually.within(SOON).until("told", () -> late.caches().health().pending() == 0);
      Eventually.within(SOON).until("heard", () -> delay(one, key) == 1);
      assertThat(delay(late, key)).isEqualTo(1);
      assertThat(count(late)).isEqualTo(COUNT);
    }
  }

  @Test
  void lost_firstPartitionsState_voidsTheOthersToo() {
    long key = elsewhere();
    stored(one, key);
    delay(two, key);
    rows.put(key, 1);
    redis("DEL", "aq:{DFW:0}:s", "aq:{DFW:0}:p");
    assertThat(seen(one, two, key, () -> voidKey(one, key))).isEqualTo(1);
    rows.put(key, 2);
    assertThat(seen(two, one, key, () -> voidKey(two, key))).isEqualTo(2);
    assertThat(count(one)).isEqualTo(COUNT);
    assertThat(count(two)).isEqualTo(COUNT);
  }

  /** What is left of the old division must not come back with the next one of that number. */
  @Test
  void lost_thenDecidedOtherwiseAndBack_servesNothingOld() {
    long key = elsewhere();
    stored(one, key);
    one.close();
    two.close();
    redis("DEL", "aq:{DFW:0}:s", "aq:{DFW:0}:p");
    rows.put(key, 1);
    try (TestNode single = divided(1)) {
      voidKey(single, key);
      assertThat(delay(single, key)).isEqualTo(1);
    }
    redis("DEL", "aq:{DFW:0}:s", "aq:{DFW:0}:p");
    one = divided(COUNT);
    two = divided(COUNT);
    assertThat(delay(one, key)).isEqualTo(1);
    assertThat(count(one)).isEqualTo(COUNT);
    rows.put(key, 2);
    assertThat(seen(one, two, key, () -> one.invalidate(TestNode.FLIGHT))).isEqualTo(2);
  }

  @Test
  void lost_everything_whileNodesDisagree_servesNothingOld() {
    long key = elsewhere();
    stored(one, key);
    delay(two, key);
    try (TestNode late = divided(1)) {
      rows.put(key, 1);
      redis("FLUSHDB");
      assertThat(seen(late, two, key, () -> voidKey(late, key))).isEqualTo(1);
      rows.put(key, 2);
      assertThat(seen(two, late, key, () -> voidKey(two, key))).isEqualTo(2);
      Eventually.within(SOON)
          .until("agreed", () -> count(late) == count(two) && delay(one, key) == 2);
    }
  }

  @Test
  void commit_whileItIsOpen_keepsValuesOutOfEveryPartition() {
    WriteSet writes = new WriteSet(1, TestNode.DFW, Set.of("flight"), false);
    delays(one);
    two.invalidate(Tag.of("other"));
    one.caches().committing(writes);
    TestNode.DFW.run(() -> one.flights().invalidateAll());
    loads.set(0);
    delays(two);
    delays(two);
    assertThat(loads).as("nothing is kept").hasValue(2 * KEYS.size());
    one.caches().committed(writes, ReadFloor.NONE);
    delays(one);
    loads.set(0);
    delays(one);
    assertThat(loads).hasValue(0);
  }

  @Test
  void putAll_andWriter_reachTheirPartitions() throws Exception {
    Map<Long, TestNode.Flight> flights =
        KEYS.stream()
            .collect(Collectors.toMap(key -> key, key -> new TestNode.Flight(key, "JFK", 7)));
    delays(two);
    CausalSession bears = after(one, two, () -> one.flights().putAll(flights));
    loads.set(0);
    for (long key : KEYS) {
      assertThat(two.read(bears, key, this::load).delay()).isEqualTo(7);
    }
    assertThat(loads).as("found in Redis").hasValue(0);
    try (CacheWriter<Long, TestNode.Flight> writer =
        one.flights().writer(values -> {}, BatchSettings.builder().build())) {
      TestNode.as(
          () ->
              CompletableFuture.allOf(
                      KEYS.stream()
                          .map(key -> writer.write(key, new TestNode.Flight(key, "LAX", 9)))
                          .toArray(CompletableFuture<?>[]::new))
                  .get(20, TimeUnit.SECONDS));
    }
    everywhere(9);
    Eventually.within(SOON).until("heard", () -> delays(two).equals(List.of(9)));
    assertThat(delays(one)).containsExactly(9);
  }

  @Test
  void getAll_ofEveryPartition_asksTheLoaderOnce() {
    AtomicInteger calls = new AtomicInteger();
    Map<Long, TestNode.Flight> found =
        TestNode.as(
            () ->
                one.flights()
                    .getAll(
                        KEYS,
                        keys -> {
                          calls.incrementAndGet();
                          return keys.stream().collect(Collectors.toMap(k -> k, this::load));
                        }));
    assertThat(found.keySet()).isEqualTo(KEYS);
    assertThat(calls).hasValue(1);
    Eventually.within(SOON)
        .until("stored", () -> ((List<?>) redis("KEYS", "aq:{DFW:*}:v:*")).size() == KEYS.size());
    Map<Long, TestNode.Flight> again =
        TestNode.as(() -> two.flights().getAll(KEYS, keys -> Map.of()));
    assertThat(again).isEqualTo(found);
  }

  @Test
  void alone_isNotDivided() {
    try (Caches alone = Caches.builder().partitions(TestNode.DFW, COUNT).build()) {
      assertThat(alone.node().partitions(TestNode.DFW).all).hasSize(1);
    }
  }

  @Test
  void partitions_outOfRange_areRefused() {
    for (int count : new int[] {0, -1, Partitions.MOST + 1}) {
      assertThatThrownBy(() -> Caches.builder().partitions(TestNode.DFW, count))
          .isInstanceOf(ConfigurationException.class)
          .hasMessage("partitions of tenant DFW is %d; use 1 to 32.".formatted(count));
    }
  }

  private static void committed(TestNode node, WriteSet writes) {
    node.caches().committing(writes);
    node.caches().committed(writes, ReadFloor.NONE);
  }
}
