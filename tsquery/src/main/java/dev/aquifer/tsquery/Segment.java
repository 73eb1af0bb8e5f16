package dev.aquifer.tsquery;

import com.github.benmanes.caffeine.cache.Interner;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * A fixed run of whole windows of one track, for all its series. A window is unknown, or was
 * fetched at a time and is good until another; a fetched window without cells of a series is empty
 * for that series, which differs from unknown. Once all are fetched, values are packed. Immutable:
 * every change makes a new one.
 */
final class Segment {
  static final int LENGTH = 512;
  static final long FOR_GOOD = Long.MAX_VALUE;
  static final long UNKNOWN = Long.MIN_VALUE;

  // What a segment costs beside its values: its place in the cache, its track, its ledger.
  private static final long BESIDE = 512;

  // A series has its name in every segment.
  private static final Interner<Group> GROUPS = Interner.newWeakInterner();

  private final Marks marks;
  private final Map<Group, Column[]> series;

  private Segment(Marks marks, Map<Group, Column[]> series) {
    this.marks = marks;
    this.series = series;
  }

  static Segment unknown() {
    return new Segment(Marks.NONE, Map.of());
  }

  /** From parts that were read, with the texts of groups that others have too. */
  static Segment of(Marks marks, Map<Group, Column[]> series) {
    Map<Group, Column[]> own = new HashMap<>();
    series.forEach((group, columns) -> own.put(GROUPS.intern(group), columns));
    return new Segment(marks, Map.copyOf(own));
  }

  Marks marks() {
    return marks;
  }

  Map<Group, Column[]> series() {
    return series;
  }

  /** See {@link Marks#fresh}. */
  boolean fresh(int index, long now) {
    return marks.fresh(index, now);
  }

  /** See {@link Marks#fetchedWithin}. */
  boolean fetchedWithin(long nanos, int index, long now) {
    return marks.fetchedWithin(nanos, index, now);
  }

  /** See {@link Marks#alike}. */
  int alike(int index) {
    return marks.alike(index);
  }

  boolean known(int index) {
    return marks.known(index);
  }

  boolean settled(int index) {
    return marks.settled(index);
  }

  /** Writes windows of this segment, present and absent cells alike, to an answer. */
  void copyTo(Assembly assembly, int from, int to, int toIndex) {
    for (Map.Entry<Group, Column[]> entry : series.entrySet()) {
      Column[] source = entry.getValue();
      if (anyPresent(source, from, to)) {
        Cells[] target = assembly.cells(entry.getKey());
        for (int i = 0; i < source.length; i++) {
          source[i].copyTo(target[i], from, toIndex, to - from);
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
    long[] fetchedAt = marks.fetchedAt();
    long[] goodUntil = marks.goodUntil();
    boolean[] taken = new boolean[LENGTH];
    for (Fetched window : windows) {
      int i = window.index();
      if (fetchedAt[i] <= window.at()) {
        fetchedAt[i] = window.at();
        goodUntil[i] = window.goodUntil();
        taken[i] = true;
      }
    }
    Marks newMarks = Marks.of(fetchedAt, goodUntil);
    // One with windows to come is written again and again.
    boolean packs = newMarks.whole();
    Map<Group, Column[]> merged = new HashMap<>();
    series.forEach((group, own) -> merge(merged, group, own, assembly, base, taken, packs));
    assembly
        .series()
        .forEach(
            (group, fetched) -> {
              if (!series.containsKey(group)) {
                merge(
                    merged,
                    GROUPS.intern(group),
                    new Column[fetched.length],
                    assembly,
                    base,
                    taken,
                    packs);
              }
            });
    return new Segment(newMarks, Map.copyOf(merged));
  }

  /** This segment with the windows of another that were fetched later than its own. */
  Segment merged(Segment other) {
    long[] fetchedAt = marks.fetchedAt();
    long[] goodUntil = marks.goodUntil();
    long[] otherAt = other.marks.fetchedAt();
    long[] otherUntil = other.marks.goodUntil();
    boolean[] taken = new boolean[LENGTH];
    boolean any = false;
    for (int i = 0; i < LENGTH; i++) {
      // What is unknown was fetched before all else.
      taken[i] = otherAt[i] > fetchedAt[i];
      any |= taken[i];
      fetchedAt[i] = taken[i] ? otherAt[i] : fetchedAt[i];
      goodUntil[i] = taken[i] ? otherUntil[i] : goodUntil[i];
    }
    if (!any) {
      return this;
    }
    Marks newMarks = Marks.of(fetchedAt, goodUntil);
    boolean packs = newMarks.whole();
    Map<Group, Column[]> merged = new HashMap<>();
    for (Map<Group, Column[]> each : List.of(series, other.series)) {
      for (Group group : each.keySet()) {
        if (!merged.containsKey(group)) {
          Column[] columns = blend(series.get(group), other.series.get(group), taken, packs);
          if (anyPresent(columns, 0, LENGTH)) {
            merged.put(group, columns);
          }
        }
      }
    }
    return new Segment(newMarks, Map.copyOf(merged));
  }

  private static Column[] blend(
      Column @Nullable [] own, Column @Nullable [] other, boolean[] taken, boolean packs) {
    Column[] blended = new Column[own != null ? own.length : other != null ? other.length : 0];
    for (int c = 0; c < blended.length; c++) {
      Cells cells = new Cells(LENGTH);
      for (int from = 0; from < LENGTH; ) {
        int to = from + 1;
        while (to < LENGTH && taken[to] == taken[from]) {
          to++;
        }
        Column[] source = taken[from] ? other : own;
        if (source != null) {
          source[c].copyTo(cells, from, from, to - from);
        }
        from = to;
      }
      blended[c] = packs ? PackedColumn.of(cells) : cells;
    }
    return blended;
  }

  /** This segment with some windows unknown. */
  Segment without(int from, int to) {
    return new Segment(marks.without(from, to), series);
  }

  /** How many windows are known. */
  int windows() {
    int known = 0;
    for (long at : marks.fetchedAt()) {
      known += at == UNKNOWN ? 0 : 1;
    }
    return known;
  }

  boolean allUnknown() {
    return marks.none();
  }

  /** Bytes of memory, about. */
  int weight() {
    long bytes = BESIDE + marks.weight();
    for (Column[] columns : series.values()) {
      bytes += 40;
      for (Column column : columns) {
        bytes += 4 + column.weight();
      }
    }
    return (int) Math.min(Integer.MAX_VALUE, bytes);
  }

  private static void merge(
      Map<Group, Column[]> merged,
      Group group,
      @Nullable Column[] own,
      Assembly assembly,
      int base,
      boolean[] taken,
      boolean packs) {
    Cells[] fetched = assembly.series().get(group);
    Column[] result = new Column[own.length];
    boolean present = false;
    for (int c = 0; c < own.length; c++) {
      Cells cells = new Cells(LENGTH);
      Column old = own[c];
      for (int from = 0; from < LENGTH; ) {
        int to = from + 1;
        while (to < LENGTH && taken[to] == taken[from]) {
          to++;
        }
        if (taken[from] && fetched != null) {
          cells.copy(fetched[c], base + from, from, to - from);
        } else if (!taken[from] && old != null) {
          old.copyTo(cells, from, from, to - from);
        }
        from = to;
      }
      present |= cells.anyPresent(0, LENGTH);
      result[c] = packs ? PackedColumn.of(cells) : cells;
    }
    if (present) {
      merged.put(group, result);
    }
  }

  private static boolean anyPresent(Column[] columns, int from, int to) {
    for (Column column : columns) {
      if (column.anyPresent(from, to)) {
        return true;
      }
    }
    return false;
  }
}
