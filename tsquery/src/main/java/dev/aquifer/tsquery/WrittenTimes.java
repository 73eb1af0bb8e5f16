package dev.aquifer.tsquery;

import dev.aquifer.RefusedQueryException;
import dev.aquifer.cache.Timeline;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/** The ranges that hold written points: few of them, however many points there are. */
final class WrittenTimes {
  /** More would make the word of one write long; what lies between two of them is then void too. */
  static final int MOST = 32;

  private WrittenTimes() {}

  /** The time, if another follows it. */
  static long nanos(Instant time) {
    long nanos = Nanos.of(time);
    if (nanos == Long.MAX_VALUE) {
      throw new RefusedQueryException("No time follows %s in 64 bits.".formatted(time));
    }
    return nanos;
  }

  /** Ranges that hold all times: each its own while there are few, then joined where close. */
  static List<Timeline.Span> spans(long[] times) {
    long[] sorted = Arrays.stream(times).sorted().distinct().toArray();
    long least = leastGap(sorted);
    List<Timeline.Span> ranges = new ArrayList<>();
    int from = 0;
    for (int i = 1; i <= sorted.length; i++) {
      boolean apart = i == sorted.length || (gap(sorted, i) >= least && ranges.size() < MOST - 1);
      if (apart) {
        ranges.add(new Timeline.Span(sorted[from], sorted[i - 1] + 1));
        from = i;
      }
    }
    return ranges;
  }

  /** The gaps from which on two times are apart. */
  private static long leastGap(long[] sorted) {
    if (sorted.length <= MOST) {
      return 0;
    }
    long[] gaps = new long[sorted.length - 1];
    Arrays.setAll(gaps, i -> gap(sorted, i + 1));
    Arrays.sort(gaps);
    return gaps[gaps.length - (MOST - 1)];
  }

  private static long gap(long[] sorted, int i) {
    long gap = sorted[i] - sorted[i - 1];
    return gap < 0 ? Long.MAX_VALUE : gap;
  }
}
