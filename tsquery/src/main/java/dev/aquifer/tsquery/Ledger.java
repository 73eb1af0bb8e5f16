package dev.aquifer.tsquery;

import dev.aquifer.Tenant;
import dev.aquifer.cache.Timeline;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.BiFunction;
import org.jspecify.annotations.Nullable;

/**
 * What must be known together about one measurement of one tenant: what was voided, what is being
 * fetched, and which segments are kept. The lock is held for bookkeeping alone, never for I/O.
 */
final class Ledger {
  private static final int LOG_BOUND = 256;
  private static final int RETIRED = -1;

  record Key(Tenant tenant, String measurement) {}

  final Key key;
  final ReentrantLock lock = new ReentrantLock();

  /** Guarded by the lock. */
  final EpochLog log = new EpochLog(LOG_BOUND);

  /** Guarded by the lock. */
  final List<Flight> flights = new ArrayList<>();

  /** Segments that are, or are about to be, in the cache. */
  final Set<Track.Part> parts = ConcurrentHashMap.newKeySet();

  /** What all nodes void of it; null where there is this process alone. */
  final @Nullable Timeline timeline;

  /** What its windows are of, for other nodes; null: not known yet. */
  volatile @Nullable String source;

  /** By whoever made it, too: what is void while the timeline is made must not end it. */
  private final AtomicInteger pins = new AtomicInteger(1);

  /** In use by whoever makes it. */
  Ledger(Key key, BiFunction<Key, Ledger, @Nullable Timeline> timeline) {
    this.key = key;
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
    return pins.getAndUpdate(count -> count == RETIRED ? RETIRED : count + 1) != RETIRED;
  }

  void unpin() {
    pins.decrementAndGet();
  }

  /** Ends its use, when nobody uses it and nothing is kept. Blocks nowhere: voids call it. */
  boolean retire() {
    boolean retired = parts.isEmpty() && pins.compareAndSet(0, RETIRED);
    if (retired && timeline != null) {
      timeline.close();
    }
    return retired;
  }
}
