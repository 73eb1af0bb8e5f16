package dev.aquifer.testkit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.MethodOrderer;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestMethodOrder;

/** One cluster, to which more and more happens. */
@TestMethodOrder(MethodOrderer.OrderAnnotation.class)
class RedisClusterTest {
  private static final String KEY = "{DFW}:flight";
  private static RedisCluster cluster;

  @BeforeAll
  static void open() {
    cluster = RedisCluster.builder().replicas(1).start();
  }

  @AfterAll
  static void close() {
    cluster.close();
    assertThat(cluster.nodes()).noneMatch(RedisServer::isRunning);
  }

  private static RedisServer other(RedisServer master) {
    return cluster.nodes().subList(0, 3).stream().filter(node -> node != master).findFirst().get();
  }

  @Test
  @Order(1)
  void start_threeMasters_shareTheSlots() {
    assertThat(cluster.nodes()).hasSize(4);
    assertThat(cluster.uri()).startsWith("redis-cluster://127.0.0.1:");
    RedisServer master = cluster.masterOf(KEY);
    master.command("SET", KEY, "42");
    assertThat(master.command("GET", KEY)).isEqualTo("42");
    assertThatThrownBy(() -> other(master).command("GET", KEY)).hasMessageContaining("MOVED");
  }

  @Test
  @Order(2)
  void moveSlot_midway_asksTheOther() {
    RedisServer from = cluster.masterOf(KEY);
    RedisServer to = other(from);
    List<String> midway = new ArrayList<>();
    cluster.moveSlot(
        KEY,
        to,
        () ->
            assertThatThrownBy(() -> from.command("GET", KEY))
                .satisfies(error -> midway.add(error.getMessage())));
    assertThat(midway).singleElement().asString().contains("ASK");
    assertThat(cluster.masterOf(KEY)).isSameAs(to);
    assertThat(to.command("GET", KEY)).isEqualTo("42");
    cluster.moveSlot(KEY, from);
    assertThat(cluster.masterOf(KEY)).isSameAs(from);
  }

  @Test
  @Order(3)
  void promote_replica_servesItsMastersSlots() {
    RedisServer first = cluster.nodes().get(0);
    RedisServer replica = cluster.replicaOf(first);
    cluster.promote(replica);
    assertThat(cluster.replicaOf(replica)).isSameAs(first);
  }

  @Test
  @Order(4)
  void kill_master_itsReplicaTakesOver() {
    String key = "a";
    for (int i = 0; cluster.slotOf(key) > 5000; i++) {
      key = "a" + i;
    }
    RedisServer master = cluster.masterOf(key);
    RedisServer replica = cluster.replicaOf(master);
    master.kill();
    cluster.awaitMaster(key, replica);
    assertThat(replica.command("SET", key, "1")).isEqualTo("OK");
  }
}
