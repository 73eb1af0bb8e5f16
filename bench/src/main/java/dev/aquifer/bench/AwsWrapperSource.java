package dev.aquifer.bench;

import com.zaxxer.hikari.HikariConfig;
import java.util.Properties;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Level;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import software.amazon.jdbc.Driver;
import software.amazon.jdbc.HikariPooledConnectionProvider;
import software.amazon.jdbc.ds.AwsWrapperDataSource;

/** The AWS wrapper with its read-write splitting and its internal HikariCP pools. */
@State(Scope.Benchmark)
public class AwsWrapperSource extends Postgres {
  AwsWrapperDataSource source;
  private HikariPooledConnectionProvider pools;

  /** Starts the servers, the pools and the router. */
  @Setup(Level.Trial)
  public void open() {
    startServers();
    pools =
        new HikariPooledConnectionProvider(
            (host, properties) -> {
              HikariConfig config = new HikariConfig();
              config.setMinimumIdle(POOL);
              config.setMaximumPoolSize(POOL);
              return config;
            },
            (host, properties) -> host.getUrl(),
            // By default it pools connections to servers of RDS only.
            (host, properties) -> true,
            TimeUnit.MINUTES.toNanos(30),
            TimeUnit.MINUTES.toNanos(10));
    Driver.setCustomConnectionProvider(pools);
    Properties properties = new Properties();
    properties.setProperty("wrapperPlugins", "readWriteSplitting");
    properties.setProperty("wrapperDialect", "pg");
    properties.setProperty("singleWriterConnectionString", "true");
    source = new AwsWrapperDataSource();
    source.setTargetDataSourceClassName("org.postgresql.ds.PGSimpleDataSource");
    source.setTargetDataSourceProperties(properties);
    source.setUser(database.user());
    source.setPassword(database.password());
    source.setJdbcUrl(
        "jdbc:aws-wrapper:postgresql://%s:%d,%s:%d/%s"
            .formatted(
                cluster.primary().host(),
                cluster.primary().port(),
                cluster.standby(0).host(),
                cluster.standby(0).port(),
                database.name()));
  }

  /** Ends them. */
  @TearDown(Level.Trial)
  public void close() {
    pools.releaseResources();
    Driver.resetCustomConnectionProvider();
    stopServers();
  }
}
