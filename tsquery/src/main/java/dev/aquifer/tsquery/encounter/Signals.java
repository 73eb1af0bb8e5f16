package dev.aquifer.tsquery.encounter;

import java.util.ArrayList;
import java.util.List;
import java.util.NavigableMap;
import java.util.NavigableSet;
import java.util.TreeMap;

/**
 * What is known of the points of one group, from coarse windows to fine ones. Used by one thread.
 *
 * <p>A coarse window says that a point began or ended something somewhere in it. It need not be
 * looked into where that changes nothing: one with starts alone while an encounter surely goes on,
 * one with stops alone while surely none does. All others are marked, and replaced by the windows
 * that they consist of.
 */
final class Signals {
  static final int START = 1;
  static final int STOP = 2;
  static final int ACTIVE = 4;

  /** What was found: from the start of a window to the end of one. */
  record Found(long start, long end, boolean open) {}

  private enum State {
    OUT,
    IN,
    UNKNOWN
  }

  /**
   * Windows with points, by their start.
   *
   * @param settled not to be looked into: it has points, none of which changes anything
   */
  private record Span(long start, long end, int signs, boolean settled) {}

  private final long begin;
  private final long quiet;
  private NavigableMap<Long, Span> spans = new TreeMap<>();
  private final NavigableMap<Long, Span> next = new TreeMap<>();

  /**
   * Signals of one group.
   *
   * @param begin when it is looked at first, at the start of a finest window; nothing goes on then
   * @param quiet the silence that ends an encounter; 0: none does
   */
  Signals(long begin, long quiet) {
    this.begin = begin;
    this.quiet = quiet;
  }

  /** A window has points of this sort. */
  void saw(long start, long end, int sign) {
    next.merge(
        start,
        new Span(start, end, sign, false),
        (a, b) -> new Span(start, end, a.signs | b.signs, false));
  }

  /**
   * Takes what was seen since in the place of the windows that were looked into; what else there
   * is, is settled.
   */
  void refine(NavigableSet<Long> marked) {
    NavigableMap<Long, Span> all = new TreeMap<>();
    for (Span span : spans.values()) {
      if (span.settled || !marked.contains(span.start)) {
        all.put(span.start, new Span(span.start, span.end, ACTIVE, true));
      }
    }
    all.putAll(next);
    next.clear();
    spans = all;
  }

  /** Marks the windows that must be looked into, by their starts. */
  void mark(NavigableSet<Long> marked, long rangeStop) {
    State state = State.UNKNOWN;
    Span before = null;
    for (Span span : spans.values()) {
      if (span.end <= begin) {
        continue;
      }
      if (before != null && state != State.OUT && silent(before, span.start)) {
        add(marked, before);
        add(marked, span);
        state = State.UNKNOWN;
      }
      if (span.start < begin) {
        add(marked, span);
      } else if (!span.settled) {
        state = after(span, state, marked);
      }
      before = span;
    }
    if (before != null && state != State.OUT && silent(before, rangeStop)) {
      add(marked, before);
    }
  }

  private static State after(Span span, State state, NavigableSet<Long> marked) {
    return switch (span.signs & (START | STOP)) {
      case START | STOP -> {
        add(marked, span);
        yield State.UNKNOWN;
      }
      case START -> {
        if (state != State.IN) {
          add(marked, span);
        }
        yield State.IN;
      }
      case STOP -> {
        if (state != State.OUT) {
          add(marked, span);
        }
        yield State.OUT;
      }
      default -> state;
    };
  }

  private static void add(NavigableSet<Long> marked, Span span) {
    if (!span.settled) {
      marked.add(span.start);
    }
  }

  /** Whether from some point of the window on there may be silence long enough. */
  private boolean silent(Span before, long until) {
    long width = before.end - before.start;
    return quiet > 0 && until > before.end && until - before.end + 2 * width >= quiet;
  }

  /** The encounters, once no window is left to be looked into. */
  List<Found> found(long rangeStop) {
    List<Found> found = new ArrayList<>();
    boolean in = false;
    long start = 0;
    long active = 0;
    for (Span span : spans.values()) {
      if (span.start < begin) {
        continue;
      }
      if (in && quiet > 0 && span.start - active >= quiet) {
        found.add(new Found(start, active, false));
        in = false;
      }
      if (!in && !span.settled && (span.signs & START) != 0) {
        in = true;
        start = span.start;
      }
      active = span.end;
      if (in && !span.settled && (span.signs & STOP) != 0) {
        found.add(new Found(start, span.end, false));
        in = false;
      }
    }
    if (in) {
      boolean ended = quiet > 0 && rangeStop - active >= quiet;
      found.add(new Found(start, ended ? active : rangeStop, !ended));
    }
    return found;
  }
}
