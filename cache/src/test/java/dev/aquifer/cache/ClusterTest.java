package dev.aquifer.cache;

import static dev.aquifer.cache.TestNode.DFW;
import static dev.aquifer.cache.TestNode.FLIGHT;
import static org.assertj.core.api.Assertions.assertThat;

import dev.aquifer.Tenant;
import dev.aquifer.cache.TestNode.Flight;
import dev.aquifer.testkit.Eventually;
import dev.aquifer.testkit.RedisCluster;
import dev.aquifer.testkit.RedisServer;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Two nodes on a Redis Cluster whose slots move and whose masters change. */
class ClusterTest {
  private static final Duration SOON = Duration.ofSeconds(20);
  private static final String STATE = "aq:{DFW:0}:s";

  private static RedisCluster cluster;

  private final AtomicInteger delay = new AtomicInteger();
  private TestNode one;
  private TestNode two;

  @BeforeAll
  static void start() {
    cluster = RedisCluster.builder().replicas(3).start();
  }

  @AfterAll
  static void stop() {
    cluster.close();
  }

  @BeforeEach
  void open() {
    one = TestNode.open(cluster.uri());
    two = TestNode.open(cluster.uri());
    awaitProven();
  }

  @AfterEach
  void close() {
    one.close();
    two.close();
  }

  private void awaitProven() {
    for (TestNode node : List.of(one, two)) {
      Eventually.within(SOON).until("proven", () -> node.caches().health().proven());
    }
  }

  private Flight load(Long id) {
    return new Flight(id, "HNL", delay.get());
  }

  private RedisServer another() {
    RedisServer master = cluster.masterOf(STATE);
    return IntStream.range(0, 100)
        .mapToObj(i -> cluster.masterOf("k" + i))
        .filter(server -> server != master)
        .findFirst()
        .orElseThrow();
  }

  /** A write that node one voids; node two must not answer from before it once it is told of it. */
  private void writeAndSee() {
    int now = delay.incrementAndGet();
    one.invalidate(FLIGHT);
    Eventually.within(SOON).until("told", () -> one.caches().health().pending() == 0);
    assertThat(one.read(1, this::load).delay()).isEqualTo(now);
    Eventually.within(SOON).until("node two", () -> two.read(1, this::load).delay() == now);
  }

  @Test
  void voids_ofTenantsOnAllMasters_arrive() {
    for (int i = 0; i < 12; i++) {
      Tenant tenant = Tenant.of("T" + i);
      int before = delay.get();
      assertThat(at(tenant, one)).isEqualTo(before);
      assertThat(at(tenant, two)).isEqualTo(before);
      delay.incrementAndGet();
      tenant.run(() -> one.caches().invalidateTags(FLIGHT));
      assertThat(at(tenant, one)).isEqualTo(before + 1);
      Eventually.within(SOON).until(tenant + " at two", () -> at(tenant, two) == before + 1);
    }
    CacheHealth health = two.caches().health();
    assertThat(health.kind()).isEqualTo(CacheHealth.Kind.CLUSTER);
    assertThat(health.servers()).hasSize(3).allMatch(CacheHealth.Server::subscribed);
  }

  private int at(Tenant tenant, TestNode node) {
    return at(tenant, node, 1);
  }

  private int at(Tenant tenant, TestNode node, long key) {
    try {
      return tenant.call(() -> node.flights().get(key, this::load)).delay();
    } catch (Exception e) {
      throw new AssertionError(e);
    }
  }

  /** The client alone would connect to a master when it is first asked, and reject that. */
  @Test
  void read_ofAnyMasterOnceOpen_isAnsweredByRedis() {
    try (TestNode three = TestNode.open(cluster.uri())) {
      Eventually.within(SOON).until("proven", () -> three.caches().health().proven());
      for (int i = 0; i < 12; i++) {
        assertThat(at(Tenant.of("U" + i), three)).isEqualTo(delay.get());
      }
      assertThat(three.faults()).isEmpty();
    }
  }

  @Test
  void partitions_ofOneTenant_areOnAllMasters() {
    Tenant large = Tenant.of("large");
    try (TestNode three = TestNode.open(cluster.uri(), builder -> builder.partitions(large, 16));
        TestNode four = TestNode.open(cluster.uri(), builder -> builder.partitions(large, 16))) {
      Eventually.within(SOON).until("proven", () -> three.caches().health().proven());
      Eventually.within(SOON).until("proven", () -> four.caches().health().proven());
      List<TestNode> nodes = List.of(three, four);
      for (int i = 0; i < nodes.size(); i++) {
        TestNode writer = nodes.get(i);
        TestNode other = nodes.get(1 - i);
        for (long key = 0; key < 60; key++) {
          assertThat(at(large, other, key)).isEqualTo(delay.get());
        }
        delay.incrementAndGet();
        large.run(() -> writer.caches().invalidateTags(FLIGHT));
        for (long key = 0; key < 60; key++) {
          assertThat(at(large, writer, key)).isEqualTo(delay.get());
          long of = key;
          Eventually.within(SOON).until("heard", () -> at(large, other, of) == delay.get());
        }
      }
      assertThat(
              IntStream.range(0, 16)
                  .mapToObj(i -> cluster.masterOf("aq:{large:" + i + "}:s"))
                  .distinct())
          .as("masters that have some")
          .hasSizeGreaterThan(1);
    }
  }

  @Test
  void slot_thatMoves_losesNoVoid() {
    writeAndSee();
    RedisServer from = cluster.masterOf(STATE);
    RedisServer to = another();
    cluster.moveSlot(STATE, to, this::writeAndSee);
    writeAndSee();
    cluster.moveSlot(STATE, from);
    writeAndSee();
    awaitProven();
    assertThat(two.read(1, this::load).delay()).isEqualTo(delay.get());
  }

  @Test
  void master_replacedInOrder_losesNoVoid() {
    writeAndSee();
    RedisServer master = cluster.masterOf(STATE);
    RedisServer replica = cluster.replicaOf(master);
    cluster.promote(replica);
    delay.incrementAndGet();
    one.invalidate(FLIGHT);
    awaitProven();
    Eventually.within(SOON).until("told", () -> one.caches().health().pending() == 0);
    Eventually.within(SOON).until("node two", () -> two.read(1, this::load).delay() == delay.get());
    writeAndSee();
    Eventually.within(SOON)
        .until(
            "subscribed on the new master",
            () ->
                two.caches().health().servers().stream()
                    .anyMatch(server -> server.address().endsWith(":" + replica.port())));
  }

  @Test
  void master_killed_itsReplicaGoesOn() {
    writeAndSee();
    RedisServer master = cluster.masterOf(STATE);
    RedisServer replica = cluster.replicaOf(master);
    master.kill();
    try {
      delay.incrementAndGet();
      DFW.run(() -> one.caches().invalidateTags(FLIGHT));
      assertThat(one.read(1, this::load).delay()).isEqualTo(delay.get());
      cluster.awaitMaster(STATE, replica);
      Eventually.within(SOON).until("told", () -> one.caches().health().pending() == 0);
      awaitProven();
      assertThat(two.read(1, this::load).delay()).isEqualTo(delay.get());
      writeAndSee();
    } finally {
      master.restart();
    }
  }
}
