package dev.aquifer.metrics;

import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.Meter;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Tags;
import io.micrometer.core.instrument.Timer;
import io.micrometer.core.instrument.noop.NoopCounter;
import io.micrometer.core.instrument.noop.NoopTimer;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Supplier;
import java.util.function.ToDoubleFunction;

/**
 * The meters that one {@link AquiferMetrics} has put into the registry. Thread-safe.
 *
 * <p>Registering and closing exclude each other: a meter that an observing thread asks for while
 * another closes is either removed with the rest or never registered.
 */
final class OwnMeters {
  private final MeterRegistry registry;
  private final Tags common;
  private final ReentrantLock lock = new ReentrantLock();
  private final List<Meter> registered = new ArrayList<>();
  private boolean closed;

  OwnMeters(MeterRegistry registry, Tags common) {
    this.registry = registry;
    this.common = common;
  }

  Counter counter(String name, String description, Tags tags) {
    Tags all = tags.and(common);
    return add(
        () -> Counter.builder(name).description(description).tags(all).register(registry),
        () -> new NoopCounter(new Meter.Id(name, all, null, description, Meter.Type.COUNTER)));
  }

  Timer timer(String name, String description, Tags tags) {
    Tags all = tags.and(common);
    return add(
        () -> Timer.builder(name).description(description).tags(all).register(registry),
        () -> new NoopTimer(new Meter.Id(name, all, null, description, Meter.Type.TIMER)));
  }

  /** The registry holds {@code state} weakly: whoever calls keeps it. */
  <T> void gauge(
      String name, String unit, String description, Tags tags, T state, ToDoubleFunction<T> value) {
    lock.lock();
    try {
      if (!closed) {
        registered.add(
            Gauge.builder(name, state, value)
                .baseUnit(unit.isEmpty() ? null : unit)
                .description(description)
                .tags(tags.and(common))
                .register(registry));
      }
    } finally {
      lock.unlock();
    }
  }

  void close() {
    lock.lock();
    try {
      closed = true;
      registered.forEach(registry::remove);
      registered.clear();
    } finally {
      lock.unlock();
    }
  }

  private <M extends Meter> M add(Supplier<M> register, Supplier<M> noop) {
    lock.lock();
    try {
      if (closed) {
        return noop.get();
      }
      M meter = register.get();
      registered.add(meter);
      return meter;
    } finally {
      lock.unlock();
    }
  }
}
