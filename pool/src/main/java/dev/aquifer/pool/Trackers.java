package dev.aquifer.pool;

import com.zaxxer.hikari.metrics.MetricsTrackerFactory;
import dev.aquifer.ConfigurationException;
import org.jspecify.annotations.Nullable;

/**
 * HikariCP's metrics of a registry. HikariCP takes either a registry or a tracker, and has one
 * tracker only; since the pool measures by that one, the registry's is made here and told by it.
 */
final class Trackers {
  private static final String[][] KNOWN = {
    {
      "io.micrometer.core.instrument.MeterRegistry",
      "com.zaxxer.hikari.metrics.micrometer.MicrometerMetricsTrackerFactory"
    },
    {
      "com.codahale.metrics.MetricRegistry",
      "com.zaxxer.hikari.metrics.dropwizard.CodahaleMetricsTrackerFactory"
    },
  };

  private Trackers() {}

  /** Null for no registry. */
  static @Nullable MetricsTrackerFactory of(@Nullable Object registry) {
    if (registry == null || registry instanceof MetricsTrackerFactory) {
      return (MetricsTrackerFactory) registry;
    }
    for (String[] known : KNOWN) {
      if (isA(registry.getClass(), known[0])) {
        return bound(registry, known[0], known[1]);
      }
    }
    throw new ConfigurationException(
        "metricRegistry is a %s: give Micrometer's MeterRegistry, Dropwizard's MetricRegistry, or a MetricsTrackerFactory of HikariCP"
            .formatted(registry.getClass().getName()));
  }

  private static MetricsTrackerFactory bound(Object registry, String type, String factory) {
    try {
      Class<?> of = Class.forName(type, false, registry.getClass().getClassLoader());
      return Class.forName(factory)
          .asSubclass(MetricsTrackerFactory.class)
          .getConstructor(of)
          .newInstance(registry);
    } catch (ReflectiveOperationException e) {
      throw new ConfigurationException(
          "metricRegistry of %s cannot be bound: %s"
              .formatted(registry.getClass().getName(), e.getMessage()),
          e);
    }
  }

  /** By name: neither need be on the class path. */
  private static boolean isA(@Nullable Class<?> type, String name) {
    return type != null && (type.getName().equals(name) || isA(type.getSuperclass(), name));
  }
}
