package dev.aquifer.bench;

import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Warmup;

/**
 * The whole way of the smallest read: a connection, a prepared statement, one row of a standby, and
 * all closed. What is more than the plain pool's time is what routing costs.
 */
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Fork(1)
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 5, time = 1)
public class SelectOne {
  private static final String SQL = "select 1";

  /** Aquifer. */
  @Benchmark
  public int aquifer(RoutedSource state) throws SQLException {
    try (Connection connection = state.set.getConnection()) {
      return read(connection);
    }
  }

  /** One pool, no routing. */
  @Benchmark
  public int hikari(PooledSource state) throws SQLException {
    try (Connection connection = state.pool.getConnection()) {
      return read(connection);
    }
  }

  /** ShardingSphere-JDBC. */
  @Benchmark
  public int shardingsphere(ShardingSphereSource state) throws SQLException {
    try (Connection connection = state.source.getConnection()) {
      return read(connection);
    }
  }

  /** The AWS wrapper; it goes to a standby when the connection is said to be read-only. */
  @Benchmark
  public int awswrapper(AwsWrapperSource state) throws SQLException {
    try (Connection connection = state.source.getConnection()) {
      connection.setReadOnly(true);
      return read(connection);
    }
  }

  private static int read(Connection connection) throws SQLException {
    try (PreparedStatement statement = connection.prepareStatement(SQL);
        ResultSet rows = statement.executeQuery()) {
      rows.next();
      return rows.getInt(1);
    }
  }
}
