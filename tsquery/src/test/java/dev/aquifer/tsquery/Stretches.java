package dev.aquifer.tsquery;

/** What a query wants of a range, where its windows are of one length, side by side. */
final class Stretches {
  private Stretches() {}

  static Stretch of(TimeSeriesQuery query, TimeRange range) {
    WindowGrid grid = WindowGrid.of(query.window(), range, QueryLimits.defaults(), 1);
    return grid.stretches(grid.first(), grid.end()).get(0);
  }
}
