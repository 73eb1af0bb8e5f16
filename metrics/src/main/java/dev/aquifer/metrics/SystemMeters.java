package dev.aquifer.metrics;

import io.micrometer.core.instrument.Meter;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Tags;
import io.micrometer.core.instrument.binder.MeterBinder;
import io.micrometer.core.instrument.binder.jvm.ClassLoaderMetrics;
import io.micrometer.core.instrument.binder.jvm.JvmGcMetrics;
import io.micrometer.core.instrument.binder.jvm.JvmMemoryMetrics;
import io.micrometer.core.instrument.binder.jvm.JvmThreadMetrics;
import io.micrometer.core.instrument.binder.system.FileDescriptorMetrics;
import io.micrometer.core.instrument.binder.system.ProcessorMetrics;
import io.micrometer.core.instrument.binder.system.UptimeMetrics;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/**
 * Micrometer's own binders for the JVM and the machine. Closing removes what was not in the
 * registry before: what the application had bound itself stays.
 */
final class SystemMeters implements AutoCloseable {
  private static final List<String> PREFIXES = List.of("jvm.", "process.", "system.");

  private final MeterRegistry registry;
  private final Set<Meter.Id> before = new HashSet<>();
  private final List<MeterBinder> binders;
  private final JvmGcMetrics collector;

  SystemMeters(MeterRegistry registry, Tags tags) {
    this.registry = registry;
    registry.getMeters().forEach(meter -> before.add(meter.getId()));
    collector = new JvmGcMetrics(tags);
    // Kept, since the registry holds what gauges look at weakly.
    binders =
        List.of(
            collector,
            new JvmMemoryMetrics(tags),
            new JvmThreadMetrics(tags),
            new ClassLoaderMetrics(tags),
            new ProcessorMetrics(tags),
            new UptimeMetrics(tags),
            new FileDescriptorMetrics(tags));
    binders.forEach(binder -> binder.bindTo(registry));
  }

  @Override
  public void close() {
    // First the listener, which would register more at the next collection.
    collector.close();
    registry.getMeters().stream()
        .filter(meter -> PREFIXES.stream().anyMatch(meter.getId().getName()::startsWith))
        .filter(meter -> !before.contains(meter.getId()))
        .forEach(registry::remove);
  }
}
