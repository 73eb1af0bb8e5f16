package dev.aquifer.tsquery;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.aquifer.CausalSession;
import dev.aquifer.CausalToken;
import dev.aquifer.ConfigurationException;
import dev.aquifer.ReadFloor;
import dev.aquifer.Tag;
import dev.aquifer.Tenant;
import dev.aquifer.spi.WriteSet;
import dev.aquifer.testkit.Eventually;
import dev.aquifer.testkit.FakeTicker;
import dev.aquifer.testkit.FaultProxy;
import dev.aquifer.testkit.RedisDatabase;
import dev.aquifer.testkit.RedisTest;
import java.time.Duration;
import java.time.Instant;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Two nodes on one real Redis, in front of the same points. */
@RedisTest
class TwoNodesTest {
  private static final Tenant T1 = ClusterNode.T1;
  private static final Duration SOON = Duration.ofSeconds(20);
  private static final Tag PULSE = Tag.table("pulse");
  private static final long SECOND = ClusterNode.SECOND;

  private final PointsBackend points = new PointsBackend();
  private final SteppingClock clock = new SteppingClock(Instant.EPOCH.plus(Duration.ofDays(9)));
  private final FakeTicker nanos = new FakeTicker();
  private FaultProxy proxy;
  private ClusterNode one;
  private ClusterNode two;

  private ClusterNode open(String uri) {
    return ClusterNode.open(uri, points, clock, series -> series.tags("m", PULSE), nanos);
  }

  @BeforeEach
  void open(RedisDatabase redis) {
    redis.flush();
    proxy = FaultProxy.to(redis.server().host(), redis.server().port());
    one = open(redis.uri().toString());
    two = open("redis://" + proxy.host() + ":" + proxy.port() + "/" + redis.index());
    for (int i = 0; i < 100; i++) {
      points.add("t1", i * 10L * SECOND, Map.of(), i);
    }
  }

  @AfterEach
  void close() {
    one.close();
    two.close();
    proxy.close();
  }

  @Test
  void invalidate_onOneNode_voidsExactlyItsBucketsOnTheOther() {
    one.ask(0, 1000);
    two.ask(0, 1000);
    assertThat(two.ask(0, 1000).fetched()).isZero();
    one.late(points, 555, 7);
    TimeSeriesResult[] seen = new TimeSeriesResult[1];
    Eventually.within(SOON)
        .until(
            "node two was told",
            () -> {
              seen[0] = two.ask(0, 1000);
              return seen[0].fetched() > 0;
            });
    assertThat(seen[0].fetched()).isEqualTo(1);
    assertThat(seen[0].series()).isEqualTo(two.uncached(0, 1000));
    // Or none, where what the other fetched is in Redis by now.
    TimeSeriesResult writers = one.ask(0, 1000);
    assertThat(writers.fetched()).isLessThanOrEqualTo(1);
    assertThat(writers.series()).isEqualTo(one.uncached(0, 1000));
  }

  /**
   * A tenant's measurement of which all is void leaves nothing, and is heard of when it is back.
   */
  @Test
  void invalidate_ofAllThatIsKept_leavesNoLedgerOnEitherNode() {
    one.ask(0, 1000);
    two.ask(0, 1000);
    one.late(points, 555, 7);
    assertThat(one.series().cache().ledgers()).isEqualTo(1);
    Eventually.within(SOON).until("told of one window", () -> two.ask(0, 1000).fetched() <= 1);
    T1.run(() -> one.series().invalidate("m", ClusterNode.at(-10), ClusterNode.at(2_000)));
    // What is on its way to Redis holds it a moment longer.
    Eventually.within(SOON).until("nothing is left", () -> one.series().cache().ledgers() == 0);
    Eventually.within(SOON).until("told of all", () -> two.series().cache().ledgers() == 0);

    two.ask(0, 1000);
    T1.run(one.caches()::invalidateTenant);
    Eventually.within(SOON).until("told again", () -> two.series().cache().ledgers() == 0);
  }

  /** The bearer of the writer's token sees the write, whether or not the other node was told. */
  @Test
  void query_withTheWritersToken_whileEventsAreLate_seesTheWrite() throws Exception {
    two.ask(0, 1000);
    proxy.delay(Duration.ofMillis(100));
    CausalSession writer = one.sessions().open();
    T1.call(
        () ->
            one.sessions()
                .call(
                    writer,
                    () -> {
                      one.late(points, 555, 7);
                      return true;
                    }));
    CausalSession reader = two.sessions().open();
    reader.accept(CausalToken.parse(CausalToken.of(null, writer.sequences()).toString()));
    TimeSeriesResult seen =
        ClusterNode.as(() -> two.sessions().call(reader, () -> two.ask(0, 1000)));
    assertThat(seen.fetched()).isEqualTo(1);
    assertThat(seen.series()).isEqualTo(two.uncached(0, 1000));
  }

  /** What others void is not heard: memory answers for the silence limit, and no longer. */
  @Test
  void query_linkLost_isNotAnsweredFromMemory_untilItIsBack() {
    two.ask(0, 1000);
    proxy.drop();
    one.late(points, 555, 7);
    nanos.advance(Duration.ofMillis(2_001));
    assertThat(two.ask(0, 1000).series()).isEqualTo(two.uncached(0, 1000));
    one.late(points, 777, 9);
    assertThat(two.ask(0, 1000).series()).isEqualTo(two.uncached(0, 1000));
    proxy.heal();
    Eventually.within(SOON).until("memory answers again", () -> two.ask(0, 1000).fetched() == 0);
    assertThat(two.ask(0, 1000).series()).isEqualTo(two.uncached(0, 1000));
  }

  /** Here at once, and elsewhere when Redis is back. */
  @Test
  void invalidate_redisAway_isToldLater() {
    one.ask(0, 1000);
    two.ask(0, 1000);
    proxy.drop();
    two.late(points, 555, 7);
    assertThat(two.ask(0, 1000).series()).isEqualTo(two.uncached(0, 1000));
    proxy.heal();
    Eventually.within(SOON)
        .until("node one was told", () -> one.ask(0, 1000).series().equals(one.uncached(0, 1000)));
  }

  @Test
  void committed_ofItsTable_voidsTheMeasurementOnBothNodes() {
    one.ask(0, 1000);
    two.ask(0, 1000);
    points.add("t1", 555 * SECOND, Map.of(), 7);
    one.caches().committed(new WriteSet(1, T1, Set.of("pulse"), false), ReadFloor.NONE);
    assertThat(one.ask(0, 1000).series()).isEqualTo(one.uncached(0, 1000));
    Eventually.within(SOON)
        .until("node two was told", () -> two.ask(0, 1000).series().equals(two.uncached(0, 1000)));
  }

  /** What is read while a write of its table is under way may be void soon, and is not kept. */
  @Test
  void query_whileItsTableIsBeingWritten_isNotKept() {
    WriteSet writes = new WriteSet(1, T1, Set.of("pulse"), false);
    one.caches().committing(writes);
    assertThat(one.ask(0, 1000).fetched()).isEqualTo(100);
    assertThat(one.ask(0, 1000).fetched()).isEqualTo(100);
    one.caches().rolledBack(writes);
    one.ask(0, 1000);
    assertThat(one.ask(0, 1000).fetched()).isZero();
  }

  @Test
  void invalidate_ofOneTenant_leavesAnothers() {
    Tenant t2 = Tenant.of("t2");
    points.add("t2", 555 * SECOND, Map.of(), 7);
    one.ask(0, 1000);
    ClusterNode.as(() -> t2.call(() -> one.series().query(ClusterNode.query(0, 1000))));
    one.late(points, 555, 7);
    assertThat(
            ClusterNode.as(() -> t2.call(() -> one.series().query(ClusterNode.query(0, 1000))))
                .fetched())
        .isZero();
  }

  @Test
  void build_tagsWithoutCaches_isRefused() {
    TimeSeriesBuilder builder = TimeSeries.builder().backend(points).tags("m", PULSE);
    assertThatThrownBy(builder::build)
        .isInstanceOf(ConfigurationException.class)
        .hasMessageContaining("caches");
  }
}
