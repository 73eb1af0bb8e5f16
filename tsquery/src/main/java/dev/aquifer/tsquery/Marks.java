package dev.aquifer.tsquery;

import java.util.Arrays;

/**
 * When each window of a segment was fetched, and until when it is good, as runs of windows that
 * have both in common. Immutable.
 */
final class Marks {
  static final Marks NONE =
      new Marks(
          new short[] {Segment.LENGTH}, new long[] {Segment.UNKNOWN}, new long[] {Segment.UNKNOWN});

  private final short[] ends;
  private final long[] fetchedAt;
  private final long[] goodUntil;

  private Marks(short[] ends, long[] fetchedAt, long[] goodUntil) {
    this.ends = ends;
    this.fetchedAt = fetchedAt;
    this.goodUntil = goodUntil;
  }

  /**
   * Of these windows. What stays for good is as old as the newest of its run: it only keeps answers
   * out that were fetched before.
   */
  static Marks of(long[] fetchedAt, long[] goodUntil) {
    short[] ends = new short[fetchedAt.length];
    long[] ats = new long[fetchedAt.length];
    long[] untils = new long[fetchedAt.length];
    int runs = 0;
    for (int i = 0; i < fetchedAt.length; i++) {
      long at = fetchedAt[i];
      long until = at == Segment.UNKNOWN ? Segment.UNKNOWN : goodUntil[i];
      boolean same =
          runs > 0
              && untils[runs - 1] == until
              && (until == Segment.FOR_GOOD || ats[runs - 1] == at);
      if (same) {
        ats[runs - 1] = Math.max(ats[runs - 1], at);
      } else {
        ats[runs] = at;
        untils[runs] = until;
        runs++;
      }
      ends[runs - 1] = (short) (i + 1);
    }
    return new Marks(
        Arrays.copyOf(ends, runs), Arrays.copyOf(ats, runs), Arrays.copyOf(untils, runs));
  }

  private int run(int index) {
    int found = Arrays.binarySearch(ends, (short) (index + 1));
    return found < 0 ? -found - 1 : found;
  }

  /** The window after the last of those from this one on that have both in common with it. */
  int alike(int index) {
    return ends[run(index)];
  }

  /** A clock that was set back ends what was fetched later by it, except what stays for good. */
  boolean fresh(int index, long now) {
    int run = run(index);
    long fetched = fetchedAt[run];
    return fetched != Segment.UNKNOWN
        && (goodUntil[run] == Segment.FOR_GOOD || (now >= fetched && now < goodUntil[run]));
  }

  /** Whether a window was fetched less than so many nanoseconds ago. */
  boolean fetchedWithin(long nanos, int index, long now) {
    return now - fetchedAt[run(index)] < nanos;
  }

  boolean known(int index) {
    return fetchedAt[run(index)] != Segment.UNKNOWN;
  }

  boolean settled(int index) {
    return goodUntil[run(index)] == Segment.FOR_GOOD;
  }

  /** Whether no window was fetched. */
  boolean none() {
    return fetchedAt.length == 1 && fetchedAt[0] == Segment.UNKNOWN;
  }

  /** Whether every window was fetched. */
  boolean whole() {
    for (long at : fetchedAt) {
      if (at == Segment.UNKNOWN) {
        return false;
      }
    }
    return true;
  }

  /** For how many nanoseconds from now on a window is good; {@link Segment#FOR_GOOD} for good. */
  long goodFor(long now) {
    long longest = 0;
    for (long until : goodUntil) {
      if (until != Segment.UNKNOWN) {
        longest = Math.max(longest, until == Segment.FOR_GOOD ? until : until - now);
      }
    }
    return longest;
  }

  /** For each window when it was fetched. */
  long[] fetchedAt() {
    return each(fetchedAt);
  }

  /** For each window until when it is good. */
  long[] goodUntil() {
    return each(goodUntil);
  }

  private long[] each(long[] ofRuns) {
    long[] each = new long[Segment.LENGTH];
    int from = 0;
    for (int run = 0; run < ends.length; run++) {
      Arrays.fill(each, from, ends[run], ofRuns[run]);
      from = ends[run];
    }
    return each;
  }

  /** Some windows were not fetched. */
  Marks without(int from, int to) {
    long[] at = fetchedAt();
    Arrays.fill(at, from, to, Segment.UNKNOWN);
    return of(at, goodUntil());
  }

  /** Bytes of memory, about. */
  int weight() {
    return 24 + 3 * 16 + 18 * ends.length;
  }
}
