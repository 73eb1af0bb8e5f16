package dev.aquifer.metrics;

import io.micrometer.core.instrument.Measurement;
import io.micrometer.core.instrument.Meter;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Tag;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;

/**
 * The meters of a registry as JSON, sorted by name and tags. Only names that begin as Aquifer's,
 * the pools' and the JVM's do: what else an application counts is its own affair.
 */
final class MetersJson {
  /** Well above what a page can show; a registry may hold far more. */
  static final int MOST = 5_000;

  private static final List<String> PREFIXES =
      List.of("aquifer.", "cache.", "hikaricp.", "jvm.", "process.", "system.");

  private MetersJson() {}

  static String of(MeterRegistry registry, long epochMillis) {
    List<Meter> meters =
        registry.getMeters().stream()
            .filter(meter -> PREFIXES.stream().anyMatch(meter.getId().getName()::startsWith))
            .sorted(
                Comparator.comparing((Meter meter) -> meter.getId().getName())
                    .thenComparing(meter -> meter.getId().getTags().toString()))
            .limit(MOST + 1L)
            .toList();
    JsonText json = new JsonText();
    json.open('{').name("at").number((double) epochMillis);
    json.name("cut").bool(meters.size() > MOST);
    json.name("meters").open('[');
    meters.stream().limit(MOST).forEach(meter -> write(meter, json));
    return json.close(']').close('}').toString();
  }

  private static void write(Meter meter, JsonText json) {
    json.open('{').name("name").text(meter.getId().getName());
    json.name("tags").open('{');
    for (Tag tag : meter.getId().getTags()) {
      json.name(tag.getKey()).text(tag.getValue());
    }
    json.close('}').name("values").open('{');
    for (Measurement measurement : meter.measure()) {
      json.name(measurement.getStatistic().name().toLowerCase(Locale.ROOT))
          .number(measurement.getValue());
    }
    json.close('}').close('}');
  }
}
