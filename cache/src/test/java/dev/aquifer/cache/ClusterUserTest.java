package dev.aquifer.cache;

import static dev.aquifer.cache.TestNode.DFW;
import static dev.aquifer.cache.TestNode.FLIGHT;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.aquifer.ReadFloor;
import dev.aquifer.Tag;
import dev.aquifer.UnavailableException;
import dev.aquifer.cache.TestNode.Flight;
import dev.aquifer.spi.WriteSet;
import dev.aquifer.testkit.Eventually;
import dev.aquifer.testkit.RedisCluster;
import dev.aquifer.testkit.RedisServer;
import java.time.Duration;
import java.util.List;
import java.util.Set;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** A user of a Redis Cluster who may do what docs/redis.md says, and no more. */
class ClusterUserTest {
  private static final Duration SOON = Duration.ofSeconds(20);
  private static final String SECRET = "hush-hush";
  private static final String CLUSTER_RULES = " +cluster|nodes +cluster|info +cluster|myid +asking";

  private static RedisCluster cluster;

  private final AtomicInteger delay = new AtomicInteger();

  @BeforeAll
  static void start() {
    cluster =
        RedisCluster.builder()
            .user("aq", SECRET, RefusedTest.RULES + CLUSTER_RULES)
            .user("lone", SECRET, RefusedTest.RULES)
            .user(
                "unlisted", SECRET, RefusedTest.RULES + CLUSTER_RULES.replace("+cluster|nodes", ""))
            .start();
  }

  @AfterAll
  static void stop() {
    cluster.close();
  }

  private static String uri(String user) {
    return cluster.uri().replace("//", "//" + user + ":" + SECRET + "@");
  }

  private Flight load(Long id) {
    return new Flight(id, "HNL", delay.get());
  }

  private int read(TestNode node) {
    return node.read(1, this::load).delay();
  }

  private void writeAndSee(TestNode one, TestNode two) {
    int now = delay.incrementAndGet();
    one.invalidate(FLIGHT);
    Eventually.within(SOON).until("told", () -> one.caches().health().pending() == 0);
    assertThat(read(one)).isEqualTo(now);
    Eventually.within(SOON).until("node two", () -> read(two) == now);
  }

  @Test
  void user_withTheDocumentedRules_mayDoAllThatIsNeeded() {
    cluster.nodes().forEach(node -> node.command("ACL", "LOG", "RESET"));
    try (TestNode one = TestNode.open(uri("aq"));
        TestNode two = TestNode.open(uri("aq"))) {
      Limits shared = Limits.builder().loads(50, 500).invalidations(50, 500).shared(true).build();
      for (TestNode node : List.of(one, two)) {
        node.caches().limits(shared);
        Eventually.within(SOON).until("proven", () -> node.caches().health().proven());
      }
      read(one);
      Eventually.within(SOON)
          .until("in Redis", () -> TestNode.as(() -> two.flights().getIfPresent(1L)) != null);
      writeAndSee(one, two);
      WriteSet writes = new WriteSet(1, DFW, Set.of("flight"), false);
      one.caches().committing(writes);
      delay.incrementAndGet();
      one.caches().committed(writes, ReadFloor.NONE);
      Eventually.within(SOON).until("node two", () -> read(two) == delay.get());
      DFW.run(() -> one.flights().invalidate(1L));
      DFW.run(() -> one.caches().invalidateTenant());
      for (int i = 0; i < 20; i++) {
        // Tenants on every master, so that each is asked for everything.
        dev.aquifer.Tenant.of("T" + i).run(() -> one.caches().invalidateTags(Tag.of("t")));
      }
      String state = "aq:{DFW:0}:s";
      RedisServer from = cluster.masterOf(state);
      RedisServer to =
          cluster.nodes().stream().filter(node -> node != from).findFirst().orElseThrow();
      cluster.moveSlot(state, to, () -> writeAndSee(one, two));
      writeAndSee(one, two);
    }
    for (RedisServer node : cluster.nodes()) {
      assertThat(String.valueOf(node.command("ACL", "LOG"))).isEqualTo("[]");
    }
  }

  @Test
  void user_withoutOneOfTheRules_isToldWhich() {
    for (String user : List.of("unlisted", "lone")) {
      assertThatThrownBy(() -> TestNode.open(uri(user)))
          .isInstanceOf(UnavailableException.class)
          .hasMessageContaining("CLUSTER")
          .hasMessageContaining("user's rules")
          .hasMessageNotContaining(SECRET);
    }
  }

  @Test
  void user_withAnotherPassword_isToldSo() {
    String wrong = uri("aq").replace(SECRET, "wrong");
    assertThatThrownBy(() -> TestNode.open(wrong))
        .isInstanceOf(UnavailableException.class)
        .hasMessageContaining("refused user and password");
  }
}
