package dev.aquifer.bench;

import dev.aquifer.replica.ReplicaSet;
import org.openjdk.jmh.annotations.Level;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;

/** Aquifer's router. */
@State(Scope.Benchmark)
public class RoutedSource extends Postgres {
  ReplicaSet set;

  /** Starts the servers and the router. */
  @Setup(Level.Trial)
  public void open() {
    startServers();
    set =
        ReplicaSet.builder()
            .primary(database.url())
            .replica(database.standbyUrls().get(0))
            .credentials(database.user(), database.password())
            .pool(pool -> pool.minimumIdle(POOL).maximumSize(POOL))
            .build();
  }

  /** Ends them. */
  @TearDown(Level.Trial)
  public void close() {
    set.close();
    stopServers();
  }
}
