package dev.aquifer.tsquery;

import java.util.Arrays;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * A fixed run of whole windows of one track, for all its series. A window is unknown, or was
 * fetched at a time and is good until another; a fetched window without cells of a series is empty
 * for that series, which differs from unknown. Immutable: every change makes a new one.
 */
final class Segment {
  static final int LENGTH = 256;
  static final long FOR_GOOD = Long.MAX_VALUE;

  private static final long UNKNOWN = Long.MIN_VALUE;

  private final long[] fetchedAt;
  private final long[] goodUntil;
  private final Map<List<String>, Cells[]> series;

  private Segment(long[] fetchedAt, long[] goodUntil, Map<List<String>, Cells[]> series) {
    this.fetchedAt = fetchedAt;
    this.goodUntil = goodUntil;
    this.series = series;
  }

  static Segment unknown() {
    long[] never = new long[LENGTH];
    Arrays.fill(never, UNKNOWN);
    return new Segment(never, new long[LENGTH], Map.of());
  }

  /** A clock that was set back ends what was fetched later by it, except what stays for good. */
  boolean fresh(int index, long now) {
    long fetched = fetchedAt[index];
    return fetched != UNKNOWN
        && (goodUntil[index] == FOR_GOOD || (now >= fetched && now < goodUntil[index]));
  }

  boolean settled(int index) {
    return fetchedAt[index] != UNKNOWN && goodUntil[index] == FOR_GOOD;
  }

  /** Writes windows of this segment, present and absent cells alike, to an answer. */
  void copyTo(Assembly assembly, int from, int to, int toIndex) {
    for (Map.Entry<List<String>, Cells[]> entry : series.entrySet()) {
      Cells[] source = entry.getValue();
      if (anyPresent(source, from, to)) {
        Cells[] target = assembly.cells(entry.getKey());
        for (int i = 0; i < source.length; i++) {
          target[i].copy(source[i], from, toIndex, to - from);
        }
      }
    }
  }

  /** A window that was fetched, as {@link #with} takes it. */
  record Fetched(int index, long at, long goodUntil) {}

  /**
   * This segment with windows of an answer instead of its own. A window that was fetched later than
   * the answer's stays as it is.
   *
   * @param base the index that this segment's first window has, or would have, in the answer
   */
  Segment with(Assembly assembly, int base, Collection<Fetched> windows) {
    long[] newFetchedAt = fetchedAt.clone();
    long[] newGoodUntil = goodUntil.clone();
    boolean[] taken = new boolean[LENGTH];
    for (Fetched window : windows) {
      int i = window.index();
      if (newFetchedAt[i] <= window.at()) {
        newFetchedAt[i] = window.at();
        newGoodUntil[i] = window.goodUntil();
        taken[i] = true;
      }
    }
    Map<List<String>, Cells[]> merged = new HashMap<>();
    series.forEach((group, cells) -> merge(merged, group, cells, assembly, base, taken));
    for (Map.Entry<List<String>, Cells[]> entry : assembly.series().entrySet()) {
      if (!series.containsKey(entry.getKey())) {
        merge(merged, entry.getKey(), new Cells[entry.getValue().length], assembly, base, taken);
      }
    }
    return new Segment(newFetchedAt, newGoodUntil, merged);
  }

  /** This segment with some windows unknown. */
  Segment without(int from, int to) {
    long[] newFetchedAt = fetchedAt.clone();
    Arrays.fill(newFetchedAt, from, to, UNKNOWN);
    return new Segment(newFetchedAt, goodUntil, series);
  }

  boolean allUnknown() {
    return Arrays.stream(fetchedAt).allMatch(at -> at == UNKNOWN);
  }

  /** Bytes of memory, about. */
  int weight() {
    long bytes = 128 + 16L * LENGTH;
    for (Map.Entry<List<String>, Cells[]> entry : series.entrySet()) {
      bytes += 96;
      for (String part : entry.getKey()) {
        bytes += 48 + 2L * part.length();
      }
      for (Cells cells : entry.getValue()) {
        bytes += cells.weight();
      }
    }
    return (int) Math.min(Integer.MAX_VALUE, bytes);
  }

  private static void merge(
      Map<List<String>, Cells[]> merged,
      List<String> group,
      @Nullable Cells[] own,
      Assembly assembly,
      int base,
      boolean[] taken) {
    Cells[] fetched = assembly.series().get(group);
    Cells[] result = new Cells[own.length];
    boolean present = false;
    for (int c = 0; c < own.length; c++) {
      Cells cells = new Cells(LENGTH);
      Cells old = own[c];
      for (int from = 0; from < LENGTH; ) {
        int to = from + 1;
        while (to < LENGTH && taken[to] == taken[from]) {
          to++;
        }
        if (taken[from] && fetched != null) {
          cells.copy(fetched[c], base + from, from, to - from);
        } else if (!taken[from] && old != null) {
          cells.copy(old, from, from, to - from);
        }
        from = to;
      }
      present |= cells.anyPresent(0, LENGTH);
      result[c] = cells;
    }
    if (present) {
      merged.put(group, result);
    }
  }

  private static boolean anyPresent(Cells[] columns, int from, int to) {
    for (Cells column : columns) {
      if (column.anyPresent(from, to)) {
        return true;
      }
    }
    return false;
  }
}
