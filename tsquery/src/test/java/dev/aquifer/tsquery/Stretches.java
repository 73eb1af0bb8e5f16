package dev.aquifer.tsquery;

import java.time.Duration;

/** What a query wants of a range, where its windows are of one length, side by side. */
final class Stretches {
  private Stretches() {}

  static Stretch of(TimeSeriesQuery query, TimeRange range) {
    QueryLimits limits = new QueryLimits(1_000_000, Duration.ofDays(3_660), 5_000_000);
    WindowGrid grid = WindowGrid.of(query.window(), range, limits, 1);
    return grid.stretches(grid.first(), grid.end()).get(0);
  }
}
