package dev.aquifer.cache;

import com.github.benmanes.caffeine.cache.Cache;
import com.github.benmanes.caffeine.cache.Caffeine;
import dev.aquifer.CausalSession;
import dev.aquifer.spi.Observer.Tier;
import java.time.Duration;
import java.util.Set;
import java.util.concurrent.Future;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * What callers get where a load fails or is slow: the value whose time is up, as long as it is
 * kept. It is judged as any other: one that was voided, that is older than the caller's session has
 * seen, or that nobody can vouch for since Redis is not heard, answers nobody.
 *
 * <p>After a failure the value is served without a load for a while, which doubles with each.
 */
final class StaleAnswers {
  private static final int MOST_WAITS = 10_000;

  private final Node node;
  private final Cache<MemoryKey, Wait> waits =
      Caffeine.newBuilder().maximumSize(MOST_WAITS).executor(Runnable::run).build();

  StaleAnswers(Node node) {
    this.node = node;
  }

  /** Whether the key's loads failed so lately that the next is not due yet. */
  boolean waits(MemoryKey at, long now) {
    Wait wait = waits.getIfPresent(at);
    return wait != null && now - wait.until < 0;
  }

  /** The entry as an answer, where it is past its time and no load is due. */
  Flight.@Nullable Outcome meanwhile(MemoryKey at, Entry entry, long now) {
    return waits(at, now) ? outcome(at.view, entry, now, node.sessions.current()) : null;
  }

  /** What answers the flight's callers where its load does not. */
  Flight.@Nullable Outcome instead(Flight flight, CausalSession session) {
    long now = node.nanos.getAsLong();
    Entry inMemory = node.peek(flight.at);
    Flight.Outcome found = inMemory == null ? null : outcome(flight.view, inMemory, now, session);
    Entry inRedis = flight.kept;
    return found != null || inRedis == null ? found : outcome(flight.view, inRedis, now, session);
  }

  private Flight.@Nullable Outcome outcome(
      TenantView view, Entry entry, long now, CausalSession session) {
    if (!servable(view, entry, now, session)) {
      return null;
    }
    Tier tier = now - entry.expires() < 0 ? Tier.L1 : Tier.STALE;
    return new Flight.Outcome(entry.value(), tier, 0, 0, Set.of(), entry);
  }

  /** Whether the session may be shown the entry now, in its time or after. */
  boolean servable(TenantView view, Entry entry, long now, CausalSession session) {
    if (now - entry.expires() >= 0) {
      long own = view.cache.settings.loads().staleOnError().toNanos();
      if (entry.negative() || now - entry.kept() >= 0 || now - entry.expires() >= own) {
        return false;
      }
    }
    return node.valid(view, entry, now, session);
  }

  void failed(Flight flight) {
    LoadSettings settings = flight.view.cache.settings.loads();
    long first = settings.retryAfter().toNanos();
    long most = settings.retryAtMost().toNanos();
    if (first == 0) {
      return;
    }
    long now = node.nanos.getAsLong();
    waits
        .asMap()
        .compute(
            flight.at,
            (at, before) -> {
              long pause = before == null ? first : Math.min(most, before.pause * 2);
              return new Wait(now + pause, pause);
            });
  }

  void loaded(Flight flight) {
    waits.invalidate(flight.at);
  }

  /** From the first caller who waits for it on, the flight has the soft limit to answer within. */
  @SuppressWarnings("FutureReturnValueIgnored") // takes back a limit that is not needed any more
  void arm(Flight flight) {
    Duration soft = flight.view.cache.settings.loads().softTimeout();
    if (soft == null || !flight.armed.compareAndSet(false, true)) {
      return;
    }
    try {
      Future<?> limit =
          node.timer.schedule(() -> tooSlow(flight), soft.toNanos(), TimeUnit.NANOSECONDS);
      flight.ended.thenRun(() -> limit.cancel(false));
    } catch (RejectedExecutionException e) {
      // Closed: the hard limit is the caller's own.
      return;
    }
  }

  private void tooSlow(Flight flight) {
    flight.tooSlow = true;
    answer(flight);
  }

  /** The flight found this in Redis and goes on to load, since it is past its time or not newer. */
  void found(Flight flight, Entry entry) {
    if (node.nanos.getAsLong() - entry.expires() < 0) {
      return;
    }
    flight.kept = entry;
    keep(flight.at, entry);
    if (flight.tooSlow) {
      answer(flight);
    }
  }

  /** Keeps what is past its time in memory, unless that has something newer. */
  void keep(MemoryKey at, Entry entry) {
    Entry inMemory = node.peek(at);
    if (inMemory == null || inMemory.kept() - entry.kept() < 0) {
      node.remember(at, entry);
    }
  }

  private void answer(Flight flight) {
    Flight.Outcome outcome = instead(flight, flight.session);
    if (outcome != null) {
      flight.answeredEarly = true;
      flight.done.complete(outcome);
    }
  }

  /** Whether a caller who comes while the load goes on may have the early answer too. */
  boolean servesStill(Flight flight, CausalSession session) {
    if (!flight.answeredEarly) {
      return true;
    }
    // That answer itself: another that could be given now is not what the flight's callers get.
    Flight.Outcome early = flight.done.getNow(null);
    Entry given = early == null ? null : early.kept();
    return given == null || servable(flight.view, given, node.nanos.getAsLong(), session);
  }

  private record Wait(long until, long pause) {}
}
