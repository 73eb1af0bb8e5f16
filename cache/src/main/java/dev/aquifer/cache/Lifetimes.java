package dev.aquifer.cache;

import dev.aquifer.spi.Observer.CacheFault;
import java.time.Duration;
import java.time.Instant;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import java.util.function.DoubleSupplier;
import org.jspecify.annotations.Nullable;

/**
 * How long values live, and when one in use is loaded again before its time is up.
 *
 * <p>That moment follows XFetch (Vattani, Chierichetti, Lowenstein: Optimal Probabilistic Cache
 * Stampede Prevention, 2015): expiry + δ·β·ln(rand), δ being how long the load took. It is drawn
 * once for each entry and process, so that a hit compares two numbers and draws none.
 */
final class Lifetimes {
  private static final long NOTED_EVERY = TimeUnit.MINUTES.toNanos(1);
  private static final Duration LONGEST = Duration.ofDays(30);

  /** Uniform from 0 to below 1; a test puts its own in place. */
  volatile DoubleSupplier random = () -> ThreadLocalRandom.current().nextDouble();

  /** How long the value is fresh, in milliseconds; 0: it is not to be stored. */
  long ttlMillis(Flight flight, @Nullable Object value, long took, long now) {
    CacheCore cache = flight.view.cache;
    boolean negative = cache.absent(value);
    Duration ttl = negative ? cache.settings.negativeTtl() : cache.settings.ttl();
    Duration idle = idle(flight.at, now);
    TtlPolicy<Object, Object> policy = cache.ttlPolicy;
    if (policy != null && value != null && !negative) {
      ttl =
          decided(policy, flight, value, new TtlPolicy.Load(Instant.now(), time(took), idle), ttl);
    }
    long millis = ttl.toMillis();
    if (millis == 0) {
      return ttl.isZero() ? 0 : 1;
    }
    // Jitter, so that what was filled together does not expire together (R10).
    double jitter = cache.settings.loads().jitter();
    double factor = jitter == 0 ? 1 : 1 - jitter + 2 * jitter * random.getAsDouble();
    return Math.max(1, Math.round(millis * factor));
  }

  private static Duration time(long nanos) {
    return Duration.ofNanos(Math.max(0, nanos));
  }

  private static @Nullable Duration idle(MemoryKey at, long now) {
    LastUses uses = at.view.cache.uses;
    if (uses == null) {
      return null;
    }
    Long last = uses.last(at);
    uses.note(at, now);
    return last == null ? null : time(now - last);
  }

  private static Duration decided(
      TtlPolicy<Object, Object> policy,
      Flight flight,
      Object value,
      TtlPolicy.Load load,
      Duration otherwise) {
    CacheCore cache = flight.view.cache;
    try {
      @Nullable Duration ttl = policy.ttl(flight.key, value, load);
      if (ttl != null && !ttl.isNegative() && ttl.compareTo(LONGEST) <= 0) {
        return ttl;
      }
      cache.fault(
          CacheFault.POLICY,
          new IllegalStateException(
              "The TTL policy of cache '%s' returned %s; use 0 to %s."
                  .formatted(cache.name, ttl, LONGEST)));
    } catch (Exception | LinkageError | StackOverflowError | AssertionError e) {
      cache.fault(CacheFault.POLICY, e);
    }
    return otherwise;
  }

  /** What bytes of Redis claim, within what can be. */
  static long nanos(long millis) {
    return TimeUnit.MILLISECONDS.toNanos(Math.min(millis, 2 * LONGEST.toMillis()));
  }

  /** How long after its time it is kept, in milliseconds. */
  static long staleMillis(CacheCore cache, boolean negative) {
    return negative ? 0 : cache.settings.loads().staleOnError().toMillis();
  }

  /** The entry, with the moments from which on a hit looks at it more closely. */
  Entry scheduled(CacheCore cache, Entry entry, long now) {
    double beta = cache.settings.loads().refreshAhead();
    long left = Math.max(0, entry.expires() - now);
    double ahead =
        beta == 0 || entry.loadNanos() == 0
            ? 0
            : entry.loadNanos() * beta * -Math.log(1 - random.getAsDouble());
    long refreshAt = entry.expires() - Math.min(left, (long) ahead);
    return entry.dueAt(due(cache, refreshAt, now), refreshAt);
  }

  /** When a hit is next looked at more closely. */
  static long due(CacheCore cache, long refreshAt, long now) {
    long note = now + NOTED_EVERY;
    return cache.uses != null && note - refreshAt < 0 ? note : refreshAt;
  }
}
