package dev.aquifer.tsquery;

import dev.aquifer.Tenant;
import dev.aquifer.spi.Report;
import java.time.Duration;
import java.util.List;
import java.util.Locale;

/** The fingerprints that cost most, of all tenants, in words. Thread-safe. */
final class CostReport implements Report {
  private static final int MOST = 50;
  private static final int LONGEST = 160;

  private final Profiles profiles;

  CostReport(Profiles profiles) {
    this.profiles = profiles;
  }

  /** What one fingerprint costs a tenant. */
  record Cost(Tenant tenant, QueryProfile profile) {}

  @Override
  public String title() {
    return "Queries of time series, the heaviest first";
  }

  @Override
  public List<String> columns() {
    return List.of(
        "Query",
        "Tenant",
        "Queries",
        "Failed",
        "Time",
        "P50",
        "P99",
        "Not fetched",
        "Points",
        "Requests",
        "Bytes",
        "What would help");
  }

  @Override
  public List<List<String>> rows() {
    return profiles.heaviest(MOST).stream().map(CostReport::row).toList();
  }

  private static List<String> row(Cost cost) {
    QueryProfile profile = cost.profile();
    return List.of(
        name(profile.query()),
        cost.tenant().id(),
        count(profile.count()),
        count(profile.failed()),
        time(profile.time()),
        time(profile.p50()),
        time(profile.p99()),
        String.format(Locale.ROOT, "%.1f %%", 100 * profile.hitShare()),
        count(profile.points()),
        count(profile.requests()),
        count(profile.bytes()),
        String.join(" ", profile.suggestions()));
  }

  /** Without the values that it asks for. */
  private static String name(TimeSeriesQuery query) {
    String text =
        "%s: %s every %s by %s"
            .formatted(
                query.measurement(), query.selections(), query.window().every(), query.groupBy());
    return Names.printable(text, LONGEST) + " " + query.fingerprint().substring(0, 12);
  }

  private static String count(long number) {
    return String.format(Locale.ROOT, "%,d", number);
  }

  private static String time(Duration time) {
    double seconds = time.toNanos() / 1e9;
    return seconds < 1
        ? String.format(Locale.ROOT, "%.1f ms", 1_000 * seconds)
        : String.format(Locale.ROOT, "%,.1f s", seconds);
  }
}
