package dev.aquifer.metrics;

import io.micrometer.core.instrument.Tags;

/** What {@link AquiferMetrics} was built with. */
record MetricsSettings(int topTenants, boolean tenantsOnReads, int names, Tags common) {
  static final int DEFAULT_TOP_TENANTS = 20;
  static final int DEFAULT_NAMES = 1_000;
  static final int MOST_TENANTS = 1_000;
  static final int MOST_NAMES = 100_000;

  MetricsSettings {
    if (topTenants < 0 || topTenants > MOST_TENANTS) {
      throw new IllegalArgumentException(
          "topTenants is %,d; it must be 0 (no tenant tag) to %,d."
              .formatted(topTenants, MOST_TENANTS));
    }
    if (names < 1 || names > MOST_NAMES) {
      throw new IllegalArgumentException(
          "names is %,d; it must be 1 to %,d.".formatted(names, MOST_NAMES));
    }
    if (tenantsOnReads && topTenants == 0) {
      throw new IllegalArgumentException(
          "tenantsOnReads() asks for a tenant tag on reads, and topTenants(0) for none at all."
              + " Leave one of them out.");
    }
  }
}
