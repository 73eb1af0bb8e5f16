package dev.aquifer.examples;

import dev.aquifer.Tenant;
import dev.aquifer.spi.LastRoute;
import dev.aquifer.spi.Observer;
import java.util.EnumMap;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.LongAdder;
import org.HdrHistogram.ConcurrentHistogram;
import org.HdrHistogram.Histogram;

/**
 * Where every read was answered, and how long it took. Listens to a node of the library, on the
 * thread of the read, and is asked by that thread when the read has returned.
 */
final class Answers implements Observer {
  /** Who answered. */
  enum From {
    L1,
    L2,
    REPLICA,
    PRIMARY
  }

  private static final long LONGEST = TimeUnit.SECONDS.toMicros(60);

  private final ThreadLocal<Tier> tier = ThreadLocal.withInitial(() -> Tier.SOURCE);
  private final Map<From, Histogram> latency = new EnumMap<>(From.class);
  private final Histogram all = new ConcurrentHistogram(1, LONGEST, 3);
  private final Map<String, Long> lastUsed = new ConcurrentHashMap<>();
  private final LongAdder unexplained = new LongAdder();

  Answers() {
    for (From from : From.values()) {
      latency.put(from, new ConcurrentHistogram(1, LONGEST, 3));
    }
  }

  @Override
  public void cacheAnswered(String cache, Tenant tenant, Tier answered) {
    tier.set(answered);
  }

  @Override
  public void routed(String node, Role role, RouteReason reason) {
    lastUsed.put(node, System.nanoTime());
  }

  /** A read of this thread returned after this long. */
  void read(long nanos) {
    long micros = Math.min(LONGEST, Math.max(1, TimeUnit.NANOSECONDS.toMicros(nanos)));
    all.recordValue(micros);
    From from = from();
    if (from == null) {
      unexplained.increment();
    } else {
      latency(from).recordValue(micros);
    }
  }

  private @org.jspecify.annotations.Nullable From from() {
    return switch (tier.get()) {
      case L1 -> From.L1;
      case L2 -> From.L2;
      case SOURCE, STALE ->
          switch (LastRoute.last()) {
            case REPLICA -> From.REPLICA;
            case PRIMARY -> From.PRIMARY;
            case UNKNOWN -> null;
          };
    };
  }

  /**
   * When a statement was last sent to the node, in monotonic nanoseconds; the fallback if never.
   */
  long lastUsed(String node, long fallback) {
    return lastUsed.getOrDefault(node, fallback);
  }

  Histogram latency(From from) {
    return Objects.requireNonNull(latency.get(from));
  }

  Histogram latency() {
    return all;
  }

  long unexplained() {
    return unexplained.sum();
  }
}
