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
 * @param ranges sorted, disjoint, in disjoint windows; a range that begins or ends inside a window
 *     wants that window's points inside the range alone
 * @param timeout the longest that the request may take
 */
public record FetchRequest(
    TimeSeriesQuery query,
    String tenantTag,
    Tenant tenant,
    List<TimeRange> ranges,
    Duration timeout) {
  /** Copies the ranges. */
  public FetchRequest {
    ranges = List.copyOf(ranges);
  }
}
