package dev.aquifer.bench;

import dev.aquifer.tsquery.Explanation;
import dev.aquifer.tsquery.TimeSeriesQuery;
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

/**
 * What is cached of a day by minutes, whose newest windows are missing: the plan of a dashboard's
 * refresh, with the words that explain it.
 */
@BenchmarkMode({Mode.AverageTime, Mode.SampleTime})
@OutputTimeUnit(TimeUnit.MICROSECONDS)
@Fork(1)
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 5, time = 1)
public class CoveragePlan extends Gauges {
  private static final int DAY = 24 * 60;

  private TimeSeriesQuery query;

  /** Fetches all but the newest windows. */
  @Setup(Level.Trial)
  public void fill() {
    open(1);
    query = minutes(DAY);
    asTenant(() -> series.query(minutes(DAY - 2)));
  }

  /** Aquifer. */
  @Benchmark
  public Explanation aquifer() {
    return series.explain(query);
  }
}
