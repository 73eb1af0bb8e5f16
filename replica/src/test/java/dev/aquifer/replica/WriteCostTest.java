package dev.aquifer.replica;

import static org.assertj.core.api.Assertions.assertThat;

import dev.aquifer.CausalSession;
import dev.aquifer.CausalToken;
import dev.aquifer.testkit.PostgresTest;
import dev.aquifer.testkit.TestDatabase;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.concurrent.Callable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** What writes ask of the server, counted in its protocol. No probe comes unless it is wanted. */
@PostgresTest(schema = "CREATE TABLE item (id int PRIMARY KEY, n int)")
class WriteCostTest {
  private static final int ROUNDS = 5;
  private static final int WRITES = 10;

  private RoundTrips server;
  private ReplicaSet set;
  private Connection plain;
  private int nextId;

  @BeforeEach
  void open(TestDatabase database) throws Exception {
    try (Connection connection = database.dataSource().getConnection();
        Statement statement = connection.createStatement()) {
      statement.execute("TRUNCATE item");
    }
    server = new RoundTrips(database.cluster().primary().port());
    set =
        ReplicaSet.builder()
            .primary(server.url(database.name()))
            .credentials(database.user(), database.password())
            .sampleEvery(Duration.ofHours(1))
            .catalogEvery(Duration.ZERO)
            .pool(pool -> pool.minimumIdle(1).maximumSize(1))
            .build();
    plain =
        DriverManager.getConnection(
            server.url(database.name()), database.user(), database.password());
  }

  @AfterEach
  void close() throws Exception {
    plain.close();
    set.close();
    server.close();
  }

  /** The fewest of some rounds: a pool may look after a connection beside what callers do. */
  private long trips(Callable<?> work) throws Exception {
    long fewest = Long.MAX_VALUE;
    for (int round = 0; round < ROUNDS; round++) {
      long before = server.count();
      work.call();
      fewest = Math.min(fewest, server.count() - before);
    }
    return fewest;
  }

  private int insert(Connection connection) throws SQLException {
    try (PreparedStatement insert = connection.prepareStatement("INSERT INTO item VALUES (?, 0)")) {
      insert.setInt(1, nextId++);
      return insert.executeUpdate();
    }
  }

  private int writes(Connection connection) throws SQLException {
    for (int i = 0; i < WRITES; i++) {
      insert(connection);
    }
    return WRITES;
  }

  private int transaction(Connection connection) throws SQLException {
    connection.setAutoCommit(false);
    int written = writes(connection);
    connection.commit();
    connection.setAutoCommit(true);
    return written;
  }

  private int routed(boolean transaction) throws SQLException {
    try (Connection connection = set.getConnection()) {
      return transaction ? transaction(connection) : writes(connection);
    }
  }

  @Test
  void write_costsOneRoundTrip_asWithoutARouter() throws Exception {
    assertThat(trips(() -> writes(plain))).isEqualTo(WRITES);
    assertThat(trips(() -> routed(false))).isEqualTo(WRITES);
  }

  @Test
  void transaction_costsWhatItDoesWithoutARouter() throws Exception {
    long without = trips(() -> transaction(plain));
    assertThat(without).isGreaterThan(WRITES);
    assertThat(trips(() -> routed(true))).isEqualTo(without);
  }

  @Test
  void token_costsOneRoundTripAfterAWrite_andNoneWithout() throws Exception {
    CausalSession session = set.sessions().open();
    long exported =
        trips(
            () ->
                set.sessions()
                    .call(
                        session,
                        () -> {
                          Sets.execute(set, "INSERT INTO item VALUES (" + nextId++ + ", 0)");
                          return set.token(session);
                        }));
    assertThat(exported).isEqualTo(2);
    CausalToken token = set.token(session);
    assertThat(trips(() -> assertThat(set.token(session)).isEqualTo(token))).isZero();
  }
}
