package dev.aquifer.examples;

import dev.aquifer.testkit.PostgresCluster;
import dev.aquifer.testkit.PostgresNode;
import dev.aquifer.testkit.RedisServer;
import dev.aquifer.testkit.TestDatabase;
import java.io.PrintStream;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;

/** The servers of the example: a primary, two standbys and Redis, real ones. */
final class Servers implements AutoCloseable {
  /** The second standby replays this much late, as one far away or busy would. */
  private static final Duration BEHIND = Duration.ofMillis(150);

  private final PostgresCluster postgres;
  private final RedisServer redis;
  private final TestDatabase database;

  private Servers(PostgresCluster postgres, RedisServer redis) {
    this.postgres = postgres;
    this.redis = redis;
    this.database = postgres.createDatabase("departures");
  }

  static Servers start(PrintStream out) throws SQLException {
    long start = System.nanoTime();
    PostgresCluster postgres = PostgresCluster.builder().standbys(2).start();
    try {
      RedisServer redis = RedisServer.start();
      try {
        Servers servers = new Servers(postgres, redis);
        out.printf(
            "PostgreSQL %s with two standbys and Redis %s are up after %.1f s%n",
            servers.version(), redis.version(), (System.nanoTime() - start) / 1e9);
        return servers;
      } catch (RuntimeException | SQLException e) {
        redis.close();
        throw e;
      }
    } catch (RuntimeException | SQLException e) {
      postgres.close();
      throw e;
    }
  }

  /**
   * From now on the second standby lags; before, it would only slow down the loading of the data.
   */
  void letOneStandbyLag() {
    PostgresNode lagging = postgres.standby(1);
    lagging.execute(
        "alter system set recovery_min_apply_delay = '%dms'".formatted(BEHIND.toMillis()));
    lagging.execute("select pg_reload_conf()");
  }

  TestDatabase database() {
    return database;
  }

  PostgresCluster postgres() {
    return postgres;
  }

  RedisServer redis() {
    return redis;
  }

  String version() throws SQLException {
    try (Connection connection = database.dataSource().getConnection();
        Statement statement = connection.createStatement();
        ResultSet row = statement.executeQuery("show server_version")) {
      row.next();
      return row.getString(1);
    }
  }

  @Override
  public void close() {
    try {
      redis.close();
    } finally {
      postgres.close();
    }
  }
}
