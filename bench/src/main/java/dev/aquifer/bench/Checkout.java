package dev.aquifer.bench;

import java.sql.Connection;
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
 * A connection is taken and given back, with nothing in between. Aquifer's, as ShardingSphere's,
 * leases nothing from a pool before its first statement: {@link SelectOne} has that part.
 */
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Fork(1)
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 5, time = 1)
public class Checkout {
  /** Aquifer. */
  @Benchmark
  public boolean aquifer(RoutedSource state) throws SQLException {
    try (Connection connection = state.set.getConnection()) {
      return connection.isReadOnly();
    }
  }

  /** Aquifer's pool, no routing. */
  @Benchmark
  public boolean pool(AdaptivePoolSource state) throws SQLException {
    try (Connection connection = state.pool.getConnection()) {
      return connection.isReadOnly();
    }
  }

  /** One pool, no routing. */
  @Benchmark
  public boolean hikari(PooledSource state) throws SQLException {
    try (Connection connection = state.pool.getConnection()) {
      return connection.isReadOnly();
    }
  }

  /** ShardingSphere-JDBC. */
  @Benchmark
  public boolean shardingsphere(ShardingSphereSource state) throws SQLException {
    try (Connection connection = state.source.getConnection()) {
      return connection.isReadOnly();
    }
  }

  /** The AWS wrapper. */
  @Benchmark
  public boolean awswrapper(AwsWrapperSource state) throws SQLException {
    try (Connection connection = state.source.getConnection()) {
      return connection.isReadOnly();
    }
  }
}
