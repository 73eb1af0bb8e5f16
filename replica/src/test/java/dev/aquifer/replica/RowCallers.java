package dev.aquifer.replica;

import dev.aquifer.CausalSession;
import dev.aquifer.replica.RowHistory.Outcome;
import dev.aquifer.spi.LastRoute;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Queue;
import java.util.SplittableRandom;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;
import javax.sql.DataSource;

/**
 * Callers that write rows of their own key, half of them in transactions, and read any key, each in
 * a session of its own; all of it goes into a {@link RowHistory}.
 */
final class RowCallers implements AutoCloseable {
  static final String SCHEMA = "CREATE TABLE entry (key int NOT NULL, id bigint NOT NULL)";
  static final String INDEX = "CREATE INDEX ON entry (key, id)";

  private static final String INSERT = "INSERT INTO entry VALUES (?, ?)";
  private static final String NEWEST = "SELECT coalesce(max(id), 0) FROM entry WHERE key = ?";
  private static final long PAUSE = 1_000_000;

  final RowHistory history = new RowHistory();
  final Queue<SQLException> readErrors = new ConcurrentLinkedQueue<>();
  final AtomicLong done = new AtomicLong();
  private final ReplicaSet set;
  private final int keys;
  private final double writes;
  private final AtomicLong ids = new AtomicLong();
  private final AtomicBoolean stop = new AtomicBoolean();
  private final List<Thread> threads = new ArrayList<>();

  /**
   * Starts them.
   *
   * @param writes which part of what they do is a write
   */
  RowCallers(ReplicaSet set, int callers, double writes, long seed) {
    this.set = set;
    this.keys = callers;
    this.writes = writes;
    for (int i = 0; i < callers; i++) {
      int key = i;
      RowHistory.Caller caller = history.caller();
      CausalSession session = set.sessions().open();
      SplittableRandom random = new SplittableRandom(seed + i);
      Thread thread = new Thread(() -> work(caller, key, session, random), "caller-" + i);
      threads.add(thread);
      thread.start();
    }
  }

  private void work(
      RowHistory.Caller caller, int key, CausalSession session, SplittableRandom random) {
    while (!stop.get()) {
      try {
        set.sessions()
            .call(
                session,
                () -> {
                  if (random.nextDouble() < writes) {
                    write(caller, key, random.nextBoolean());
                  } else {
                    read(caller, random.nextBoolean() ? key : (key + 1) % keys);
                  }
                  return key;
                });
      } catch (Exception e) {
        throw new IllegalStateException(e);
      }
      done.incrementAndGet();
      LockSupport.parkNanos(random.nextLong(PAUSE));
    }
  }

  private void write(RowHistory.Caller caller, int key, boolean inTransaction) {
    long id = ids.incrementAndGet();
    long begun = System.nanoTime();
    Outcome outcome = inTransaction ? transaction(key, id) : statement(key, id);
    caller.wrote(key, id, begun, System.nanoTime(), outcome);
  }

  private Outcome statement(int key, long id) {
    try (Connection connection = set.getConnection()) {
      insert(connection, key, id);
      return Outcome.DONE;
    } catch (SQLException e) {
      return isUnsent(e) ? Outcome.FAILED : Outcome.UNKNOWN;
    }
  }

  private Outcome transaction(int key, long id) {
    boolean committing = false;
    try (Connection connection = set.getConnection()) {
      connection.setAutoCommit(false);
      insert(connection, key, id);
      committing = true;
      connection.commit();
      return Outcome.DONE;
    } catch (SQLException e) {
      // What the set says of a lost transaction: nothing of it was committed.
      return committing ? Outcome.UNKNOWN : Outcome.FAILED;
    }
  }

  /** No connection was to be had. */
  private static boolean isUnsent(SQLException error) {
    return "08001".equals(error.getSQLState()) || Failures.isPoolTimeout(error);
  }

  private static void insert(Connection connection, int key, long id) throws SQLException {
    try (PreparedStatement insert = connection.prepareStatement(INSERT)) {
      insert.setInt(1, key);
      insert.setLong(2, id);
      insert.executeUpdate();
    }
  }

  private void read(RowHistory.Caller caller, int key) {
    long begun = System.nanoTime();
    try (Connection connection = set.getConnection();
        PreparedStatement newest = connection.prepareStatement(NEWEST)) {
      newest.setInt(1, key);
      try (ResultSet row = newest.executeQuery()) {
        row.next();
        long id = row.getLong(1);
        caller.read(key, id, begun, System.nanoTime(), String.valueOf(LastRoute.last()));
      }
    } catch (SQLException e) {
      readErrors.add(e);
    }
  }

  /** All rows of a node, read directly. */
  static Collection<Long> rows(DataSource node) throws SQLException {
    List<Long> rows = new ArrayList<>();
    try (Connection connection = node.getConnection();
        PreparedStatement all = connection.prepareStatement("SELECT id FROM entry");
        ResultSet row = all.executeQuery()) {
      while (row.next()) {
        rows.add(row.getLong(1));
      }
    }
    return rows;
  }

  @Override
  public void close() {
    stop.set(true);
    try {
      for (Thread thread : threads) {
        thread.join(60_000);
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
