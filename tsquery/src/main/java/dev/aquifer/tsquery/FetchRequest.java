package dev.aquifer.tsquery;

import dev.aquifer.Tenant;
import java.time.Duration;
import java.util.List;

/**
 * What a backend is asked for: the windows of a query in some ranges, for one tenant, in one
 * request to the server.
 *
 * @param query what is asked; its own range is to be ignored
 * @param tenantTag the tag that holds the tenant, where the backend's mapping names no other
 * @param tenant the only tenant whose points may be read
 * @param stretches the windows that are wanted, each of them once. A dialect needs nothing else of
 *     them: neither the query's window nor its zone
 * @param few whether the windows are expected to have few points, by the numbers of those before:
 *     so few that a backend may as well ask for the points themselves. No promise
 * @param timeout the longest that the request may take
 */
public record FetchRequest(
    TimeSeriesQuery query,
    String tenantTag,
    Tenant tenant,
    List<Stretch> stretches,
    boolean few,
    Duration timeout) {
  /** Copies the stretches. */
  public FetchRequest {
    stretches = List.copyOf(stretches);
  }

  /** The ranges of the stretches; some may overlap. */
  public List<TimeRange> ranges() {
    return stretches.stream().map(Stretch::range).toList();
  }

  /**
   * What is left of its timeout; zero when nothing is.
   *
   * @param began when it was asked for, of {@link System#nanoTime}
   */
  Duration left(long began) {
    Duration left = timeout.minusNanos(System.nanoTime() - began);
    return left.isNegative() ? Duration.ZERO : left;
  }

  /** The same, with another timeout. */
  FetchRequest within(Duration limit) {
    return new FetchRequest(query, tenantTag, tenant, stretches, few, limit);
  }
}
