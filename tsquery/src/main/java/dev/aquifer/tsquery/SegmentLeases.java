package dev.aquifer.tsquery;

import dev.aquifer.cache.Timeline;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.LongAdder;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/**
 * Leases in Redis on segments that are being fetched. Each ends when what was fetched is stored, or
 * with its time, if whoever has it is gone. Thread-safe. No method throws for Redis' sake.
 */
final class SegmentLeases {
  /** How long who took a lease is taken to be at work. */
  static final Duration TIME = Duration.ofSeconds(5);

  private static final long SHORTEST_PAUSE = Duration.ofMillis(5).toNanos();
  private static final long LONGEST_PAUSE = Duration.ofMillis(50).toNanos();

  private final WindowCache cache;
  private final SecondTier.Settings settings;
  private final Map<Track.Part, String> tokens = new ConcurrentHashMap<>();

  /** Waits for others that there were. */
  final LongAdder awaited = new LongAdder();

  SegmentLeases(WindowCache cache, SecondTier.Settings settings) {
    this.cache = cache;
    this.settings = settings;
  }

  /** How long a query waits for whoever has a lease; zero: no leases are taken. */
  Duration patience() {
    return settings.patience();
  }

  /**
   * Takes those that nobody has, in one round trip.
   *
   * @return for each whether it was granted; null where Redis does not answer
   */
  @Nullable List<Boolean> take(Ledger ledger, List<Track.Part> parts, String token) {
    Duration time = patience().compareTo(TIME) > 0 ? patience() : TIME;
    List<String> names = settings.names().of(ledger, parts);
    return ledger.timeline == null || names.isEmpty()
        ? null
        : ledger.timeline.lease(names, token, time);
  }

  /** Gives some back. Does not wait. */
  void release(Ledger ledger, List<Track.Part> parts, String token) {
    if (ledger.timeline != null && !parts.isEmpty()) {
      ledger.timeline.release(settings.names().of(ledger, parts), token);
    }
  }

  /**
   * Waits while somebody has one of these.
   *
   * @param until at most, of {@link System#nanoTime}
   */
  void await(Ledger ledger, List<Track.Part> parts, long until) {
    Timeline timeline = ledger.timeline;
    if (timeline == null) {
      return;
    }
    awaited.increment();
    List<String> held = settings.names().of(ledger, parts);
    long pause = SHORTEST_PAUSE;
    while (true) {
      List<Boolean> leased = timeline.leased(held);
      long left = until - System.nanoTime();
      if (leased == null || !leased.contains(true) || left <= 0) {
        return;
      }
      List<String> asked = held;
      held = IntStream.range(0, asked.size()).filter(leased::get).mapToObj(asked::get).toList();
      LockSupport.parkNanos(this, Math.min(left, pause));
      if (Thread.currentThread().isInterrupted()) {
        return;
      }
      pause = Math.min(LONGEST_PAUSE, 2 * pause);
    }
  }

  /** A lease ends when the segment is written: {@link #written}. */
  void until(Track.Part part, String token) {
    if (!token.isEmpty()) {
      tokens.put(part, token);
    }
  }

  /** The segment is in Redis, or will not be. */
  void written(Track.Part part) {
    String token = tokens.remove(part);
    if (token != null) {
      Ledger ledger = cache.pin(part.track().tenant(), part.track().measurement());
      try {
        release(ledger, List.of(part), token);
      } finally {
        cache.unpin(ledger);
      }
    }
  }
}
