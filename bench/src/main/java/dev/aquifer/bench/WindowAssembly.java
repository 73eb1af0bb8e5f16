package dev.aquifer.bench;

import dev.aquifer.tsquery.TimeSeriesQuery;
import dev.aquifer.tsquery.TimeSeriesResult;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Level;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.Warmup;

/** An answer of 1,000,000 points, all of them cached; and what they take in memory. */
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MILLISECONDS)
@Fork(
    value = 1,
    jvmArgsAppend = {"-Xmx2g", "-XX:+UseParallelGC"})
@Warmup(iterations = 5, time = 1)
@Measurement(iterations = 5, time = 1)
public class WindowAssembly extends Gauges {
  private static final int SENSORS = 20;
  private static final int WINDOWS = 50_000;

  private TimeSeriesQuery query;

  /** Fetches them once, and prints what the cache holds. */
  @Setup(Level.Trial)
  public void fill() {
    open(SENSORS);
    query = minutes(WINDOWS);
    asTenant(() -> series.query(minutes(1)));
    long before = used();
    asTenant(() -> series.query(query));
    System.out.printf(
        "memory: %.2f bytes a point%n", (used() - before) / (double) (SENSORS * WINDOWS));
  }

  private static long used() {
    Runtime runtime = Runtime.getRuntime();
    long used = Long.MAX_VALUE;
    // Weak references are let go of by a collection, what they held by the next.
    for (int i = 0; i < 4; i++) {
      System.gc();
      used = Math.min(used, runtime.totalMemory() - runtime.freeMemory());
    }
    return used;
  }

  /** Aquifer. */
  @Benchmark
  public TimeSeriesResult aquifer() {
    return series.query(query);
  }
}
