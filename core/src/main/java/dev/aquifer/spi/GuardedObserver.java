package dev.aquifer.spi;

import dev.aquifer.Tenant;
import java.time.Duration;
import java.util.Collection;
import java.util.concurrent.atomic.AtomicBoolean;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Tells several observers. What one throws is logged, the first time with its trace, and stops
 * nobody.
 */
final class GuardedObserver implements Observer {
  private static final Logger log = LoggerFactory.getLogger(Observer.class);

  private final Observer[] observers;
  private final AtomicBoolean logged = new AtomicBoolean();

  private GuardedObserver(Observer[] observers) {
    this.observers = observers;
  }

  static Observer of(Collection<? extends Observer> observers) {
    Observer[] real =
        observers.stream().filter(observer -> observer != Observer.NONE).toArray(Observer[]::new);
    if (real.length == 0) {
      return Observer.NONE;
    }
    return real.length == 1 && real[0] instanceof GuardedObserver
        ? real[0]
        : new GuardedObserver(real);
  }

  @Override
  public void cacheAnswered(String cache, Tenant tenant, Tier tier) {
    // Written out: a lambda would allocate on the path of every read.
    for (Observer observer : observers) {
      try {
        observer.cacheAnswered(cache, tenant, tier);
      } catch (Throwable e) {
        failed(observer, e);
      }
    }
  }

  @Override
  public void routed(String node, Role role, RouteReason reason) {
    for (Observer observer : observers) {
      try {
        observer.routed(node, role, reason);
      } catch (Throwable e) {
        failed(observer, e);
      }
    }
  }

  @Override
  public void cacheLoaded(String cache, Tenant tenant, long nanos, @Nullable Throwable error) {
    each(observer -> observer.cacheLoaded(cache, tenant, nanos, error));
  }

  @Override
  public void cacheInvalidated(Tenant tenant, Scope scope, int names) {
    each(observer -> observer.cacheInvalidated(tenant, scope, names));
  }

  @Override
  public void cacheFault(String cache, CacheFault fault, @Nullable Throwable error) {
    each(observer -> observer.cacheFault(cache, fault, error));
  }

  @Override
  public void remoteChanged(boolean usable, String reason) {
    each(observer -> observer.remoteChanged(usable, reason));
  }

  @Override
  public void lagSampled(String node, @Nullable Duration lag, long bytes) {
    each(observer -> observer.lagSampled(node, lag, bytes));
  }

  @Override
  public void nodeChanged(String node, NodeState from, NodeState to, String reason) {
    each(observer -> observer.nodeChanged(node, from, to, reason));
  }

  @Override
  public void roleChanged(String node, Role from, Role to) {
    each(observer -> observer.roleChanged(node, from, to));
  }

  @Override
  public void poolDecided(String pool, PoolReason reason, int before, int now) {
    each(observer -> observer.poolDecided(pool, reason, before, now));
  }

  @Override
  public void connectionLeaked(String pool, Duration held, Throwable taken) {
    each(observer -> observer.connectionLeaked(pool, held, taken));
  }

  @Override
  public void poolReachable(String pool, boolean reachable, String reason) {
    each(observer -> observer.poolReachable(pool, reachable, reason));
  }

  @Override
  public void listenerFailed(String listener, Throwable error) {
    each(observer -> observer.listenerFailed(listener, error));
  }

  @Override
  public void windowAnswered(
      String measurement, Tenant tenant, long shown, long fetched, int requests) {
    each(observer -> observer.windowAnswered(measurement, tenant, shown, fetched, requests));
  }

  @Override
  public void windowQueued(String measurement, Tenant tenant, long nanos) {
    each(observer -> observer.windowQueued(measurement, tenant, nanos));
  }

  @Override
  public void windowFetched(
      String measurement, Tenant tenant, long nanos, long bytes, @Nullable Throwable error) {
    each(observer -> observer.windowFetched(measurement, tenant, nanos, bytes, error));
  }

  @Override
  public void windowRefused(String measurement, Tenant tenant, WindowRefusal why) {
    each(observer -> observer.windowRefused(measurement, tenant, why));
  }

  private void each(java.util.function.Consumer<Observer> call) {
    for (Observer observer : observers) {
      try {
        call.accept(observer);
      } catch (Throwable e) {
        failed(observer, e);
      }
    }
  }

  private void failed(Observer observer, Throwable error) {
    if (logged.compareAndSet(false, true)) {
      log.warn(
          "Observer {} failed; further failures are logged at debug level",
          observer.getClass().getName(),
          error);
    } else {
      log.debug("Observer {} failed", observer.getClass().getName(), error);
    }
  }
}
