package dev.aquifer.cache;

import dev.aquifer.CausalSession;
import dev.aquifer.Tenant;
import dev.aquifer.spi.Observer.Tier;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;

/**
 * What becomes of a hit whose entry wants a closer look: the caller has its value at once, and
 * where the entry's time is nearly up, one of the callers has it loaded again in the background.
 *
 * <p>Such a load is a flight like any other: single in the process, under a lease in the cluster,
 * shared by whoever misses meanwhile, and refused by a void that overtakes it.
 */
final class Refreshes {
  private static final long PAUSE = TimeUnit.SECONDS.toNanos(1);

  private final Node node;
  private final Flights flights;
  private final int mostOfNode;
  private final int mostOfTenant;
  private final AtomicInteger ofNode = new AtomicInteger();
  private final ConcurrentHashMap<Tenant, Integer> ofTenant = new ConcurrentHashMap<>();

  Refreshes(Node node, Flights flights, NodeSettings settings) {
    this.node = node;
    this.flights = flights;
    this.mostOfNode = settings.refreshes();
    this.mostOfTenant = settings.tenantRefreshes();
  }

  /**
   * The answer of an entry that a plain look passed over, or null where there is none to give.
   *
   * @param source the caller's loader, null where it brought none
   */
  Flight.@Nullable Outcome closerLook(MemoryKey at, Object key, Flight.@Nullable Source source) {
    Entry entry = node.peek(at);
    if (entry == null) {
      return null;
    }
    long now = node.nanos.getAsLong();
    if (now - entry.expires() >= 0) {
      return source == null ? null : flights.stale.meanwhile(at, entry, now);
    }
    CausalSession session = node.sessions.current();
    if (!node.valid(at.view, entry, now, session)) {
      return null;
    }
    if (now - entry.due() >= 0) {
      due(at, key, source, entry, now, session);
    }
    return new Flight.Outcome(entry.value(), Tier.L1, 0, 0, Set.of());
  }

  /** What was found in Redis, and is in memory now, may be nearly due. */
  void found(MemoryKey at, Object key, Flight.Source source, CausalSession session) {
    Entry entry = node.peek(at);
    long now = node.nanos.getAsLong();
    if (entry != null && now - entry.refreshAt() >= 0 && now - entry.expires() < 0) {
      due(at, key, source, entry, now, session);
    }
  }

  private void due(
      MemoryKey at,
      Object key,
      Flight.@Nullable Source source,
      Entry entry,
      long now,
      CausalSession session) {
    CacheCore cache = at.view.cache;
    if (cache.uses != null) {
      cache.uses.note(at, now);
    }
    boolean refresh = source != null && now - entry.refreshAt() >= 0;
    long again = now + Math.max(PAUSE, entry.loadNanos());
    long refreshAt =
        !refresh ? entry.refreshAt() : again - entry.expires() < 0 ? again : entry.expires();
    // One of the callers wins; where the load fails, the next try comes with a later hit.
    boolean mine =
        node.replace(at, entry, entry.dueAt(Lifetimes.due(cache, refreshAt, now), refreshAt));
    if (mine && refresh && source != null && !flights.stale.waits(at, now)) {
      start(new Flight(at, key, source, node, session, entry), now);
    }
  }

  @SuppressWarnings("FutureReturnValueIgnored") // gives the place back, whatever happens
  private void start(Flight flight, long now) {
    Tenant tenant = flight.view.tenant;
    if (!enter(tenant)) {
      flight.view.cache.refreshesRefused.increment();
      return;
    }
    flight.ended.thenRun(() -> leave(tenant));
    if (flights.startBehind(flight, now)) {
      flight.view.cache.refreshes.increment();
    }
  }

  private boolean enter(Tenant tenant) {
    int all = ofNode.incrementAndGet();
    int own = ofTenant.merge(tenant, 1, Integer::sum);
    boolean free = all <= mostOfNode && own <= mostOfTenant;
    if (!free) {
      leave(tenant);
    }
    return free;
  }

  private void leave(Tenant tenant) {
    ofTenant.computeIfPresent(tenant, (t, running) -> running == 1 ? null : running - 1);
    ofNode.decrementAndGet();
  }
}
