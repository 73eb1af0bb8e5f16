package dev.aquifer.tsquery;

import dev.aquifer.CausalSession;
import dev.aquifer.CausalSessions;
import dev.aquifer.Tenant;
import dev.aquifer.cache.Caches;
import dev.aquifer.testkit.FakeTicker;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.function.UnaryOperator;

/** One node of a test, whose sessions are its own, in front of points in windows of 10 s. */
record ClusterNode(Caches caches, CausalSessions sessions, TimeSeries series)
    implements AutoCloseable {
  static final Tenant T1 = Tenant.of("t1");
  static final long SECOND = Nanos.PER_SECOND;

  static ClusterNode open(
      String uri,
      Backend backend,
      Clock clock,
      UnaryOperator<TimeSeriesBuilder> settings,
      FakeTicker nanos) {
    CausalSessions sessions = new CausalSessions();
    Caches caches =
        Caches.builder()
            .redis(uri)
            .sessions(sessions)
            .clock(nanos)
            .remoteTimeout(Duration.ofMillis(1_500))
            .build();
    TimeSeriesBuilder series =
        TimeSeries.builder()
            .backend(backend)
            .clock(clock)
            .lateness(Duration.ofMinutes(1))
            .caches(caches);
    return new ClusterNode(caches, sessions, settings.apply(series).build());
  }

  TimeSeriesResult ask(long from, long to) {
    return as(() -> series.query(query(from, to)));
  }

  TimeSeriesResult ask(CausalSession session, long from, long to) {
    return as(() -> sessions.call(session, () -> series.query(query(from, to))));
  }

  List<Series> uncached(long from, long to) {
    return as(() -> series.queryUncached(query(from, to))).series();
  }

  /** A late point, and the word of it. */
  void late(PointsBackend points, long second, double value) {
    points.add("t1", second * SECOND, Map.of(), value);
    T1.run(() -> series.invalidate("m", at(second), at(second).plusNanos(1)));
  }

  static TimeSeriesQuery query(long from, long to) {
    return TimeSeriesQuery.builder("m")
        .select(Aggregate.SUM, "value")
        .every(Duration.ofSeconds(10))
        .range(at(from), at(to))
        .build();
  }

  static Instant at(long seconds) {
    return Instant.EPOCH.plusSeconds(seconds);
  }

  static <T> T as(Callable<T> body) {
    return as(T1, body);
  }

  static <T> T as(Tenant tenant, Callable<T> body) {
    try {
      return tenant.call(body);
    } catch (RuntimeException | Error e) {
      throw e;
    } catch (Exception e) {
      throw new AssertionError(e);
    }
  }

  @Override
  public void close() {
    series.close();
    caches.close();
  }
}
