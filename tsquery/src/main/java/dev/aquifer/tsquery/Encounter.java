package dev.aquifer.tsquery;

import dev.aquifer.RefusedQueryException;
import dev.aquifer.cache.Timeline;
import java.time.Instant;
import org.jspecify.annotations.Nullable;

/**
 * What goes on with one thing from a start to an end, or still: a stay in a ward, a flight, a run
 * of a machine. The application keeps it, with its other data or by {@link
 * dev.aquifer.tsquery.encounter.Encounters}; a {@link TimeSeries} answers queries over it, and is
 * told when its boundaries change. Immutable and thread-safe.
 *
 * @param id whose it is, for messages
 * @param start the first moment
 * @param end the first moment after it; null: it goes on
 */
public record Encounter(String id, Instant start, @Nullable Instant end) {
  /**
   * Checks id and order.
   *
   * @throws RefusedQueryException the id is empty, too long or has control characters, a time is
   *     out of the range of 64-bit nanoseconds or starts at its very end, or the end is not after
   *     the start
   */
  public Encounter {
    requireId(id);
    if (Nanos.of(start) == Long.MAX_VALUE) {
      throw new RefusedQueryException(
          "The encounter '%s' starts at %s, after which there is no time."
              .formatted(Names.printable(id), start));
    }
    if (end != null && Nanos.of(end) <= Nanos.of(start)) {
      throw new RefusedQueryException(
          "The encounter '%s' ends at %s, which is not after its start %s."
              .formatted(Names.printable(id), end, start));
    }
  }

  /**
   * The id, if one may have it: 1 to 256 characters, no control characters, Unicode text.
   *
   * @throws RefusedQueryException it may not
   */
  public static String requireId(String id) {
    return Names.require("encounter", id);
  }

  /** One that goes on. */
  public static Encounter open(String id, Instant start) {
    return new Encounter(id, start, null);
  }

  /** Whether it goes on. */
  public boolean open() {
    return end == null;
  }

  /**
   * The same, ended.
   *
   * @throws RefusedQueryException it has ended already; {@link #amend} changes that
   */
  public Encounter close(Instant at) {
    if (end != null) {
      throw new RefusedQueryException(
          "The encounter '%s' has ended at %s already; amend it to end at %s."
              .formatted(Names.printable(id), end, at));
    }
    return new Encounter(id, start, at);
  }

  /** The same with other boundaries; without an end it goes on again. */
  public Encounter amend(Instant newStart, @Nullable Instant newEnd) {
    return new Encounter(id, newStart, newEnd);
  }

  /** When it is; for ever, while it goes on. */
  Timeline.Span span() {
    return new Timeline.Span(Nanos.of(start), end == null ? Long.MAX_VALUE : Nanos.of(end));
  }

  /** The times that it has in common with windows of a query that is asked now. */
  TimeRange until(Instant now) {
    Instant stop = end == null ? now : end;
    if (!stop.isAfter(start)) {
      throw new RefusedQueryException(
          "The encounter '%s' begins at %s, which is not before now, %s."
              .formatted(Names.printable(id), start, now));
    }
    return new TimeRange(start, stop);
  }
}
