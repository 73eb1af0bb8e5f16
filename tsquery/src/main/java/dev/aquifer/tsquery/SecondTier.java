package dev.aquifer.tsquery;

import dev.aquifer.cache.Timeline;
import dev.aquifer.cache.Timeline.Found;
import dev.aquifer.cache.Timeline.Kept;
import dev.aquifer.cache.Timeline.Moment;
import dev.aquifer.spi.Observer;
import dev.aquifer.spi.Observer.CacheFault;
import java.time.Clock;
import java.time.Duration;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.atomic.LongAdder;
import org.jspecify.annotations.Nullable;

/**
 * The segments that nodes share, in Redis.
 *
 * <p>Reading: see {@link SegmentReads}.
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

  private final WindowCache cache;
  private final Settings settings;
  private final Set<Track.Part> waiting = ConcurrentHashMap.newKeySet();
  final SegmentReads reads;
  final SegmentLeases leases;
  final LongAdder stored = new LongAdder();
  final LongAdder refused = new LongAdder();
  final LongAdder conflicts = new LongAdder();
  final LongAdder tooLarge = new LongAdder();

  /** Off only where a test shows what the check is for. */
  private volatile boolean voidsChecked = true;

  /**
   * What it goes by.
   *
   * @param life how long Redis keeps what stays for good
   * @param patience how long a query waits for what another node fetches; zero: not at all
   * @param maxBytes of a segment
   */
  record Settings(
      SharedNames names,
      Duration life,
      Duration patience,
      int maxBytes,
      Executor executor,
      Clock clock,
      Observer observer) {
    long now() {
      return Nanos.of(clock.instant());
    }
  }

  SecondTier(WindowCache cache, Settings settings) {
    this.cache = cache;
    this.settings = settings;
    this.reads = new SegmentReads(cache, settings);
    this.leases = new SegmentLeases(cache, settings);
  }

  void checkVoids(boolean checked) {
    voidsChecked = checked;
    reads.checkVoids(checked);
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
      List<String> names = settings.names.of(ledger, List.of(part));
      if (timeline == null || asOf == null || mine == null || names.isEmpty()) {
        return false;
      }
      // Of before it is asked: what was fetched elsewhere is not younger for the time that takes.
      long now = settings.now();
      Found found = reads.find(timeline, part, names);
      Segment theirs = reads.segment(part, shape, found, now);
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
    long now = settings.now();
    byte[] payload = SegmentCodec.write(segment, now);
    if (payload == null) {
      return false;
    }
    if (payload.length > settings.maxBytes * SegmentReads.INFLATION) {
      tooLarge(part);
      return false;
    }
    Ledger ledger = cache.pin(part.track().tenant(), part.track().measurement());
    try {
      Timeline timeline = ledger.timeline;
      List<String> names = settings.names.of(ledger, List.of(part));
      if (timeline == null || names.isEmpty()) {
        return false;
      }
      Moment said = voidsChecked ? asOf : timeline.moment();
      Kept kept =
          said == null
              ? Kept.UNKNOWN
              : timeline.keep(
                  names.get(0),
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
    long left = Math.min(settings.life.toNanos(), segment.marks().goodFor(now));
    return Duration.ofNanos(Math.max(1, left));
  }
}
