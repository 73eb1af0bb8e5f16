package dev.aquifer.tsquery.encounter;

import dev.aquifer.ConfigurationException;
import dev.aquifer.tsquery.TimeSeries;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** Builds {@link Encounters}. Not thread-safe. */
public final class EncountersBuilder {
  final TimeSeries series;
  final String kind;
  final Set<String> measurements = new LinkedHashSet<>();
  @Nullable EncounterStore store;
  EncounterLimits limits = EncounterLimits.defaults();

  EncountersBuilder(TimeSeries series, String kind) {
    this.series = series;
    this.kind = kind;
  }

  /** The measurements whose windows a change voids. At least one is needed. */
  public EncountersBuilder measurements(String... names) {
    measurements.addAll(List.of(names));
    return this;
  }

  /** Where they are kept. Needed. */
  public EncountersBuilder store(EncounterStore where) {
    store = where;
    return this;
  }

  /** How many of this kind each tenant may have. */
  public EncountersBuilder limits(EncounterLimits most) {
    limits = most;
    return this;
  }

  /**
   * Builds it.
   *
   * @throws ConfigurationException when there is no store or no measurement
   */
  public Encounters build() {
    if (store == null) {
      throw new ConfigurationException(
          "The encounters of kind %s have no store; add store(…).".formatted(kind));
    }
    if (measurements.isEmpty()) {
      throw new ConfigurationException(
          "The encounters of kind %s are of no measurement; add measurements(…).".formatted(kind));
    }
    return new Encounters(this, store);
  }
}
