package dev.aquifer.replica;

import dev.aquifer.testkit.PostgresNode;
import dev.aquifer.testkit.TestDatabase;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.locks.ReentrantLock;

/** Standbys that stop and resume replaying, in an order that a seed gives. Thread-safe. */
final class ReplayFaults implements AutoCloseable {
  private final ReentrantLock lock = new ReentrantLock();
  private final SplittableRandom random;
  private final List<Connection> standbys = new ArrayList<>();
  private final boolean[] paused;
  private int turns;

  ReplayFaults(TestDatabase database, long seed) throws SQLException {
    random = new SplittableRandom(seed);
    for (PostgresNode node : database.cluster().nodes()) {
      if (node != database.cluster().primary()) {
        standbys.add(database.dataSource(node).getConnection());
      }
    }
    paused = new boolean[standbys.size()];
  }

  /** Pauses one of them, or lets it go on. */
  void turn() throws SQLException {
    lock.lock();
    try {
      turns++;
      int i = random.nextInt(paused.length);
      paused[i] = !paused[i];
      Sets.query(standbys.get(i), replay(paused[i] ? "pause" : "resume"));
    } finally {
      lock.unlock();
    }
  }

  int turns() {
    return turns;
  }

  /** All go on. */
  @Override
  public void close() throws SQLException {
    for (Connection standby : standbys) {
      Sets.query(standby, replay("resume"));
      standby.close();
    }
  }

  private static String replay(String what) {
    return "SELECT pg_wal_replay_" + what + "()";
  }
}
