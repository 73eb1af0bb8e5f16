package dev.aquifer.metrics;

import dev.aquifer.spi.Observer.PoolReason;
import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.Tags;
import java.util.concurrent.atomic.AtomicBoolean;

/**
 * The meters of one connection pool. Its gauges appear when first told of; pools that share {@value
 * BoundedNames#OTHER} have counters only, since one gauge cannot speak for several.
 */
final class PoolMeters {
  private static final PoolReason[] REASONS = PoolReason.values();

  private final Tags tags;
  private final OwnMeters meters;
  private final boolean gauges;
  private final MeterGrid<Counter> decisions;
  private final MeterGrid<Counter> leaks;
  private final AtomicBoolean sizeShown = new AtomicBoolean();
  private final AtomicBoolean reachableShown = new AtomicBoolean();
  private volatile int size;
  private volatile boolean reachable;

  PoolMeters(String pool, OwnMeters meters) {
    this.tags = Tags.of("pool", pool);
    this.meters = meters;
    this.gauges = !pool.equals(BoundedNames.OTHER);
    decisions =
        new MeterGrid<>(
            REASONS.length,
            cell ->
                meters.counter(
                    "aquifer.pool.decisions",
                    "Decisions on a pool's size, and why",
                    tags.and("reason", CacheMeters.word(REASONS[cell]))));
    leaks =
        new MeterGrid<>(
            1,
            cell ->
                meters.counter("aquifer.pool.leaks", "Connections not given back in time", tags));
  }

  void decided(PoolReason reason, int now) {
    size = now;
    decisions.get(MeterGrid.cell(0, REASONS.length, reason)).increment();
    if (gauges && sizeShown.compareAndSet(false, true)) {
      meters.gauge(
          "aquifer.pool.size",
          "connections",
          "Most connections that a pool may have now",
          tags,
          this,
          pool -> pool.size);
    }
  }

  void leaked() {
    leaks.get(0).increment();
  }

  void reachable(boolean now) {
    reachable = now;
    if (gauges && reachableShown.compareAndSet(false, true)) {
      meters.gauge(
          "aquifer.pool.reachable",
          "",
          "1 while a pool's server can be connected to, else 0",
          tags,
          this,
          pool -> pool.reachable ? 1 : 0);
    }
  }
}
