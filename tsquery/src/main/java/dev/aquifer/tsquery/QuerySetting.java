package dev.aquifer.tsquery;

import dev.aquifer.Tenant;
import dev.aquifer.spi.Observer;
import java.time.Clock;
import java.time.Duration;
import java.util.function.LongSupplier;

/**
 * What all queries of a {@link TimeSeries} have in common.
 *
 * @param timeout of a query
 */
record QuerySetting(
    Backend backend,
    String tenantTag,
    Duration timeout,
    Ageing ageing,
    Clock clock,
    RequestQueue queue,
    Observer observer) {
  /** Tells the observer how long a request took, and how many bytes came since. */
  void timed(Tenant tenant, TimeSeriesQuery query, LongSupplier received, Runnable request) {
    long began = System.nanoTime();
    long before = received.getAsLong();
    Throwable error = null;
    try {
      request.run();
    } catch (RuntimeException | Error e) {
      error = e;
      throw e;
    } finally {
      observer.windowFetched(
          query.measurement(),
          tenant,
          System.nanoTime() - began,
          received.getAsLong() - before,
          error);
    }
  }
}
