package dev.aquifer.replica;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.management.ThreadMXBean;
import dev.aquifer.CausalSession;
import dev.aquifer.CausalSessions;
import dev.aquifer.Consistency;
import dev.aquifer.Position;
import dev.aquifer.ReadFloor;
import dev.aquifer.pool.PoolSettings;
import dev.aquifer.spi.Observer;
import dev.aquifer.spi.Observer.NodeState;
import dev.aquifer.spi.Observer.Role;
import dev.aquifer.spi.Observer.RouteReason;
import dev.aquifer.sql.SqlAnalyzer;
import java.lang.management.ManagementFactory;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Choices among nodes in given states; no server is asked. */
class RouterTest {
  private static final String SQL = "SELECT label FROM item WHERE id = ?";

  private final List<Node> nodes = new ArrayList<>();
  private final PrimaryLog log = new PrimaryLog(Long.MAX_VALUE);
  private final CausalSessions sessions = new CausalSessions();
  private final SqlAnalyzer analyzer = SqlAnalyzer.create();
  private final long now = 1_000_000_000_000L;
  private ReplicaSetSettings settings;
  private Topology topology;
  private Router router;

  @BeforeEach
  void build() {
    double[] weights = {1, 1, 3};
    List<ReplicaSetSettings.NodeSettings> all = new ArrayList<>();
    for (int i = 0; i < weights.length; i++) {
      PoolSettings pool =
          PoolSettings.builder()
              .url("jdbc:postgresql://127.0.0.1:1/n" + i)
              .minimumIdle(0)
              .startupTimeout(Duration.ZERO)
              .build();
      all.add(new ReplicaSetSettings.NodeSettings(pool, weights[i], i == 0, new Login()));
    }
    settings =
        new ReplicaSetSettings(
            all,
            Consistency.session(),
            Duration.ofSeconds(10),
            Duration.ofMillis(50),
            Duration.ofMillis(250),
            Duration.ofMillis(1500),
            Duration.ofSeconds(1),
            Duration.ofMillis(500),
            true,
            sessions,
            analyzer,
            Duration.ZERO,
            Observer.NONE,
            List.of(),
            0,
            null,
            Duration.ofSeconds(30),
            (url, weight, primary) -> all.get(0));
    topology = new Topology(log, Observer.NONE);
    for (ReplicaSetSettings.NodeSettings each : all) {
      topology.add(new Node(each, topology, settings));
    }
    nodes.addAll(topology.nodes);
    router = new Router(topology, settings, () -> now);
    for (int i = 0; i < nodes.size(); i++) {
      topology.answered(nodes.get(i), new Probe.Answer(i > 0, at(100), now - 10, now - 5));
      nodes.get(i).state = NodeState.HEALTHY;
      nodes.get(i).usable(true, 0);
      nodes.get(i).responded(1_000_000, now);
    }
  }

  @AfterEach
  void close() {
    nodes.forEach(node -> node.pool.close());
  }

  private static Position at(long lsn) {
    return new Position(1, 1, lsn);
  }

  private int share(Node node, int picks) {
    int count = 0;
    for (int i = 0; i < picks; i++) {
      if (router.read(ReadScope.NONE, null).node() == node) {
        count++;
      }
    }
    return count;
  }

  @Test
  void equallyFastReplicas_areChosenByWeight() {
    assertThat(nodes.get(0).role).isEqualTo(Role.PRIMARY);
    assertThat(share(nodes.get(2), 10_000)).as("of 7,500").isBetween(7_425, 7_575);
  }

  @Test
  void anotherIsPromoted_theOldPrimaryIsUsableNoMore_alsoIfItsProbeAnswersMeanwhile() {
    Position promoted = new Position(1, 2, 200);
    topology.answered(nodes.get(1), new Probe.Answer(false, promoted, now - 4, now - 3));
    assertThat(nodes.get(0).health().usable()).isFalse();
    nodes.get(0).usable(true, 0);
    assertThat(nodes.get(0).health().usable()).isFalse();
    assertThat(nodes.get(0).health().role()).isEqualTo(Role.UNKNOWN);
  }

  @Test
  void slowReplica_isLeftAside() {
    nodes.get(2).responded(10_000_000, now);
    assertThat(share(nodes.get(2), 1_000)).isZero();
  }

  /** Two replicas of weights 1 and 3; without the second, half of them are in use, not fewer. */
  @Test
  void fewerThanHalfOfTheReplicas_thePrimaryIsDrawnToo_asFarAsItMay() {
    nodes.get(2).usable(false, 0);
    assertThat(share(nodes.get(0), 1_000)).isZero();
    Node third = new Node(nodes.get(1).settings, topology, settings);
    topology.add(third);
    nodes.add(third);
    nodes.get(2).usable(false, 0);
    assertThat(share(nodes.get(0), 1_000)).isBetween(350, 650);
    int permits = nodes.get(0).relief.drainPermits();
    assertThat(permits).isEqualTo(nodes.get(0).settings.pool().maximumSize() / 2);
    assertThat(share(nodes.get(0), 1_000)).isZero();
  }

  private static int limit(Node node) {
    return node.pool.limit();
  }

  @Test
  void callersWaitAtOneReplica_anotherWithConnectionsIsTaken() {
    nodes.get(2).inFlight.set(limit(nodes.get(2)));
    nodes.get(1).inFlight.set(limit(nodes.get(1)) - 1);
    assertThat(share(nodes.get(2), 1_000)).as("nobody waits yet").isPositive();
    nodes.get(2).inFlight.incrementAndGet();
    assertThat(share(nodes.get(1), 1_000)).isEqualTo(1_000);
    nodes.get(1).state = NodeState.RAMP;
    nodes.get(1).rampFrom = now;
    assertThat(share(nodes.get(1), 10_000)).as("it is coming back").isLessThan(1_000);
  }

  @Test
  void callersWaitAtAllReplicas_thePrimaryHelps_asFarAsItMay() {
    Node primary = nodes.get(0);
    List<Node> replicas = nodes.subList(1, 3);
    replicas.forEach(node -> node.inFlight.set(limit(node)));
    assertThat(share(primary, 1_000)).as("nobody waits yet").isZero();
    replicas.forEach(node -> node.inFlight.incrementAndGet());
    assertThat(router.read(ReadScope.NONE, null))
        .isEqualTo(primary.route(RouteReason.REPLICAS_BUSY));
    primary.inFlight.set(limit(primary));
    assertThat(share(primary, 1_000)).as("writes have its connections").isZero();
    primary.inFlight.decrementAndGet();
    assertThat(share(primary, 1_000)).isEqualTo(1_000);
    int permits = primary.relief.drainPermits();
    assertThat(share(primary, 1_000)).as("it helps as much as it may").isZero();
    primary.relief.release(permits);
    primary.usable(false, 0);
    assertThat(share(primary, 1_000)).isZero();
  }

  /** Its later reads would find no replica that has what the primary showed, for a while. */
  @Test
  void callersWaitAtAllReplicas_aSessionOfItsOwnIsNotSentToThePrimary() throws Exception {
    nodes.subList(1, 3).forEach(node -> node.inFlight.set(limit(node) + 1));
    assertThat(shareInSession(sessions.open(), nodes.get(0))).isZero();
    ReadScope eventual = ReadScope.NONE.with(Consistency.eventual());
    assertThat(sessions.call(sessions.open(), () -> router.read(eventual, null).node()))
        .isSameAs(nodes.get(0));
  }

  @Test
  void callersWait_butAReplicaThatHasConnectionsIsMuchSlower_thePrimaryHelps() {
    nodes.get(2).inFlight.set(limit(nodes.get(2)) + 1);
    nodes.get(1).responded(10_000_000, now);
    assertThat(share(nodes.get(1), 1_000)).isZero();
    assertThat(share(nodes.get(0), 1_000)).isEqualTo(1_000);
  }

  @Test
  void slowReplica_isLeftAside_alsoByBusyOnes() {
    nodes.get(2).responded(10_000_000, now);
    int half = nodes.get(1).settings.pool().maximumSize() / 2;
    nodes.get(1).inFlight.set(half);
    assertThat(share(nodes.get(2), 1_000)).isZero();
    nodes.get(1).responded(4_000_000, now);
    assertThat(share(nodes.get(2), 1_000)).as("about as slow").isPositive();
  }

  /** What was slow once may have recovered; who finds out is one caller. */
  @Test
  void slowReplica_isTriedAgainAfterAWhile_byOneCaller() {
    nodes.get(1).responded(10_000_000, now - 5_000_000_000L);
    nodes.get(2).responded(1_000_000, now);
    nodes.get(1).responded(10_000_000, now - 5_000_000_000L);
    assertThat(share(nodes.get(1), 1_000)).isPositive();
    nodes.get(1).inFlight.incrementAndGet();
    assertThat(share(nodes.get(1), 1_000)).isZero();
  }

  /** One answer that took long, such as by a pause, is not held against it for longer than that. */
  @Test
  void replicaOnceVerySlow_isTriedAgainAfterFiveSeconds() {
    nodes.get(1).responded(30_000_000_000L, now - 4_900_000_000L);
    assertThat(share(nodes.get(1), 1_000)).isZero();
    nodes.get(1).responded(30_000_000_000L, now - 5_100_000_000L);
    assertThat(share(nodes.get(1), 1_000)).isPositive();
  }

  @ParameterizedTest
  @ValueSource(ints = {2, 4, 8, 16})
  void replicaTenTimesAsSlow_costsTheSlowestReadsLittle(int callers) {
    AtomicLong clock = new AtomicLong(now);
    Router loaded = new Router(topology, settings, clock::get);
    // It would help the busy ones.
    nodes.get(0).relief.drainPermits();
    Node slow = new Node(nodes.get(1).settings, topology, settings);
    nodes.add(slow);
    nodes.get(2).weight = 1;
    Duration quick = Duration.ofMillis(20);
    ClosedLoop loop =
        new ClosedLoop(
            loaded,
            clock,
            Map.of(nodes.get(1), quick, nodes.get(2), quick, slow, quick.multipliedBy(10)));
    double without = loop.p99(callers);
    topology.add(slow);
    topology.answered(slow, new Probe.Answer(true, at(100), now - 10, now - 5));
    slow.state = NodeState.HEALTHY;
    slow.usable(true, 0);
    double with = loop.p99(callers);
    assertThat(with / without).isLessThan(1.3);
  }

  @Test
  void returningReplica_getsATenthFirst() {
    nodes.get(2).state = NodeState.RAMP;
    nodes.get(2).ramps(now);
    assertThat(share(nodes.get(2), 10_000)).isBetween(500, 1_000);
  }

  @Test
  void returningReplica_isNotHeldToWhatItTookBefore() {
    nodes.get(2).responded(30_000_000_000L, now);
    nodes.get(2).state = NodeState.RAMP;
    nodes.get(2).ramps(now);
    assertThat(share(nodes.get(2), 10_000)).isBetween(500, 1_000);
    nodes.get(2).responded(30_000_000_000L, now);
    nodes.get(2).state = NodeState.HEALTHY;
    nodes.get(2).ramped();
    assertThat(share(nodes.get(2), 1_000)).isPositive();
  }

  /**
   * It has answered nothing for a while, so that it looks idle beside the one that did its work.
   */
  @Test
  void returningReplica_thatLooksIdle_getsNoMoreThanATenthFirst() {
    nodes.get(2).state = NodeState.RAMP;
    nodes.get(2).ramps(now);
    nodes.get(1).responded(100_000_000, now);
    assertThat(share(nodes.get(2), 10_000)).isBetween(500, 1_000);
  }

  @Test
  void replicaBehindTheSession_isNotChosen() {
    nodes.get(2).position = at(200);
    sessions.current().raise(ReadFloor.at(at(150)));
    assertThat(share(nodes.get(2), 100)).isEqualTo(100);
    sessions.current().raise(ReadFloor.at(at(250)));
    Route route = router.read(ReadScope.NONE, null);
    assertThat(route.node()).isSameAs(nodes.get(0));
    assertThat(route.reason()).isEqualTo(RouteReason.FRESHNESS);
  }

  private int shareInSession(CausalSession session, Node node) throws Exception {
    return sessions.call(session, () -> share(node, 100));
  }

  @Test
  void replicaThatAnsweredASession_isKeptUntilItIsKnownWhatItShowed() throws Exception {
    CausalSession session = sessions.open();
    session.sighted(nodes.get(1).incarnation, now);
    assertThat(shareInSession(session, nodes.get(1))).isEqualTo(100);
    topology.answered(nodes.get(0), new Probe.Answer(false, at(120), now + 5, now + 6));
    assertThat(shareInSession(session, nodes.get(1))).as("the other is behind").isEqualTo(100);
    nodes.get(2).position = at(120);
    assertThat(shareInSession(session, nodes.get(2))).isPositive();
    nodes.get(1).usable(false, 0);
    nodes.get(2).position = at(119);
    assertThat(shareInSession(session, nodes.get(0))).as("the primary").isEqualTo(100);
  }

  @Test
  void primaryThatAnsweredASession_isKeptUntilAReplicaHasWhatItShowed() throws Exception {
    CausalSession session = sessions.open();
    session.sighted(nodes.get(0).incarnation, now);
    assertThat(shareInSession(session, nodes.get(0))).isEqualTo(100);
    topology.answered(nodes.get(0), new Probe.Answer(false, at(100), now + 5, now + 6));
    assertThat(shareInSession(session, nodes.get(0))).isZero();
  }

  @Test
  void nodeThatWasAway_isNotTheOneThatAnswered() throws Exception {
    CausalSession session = sessions.open();
    session.sighted(nodes.get(1).incarnation, now);
    nodes.get(1).incarnation = new Object();
    assertThat(shareInSession(session, nodes.get(0))).isEqualTo(100);
  }

  @Test
  void answersOfTwoNodes_bothBindTheSession() throws Exception {
    CausalSession session = sessions.open();
    session.sighted(nodes.get(1).incarnation, now);
    session.sighted(nodes.get(2).incarnation, now + 1);
    assertThat(shareInSession(session, nodes.get(0))).isEqualTo(100);
    topology.answered(nodes.get(0), new Probe.Answer(false, at(100), now + 5, now + 6));
    assertThat(shareInSession(session, nodes.get(0))).isZero();
  }

  @Test
  void accusedNode_isNotChosenUntilALaterProbe() {
    long before = nodes.get(2).accusations.get();
    nodes.get(2).accuse();
    nodes.get(2).usable(true, before);
    assertThat(share(nodes.get(2), 100)).isZero();
    nodes.get(2).usable(true, before + 1);
    assertThat(share(nodes.get(2), 100)).isPositive();
  }

  @Test
  void decision_allocatesNothing() {
    sessions.current().raise(ReadFloor.at(at(50)));
    long sink = decide(200_000);
    ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
    long before = threads.getCurrentThreadAllocatedBytes();
    long begun = System.nanoTime();
    sink += decide(1_000_000);
    long took = System.nanoTime() - begun;
    long allocated = threads.getCurrentThreadAllocatedBytes() - before;
    System.getLogger("test").log(System.Logger.Level.INFO, "decision: {0} ns", took / 1_000_000.0);
    assertThat(sink).isPositive();
    // Far below a byte a decision: what is left is the measurement's own.
    assertThat(allocated).isLessThan(100_000);
  }

  private long decide(int times) {
    long sink = 0;
    for (int i = 0; i < times; i++) {
      if (analyzer.analyze(SQL).mayUseReplica()) {
        sink += router.read(ReadScope.NONE, null).node().name.length();
      }
    }
    return sink;
  }
}
