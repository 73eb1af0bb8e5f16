package dev.aquifer.replica;

import static org.assertj.core.api.Assertions.assertThat;

import dev.aquifer.CausalSession;
import dev.aquifer.CausalToken;
import dev.aquifer.testkit.LeakCheck;
import dev.aquifer.testkit.PostgresCluster;
import dev.aquifer.testkit.PostgresExtension;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/**
 * A primary that acknowledges commits long before they are in its log on disk, or anywhere else.
 */
class AsynchronousCommitTest {
  @RegisterExtension
  static final PostgresExtension POSTGRES =
      PostgresExtension.own(
              PostgresCluster.builder()
                  .standbys(1)
                  .setting("synchronous_commit", "off")
                  .setting("wal_writer_delay", "10s"))
          .schema(
              "CREATE TABLE counter (id int PRIMARY KEY, n int)",
              "INSERT INTO counter VALUES (1, 0)");

  @RegisterExtension final LeakCheck leaks = LeakCheck.of().threads("aquifer-");

  @Test
  void write_isReadBack() throws Exception {
    try (ReplicaSet set = Sets.of(POSTGRES.database()).build()) {
      Sets.awaitReplicas(set, 1);
      CausalSession session = set.sessions().open();
      for (int i = 1; i <= 20; i++) {
        String sql = "UPDATE counter SET n = " + i;
        CausalToken token =
            set.sessions()
                .call(
                    session,
                    () -> {
                      Sets.execute(set, sql);
                      return set.token(session);
                    });
        CausalSession reader = set.sessions().open();
        reader.accept(token);
        String read = set.sessions().call(reader, () -> Sets.query(set, "SELECT n FROM counter"));
        assertThat(read).isEqualTo(Integer.toString(i));
      }
    }
  }

  @Test
  void headers_areNotWaitedFor() {
    long segment = 16 << 20;
    assertThat(Probe.lastRecordEnd(5 * segment + 40, 8192, segment)).isEqualTo(5 * segment);
    assertThat(Probe.lastRecordEnd(8192 + 24, 8192, segment)).isEqualTo(8192);
    // The end of a record that began on the page before.
    assertThat(Probe.lastRecordEnd(8192 + 40, 8192, segment)).isEqualTo(8192 + 40);
    assertThat(Probe.lastRecordEnd(8192 + 48, 8192, segment)).isEqualTo(8192 + 48);
  }
}
