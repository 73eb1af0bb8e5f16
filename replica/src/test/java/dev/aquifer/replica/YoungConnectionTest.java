package dev.aquifer.replica;

import static org.assertj.core.api.Assertions.assertThat;

import dev.aquifer.spi.Observer;
import dev.aquifer.testkit.LeakCheck;
import dev.aquifer.testkit.PostgresExtension;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/**
 * A replica that is restarted may show less than what is known of it, so a connection opened to it
 * answers nothing before it was probed again.
 */
class YoungConnectionTest {
  private static final String READ = "SELECT id FROM item";

  @RegisterExtension
  static final PostgresExtension POSTGRES =
      PostgresExtension.shared()
          .standbys(1)
          .schema("CREATE TABLE item (id int PRIMARY KEY)", "INSERT INTO item VALUES (1)");

  @RegisterExtension final LeakCheck leaks = LeakCheck.of().threads("aquifer-");

  /** Where reads went, and how often the replica was probed. */
  private static final class Log implements Observer {
    final List<String> seen = new CopyOnWriteArrayList<>();
    final AtomicInteger samples = new AtomicInteger();

    @Override
    public void routed(String node, Role role, RouteReason reason) {
      seen.add(role + " " + reason);
    }

    @Override
    public void lagSampled(String node, @Nullable Duration lag, long bytes) {
      samples.incrementAndGet();
    }
  }

  @Test
  void connection_youngerThanTheLastProbe_waitsForAnother_anOlderOneDoesNot() throws Exception {
    Log log = new Log();
    try (ReplicaSet set =
        Sets.ofOne(POSTGRES.database())
            .sampleEvery(Duration.ofHours(1))
            .pool(pool -> pool.minimumIdle(0).maximumSize(1))
            .observer(log)
            .build()) {
      Sets.awaitReplicas(set, 1);
      int before = log.samples.get();
      assertThat(Sets.query(set, READ)).isEqualTo("1");
      assertThat(log.seen).endsWith("REPLICA READ");
      assertThat(log.samples).hasValue(before + 1);
      assertThat(Sets.query(set, READ)).isEqualTo("1");
      assertThat(log.samples).hasValue(before + 1);
    }
  }
}
