package dev.aquifer.tsquery;

import static org.assertj.core.api.Assertions.assertThat;

import dev.aquifer.CausalSession;
import dev.aquifer.CausalToken;
import dev.aquifer.Tenant;
import dev.aquifer.testkit.Eventually;
import dev.aquifer.testkit.FakeTicker;
import dev.aquifer.testkit.PostgresTest;
import dev.aquifer.testkit.RedisDatabase;
import dev.aquifer.testkit.RedisTest;
import dev.aquifer.tsquery.encounter.Encounters;
import dev.aquifer.tsquery.encounter.PostgresEncounters;
import java.time.Duration;
import java.time.Instant;
import java.util.Map;
import java.util.TreeSet;
import java.util.stream.IntStream;
import java.util.stream.LongStream;
import javax.sql.DataSource;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Encounters in one PostgreSQL, changed and queried on two nodes that share a Redis. */
@RedisTest
@PostgresTest
class EncountersTwoNodesTest {
  private static final Tenant T1 = ClusterNode.T1;
  private static final Duration SOON = Duration.ofSeconds(20);

  private final PointsBackend first = new PointsBackend();
  private final PointsBackend second = new PointsBackend();
  private final SteppingClock clock = new SteppingClock(Instant.EPOCH.plus(Duration.ofDays(9)));
  private ClusterNode one;
  private ClusterNode two;
  private Encounters here;
  private Encounters there;

  @BeforeEach
  void open(RedisDatabase redis, DataSource dataSource) {
    redis.flush();
    PostgresEncounters store = PostgresEncounters.of(dataSource).createTables();
    String uri = redis.uri().toString();
    // Nothing in Redis, so that what a node asks its own backend for is what it had not.
    one = ClusterNode.open(uri, first, clock, series -> series.remoteBytes(0), new FakeTicker());
    two = ClusterNode.open(uri, second, clock, series -> series.remoteBytes(0), new FakeTicker());
    here = Encounters.builder(one.series(), "stay").measurements("m").store(store).build();
    there = Encounters.builder(two.series(), "stay").measurements("m").store(store).build();
    for (int i = 0; i < 100; i++) {
      write(i * 10L, i);
    }
  }

  @AfterEach
  void close() {
    ClusterNode.as(() -> here.find("4711").map(stay -> here.remove(stay.id())));
    one.close();
    two.close();
  }

  @Test
  void amend_onOneNode_voidsExactlyItsOldAndNewTimeOnTheOther() {
    T1.run(() -> here.add(new Encounter("4711", at(100), at(200))));
    Eventually.within(SOON).until("heard", () -> two.ask(0, 1000).fetched() == 0);
    long[] before = LongStream.range(0, 100).map(i -> second.asked((int) i)).toArray();
    write(155, 7);
    write(305, 8);
    T1.run(() -> here.amend("4711", at(150), at(320)));
    Eventually.within(SOON)
        .until("node two was told", () -> two.ask(0, 1000).series().equals(two.uncached(0, 1000)));
    TreeSet<Integer> again = new TreeSet<>();
    for (int i = 0; i < 100; i++) {
      // Once for the uncached answer that it is compared with, perhaps several times.
      if (second.asked(i) - before[i] > second.asked(99) - before[99]) {
        again.add(i * 10);
      }
    }
    assertThat(again)
        .containsExactlyElementsOf(IntStream.range(10, 32).mapToObj(i -> i * 10).toList());
    assertThat(ClusterNode.as(() -> there.find("4711")))
        .contains(new Encounter("4711", at(150), at(320)));
  }

  @Test
  void close_withTheWritersToken_isSeenOnTheOtherAtOnce() throws Exception {
    T1.run(() -> here.open("4711", at(100)));
    Eventually.within(SOON).until("heard", () -> two.ask(0, 1000).fetched() == 0);
    write(155, 7);
    CausalSession writer = one.sessions().open();
    T1.call(() -> one.sessions().call(writer, () -> here.close("4711", at(600))));
    CausalSession reader = two.sessions().open();
    reader.accept(CausalToken.parse(CausalToken.of(null, writer.sequences()).toString()));
    TimeSeriesResult seen =
        ClusterNode.as(
            () ->
                two.sessions().call(reader, () -> there.query("4711", ClusterNode.query(0, 1000))));
    assertThat(seen.range()).isEqualTo(new TimeRange(at(100), at(600)));
    assertThat(seen.series()).isEqualTo(two.uncached(100, 600));
  }

  private void write(long second, double value) {
    first.add("t1", second * Nanos.PER_SECOND, Map.of(), value);
    this.second.add("t1", second * Nanos.PER_SECOND, Map.of(), value);
  }

  private static Instant at(long seconds) {
    return ClusterNode.at(seconds);
  }
}
