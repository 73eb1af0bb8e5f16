package dev.aquifer.replica;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.aquifer.ConfigurationException;
import dev.aquifer.testkit.Eventually;
import dev.aquifer.testkit.LeakCheck;
import dev.aquifer.testkit.PostgresCluster;
import dev.aquifer.testkit.PostgresExtension;
import dev.aquifer.testkit.PostgresNode;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** A primary that stands still, and that nobody replaces. */
class HaltedPrimaryTest {
  @RegisterExtension
  static final PostgresExtension POSTGRES =
      PostgresExtension.own(PostgresCluster.builder())
          .schema(
              "CREATE TABLE item (id int PRIMARY KEY)",
              "CREATE TABLE locked (id int)",
              "INSERT INTO locked VALUES (1)");

  private static final String WAITING =
      "SELECT count(*) FROM pg_locks WHERE NOT granted AND relation = 'locked'::regclass";

  @RegisterExtension final LeakCheck leaks = LeakCheck.of().threads("aquifer-");

  /** What a caller was told, and how long it was blocked. */
  private record Told(String state, Duration after) {}

  private interface Call {
    void run() throws SQLException;
  }

  private static Told told(Call call) {
    long begun = System.nanoTime();
    String state;
    try {
      call.run();
      state = "";
    } catch (SQLException e) {
      state = e.getSQLState();
    }
    return new Told(state, Duration.ofNanos(System.nanoTime() - begun));
  }

  private static Connection writer(ReplicaSet set, int id) throws SQLException {
    Connection connection = set.getConnection();
    connection.setAutoCommit(false);
    Sets.execute(connection, "INSERT INTO item VALUES (" + id + ")");
    return connection;
  }

  @Test
  void callersAreFreed_writesAreNotRunAgain_readsAre() throws Exception {
    PostgresNode primary = POSTGRES.database().cluster().primary();
    ExecutorService callers = Executors.newFixedThreadPool(4);
    try (ReplicaSet set = Sets.of(POSTGRES.database()).build();
        Connection committing = writer(set, 10);
        Connection working = writer(set, 11)) {
      Sets.execute(working, "LOCK TABLE locked");
      Future<Told> read =
          callers.submit(() -> told(() -> Sets.query(set, "SELECT id FROM locked")));
      Eventually.within(Duration.ofSeconds(5))
          .until("it waits", () -> Sets.query(committing, WAITING).equals("1"));
      primary.pause();
      List<Told> all;
      try {
        Future<Told> commit = callers.submit(() -> told(committing::commit));
        Future<Told> within =
            callers.submit(() -> told(() -> Sets.query(working, "SELECT count(*) FROM item")));
        Future<Told> single =
            callers.submit(() -> told(() -> Sets.execute(set, "INSERT INTO item VALUES (12)")));
        all =
            List.of(
                commit.get(20, TimeUnit.SECONDS),
                within.get(20, TimeUnit.SECONDS),
                single.get(20, TimeUnit.SECONDS));
      } finally {
        primary.resume();
      }
      System.getLogger("test").log(System.Logger.Level.INFO, "told {0}", all);
      assertThat(all).extracting(Told::state).startsWith("08007", "08006");
      assertThat(all.get(2).state()).startsWith("08");
      // Six times 250 ms, and what a busy machine needs; the third may have waited its 2 s for it.
      assertThat(all).allMatch(told -> told.after().compareTo(Duration.ofSeconds(4)) < 0);
      assertThat(read.get(20, TimeUnit.SECONDS).state()).as("the read").isEmpty();
      Eventually.within(Duration.ofSeconds(20)).until("it is back", () -> set.health().writable());
      assertThat(Sets.query(set, "SELECT count(*) FROM item WHERE id = 11")).isEqualTo("0");
    } finally {
      callers.shutdownNow();
    }
  }

  @Test
  void stallThatIsShort_costsNoTransaction() throws Exception {
    PostgresNode primary = POSTGRES.database().cluster().primary();
    try (ReplicaSet set =
            Sets.of(POSTGRES.database()).primaryTimeout(Duration.ofSeconds(20)).build();
        Connection open = writer(set, 20)) {
      primary.pause();
      try {
        Eventually.within(Duration.ofSeconds(10))
            .until("it is out of use", () -> !set.health().writable());
      } finally {
        primary.resume();
      }
      open.commit();
      Eventually.within(Duration.ofSeconds(20)).until("it is back", () -> set.health().writable());
      assertThat(Sets.query(set, "SELECT count(*) FROM item WHERE id = 20")).isEqualTo("1");
    }
  }

  @Test
  void timeoutThatLeavesNoRoomForProbes_isRefused() {
    assertThatThrownBy(
            () ->
                Sets.of(POSTGRES.database())
                    .probeTimeout(Duration.ofSeconds(1))
                    .primaryTimeout(Duration.ofSeconds(3))
                    .build())
        .isInstanceOf(ConfigurationException.class)
        .hasMessageContaining("primaryTimeout PT3S")
        .hasMessageContaining("probeTimeout PT1S");
  }
}
