package dev.aquifer.tsquery;

import dev.aquifer.Tenant;
import dev.aquifer.cache.Timeline;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.BiFunction;
import org.jspecify.annotations.Nullable;

/**
 * What must be known together about one measurement of one tenant: what was voided, what is being
 * fetched, and which segments are kept. The lock is held for bookkeeping alone, never for I/O.
 */
final class Ledger {
  private static final int LOG_BOUND = 256;
  private static final long RETIRED = -1;

  /** A pin, and one more of all that there ever were. */
  private static final long PIN = (1L << 32) | 1;

  record Key(Tenant tenant, String measurement) {}

  final Key key;
  final ReentrantLock lock = new ReentrantLock();

  /** Guarded by the lock. */
  final EpochLog log = new EpochLog(LOG_BOUND);

  /** Guarded by the lock. */
  final List<Flight> flights = new ArrayList<>();

  /** Segments that are, or are about to be, in the cache. */
  final Set<Track.Part> parts;

  /** What all nodes void of it; null where there is this process alone. */
  final @Nullable Timeline timeline;

  /** What its windows are of, for other nodes; null: not known yet. */
  volatile @Nullable String source;

  /**
   * How many use it, in the lower half: whoever made it, too, so that what is void while the
   * timeline is made does not end it. How often it was used before, in the upper half.
   */
  private final AtomicLong pins = new AtomicLong(PIN);

  /** In use by whoever makes it. */
  Ledger(Key key, BiFunction<Key, Ledger, @Nullable Timeline> timeline) {
    this(key, timeline, ConcurrentHashMap.newKeySet());
  }

  Ledger(Key key, BiFunction<Key, Ledger, @Nullable Timeline> timeline, Set<Track.Part> parts) {
    this.key = key;
    this.parts = parts;
    this.timeline = timeline.apply(key, this);
  }

  /**
   * Whether memory may answer the current session, and others' fetches may be waited for. Asks
   * Redis where that is open.
   */
  boolean current() {
    return timeline == null || timeline.current();
  }

  /** Whether what was read may be kept: nothing is being written that will void it. */
  boolean keeps() {
    return timeline == null || timeline.keeps();
  }

  void reading(Runnable body) {
    if (timeline == null) {
      body.run();
    } else {
      timeline.reading(body);
    }
  }

  /** Keeps it in use; false when it was retired, and another must be taken. */
  boolean pin() {
    return pins.getAndUpdate(all -> all == RETIRED ? RETIRED : (all + PIN) & Long.MAX_VALUE)
        != RETIRED;
  }

  void unpin() {
    pins.decrementAndGet();
  }

  /** Ends its use, when nobody uses it and nothing is kept. Blocks nowhere: voids call it. */
  boolean retire() {
    long before = pins.get();
    // Only who uses it adds parts: if nobody did since, there are none still.
    boolean retired = (int) before == 0 && parts.isEmpty() && pins.compareAndSet(before, RETIRED);
    if (retired && timeline != null) {
      timeline.close();
    }
    return retired;
  }
}
