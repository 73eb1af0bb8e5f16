package dev.aquifer.tsquery;

import dev.aquifer.AquiferException;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * The answer of one query while it is put together: for each series and selection a run of cells
 * over the whole grid. What is fetched and what is cached is written side by side and never
 * combined by arithmetic; so the answer does not depend on where its parts came from.
 *
 * <p>Used by one thread.
 */
final class Assembly implements RowSink {
  /** So many points a window and series, on average, are few. */
  private static final int FEW = 8;

  /** Up to so many windows before are looked at, and no more after them have few. */
  private static final int LOOKED_AT = 12;

  private final WindowGrid grid;
  private final List<Selection> selections;
  private final PointBudget budget;
  private final String measurement;
  private final Map<Group, Cells[]> series = new LinkedHashMap<>();
  private final BitSet expected = new BitSet();
  private @Nullable List<String> rowGroup;
  private Cells @Nullable [] rowCells;
  private int rowIndex;
  private long bytes;

  Assembly(WindowGrid grid, TimeSeriesQuery query, PointBudget budget) {
    this.grid = grid;
    this.selections = query.selections();
    this.measurement = query.measurement();
    this.budget = budget;
  }

  /** Takes the values of all windows that are expected away again. */
  void forget() {
    for (Cells[] columns : series.values()) {
      for (Cells column : columns) {
        expected.stream().forEach(column::clear);
      }
    }
    rowGroup = null;
    rowCells = null;
  }

  /** Rows of these windows, and of no others, are accepted from now on. */
  void expect(List<Run> runs) {
    expected.clear();
    for (Run run : runs) {
      expected.set((int) (run.from() - grid.first()), (int) (run.to() - grid.first()));
    }
  }

  /**
   * Whether windows are expected to have few points: as few as those just before them had, by their
   * numbers of points. False where these are not known.
   */
  boolean few(List<Run> runs) {
    Run looked = lookedAt(runs);
    if (looked == null) {
      return false;
    }
    List<Selection> counts = counts();
    long points = 0;
    long known = 0;
    for (Cells[] columns : series.values()) {
      for (Selection count : counts) {
        Cells column = columns[selections.indexOf(count)];
        for (long bucket = looked.from(); bucket < looked.to(); bucket++) {
          int i = (int) (bucket - grid.first());
          known += column.kindAt(i) == Cells.LONG ? 1 : 0;
          points += column.kindAt(i) == Cells.LONG ? column.bitsAt(i) : 0;
        }
      }
    }
    return known > 0 && points / known < FEW;
  }

  /** The windows that say whether these have few points; null where none can. */
  @Nullable Run lookedAt(List<Run> runs) {
    if (runs.isEmpty()
        || runs.stream().mapToLong(Run::size).sum() > LOOKED_AT
        || !selections.containsAll(counts())) {
      return null;
    }
    long to = runs.stream().mapToLong(Run::from).min().orElseThrow();
    return new Run(Math.max(grid.first(), to - LOOKED_AT), to);
  }

  /** The numbers of points of what is selected. */
  private List<Selection> counts() {
    return selections.stream()
        .map(selection -> new Selection(Aggregate.COUNT, selection.field()))
        .distinct()
        .toList();
  }

  @Override
  public void row(List<String> group, long windowStart) {
    int index = (int) (grid.startingAt(windowStart) - grid.first());
    if (!expected.get(index)) {
      throw new AquiferException(
          "The server answered with a window at %s, which was not asked for."
              .formatted(Nanos.instant(windowStart)));
    }
    if (rowCells == null || !group.equals(rowGroup)) {
      rowGroup = group;
      rowCells = cells(new Group(group));
    }
    rowIndex = index;
  }

  @Override
  public void longValue(int selection, long value) {
    // A count of nothing is a window without points, whichever way the server says it.
    if (value != 0 || !selections.get(selection).aggregate().counts()) {
      current()[selection].put(rowIndex, Cells.LONG, value);
    }
  }

  @Override
  public void doubleValue(int selection, double value) {
    current()[selection].put(rowIndex, Cells.DOUBLE, Double.doubleToRawLongBits(value));
  }

  @Override
  public void booleanValue(int selection, boolean value) {
    current()[selection].put(rowIndex, Cells.BOOLEAN, value ? 1 : 0);
  }

  @Override
  public void textValue(int selection, String value) {
    current()[selection].putText(rowIndex, value);
  }

  @Override
  public void received(long count) {
    bytes += count;
  }

  /** How many bytes came for it, in answers that were thrown away too. */
  long bytes() {
    return bytes;
  }

  /** The cells of a series, made when it is new. */
  Cells[] cells(Group group) {
    Cells[] known = series.get(group);
    if (known != null) {
      return known;
    }
    budget.take(seriesPoints(), measurement);
    Cells[] made = new Cells[selections.size()];
    for (int i = 0; i < made.length; i++) {
      made[i] = new Cells(grid.size());
    }
    series.put(group, made);
    return made;
  }

  Map<Group, Cells[]> series() {
    return series;
  }

  WindowGrid grid() {
    return grid;
  }

  /** How many points it may have, with others that share its budget. */
  long limit() {
    return budget.limit();
  }

  /** How many points a series has. */
  long seriesPoints() {
    return (long) selections.size() * grid.size();
  }

  /** How many series it may have. */
  long mostSeries() {
    return budget.limit() / Math.max(1, seriesPoints());
  }

  /** The last window that any series has a value in; the one before the first, when none has. */
  long lastPresent() {
    long last = grid.first() - 1;
    for (Cells[] columns : series.values()) {
      for (Cells column : columns) {
        for (int i = grid.size() - 1; grid.first() + i > last; i--) {
          if (column.kindAt(i) != Cells.ABSENT) {
            last = grid.first() + i;
          }
        }
      }
    }
    return last;
  }

  /**
   * The answer: series with at least one value, filled and staged as the query says. Once, at the
   * end.
   */
  List<Series> render(TimeSeriesQuery query) {
    TreeMap<Group, Cells[]> sorted = new TreeMap<>(series);
    Filling filling = new Filling(query.selections(), query.fill(), grid.existing());
    List<Series> rendered = new ArrayList<>(sorted.size());
    int[] before = {};
    long[] starts = {};
    for (Map.Entry<Group, Cells[]> entry : sorted.entrySet()) {
      int[] shown = filling.shown(entry.getValue());
      if (shown.length > 0) {
        if (shown != before) {
          before = shown;
          starts = starts(shown);
        }
        rendered.add(
            new Series(
                group(query.groupBy(), entry.getKey().values()),
                starts,
                filling.columns(entry.getValue(), shown, starts)));
      }
    }
    return new Staging(query.stages(), budget, series.size() * seriesPoints()).run(rendered);
  }

  private long[] starts(int[] shown) {
    long[] starts = new long[shown.length];
    for (int i = 0; i < starts.length; i++) {
      starts[i] = grid.start(grid.first() + shown[i]);
    }
    return starts;
  }

  private static Map<String, String> group(List<String> tags, List<String> values) {
    Map<String, String> group = new LinkedHashMap<>();
    for (int i = 0; i < tags.size(); i++) {
      group.put(tags.get(i), values.get(i));
    }
    return Collections.unmodifiableMap(group);
  }

  private Cells[] current() {
    Cells[] cells = rowCells;
    if (cells == null) {
      throw new IllegalStateException("A value came before its row");
    }
    return cells;
  }
}
