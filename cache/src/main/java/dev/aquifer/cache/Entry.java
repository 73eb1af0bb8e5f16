package dev.aquifer.cache;

import org.jspecify.annotations.Nullable;

/**
 * A value in memory. It is valid while nothing it depends on was voided at a later tick than the
 * one at which it was known to be current.
 *
 * @param value the value, null where there is none
 * @param negative whether it says that there is no value
 * @param due from when on a hit is looked at more closely: it may be a reason to load anew, or a
 *     sign of use; never after {@code expires}
 * @param refreshAt from when on a hit starts a load in the background
 * @param expires until when it is fresh, in nanoseconds of the process's clock
 * @param kept until when it may be served where a load fails or is slow; never before {@code
 *     expires}
 * @param loadNanos how long its load took, 0 where that is not known
 * @param tick a moment at which the value was current
 * @param cells of its tenant: key, cache and tags
 * @param shared of the partition that work without a tenant voids: its tags
 * @param weight in bytes, estimated
 */
@SuppressWarnings("ArrayRecordComponent") // equal only to itself
record Entry(
    @Nullable Object value,
    boolean negative,
    long due,
    long refreshAt,
    long expires,
    long kept,
    long loadNanos,
    long tick,
    TagCell[] cells,
    TagCell[] shared,
    int weight) {

  Entry(
      @Nullable Object value,
      boolean negative,
      long expires,
      long kept,
      long loadNanos,
      long tick,
      TagCell[] cells,
      TagCell[] shared,
      int weight) {
    this(value, negative, expires, expires, expires, kept, loadNanos, tick, cells, shared, weight);
  }

  /** The same value, looked at from another time on. */
  Entry dueAt(long newDue, long newRefreshAt) {
    return new Entry(
        value,
        negative,
        newDue,
        newRefreshAt,
        expires,
        kept,
        loadNanos,
        tick,
        cells,
        shared,
        weight);
  }

  @Override
  public boolean equals(@Nullable Object other) {
    return this == other;
  }

  @Override
  public int hashCode() {
    return System.identityHashCode(this);
  }
}
