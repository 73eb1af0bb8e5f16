package dev.aquifer;

import java.time.Duration;
import java.util.Iterator;
import java.util.concurrent.Callable;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/**
 * The causal sessions of one node. The current session is the one that {@link #call} opened on this
 * thread; else that of the current tenant, so that every caller sees its tenant's own writes made
 * through this node; else the node's own, for work with no tenant.
 *
 * <p>Memory is bounded: past {@value #SWEEP_AT} tenants, sessions idle for ten minutes are dropped
 * and their floors are folded into one that every later session starts from. So a floor is never
 * forgotten, it only becomes stricter. Thread-safe.
 */
public final class CausalSessions {
  private static final int SWEEP_AT = 65_536;
  private static final long IDLE = Duration.ofMinutes(10).toNanos();

  private final LongSupplier nanos;

  // An instance's, not static: two nodes in one process must not see each other's sessions.
  @SuppressWarnings("ThreadLocalUsage")
  private final ThreadLocal<@Nullable CausalSession> explicit = new ThreadLocal<>();

  private final ConcurrentHashMap<Tenant, CausalSession> tenants = new ConcurrentHashMap<>();
  private final CausalSession node;
  private final CausalSession folded;
  private final ReentrantLock sweeping = new ReentrantLock();
  private volatile int sweepAt = SWEEP_AT;

  /** Sessions on the process's monotonic clock. */
  public CausalSessions() {
    this(System::nanoTime);
  }

  /**
   * Sessions on another clock.
   *
   * @param nanos monotonic nanoseconds
   */
  public CausalSessions(LongSupplier nanos) {
    this.nanos = nanos;
    this.node = new CausalSession(nanos, null, false);
    this.folded = new CausalSession(nanos, null, false);
  }

  /**
   * The session that the current thread works in. Never null, and no allocation once the tenant is
   * known.
   */
  public CausalSession current() {
    CausalSession opened = explicit.get();
    if (opened != null) {
      return opened;
    }
    Tenant tenant = TenantContext.currentOrNull();
    return tenant == null ? node : of(tenant);
  }

  /** The session that {@link #call} opened on the current thread; null: there is none. */
  public @Nullable CausalSession opened() {
    return explicit.get();
  }

  /** The tenant's session on this node. */
  public CausalSession of(Tenant tenant) {
    CausalSession session = tenants.get(tenant);
    return session != null ? session : created(tenant);
  }

  /**
   * A session of its own, for one user or one request, to be passed to {@link #call}. Its reads are
   * monotonic: what one of them has shown, no later one shows less of.
   */
  public CausalSession open() {
    return new CausalSession(nanos, null, true);
  }

  /**
   * Runs the body in the session, on this thread.
   *
   * @throws Exception what the body throws, unchanged
   */
  public <T> T call(CausalSession session, Callable<T> body) throws Exception {
    CausalSession before = explicit.get();
    explicit.set(session);
    try {
      return body.call();
    } finally {
      if (before == null) {
        explicit.remove();
      } else {
        explicit.set(before);
      }
    }
  }

  private CausalSession created(Tenant tenant) {
    if (tenants.size() >= sweepAt) {
      sweep();
    }
    return tenants.computeIfAbsent(tenant, t -> new CausalSession(nanos, folded, false));
  }

  /**
   * Sequences are not folded: after this long their events were applied, or the link is known to be
   * lost and memory does not answer anyway.
   */
  private void sweep() {
    if (!sweeping.tryLock()) {
      return;
    }
    try {
      long now = nanos.getAsLong();
      for (Iterator<CausalSession> all = tenants.values().iterator(); all.hasNext(); ) {
        CausalSession session = all.next();
        if (now - session.touched() > IDLE) {
          session.drop(folded);
          all.remove();
        }
      }
      sweepAt = Math.max(SWEEP_AT, tenants.size() + SWEEP_AT / 4);
    } finally {
      sweeping.unlock();
    }
  }
}
