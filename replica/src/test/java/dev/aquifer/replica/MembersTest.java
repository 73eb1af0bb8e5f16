package dev.aquifer.replica;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.aquifer.ConfigurationException;
import dev.aquifer.spi.Observer.NodeState;
import dev.aquifer.testkit.Eventually;
import dev.aquifer.testkit.LeakCheck;
import dev.aquifer.testkit.PostgresCluster;
import dev.aquifer.testkit.PostgresExtension;
import dev.aquifer.testkit.TestDatabase;
import java.io.IOException;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.SQLTransientConnectionException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Function;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** Replicas that come and go while traffic runs. */
class MembersTest {
  @RegisterExtension
  static final PostgresExtension POSTGRES =
      PostgresExtension.own(PostgresCluster.builder().standbys(2))
          .schema("CREATE TABLE item (id int PRIMARY KEY)", "INSERT INTO item VALUES (1)");

  private static final Duration SOON = Duration.ofSeconds(20);

  @RegisterExtension final LeakCheck leaks = LeakCheck.of().threads("aquifer-");

  private final Sets.Routes routes = new Sets.Routes();

  private ReplicaSetBuilder primaryOnly() {
    TestDatabase database = POSTGRES.database();
    return ReplicaSet.builder()
        .primary(database.url())
        .credentials(database.user(), database.password())
        .pool(pool -> pool.maximumSize(8))
        .observer(routes);
  }

  private static String standby(int i) {
    return POSTGRES.database().standbyUrls().get(i);
  }

  private static void awaitHealthy(ReplicaSet set, String name) {
    Eventually.within(SOON)
        .until(
            name + " has all of its traffic",
            () -> set.health().node(name).orElseThrow().state() == NodeState.HEALTHY);
  }

  private Map<String, Long> reads(ReplicaSet set, int count) throws SQLException {
    routes.nodes.clear();
    try (Connection connection = set.getConnection()) {
      for (int i = 0; i < count; i++) {
        Sets.query(connection, "SELECT id FROM item");
      }
    }
    return routes.nodes.stream()
        .collect(Collectors.groupingBy(Function.identity(), Collectors.counting()));
  }

  @Test
  void addDrainReweightRemove_underLoad_noReadFails() throws Exception {
    try (ReplicaSet set = primaryOnly().build();
        Load load = new Load(set, 4)) {
      load.awaitMore(50);
      String one = set.add(standby(0), 1);
      String two = set.add(standby(1), 1);
      Sets.awaitReplicas(set, 2);
      awaitHealthy(set, one);
      awaitHealthy(set, two);
      load.awaitMore(200);
      for (int i = 0; i < 5; i++) {
        set.weight(one, 1 + i);
        set.drain(two);
        load.awaitMore(50);
        set.resume(two);
        load.awaitMore(50);
        assertThat(set.remove(one, SOON)).as("nothing was cut off").isTrue();
        assertThat(set.health().node(one)).isEmpty();
        load.awaitMore(50);
        assertThat(set.add(standby(0), 1)).isEqualTo(one);
        Sets.awaitReplicas(set, 2);
      }
      assertThat(load.error).hasNullValue();
    }
  }

  @Test
  void drained_getsNoReads_untilItIsResumed() throws Exception {
    try (ReplicaSet set = primaryOnly().replica(standby(0)).replica(standby(1)).build()) {
      Sets.awaitReplicas(set, 2);
      String one = set.health().nodes().get(1).name();
      String two = set.health().nodes().get(2).name();
      set.drain(one);
      assertThat(set.health().node(one).orElseThrow().state()).isEqualTo(NodeState.DRAINING);
      assertThat(reads(set, 200)).containsOnlyKeys(two);
      set.resume(one);
      // The slower of the two may be passed over for a while.
      Eventually.within(SOON)
          .until("it gets reads again", () -> reads(set, 50).keySet().equals(Set.of(one, two)));
    }
  }

  @Test
  void weight_changed_isTheShareOfTheNextReads() throws Exception {
    try (ReplicaSet set = primaryOnly().replica(standby(0)).replica(standby(1)).build()) {
      Sets.awaitReplicas(set, 2);
      String one = set.health().nodes().get(1).name();
      set.weight(one, 1_000_000);
      Eventually.within(SOON)
          .until("it gets most reads", () -> reads(set, 200).getOrDefault(one, 0L) > 160);
    }
  }

  @Test
  void remove_whileSomethingRuns_waitsAndThenCutsOff() throws Exception {
    try (ReplicaSet set = primaryOnly().replica(standby(0)).build()) {
      Sets.awaitReplicas(set, 1);
      String one = set.health().nodes().get(1).name();
      Connection busy = set.getConnection();
      busy.setAutoCommit(false);
      busy.setReadOnly(true);
      assertThat(Sets.query(busy, "SELECT id FROM item")).isEqualTo("1");
      assertThat(set.health().node(one).orElseThrow().inFlight()).isEqualTo(1);
      assertThat(set.remove(one, Duration.ofMillis(100))).isFalse();
      assertThat(set.health().nodes()).hasSize(1);
      assertThatThrownBy(() -> Sets.query(busy, "SELECT id FROM item"))
          .isInstanceOf(SQLException.class);
      busy.close();
      assertThat(Sets.query(set, "SELECT id FROM item")).isEqualTo("1");
    }
  }

  @Test
  void members_thatContradict_areRefused() throws Exception {
    try (ReplicaSet set = primaryOnly().replica(standby(0)).build()) {
      String primary = set.health().nodes().get(0).name();
      assertThatThrownBy(() -> set.remove(primary, SOON))
          .isInstanceOf(ConfigurationException.class)
          .hasMessage("%s is the primary; promote another node before it is removed", primary);
      assertThatThrownBy(() -> set.add(standby(0), 1))
          .isInstanceOf(ConfigurationException.class)
          .hasMessageEndingWith("is in the set already");
      assertThatThrownBy(() -> set.add(standby(1), 0))
          .isInstanceOf(ConfigurationException.class)
          .hasMessage("Weight 0.0: give one above 0");
      assertThatThrownBy(() -> set.drain("db9:5432/app"))
          .isInstanceOf(ConfigurationException.class)
          .hasMessageStartingWith("There is no node db9:5432/app in the set; there are [");
      assertThatThrownBy(() -> set.weight(primary, Double.NaN))
          .isInstanceOf(ConfigurationException.class);
    }
  }

  /** The primary's own connections are for writes too. */
  @Test
  void replicasGone_primaryReads_areLimited() throws Exception {
    try (ReplicaSet set =
        primaryOnly()
            .pool(pool -> pool.maximumSize(4).connectionTimeout(Duration.ofMillis(500)))
            .primaryReads(2)
            .replica("jdbc:postgresql://127.0.0.1:1/gone")
            .build()) {
      List<Connection> readers = new ArrayList<>();
      for (int i = 0; i < 2; i++) {
        Connection reader = set.getConnection();
        readers.add(reader);
        reader.setAutoCommit(false);
        reader.setReadOnly(true);
        assertThat(Sets.query(reader, "SELECT id FROM item")).isEqualTo("1");
      }
      assertThatThrownBy(() -> Sets.query(set, "SELECT id FROM item"))
          .isInstanceOf(SQLTransientConnectionException.class)
          .hasMessageContaining("primaryReads")
          .extracting(e -> ((SQLException) e).getSQLState())
          .isEqualTo("53300");
      Sets.execute(set, "UPDATE item SET id = 1 WHERE id = 1");
      for (Connection reader : readers) {
        reader.close();
      }
      assertThat(Sets.query(set, "SELECT id FROM item")).isEqualTo("1");
    }
  }

  @Test
  void directory_isFollowed_andOneAnswerRemovesNothing() throws Exception {
    List<NodeDirectory.Member> listed = new CopyOnWriteArrayList<>();
    AtomicInteger asked = new AtomicInteger();
    listed.add(new NodeDirectory.Member(standby(0), 1));
    try (ReplicaSet set =
        primaryOnly()
            .directory(
                () -> {
                  asked.incrementAndGet();
                  if (listed.isEmpty()) {
                    throw new IOException("the directory is down");
                  }
                  return List.copyOf(listed);
                })
            .directoryEvery(Duration.ofMillis(100))
            .build()) {
      Sets.awaitReplicas(set, 1);
      listed.add(new NodeDirectory.Member(standby(1), 3));
      Sets.awaitReplicas(set, 2);
      assertThat(set.health().nodes().get(2).weight()).isEqualTo(3);
      listed.clear();
      int before = asked.get();
      Eventually.within(SOON).until("asked in vain", () -> asked.get() > before + 4);
      assertThat(set.health().nodes()).hasSize(3);
      listed.add(new NodeDirectory.Member(standby(1), 2));
      Eventually.within(SOON).until("removed", () -> set.health().nodes().size() == 2);
      assertThat(set.health().nodes().get(1).weight()).isEqualTo(2);
      assertThat(Sets.query(set, "SELECT id FROM item")).isEqualTo("1");
    }
  }

  @Test
  void dns_namesReplicasByAddress() throws Exception {
    String url = standby(0);
    NodeDirectory dns = NodeDirectory.dns("localhost", url.replaceFirst("//[^:/]+:", "//{host}:"));
    assertThat(dns.members())
        .contains(new NodeDirectory.Member(url.replaceFirst("//[^:/]+:", "//127.0.0.1:"), 1));
    try (ReplicaSet set = primaryOnly().directory(dns).build()) {
      Sets.awaitReplicas(set, 1);
    }
  }

  @Test
  void srv_namesReplicasOfTheLowestPriority_withTheirWeights() throws Exception {
    try (DnsResponder dns =
        DnsResponder.start(
            "10 60 5433 db2.internal", "10 0 5434 db3.internal", "20 9 1 db4.internal")) {
      NodeDirectory services =
          DnsDirectory.services(
              "_postgresql._tcp.db.internal", "jdbc:postgresql://{host}:{port}/app", dns.url());
      assertThat(services.members())
          .containsExactlyInAnyOrder(
              new NodeDirectory.Member("jdbc:postgresql://db2.internal:5433/app", 60),
              new NodeDirectory.Member("jdbc:postgresql://db3.internal:5434/app", 1));
    }
  }

  @Test
  void directories_thatCannotWork_areRefused() {
    assertThatThrownBy(() -> NodeDirectory.dns("db", "jdbc:postgresql://db/app"))
        .isInstanceOf(ConfigurationException.class)
        .hasMessageContaining("{host}");
    assertThatThrownBy(() -> NodeDirectory.srv("_pg._tcp.db", "jdbc:postgresql://{host}/app"))
        .isInstanceOf(ConfigurationException.class)
        .hasMessageContaining("{port}");
    assertThatThrownBy(
            () -> NodeDirectory.srv("ldap://evil/x", "jdbc:postgresql://{host}:{port}/app"))
        .isInstanceOf(ConfigurationException.class)
        .hasMessageContaining("ldap://evil/x");
  }
}
