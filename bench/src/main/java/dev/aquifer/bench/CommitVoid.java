package dev.aquifer.bench;

import dev.aquifer.ReadFloor;
import dev.aquifer.Tenant;
import dev.aquifer.cache.Caches;
import dev.aquifer.spi.WriteSet;
import java.time.Duration;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Warmup;

/** What the caches add to a commit of one table, over loopback; {@code 0}: with no poison. */
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Fork(1)
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 5, time = 1)
public class CommitVoid {
  private static final WriteSet WRITES = new WriteSet(1, Tenant.of("DFW"), Set.of("flight"), false);

  /** A node. */
  @State(Scope.Benchmark)
  public static class Node extends Redis {
    /** Seconds. */
    @Param({"60", "0"})
    public int poisonLimit;

    Caches caches;

    /** Starts it. */
    @Setup
    public void open() {
      startServer();
      caches =
          Caches.builder()
              .redis(server.uri().toString())
              .remoteTimeout(Duration.ofSeconds(1))
              .poisonLimit(Duration.ofSeconds(poisonLimit))
              .build();
    }

    /** Ends it. */
    @TearDown
    public void close() {
      caches.close();
      stopServer();
    }
  }

  /** Both sides of the commit. */
  @Benchmark
  public void aquifer(Node node) {
    node.caches.committing(WRITES);
    node.caches.committed(WRITES, ReadFloor.NONE);
  }
}
