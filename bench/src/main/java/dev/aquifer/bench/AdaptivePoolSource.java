package dev.aquifer.bench;

import dev.aquifer.pool.AdaptivePool;
import dev.aquifer.pool.PoolSettings;
import org.openjdk.jmh.annotations.Level;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;

/** Aquifer's pool over one node: HikariCP, measured and sized. */
@State(Scope.Benchmark)
public class AdaptivePoolSource extends Postgres {
  AdaptivePool pool;

  /** Starts the servers and the pool. */
  @Setup(Level.Trial)
  public void open() {
    startServers();
    pool =
        AdaptivePool.open(
            PoolSettings.builder()
                .url(database.standbyUrls().get(0))
                .credentials(database.user(), database.password())
                .minimumIdle(POOL)
                .maximumSize(POOL)
                .build());
  }

  /** Ends them. */
  @TearDown(Level.Trial)
  public void close() {
    pool.close();
    stopServers();
  }
}
