package dev.aquifer.bench;

import dev.aquifer.tsquery.TimeSeriesQuery;
import java.time.Duration;
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

/** An hour is voided in the midst of 1,000,000 cached points. */
@BenchmarkMode(Mode.SingleShotTime)
@OutputTimeUnit(TimeUnit.MICROSECONDS)
@Fork(
    value = 1,
    jvmArgsAppend = {"-Xmx2g", "-XX:+UseParallelGC"})
@Warmup(iterations = 50)
@Measurement(iterations = 50)
public class RangeInvalidation extends Gauges {
  private static final int SENSORS = 20;
  private static final int WINDOWS = 50_000;

  private TimeSeriesQuery query;
  private int hour;

  /** Makes the cache. */
  @Setup(Level.Trial)
  public void make() {
    open(SENSORS);
    query = minutes(WINDOWS);
  }

  /** Fetches what is missing. */
  @Setup(Level.Invocation)
  public void fill() {
    asTenant(() -> series.query(query));
    hour = (hour + 7) % (WINDOWS / 60);
  }

  /** Aquifer. */
  @Benchmark
  public void aquifer() {
    invalidate(Duration.ofHours(hour), Duration.ofHours(1));
  }
}
