package dev.aquifer.tsquery;

import dev.aquifer.Tenant;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.ReentrantLock;

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

  private final AtomicInteger pins = new AtomicInteger();

  Ledger(Key key) {
    this.key = key;
  }

  /** Keeps it in use; false when it was retired, and another must be taken. */
  boolean pin() {
    return pins.getAndUpdate(count -> count == RETIRED ? RETIRED : count + 1) != RETIRED;
  }

  void unpin() {
    pins.decrementAndGet();
  }

  /** Ends its use, when nobody uses it and nothing is kept. */
  boolean retire() {
    return parts.isEmpty() && pins.compareAndSet(0, RETIRED);
  }
}
