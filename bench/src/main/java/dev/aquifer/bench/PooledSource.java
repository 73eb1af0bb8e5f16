package dev.aquifer.bench;

import com.zaxxer.hikari.HikariConfig;
import com.zaxxer.hikari.HikariDataSource;
import org.openjdk.jmh.annotations.Level;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;

/** HikariCP over one node: the floor under every router, which must have a pool as well. */
@State(Scope.Benchmark)
public class PooledSource extends Postgres {
  HikariDataSource pool;

  /** Starts the servers and the pool. */
  @Setup(Level.Trial)
  public void open() {
    startServers();
    pool = hikari(database.standbyUrls().get(0), database.user(), database.password());
  }

  static HikariDataSource hikari(String url, String user, String password) {
    HikariConfig config = new HikariConfig();
    config.setJdbcUrl(url);
    config.setUsername(user);
    config.setPassword(password);
    config.setMinimumIdle(POOL);
    config.setMaximumPoolSize(POOL);
    return new HikariDataSource(config);
  }

  /** Ends them. */
  @TearDown(Level.Trial)
  public void close() {
    pool.close();
    stopServers();
  }
}
