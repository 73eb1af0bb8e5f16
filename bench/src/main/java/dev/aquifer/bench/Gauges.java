package dev.aquifer.bench;

import dev.aquifer.Tenant;
import dev.aquifer.TenantContext;
import dev.aquifer.tsquery.Aggregate;
import dev.aquifer.tsquery.Backend;
import dev.aquifer.tsquery.FetchRequest;
import dev.aquifer.tsquery.RowSink;
import dev.aquifer.tsquery.StatementText;
import dev.aquifer.tsquery.TimeRange;
import dev.aquifer.tsquery.TimeSeries;
import dev.aquifer.tsquery.TimeSeriesQuery;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.List;
import java.util.SplittableRandom;
import org.openjdk.jmh.annotations.Level;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;

/**
 * Gauges by the minute, all cached: readings of one decimal that wander, as a thermometer's do. The
 * server is a loop, so that what is measured is the library alone.
 */
@State(Scope.Benchmark)
public class Gauges {
  static final Instant START = Instant.parse("2026-01-01T00:00:00Z");
  private static final Tenant TENANT = Tenant.of("DFW");
  private static final long MINUTE = Duration.ofMinutes(1).toNanos();
  private static final String MEASUREMENT = "weather";

  TimeSeries series;
  private TenantContext.Scope scope;

  /** Answers any range with readings of so many sensors. */
  private record Sensors(int count) implements Backend {
    @Override
    public String name() {
      return "sensors";
    }

    @Override
    public void check(TimeSeriesQuery query) {}

    @Override
    public List<StatementText> render(FetchRequest request) {
      return List.of();
    }

    @Override
    public void fetch(FetchRequest request, RowSink sink) {
      for (TimeRange range : request.ranges()) {
        long stop = nanos(range.stop());
        for (int sensor = 0; sensor < count; sensor++) {
          SplittableRandom random = new SplittableRandom(sensor);
          List<String> group = List.of("sensor-" + sensor);
          int tenths = 200;
          for (long at = nanos(range.start()); at < stop; at += MINUTE) {
            tenths += random.nextInt(11) - 5;
            sink.row(group, at);
            sink.doubleValue(0, tenths / 10.0);
          }
        }
      }
    }
  }

  private static long nanos(Instant time) {
    return Duration.between(Instant.EPOCH, time).toNanos();
  }

  void open(int sensors) {
    series =
        TimeSeries.builder()
            .backend(new Sensors(sensors))
            .clock(Clock.fixed(START.plus(Duration.ofDays(400)), ZoneOffset.UTC))
            .build();
  }

  TimeSeriesQuery minutes(int windows) {
    return TimeSeriesQuery.builder(MEASUREMENT)
        .select(Aggregate.MEAN, "value")
        .groupBy("sensor")
        .every(Duration.ofMinutes(1))
        .range(START, START.plus(Duration.ofMinutes(windows)))
        .build();
  }

  void invalidate(Duration from, Duration length) {
    series.invalidate(MEASUREMENT, START.plus(from), START.plus(from).plus(length));
  }

  /** Enters the tenant. */
  @Setup(Level.Iteration)
  public void enter() {
    scope = TenantContext.enter(TENANT);
  }

  /** Leaves it. */
  @TearDown(Level.Iteration)
  public void leave() {
    scope.close();
  }

  /** Runs with the tenant, where an iteration has not begun. */
  static void asTenant(Runnable work) {
    TENANT.run(work);
  }

  /** Ends it. */
  @TearDown(Level.Trial)
  public void close() {
    series.close();
  }
}
