package dev.aquifer.replica;

import dev.aquifer.ReadFloor;
import dev.aquifer.spi.CommitListener;
import dev.aquifer.spi.Observer;
import dev.aquifer.spi.WriteSet;
import dev.aquifer.testkit.Eventually;
import dev.aquifer.testkit.TestDatabase;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;

/** Replica sets over a test database, and what the tests of this package do with them. */
final class Sets {
  private Sets() {}

  static ReplicaSetBuilder of(TestDatabase database) {
    ReplicaSetBuilder builder =
        ReplicaSet.builder()
            .primary(database.url())
            .credentials(database.user(), database.password())
            .pool(pool -> pool.maximumSize(8));
    database.standbyUrls().forEach(builder::replica);
    return builder;
  }

  /** With one replica, however many standbys a shared cluster has by now. */
  static ReplicaSetBuilder ofOne(TestDatabase database) {
    return ReplicaSet.builder()
        .primary(database.url())
        .replica(database.url(database.cluster().standby(0)))
        .credentials(database.user(), database.password());
  }

  static void awaitReplicas(ReplicaSet set, int count) {
    Eventually.within(Duration.ofSeconds(10))
        .until(count + " replicas in use", () -> set.health().usableReplicas() == count);
  }

  static void execute(ReplicaSet set, String sql) throws SQLException {
    try (Connection connection = set.getConnection()) {
      execute(connection, sql);
    }
  }

  static void execute(Connection connection, String sql) throws SQLException {
    try (Statement statement = connection.createStatement()) {
      statement.execute(sql);
    }
  }

  static String query(ReplicaSet set, String sql) throws SQLException {
    try (Connection connection = set.getConnection()) {
      return query(connection, sql);
    }
  }

  static String query(Connection connection, String sql) throws SQLException {
    try (Statement statement = connection.createStatement();
        ResultSet rows = statement.executeQuery(sql)) {
      return rows.next() ? rows.getString(1) : null;
    }
  }

  /** Remembers routes. */
  static final class Routes implements Observer {
    final List<String> seen = new CopyOnWriteArrayList<>();
    final List<String> nodes = new CopyOnWriteArrayList<>();
    final List<String> failures = new CopyOnWriteArrayList<>();

    @Override
    public void routed(String node, Role role, RouteReason reason) {
      seen.add(role + " " + reason);
      nodes.add(node);
    }

    @Override
    public void listenerFailed(String listener, Throwable error) {
      failures.add(String.valueOf(error.getMessage()));
    }

    String last() {
      return seen.get(seen.size() - 1);
    }
  }

  /** Remembers what it is told. */
  static final class Listener implements CommitListener {
    final List<String> told = new CopyOnWriteArrayList<>();

    /** Of commits: the tenant, or everybody. */
    final List<String> tenants = new CopyOnWriteArrayList<>();

    @Override
    public void committing(WriteSet writes) {
      told.add("committing " + text(writes));
    }

    @Override
    public void committed(WriteSet writes, ReadFloor floor) {
      told.add("committed " + text(writes));
      tenants.add(writes.tenant() == null ? "everybody" : writes.tenant().id());
    }

    @Override
    public void rolledBack(WriteSet writes) {
      told.add("rolledBack " + text(writes));
    }

    @Override
    public void outcomeUnknown(WriteSet writes, ReadFloor floor) {
      told.add("unknown " + text(writes));
    }

    List<String> take() {
      List<String> all = List.copyOf(told);
      told.clear();
      return all;
    }

    private static String text(WriteSet writes) {
      return writes.tables().stream().sorted().toList() + (writes.unknownTables() ? "+?" : "");
    }
  }
}
