package dev.aquifer.tsquery;

import dev.aquifer.ConfigurationException;
import dev.aquifer.Tenant;
import dev.aquifer.TenantLimitException;
import dev.aquifer.UnavailableException;
import dev.aquifer.spi.Observer;
import java.time.Duration;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/**
 * Where requests wait before they go to the backend: so many run at a time in all, so many of one
 * tenant, and they begin in the {@link TurnOrder}. What one tenant may not even queue is refused.
 * The lock is held for bookkeeping alone; whoever waits is parked and may be a virtual thread.
 */
final class RequestQueue implements AutoCloseable {
  private static final Duration RETRY = Duration.ofMillis(100);

  /** What the queue is made of. */
  record Setting(int concurrency, RequestLimits limits, Observer observer, LongSupplier nanos) {}

  private final Setting setting;
  private final TurnOrder<Waiting> order;
  private final RequestRates rates;
  private final ReentrantLock lock = new ReentrantLock();
  private final ConcurrentHashMap<Tenant, RequestLimits> own = new ConcurrentHashMap<>();

  /** Guarded by the lock, as are the order and each waiting request. */
  private final Set<Waiting> waiting = new HashSet<>();

  private boolean closed;

  private static final class Waiting {
    private final Condition turn;
    private boolean begun;

    Waiting(Condition turn) {
      this.turn = turn;
    }
  }

  private record Refusal(Observer.WindowRefusal why, TenantLimitException error) {}

  /** The right to run one request; to be given back. */
  final class Turn {
    private final Tenant tenant;
    private boolean over;

    private Turn(Tenant tenant) {
      this.tenant = tenant;
    }

    void close() {
      if (!over) {
        over = true;
        leave(tenant);
      }
    }
  }

  RequestQueue(Setting setting) {
    this.setting = setting;
    this.order = new TurnOrder<>(setting.concurrency());
    this.rates = new RequestRates(setting.nanos());
  }

  /** Refuses limits that let one tenant run more than all. */
  static RequestLimits check(int concurrency, RequestLimits limits) {
    if (limits.concurrent() > concurrency) {
      throw new ConfigurationException(
          "One tenant may run %d requests at a time, but all together %d (concurrency); raise the one or lower the other."
              .formatted(limits.concurrent(), concurrency));
    }
    return limits;
  }

  void limit(Tenant tenant, @Nullable RequestLimits limits) {
    if (limits == null) {
      own.remove(tenant);
    } else {
      own.put(tenant, check(setting.concurrency(), limits));
    }
    lock.lock();
    try {
      begin(order.limit(tenant, limits(tenant)));
    } finally {
      lock.unlock();
    }
  }

  RequestLimits limits(Tenant tenant) {
    return own.getOrDefault(tenant, setting.limits());
  }

  /**
   * Waits for the tenant's turn.
   *
   * @param left the longest to wait
   * @throws TenantLimitException as many of the tenant's requests wait as may, or it has begun as
   *     many in this second as it may
   * @throws UnavailableException the turn did not come in time, or the thread was interrupted
   * @throws IllegalStateException it was closed
   */
  Turn take(Tenant tenant, String measurement, Duration left) {
    long began = setting.nanos().getAsLong();
    Refusal refusal;
    lock.lock();
    try {
      requireOpen();
      RequestLimits limits = limits(tenant);
      refusal = refusal(tenant, limits);
      if (refusal == null) {
        Waiting mine = new Waiting(lock.newCondition());
        if (order.enter(tenant, limits, mine) == TurnOrder.Entry.QUEUED) {
          waiting.add(mine);
          await(mine, tenant, measurement, left);
        }
      }
    } finally {
      lock.unlock();
    }
    if (refusal != null) {
      setting.observer().windowRefused(measurement, tenant, refusal.why());
      throw refusal.error();
    }
    Turn turn = new Turn(tenant);
    setting.observer().windowQueued(measurement, tenant, setting.nanos().getAsLong() - began);
    return turn;
  }

  /** Ends the waiting of all; requests that run go on. */
  @Override
  public void close() {
    lock.lock();
    try {
      closed = true;
      waiting.forEach(each -> each.turn.signal());
    } finally {
      lock.unlock();
    }
  }

  int waiting(Tenant tenant) {
    lock.lock();
    try {
      return order.waiting(tenant);
    } finally {
      lock.unlock();
    }
  }

  int running() {
    lock.lock();
    try {
      return order.running();
    } finally {
      lock.unlock();
    }
  }

  private @Nullable Refusal refusal(Tenant tenant, RequestLimits limits) {
    boolean runs =
        order.running() < setting.concurrency() && order.running(tenant) < limits.concurrent();
    if (!runs && order.waiting(tenant) >= limits.queued()) {
      return new Refusal(
          Observer.WindowRefusal.QUEUE,
          new TenantLimitException(
              tenant,
              "%d requests at a time and %d that wait for the time-series backend"
                  .formatted(limits.concurrent(), limits.queued()),
              RETRY));
    }
    Duration wait = rates.take(tenant, limits);
    return wait.isZero()
        ? null
        : new Refusal(
            Observer.WindowRefusal.RATE,
            new TenantLimitException(
                tenant,
                "%d requests per second (burst %d) to the time-series backend"
                    .formatted(limits.perSecond(), limits.burst()),
                wait));
  }

  private void await(Waiting mine, Tenant tenant, String measurement, Duration left) {
    long nanos = left.toNanos();
    boolean ended = false;
    try {
      while (!mine.begun) {
        requireOpen();
        if (nanos <= 0) {
          throw tooLong(tenant, measurement, left);
        }
        nanos = mine.turn.awaitNanos(nanos);
      }
      ended = true;
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new UnavailableException(
          "Interrupted while a request for %s of tenant %s waited for its turn"
              .formatted(measurement, tenant),
          e);
    } finally {
      waiting.remove(mine);
      if (!ended) {
        giveUp(mine, tenant);
      }
    }
  }

  /** The turn may have come in the same moment: then it is the next one's. */
  private void giveUp(Waiting mine, Tenant tenant) {
    if (mine.begun) {
      leave(tenant);
    } else {
      order.withdraw(tenant, mine);
    }
  }

  private UnavailableException tooLong(Tenant tenant, String measurement, Duration left) {
    return new UnavailableException(
        ("A request for %s of tenant %s waited %s for its turn: %d requests run, %d of them this"
                + " tenant's, of %d and %d that may. Ask for less at a time, or raise the limits.")
            .formatted(
                measurement,
                tenant,
                left,
                order.running(),
                order.running(tenant),
                setting.concurrency(),
                limits(tenant).concurrent()));
  }

  private void leave(Tenant tenant) {
    lock.lock();
    try {
      begin(order.leave(tenant));
    } finally {
      lock.unlock();
    }
  }

  private static void begin(List<Waiting> next) {
    for (Waiting each : next) {
      each.begun = true;
      each.turn.signal();
    }
  }

  private void requireOpen() {
    if (closed) {
      throw new IllegalStateException("This TimeSeries is closed");
    }
  }
}
