package dev.aquifer.tsquery;

import dev.aquifer.RefusedQueryException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/**
 * The windows that a range touches, by their numbers. Those that the range begins or ends in are
 * clipped; those between are whole, and only whole windows are ever kept.
 *
 * <p>Windows of one length are arithmetic. Of others the edges are laid out once.
 */
final class WindowGrid {
  private final Window window;
  private final long rangeStart;
  private final long rangeStop;
  private final long first;
  private final long end;
  private final long fullFirst;
  private final long fullEnd;
  private final boolean skips;
  private final long every;
  private final long period;
  private final long offset;
  // Of each window, and of the one after the last; none where all are equally far apart.
  private final long @Nullable [] starts;
  private final long @Nullable [] stops;

  private WindowGrid(Window window, Edges edges, TimeRange range, long first, long end) {
    this.window = window;
    this.rangeStart = range.startNanos();
    this.rangeStop = range.stopNanos();
    this.first = first;
    this.end = end;
    boolean even = window.even();
    this.every = even ? window.every().nanos() : 0;
    this.period = even ? window.period().nanos() : 0;
    this.offset = even ? window.offset().nanos() : 0;
    this.starts = even ? null : edges.starts(first, size() + 1);
    this.stops = even || window.tiles() ? null : edges.stops(first, size());
    this.skips = starts != null && count(first, end, true) > 0;
    long from = first;
    while (from < end && start(from) < rangeStart) {
      from++;
    }
    long to = end;
    while (to > first && stop(to - 1) > rangeStop) {
      to--;
    }
    this.fullFirst = from;
    this.fullEnd = to;
  }

  /** The grid, refused when it is larger than the limits allow. */
  static WindowGrid of(Window window, TimeRange range, QueryLimits limits, int columns) {
    if (Duration.between(range.start(), range.stop()).compareTo(limits.range()) > 0) {
      throw new RefusedQueryException(
          "The range %s is longer than the limit of %s.".formatted(range, limits.range()));
    }
    try {
      Edges edges = new Edges(window);
      long first = edges.firstOpen(range.startNanos());
      // In a gap between windows there is none.
      long end = Math.max(first, edges.last(range.stopNanos() - 1) + 1);
      long windows = Math.subtractExact(end, first);
      if (windows > limits.windows()) {
        throw new RefusedQueryException(
            "The range %s has %,d windows of %s; at most %,d are allowed. Ask for longer windows."
                .formatted(range, windows, window.every(), limits.windows()));
      }
      if (windows * columns > limits.points()) {
        throw new RefusedQueryException(
            "%,d windows of %d columns pass the limit of %,d points."
                .formatted(windows, columns, limits.points()));
      }
      edges.start(first);
      edges.stop(end);
      // The number of the last window in its segment.
      Math.addExact(end, Segment.LENGTH);
      return new WindowGrid(window, edges, range, first, end);
    } catch (ArithmeticException e) {
      throw new RefusedQueryException(
          "The windows of %s around %s pass the range of 64-bit nanoseconds."
              .formatted(window.every(), range),
          e);
    }
  }

  /** How many of some windows exist. */
  int count(long from, long to) {
    return skips ? count(from, to, false) : (int) Math.max(0, to - from);
  }

  private int count(long from, long to, boolean skipped) {
    int count = 0;
    for (long bucket = from; bucket < to; bucket++) {
      count += skipped(bucket) == skipped ? 1 : 0;
    }
    return count;
  }

  /** The first window. */
  long first() {
    return first;
  }

  /** The window after the last. */
  long end() {
    return end;
  }

  /** How many windows, with those that the clock skips. */
  int size() {
    return (int) (end - first);
  }

  /** When a window begins, in nanoseconds since the epoch. */
  long start(long bucket) {
    return starts == null ? bucket * every + offset : starts[(int) (bucket - first)];
  }

  /** When a window ends. */
  long stop(long bucket) {
    if (stops != null) {
      return stops[(int) (bucket - first)];
    }
    return starts == null ? bucket * every + offset + period : starts[(int) (bucket + 1 - first)];
  }

  /** Whether the clock skips any window. */
  boolean skips() {
    return skips;
  }

  /** Whether the clock skips a window: it ends, or the next one begins, when it does. */
  boolean skipped(long bucket) {
    return starts != null && (start(bucket) == start(bucket + 1) || start(bucket) == stop(bucket));
  }

  /** The window that begins at a time; the one after the last, when none does. */
  long startingAt(long nanos) {
    if (starts == null) {
      long bucket = Math.floorDiv(nanos - offset, every);
      return bucket >= first && bucket < end && start(bucket) == nanos ? bucket : end;
    }
    int found = Arrays.binarySearch(starts, 0, size(), nanos);
    if (found < 0) {
      return end;
    }
    // Of those that begin at the same moment the last one, which the clock does not skip.
    long bucket = first + found;
    while (start(bucket) == start(bucket + 1)) {
      bucket++;
    }
    return bucket;
  }

  /** The first whole window; equal to {@link #fullEnd} or later when there is none. */
  long fullFirst() {
    return fullFirst;
  }

  /** The window after the last whole one. */
  long fullEnd() {
    return fullEnd;
  }

  /** Those of the windows that are whole; of no size, or less, when there are none. */
  Run whole(Run windows) {
    return windows.common(new Run(fullFirst, fullEnd));
  }

  /** The first window that has not ended by now. */
  long endedBefore(long now) {
    long bucket = end;
    while (bucket > first && stop(bucket - 1) > now) {
      bucket--;
    }
    return bucket;
  }

  /** Whether a window is not wholly in the range. */
  boolean clipped(long bucket) {
    return bucket < fullFirst || bucket >= fullEnd;
  }

  /** The indexes of the windows that exist. */
  int[] existing() {
    IntStream all = IntStream.range(0, size());
    return (skips ? all.filter(index -> !skipped(first + index)) : all).toArray();
  }

  /** How many windows are not wholly in the range. */
  int clipped() {
    return count(first, end) - count(fullFirst, fullEnd);
  }

  /** Some windows side by side, as far as they are in the range. */
  List<Stretch> stretches(long from, long to) {
    List<Stretch> stretches = new ArrayList<>();
    int apart = window.overlap();
    for (long begin = from; begin < Math.min(to, from + apart); begin++) {
      long last = begin + (to - 1 - begin) / apart * apart;
      if (starts == null) {
        long stride = every * apart;
        stretches.add(Stretch.of(range(begin, last), stride, period, start(begin)));
      } else {
        uneven(begin, last, apart, stretches);
      }
    }
    return stretches;
  }

  /** Those that are equally long are one, as long as each begins where it would. */
  private void uneven(long from, long last, int apart, List<Stretch> into) {
    // Months are put together where nothing lies between them.
    long stride = window.every().calendar() ? 0 : window.every().nanos() * apart;
    long begin = from;
    for (long bucket = from; bucket <= last; bucket += apart) {
      long next = bucket + apart;
      long length = stop(bucket) - start(bucket);
      boolean goes =
          next <= last
              && stop(next) - start(next) == length
              && start(next) - start(bucket) == (stride == 0 ? length : stride);
      if (!goes) {
        if (!skipped(bucket)) {
          long between = bucket == begin ? length : start(bucket) - start(bucket - apart);
          into.add(Stretch.of(range(begin, bucket), between, length, start(bucket)));
        }
        begin = next;
      }
    }
  }

  private TimeRange range(long from, long last) {
    return TimeRange.ofNanos(Math.max(rangeStart, start(from)), Math.min(rangeStop, stop(last)));
  }
}
