package dev.aquifer.bench;

import com.zaxxer.hikari.HikariDataSource;
import java.sql.SQLException;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import javax.sql.DataSource;
import org.apache.shardingsphere.driver.api.ShardingSphereDataSourceFactory;
import org.apache.shardingsphere.infra.algorithm.core.config.AlgorithmConfiguration;
import org.apache.shardingsphere.infra.config.mode.ModeConfiguration;
import org.apache.shardingsphere.mode.repository.standalone.StandalonePersistRepositoryConfiguration;
import org.apache.shardingsphere.readwritesplitting.config.ReadwriteSplittingRuleConfiguration;
import org.apache.shardingsphere.readwritesplitting.config.rule.ReadwriteSplittingDataSourceGroupRuleConfiguration;
import org.openjdk.jmh.annotations.Level;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;

/** ShardingSphere-JDBC with read-write splitting over two HikariCP pools. */
@State(Scope.Benchmark)
public class ShardingSphereSource extends Postgres {
  DataSource source;
  private HikariDataSource primary;
  private HikariDataSource replica;

  /** Starts the servers, the pools and the router. */
  @Setup(Level.Trial)
  public void open() throws SQLException {
    startServers();
    primary = PooledSource.hikari(database.url(), database.user(), database.password());
    replica =
        PooledSource.hikari(database.standbyUrls().get(0), database.user(), database.password());
    ReadwriteSplittingRuleConfiguration rule =
        new ReadwriteSplittingRuleConfiguration(
            List.of(
                new ReadwriteSplittingDataSourceGroupRuleConfiguration(
                    "group", "primary", List.of("replica"), "turns")),
            Map.of("turns", new AlgorithmConfiguration("ROUND_ROBIN", new Properties())));
    source =
        ShardingSphereDataSourceFactory.createDataSource(
            new ModeConfiguration(
                "Standalone",
                new StandalonePersistRepositoryConfiguration("JDBC", new Properties())),
            Map.of("primary", primary, "replica", replica),
            List.of(rule),
            new Properties());
  }

  /** Ends them. */
  @TearDown(Level.Trial)
  public void close() throws Exception {
    ((AutoCloseable) source).close();
    primary.close();
    replica.close();
    stopServers();
  }
}
