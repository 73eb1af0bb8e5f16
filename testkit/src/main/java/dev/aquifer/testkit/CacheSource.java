package dev.aquifer.testkit;

import dev.aquifer.testkit.CacheUnderTest.Place;
import dev.aquifer.testkit.CacheUnderTest.Row;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.LongAdder;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/**
 * The truth: rows with the number of the commit that they were read at; and, maybe, a replica of
 * it.
 */
final class CacheSource {
  private final AtomicLong commits = new AtomicLong();
  private final ReentrantLock lock = new ReentrantLock();
  private final Set<Place> absent = new HashSet<>();
  private final ConcurrentHashMap<String, ReentrantLock> writing = new ConcurrentHashMap<>();
  private final @Nullable CacheReplica replica;
  final LongAdder loads = new LongAdder();

  CacheSource(@Nullable CacheReplica replica) {
    this.replica = replica;
  }

  /** How many commits there are. */
  long commits() {
    return commits.get();
  }

  /** The place as it is now. */
  @Nullable Row load(Place place) {
    loads.increment();
    lock.lock();
    try {
      return absent.contains(place) ? null : row(place, commits.get());
    } finally {
      lock.unlock();
    }
  }

  /** The place as the replica has it, if it has replayed that much; else as it is now. */
  @Nullable Row load(Place place, long least) {
    CacheReplica other = replica;
    if (other == null) {
      return load(place);
    }
    lock.lock();
    try {
      long replayed = other.replayed(System.nanoTime());
      if (least <= replayed) {
        loads.increment();
        return other.absent(place) ? null : row(place, replayed);
      }
    } finally {
      lock.unlock();
    }
    return load(place);
  }

  static Row row(Place place, long asOf) {
    return new Row(place.tenant(), place.cache(), place.key(), asOf);
  }

  /** Writes places, and returns the commit's number. */
  long write(String tenant, List<Place> places, boolean remove) {
    ReentrantLock mine = writing(tenant);
    mine.lock();
    try {
      return commit(places, remove);
    } finally {
      mine.unlock();
    }
  }

  /** Held while a value is written and put: nobody else writes for the tenant in between. */
  ReentrantLock writing(String tenant) {
    return writing.computeIfAbsent(tenant, t -> new ReentrantLock());
  }

  long commit(List<Place> places, boolean remove) {
    lock.lock();
    try {
      if (remove) {
        absent.addAll(places);
      } else {
        places.forEach(absent::remove);
      }
      long commit = commits.incrementAndGet();
      if (replica != null) {
        replica.sent(commit, places, remove, System.nanoTime());
      }
      return commit;
    } finally {
      lock.unlock();
    }
  }
}
