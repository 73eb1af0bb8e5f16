package dev.aquifer.replica;

import static org.assertj.core.api.Assertions.assertThat;

import dev.aquifer.testkit.Eventually;
import dev.aquifer.testkit.LeakCheck;
import dev.aquifer.testkit.PostgresExtension;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** More callers than the replicas' pools have connections. */
class BusyReplicasTest {
  private static final String READ = "SELECT id FROM item";

  @RegisterExtension
  static final PostgresExtension POSTGRES =
      PostgresExtension.shared()
          .standbys(1)
          .schema("CREATE TABLE item (id int PRIMARY KEY)", "INSERT INTO item VALUES (1)");

  @RegisterExtension final LeakCheck leaks = LeakCheck.of().threads("aquifer-");

  /** Reads that are not ended: each holds a connection of the node that answers it. */
  private static void hold(ReplicaSet set, List<Connection> held) throws SQLException {
    Connection connection = set.getConnection();
    held.add(connection);
    Statement statement = connection.createStatement();
    statement.executeQuery(READ);
  }

  @Test
  void primaryHelps_onceCallersWait_asFarAsItMay() throws Exception {
    Sets.Routes routes = new Sets.Routes();
    List<Connection> held = new ArrayList<>();
    ExecutorService waiting = Executors.newSingleThreadExecutor();
    try (ReplicaSet set =
        Sets.ofOne(POSTGRES.database())
            .pool(pool -> pool.maximumSize(2).connectionTimeout(Duration.ofSeconds(30)))
            .replicaWait(Duration.ofSeconds(20))
            .primaryReads(1)
            .observer(routes)
            .build()) {
      try {
        Sets.awaitReplicas(set, 1);
        String replica = set.health().nodes().get(1).name();
        hold(set, held);
        hold(set, held);
        assertThat(routes.seen).containsExactly("REPLICA READ", "REPLICA READ");
        Future<String> waits = waiting.submit(() -> Sets.query(set, READ));
        Eventually.within(Duration.ofSeconds(5))
            .until("one waits", () -> set.health().node(replica).orElseThrow().inFlight() == 3);
        hold(set, held);
        assertThat(routes.seen).endsWith("PRIMARY REPLICAS_BUSY");
        // Another would be too many: it waits with the first, and writes find a connection.
        ExecutorService more = Executors.newSingleThreadExecutor();
        Future<String> second = more.submit(() -> Sets.query(set, READ));
        more.shutdown();
        Eventually.within(Duration.ofSeconds(5))
            .until("two wait", () -> set.health().node(replica).orElseThrow().inFlight() == 4);
        Sets.execute(set, "UPDATE item SET id = 1");
        held.get(0).close();
        assertThat(waits.get(20, TimeUnit.SECONDS)).isEqualTo("1");
        assertThat(second.get(20, TimeUnit.SECONDS)).isEqualTo("1");
        held.get(2).close();
        assertThat(set.health().nodes().get(0).inFlight()).isZero();
      } finally {
        for (Connection connection : held) {
          connection.close();
        }
        waiting.shutdown();
      }
    }
  }
}
