package dev.aquifer.tsquery;

import dev.aquifer.cache.Timeline;
import dev.aquifer.cache.Timeline.Found;
import dev.aquifer.cache.Timeline.Kept;
import dev.aquifer.cache.Timeline.Moment;
import dev.aquifer.cache.Timeline.Span;
import dev.aquifer.spi.Observer;
import dev.aquifer.spi.Observer.CacheFault;
import java.time.Clock;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.atomic.LongAdder;
import org.jspecify.annotations.Nullable;

/**
 * The segments that nodes share, in Redis.
 *
 * <p>Reading: the epoch is taken first, so what is voided while Redis answers is not taken over;
 * ranges that were void since a segment was stored come with it, and their windows are left out.
 *
 * <p>Writing: the moment is taken first, then the segment, which then knows of every void that the
 * moment does. Redis has the last word: it refuses a segment of which something was void after its
 * moment, so none that was read before a change is stored after it, however late it comes. What
 * others stored meanwhile is never overwritten: their windows are merged, and the segment takes the
 * place of exactly the version that it was merged with. In two steps, each on a thread of the
 * executor, and nobody waits; what failed is written with the next.
 */
final class SecondTier {
  private static final int ATTEMPTS = 3;

  /** How much larger a segment may be before it is compressed. */
  private static final int INFLATION = 16;

  private final WindowCache cache;
  private final Settings settings;
  private final Set<Track.Part> waiting = ConcurrentHashMap.newKeySet();
  final SegmentLeases leases;
  final LongAdder windows = new LongAdder();
  final LongAdder damaged = new LongAdder();
  final LongAdder stored = new LongAdder();
  final LongAdder refused = new LongAdder();
  final LongAdder conflicts = new LongAdder();
  final LongAdder tooLarge = new LongAdder();

  /** Off only where a test shows what the check is for. */
  private volatile boolean voidsChecked = true;

  /**
   * What it goes by.
   *
   * @param source what the windows are of, among all that share the Redis
   * @param life how long Redis keeps what stays for good
   * @param patience how long a query waits for what another node fetches; zero: not at all
   * @param maxBytes of a segment
   */
  record Settings(
      String source,
      Duration life,
      Duration patience,
      int maxBytes,
      Executor executor,
      Clock clock,
      Observer observer) {}

  SecondTier(WindowCache cache, Settings settings) {
    this.cache = cache;
    this.settings = settings;
    this.leases = new SegmentLeases(cache, settings.source, settings.patience);
  }

  void checkVoids(boolean checked) {
    voidsChecked = checked;
  }

  /** Takes over what Redis has of these segments, in one round trip. */
  Map<Long, Segment> read(
      Ledger ledger, Track track, SegmentCodec.Shape shape, List<Long> indexes, long now) {
    Timeline timeline = ledger.timeline;
    Map<Long, Segment> read = new HashMap<>();
    if (timeline == null || indexes.isEmpty()) {
      return read;
    }
    long epoch = cache.begin(ledger);
    try {
      List<Track.Part> parts = indexes.stream().map(i -> new Track.Part(track, i)).toList();
      List<@Nullable Found> found = find(timeline, parts);
      for (int i = 0; i < parts.size(); i++) {
        Segment segment = segment(parts.get(i), shape, found.get(i), now);
        Segment taken = segment == null ? null : cache.adopt(ledger, epoch, parts.get(i), segment);
        if (segment != null && taken != null) {
          windows.add(segment.windows());
          read.put(indexes.get(i), taken);
        }
      }
    } finally {
      cache.end(ledger, epoch);
    }
    return read;
  }

  @SuppressWarnings("NullAway") // of a list's type argument from another module it knows no null
  private List<@Nullable Found> find(Timeline timeline, List<Track.Part> parts) {
    return timeline.read(
        parts.stream().map(part -> part.stored(settings.source)).toList(),
        settings.maxBytes * INFLATION,
        count -> {
          damaged.add(count);
          settings.observer.cacheFault(
              parts.get(0).track().measurement(), CacheFault.DAMAGED, null);
        });
  }

  /** What of it is current; null for nothing. */
  private @Nullable Segment segment(
      Track.Part part, SegmentCodec.Shape shape, @Nullable Found found, long now) {
    byte[] payload = found == null ? null : found.payload();
    if (found == null || payload == null) {
      return null;
    }
    Segment segment = SegmentCodec.read(payload, shape, found.age(), now);
    if (segment == null) {
      damaged.increment();
      settings.observer.cacheFault(part.track().measurement(), CacheFault.DAMAGED, null);
      return null;
    }
    for (Span span : voidsChecked ? found.voided() : List.<Span>of()) {
      segment = segment.without(part.indexFrom(span.start()), part.indexTo(span.stop()));
    }
    return segment.allUnknown() ? null : segment;
  }

  /**
   * Writes what memory has of a segment, some time later.
   *
   * @param token of the lease that ends then; empty: there is none
   */
  void later(Track.Part part, SegmentCodec.Shape shape, String token) {
    leases.until(part, token);
    if (waiting.add(part)) {
      submit(part, () -> prepare(part, shape, ATTEMPTS));
    }
  }

  /** A step on the way to Redis; true when another follows. */
  private interface WriteStep {
    boolean run();
  }

  private void submit(Track.Part part, WriteStep step) {
    try {
      settings.executor.execute(
          () -> {
            boolean goesOn = false;
            try {
              goesOn = step.run();
            } catch (RuntimeException e) {
              waiting.remove(part);
              settings.observer.cacheFault(part.track().measurement(), CacheFault.REMOTE, e);
            }
            if (!goesOn) {
              leases.written(part);
            }
          });
    } catch (RejectedExecutionException e) {
      // Closing: nothing is kept any more.
      waiting.remove(part);
      leases.written(part);
    }
  }

  private boolean prepare(Track.Part part, SegmentCodec.Shape shape, int attempts) {
    // From now on what is kept is not in what is written: the next keeper asks again.
    waiting.remove(part);
    Ledger ledger = cache.pin(part.track().tenant(), part.track().measurement());
    try {
      Timeline timeline = ledger.timeline;
      Moment asOf = timeline == null || !timeline.keeps() ? null : timeline.moment();
      Segment mine = asOf == null ? null : cache.segment(part);
      if (timeline == null || asOf == null || mine == null) {
        return false;
      }
      Found found = find(timeline, List.of(part)).get(0);
      Segment theirs = segment(part, shape, found, now());
      Segment merged = theirs == null ? mine : mine.merged(theirs);
      byte[] expected = found == null ? null : found.version();
      submit(part, () -> write(part, shape, merged, asOf, expected, attempts));
      return true;
    } finally {
      cache.unpin(ledger);
    }
  }

  private boolean write(
      Track.Part part,
      SegmentCodec.Shape shape,
      Segment segment,
      Moment asOf,
      byte @Nullable [] expected,
      int attempts) {
    long now = now();
    byte[] payload = SegmentCodec.write(segment, now);
    if (payload == null) {
      return false;
    }
    if (payload.length > settings.maxBytes * INFLATION) {
      tooLarge(part);
      return false;
    }
    Ledger ledger = cache.pin(part.track().tenant(), part.track().measurement());
    try {
      Timeline timeline = ledger.timeline;
      if (timeline == null) {
        return false;
      }
      Moment said = voidsChecked ? asOf : timeline.moment();
      Kept kept =
          said == null
              ? Kept.UNKNOWN
              : timeline.keep(
                  part.stored(settings.source),
                  payload,
                  part.span(),
                  said,
                  new Timeline.Place(expected, settings.maxBytes, life(segment, now)));
      switch (kept) {
        case KEPT -> stored.increment();
        case VOID -> refused.increment();
        case CONFLICT -> conflicts.increment();
        case TOO_LARGE -> tooLarge(part);
        case UNKNOWN -> {}
      }
      boolean again = attempts > 1 && (kept == Kept.VOID || kept == Kept.CONFLICT);
      if (again && waiting.add(part)) {
        submit(part, () -> prepare(part, shape, attempts - 1));
      }
      return again;
    } finally {
      cache.unpin(ledger);
    }
  }

  private void tooLarge(Track.Part part) {
    tooLarge.increment();
    settings.observer.cacheFault(part.track().measurement(), CacheFault.TOO_LARGE, null);
  }

  /** As long as one of its windows is good. */
  private Duration life(Segment segment, long now) {
    long longest = settings.life.toNanos();
    long left = 0;
    for (long until : segment.marks().goodUntil()) {
      left = Math.max(left, until == Segment.FOR_GOOD ? longest : until - now);
    }
    return Duration.ofNanos(Math.max(1, Math.min(longest, left)));
  }

  private long now() {
    return Nanos.of(settings.clock.instant());
  }
}
