package dev.aquifer.tsquery;

import static dev.aquifer.tsquery.ClusterNode.SECOND;
import static dev.aquifer.tsquery.ClusterNode.T1;
import static dev.aquifer.tsquery.ClusterNode.as;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.aquifer.RefusedQueryException;
import dev.aquifer.Tenant;
import dev.aquifer.testkit.Eventually;
import dev.aquifer.testkit.FakeTicker;
import dev.aquifer.testkit.FaultProxy;
import dev.aquifer.testkit.RedisDatabase;
import dev.aquifer.testkit.RedisTest;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.UnaryOperator;
import java.util.random.RandomGenerator;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Windows in Redis, between nodes on one real server. */
@RedisTest
class SecondTierTest {
  private static final Duration SOON = Duration.ofSeconds(20);

  private final PointsBackend points = new PointsBackend();
  private final SteppingClock clock = new SteppingClock(Instant.EPOCH.plus(Duration.ofDays(9)));
  private final FakeTicker nanos = new FakeTicker();
  private RedisDatabase redis;
  private FaultProxy proxy;
  private ClusterNode one;
  private ClusterNode two;

  @BeforeEach
  void open(RedisDatabase database) {
    redis = database;
    redis.flush();
    proxy = FaultProxy.to(redis.server().host(), redis.server().port());
    one = node(UnaryOperator.identity());
    two = through();
    for (int i = 0; i < 1000; i++) {
      points.add("t1", i * 10L * SECOND, Map.of(), i / 10.0);
    }
  }

  @AfterEach
  void close() {
    one.close();
    two.close();
    proxy.close();
  }

  private ClusterNode node(UnaryOperator<TimeSeriesBuilder> settings) {
    return ClusterNode.open(redis.uri().toString(), points, clock, settings, nanos);
  }

  private ClusterNode through() {
    String uri = "redis://" + proxy.host() + ":" + proxy.port() + "/" + redis.index();
    return ClusterNode.open(uri, points, clock, UnaryOperator.identity(), nanos);
  }

  private static void awaitStored(ClusterNode node, long segments) {
    Eventually.within(SOON)
        .until("stored", () -> node.series().statistics().segmentsStored() >= segments);
  }

  private List<?> keys() {
    return (List<?>) redis.command("KEYS", "aq:{t1:0}:w:*");
  }

  @Test
  void query_whatAnotherNodeFetched_comesFromRedis() {
    one.ask(0, 10_000);
    awaitStored(one, 2);
    int before = points.requests();
    TimeSeriesResult cold = two.ask(0, 10_000);
    assertThat(cold.fetched()).isZero();
    assertThat(points.requests()).isEqualTo(before);
    assertThat(cold.series()).isEqualTo(two.uncached(0, 10_000));
    assertThat(two.series().statistics().windowsFromRedis()).isEqualTo(1000);
    // From memory, the second time.
    long sent = proxy.bytesToServer();
    assertThat(two.ask(0, 10_000).fetched()).isZero();
    assertThat(two.series().statistics().windowsFromRedis()).isEqualTo(1000);
    assertThat(proxy.bytesToServer() - sent).isLessThan(2_000);
  }

  /** One command a measurement, however many queries; what each takes is checked too. */
  @Test
  void queryAll_whatAnotherNodeFetched_asksRedisOnceForAllQueries() {
    List<TimeSeriesQuery> panels = new ArrayList<>();
    for (String measurement : List.of("m", "n")) {
      for (Aggregate each : List.of(Aggregate.SUM, Aggregate.MEAN, Aggregate.MAX)) {
        panels.add(panel(measurement, each, 0, 10_000));
        panels.add(panel(measurement, each, 2_000, 3_000));
      }
    }
    as(() -> one.series().queryAll(panels));
    awaitStored(one, 12);
    // Where the partitions are it learns with what it asks first.
    as(() -> two.series().query(panel("m", Aggregate.MIN, -1_000, 0)));
    as(() -> two.series().query(panel("n", Aggregate.MIN, -1_000, 0)));
    awaitStored(two, 2);
    long before = scripts();
    List<BatchAnswer> answers = as(() -> two.series().queryAll(panels));
    assertThat(scripts() - before).isEqualTo(2);
    for (BatchAnswer answer : answers) {
      assertThat(answer.orThrow().fetched()).isZero();
      assertThat(answer.orThrow().series())
          .isEqualTo(as(() -> two.series().queryUncached(answer.query())).series())
          .isNotEmpty();
    }
    assertThat(two.series().statistics().windowsFromRedis()).isEqualTo(2 * 3 * 1_000);
  }

  /** What was read for all of them is not answered with once a listener of the first voids it. */
  @Test
  void queryAll_voidByItsListener_isFetchedByThoseLeft() {
    List<TimeSeriesQuery> panels =
        List.of(panel("m", Aggregate.SUM, 0, 1_000), panel("m", Aggregate.MAX, 0, 1_000));
    as(() -> one.series().queryAll(panels));
    awaitStored(one, 2);
    try (ClusterNode three = node(series -> series.maximumWeight(0))) {
      List<BatchAnswer> answers =
          as(
              () ->
                  three
                      .series()
                      .queryAll(
                          panels,
                          (answer, done, of) -> {
                            if (done == 1) {
                              three.late(points, 555, 7_000);
                            }
                          }));
      assertThat(answers.get(0).orThrow().fetched()).isZero();
      TimeSeriesResult left = answers.get(1).orThrow();
      assertThat(left.fetched()).isPositive();
      assertThat(left.series())
          .isEqualTo(as(() -> three.series().queryUncached(panels.get(1))).series());
    }
  }

  private static TimeSeriesQuery panel(
      String measurement, Aggregate aggregate, long from, long to) {
    return TimeSeriesQuery.builder(measurement)
        .select(aggregate, "value")
        .every(Duration.ofSeconds(10))
        .range(ClusterNode.at(from), ClusterNode.at(to))
        .build();
  }

  /** What Redis ran so far. */
  private long scripts() {
    String ran = String.valueOf(redis.command("INFO", "commandstats"));
    Matcher each = Pattern.compile("cmdstat_eval(?:sha)?:calls=(\\d+)").matcher(ran);
    return each.results().mapToLong(one -> Long.parseLong(one.group(1))).sum();
  }

  /** Late data voids its bucket in Redis too: who comes cold fetches that one alone. */
  @Test
  void query_voidedSinceItWasStored_fetchesThatWindowAlone() {
    one.ask(0, 10_000);
    awaitStored(one, 2);
    one.late(points, 5_555, 7);
    TimeSeriesResult cold = two.ask(0, 10_000);
    assertThat(cold.fetched()).isEqualTo(1);
    assertThat(cold.series()).isEqualTo(two.uncached(0, 10_000));
  }

  @Test
  void query_tenantVoided_fetchesAll() {
    one.ask(0, 1_000);
    awaitStored(one, 1);
    T1.run(one.caches()::invalidateTenant);
    assertThat(two.ask(0, 1_000).fetched()).isEqualTo(100);
  }

  @Test
  void query_ofAnotherTenant_findsNothing() {
    one.ask(0, 1_000);
    awaitStored(one, 1);
    Tenant t2 = Tenant.of("t2");
    TimeSeriesResult theirs =
        as(() -> t2.call(() -> two.series().query(ClusterNode.query(0, 1_000))));
    assertThat(theirs.series()).isEmpty();
    assertThat(theirs.fetched()).isEqualTo(100);
  }

  /** Each node fetched other windows of one segment: what both know is in Redis. */
  @Test
  void write_ofTwoNodes_losesNeitherOnesWindows() {
    one.ask(0, 1_000);
    awaitStored(one, 1);
    two.ask(2_000, 3_000);
    awaitStored(two, 1);
    one.ask(4_000, 5_000);
    awaitStored(one, 2);
    try (ClusterNode three = node(UnaryOperator.identity())) {
      assertThat(three.ask(0, 1_000).fetched()).isZero();
      assertThat(three.ask(2_000, 3_000).fetched()).isZero();
      assertThat(three.ask(4_000, 5_000).fetched()).isZero();
    }
  }

  @Test
  void query_damagedBytes_areACountedMiss() {
    one.ask(0, 1_000);
    awaitStored(one, 1);
    String key = keys().get(0).toString();
    redis.command("SET", key, "000000000000001garbage and more garbage and still more of it");
    TimeSeriesResult seen = two.ask(0, 1_000);
    assertThat(seen.fetched()).isEqualTo(100);
    assertThat(seen.series()).isEqualTo(two.uncached(0, 1_000));
    assertThat(two.series().statistics().segmentsDamaged()).isPositive();
    // And they are replaced.
    awaitStored(two, 1);
    try (ClusterNode three = node(UnaryOperator.identity())) {
      assertThat(three.ask(0, 1_000).fetched()).isZero();
    }
  }

  /** Bytes that were right for another key, as an attacker who can write to Redis may copy them. */
  @Test
  void query_bytesOfAnotherKey_areNone() {
    one.ask(0, 1_000);
    awaitStored(one, 1);
    String key = keys().get(0).toString();
    points.add("t2", 5 * SECOND, Map.of(), 1);
    Tenant t2 = Tenant.of("t2");
    as(() -> t2.call(() -> one.series().query(ClusterNode.query(0, 1_000))));
    awaitStored(one, 2);
    String theirs = key.replace("{t1:0}", "{t2:0}");
    redis.command("RENAME", theirs, key);
    TimeSeriesResult seen = two.ask(0, 1_000);
    assertThat(seen.fetched()).isEqualTo(100);
    assertThat(seen.series()).isEqualTo(two.uncached(0, 1_000));
  }

  @Test
  void query_redisSilent_isAnsweredByTheBackendInTime() {
    one.ask(0, 1_000);
    awaitStored(one, 1);
    proxy.drop();
    assertThat(two.ask(0, 1_000).series()).isEqualTo(two.uncached(0, 1_000));
    proxy.heal();
    Eventually.within(SOON)
        .until(
            "Redis is used again",
            () -> {
              clock.advance(Duration.ofDays(1));
              two.ask(0, 10_000);
              return two.series().statistics().segmentsStored() > 0;
            });
  }

  @Test
  void write_largerThanAllowed_isCountedAndNotStored() {
    RandomGenerator random = RandomGenerator.of("L64X128MixRandom");
    for (int i = 0; i < 500; i++) {
      points.add("t1", (i * 10L + 1) * SECOND, Map.of(), random.nextDouble());
    }
    try (ClusterNode small = node(series -> series.remoteBytes(300))) {
      small.ask(0, 5_000);
      Eventually.within(SOON)
          .until("refused", () -> small.series().statistics().segmentsTooLarge() > 0);
      assertThat(keys()).isEmpty();
    }
  }

  /** More than one round trip brings; the answer is the same. */
  @Test
  void query_overManySegments_takesAllOfThem() {
    one.ask(0, 700_000);
    awaitStored(one, 137);
    TimeSeriesResult cold = two.ask(0, 700_000);
    assertThat(cold.fetched()).isZero();
    assertThat(two.series().statistics().windowsFromRedis()).isEqualTo(70_000);
    assertThat(cold.series()).isEqualTo(two.uncached(0, 700_000));
  }

  /** One that its first segments already refuse does not bring the others into memory. */
  @Test
  void query_moreSeriesInRedisThanItMayHave_asksForNoMoreSegments() {
    for (int i = 0; i < 20; i++) {
      points.add("t1", 5L * SECOND, Map.of("room", "r" + i), i);
    }
    TimeSeriesQuery wide =
        TimeSeriesQuery.builder("m")
            .select(Aggregate.SUM, "value")
            .groupBy("room")
            .every(Duration.ofSeconds(10))
            .range(ClusterNode.at(0), ClusterNode.at(700_000))
            .build();
    QueryLimits many = new QueryLimits(100_000, Duration.ofDays(10), 2_000_000);
    QueryLimits few = new QueryLimits(100_000, Duration.ofDays(10), 700_000);
    try (ClusterNode large = node(series -> series.limits(many));
        ClusterNode small = node(series -> series.limits(few))) {
      as(() -> large.series().query(wide));
      awaitStored(large, 137);
      assertThatThrownBy(() -> as(() -> small.series().query(wide)))
          .isInstanceOf(RefusedQueryException.class);
      assertThat(small.series().statistics().windowsFromRedis())
          .isBetween(1L, (long) SegmentReads.TOGETHER * Segment.LENGTH);
    }
  }

  /** A window that was open when it was fetched is as short-lived elsewhere. */
  @Test
  void query_windowsOpenWhereTheyWereFetched_areFetchedAnewInSeconds() {
    long now = Duration.ofDays(9).toSeconds();
    points.add("t1", now * SECOND, Map.of(), 1);
    one.ask(now - 40, now + 10);
    awaitStored(one, 1);
    assertThat(two.ask(now - 40, now + 10).fetched()).isZero();
    points.add("t1", (now + 1) * SECOND, Map.of(), 2);
    clock.advance(Duration.ofSeconds(5));
    TimeSeriesResult later = two.ask(now - 40, now + 10);
    assertThat(later.fetched()).isPositive();
    assertThat(later.series()).isEqualTo(two.uncached(now - 40, now + 10));
  }
}
