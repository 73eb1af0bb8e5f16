package dev.aquifer.metrics;

import dev.aquifer.spi.Observer.CacheFault;
import dev.aquifer.spi.Observer.Tier;
import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.Tags;
import io.micrometer.core.instrument.Timer;
import java.util.Locale;
import java.util.concurrent.TimeUnit;

/** The meters of one cache. */
final class CacheMeters {
  private static final Tier[] TIERS = Tier.values();
  private static final CacheFault[] FAULTS = CacheFault.values();

  private final MeterGrid<Counter> gets;
  private final MeterGrid<Timer> loads;
  private final MeterGrid<Counter> faults;

  /**
   * @param onReads whether {@code cache.gets} has a tag for the tenant
   */
  CacheMeters(String cache, OwnMeters meters, TenantSlots tenants, boolean onReads) {
    Tags tags = Tags.of("cache", cache);
    gets =
        new MeterGrid<>(
            TIERS.length * (onReads ? tenants.count() : 1),
            cell -> {
              Tier tier = TIERS[cell % TIERS.length];
              Tags all =
                  tags.and("tier", word(tier), "result", tier == Tier.SOURCE ? "miss" : "hit");
              return meters.counter(
                  "cache.gets",
                  "Reads that were answered, by the tier that answered",
                  onReads ? all.and("tenant", tenants.id(cell / TIERS.length)) : all);
            });
    loads =
        new MeterGrid<>(
            2 * tenants.count(),
            cell -> {
              Tags all = tags.and("outcome", cell % 2 == 0 ? "success" : "failure");
              return meters.timer(
                  "cache.loads",
                  "Calls of the loader",
                  tenants.tagged() ? all.and("tenant", tenants.id(cell / 2)) : all);
            });
    faults =
        new MeterGrid<>(
            FAULTS.length,
            cell ->
                meters.counter(
                    "aquifer.cache.faults",
                    "What went wrong in a cache without its caller noticing",
                    tags.and("fault", word(FAULTS[cell]))));
    if (!onReads) {
      // A ratio of hits needs both its parts from the start.
      for (int tier = 0; tier < TIERS.length; tier++) {
        gets.get(tier);
      }
    }
  }

  /**
   * @param tenant the tenant's number, 0 where reads have no tenant tag
   */
  void answered(Tier tier, int tenant) {
    gets.get(MeterGrid.cell(tenant, TIERS.length, tier)).increment();
  }

  void loaded(int tenant, long nanos, boolean failed) {
    loads.get(tenant * 2 + (failed ? 1 : 0)).record(Math.max(0, nanos), TimeUnit.NANOSECONDS);
  }

  void fault(CacheFault fault) {
    faults.get(MeterGrid.cell(0, FAULTS.length, fault)).increment();
  }

  static String word(Enum<?> constant) {
    return constant.name().toLowerCase(Locale.ROOT);
  }
}
