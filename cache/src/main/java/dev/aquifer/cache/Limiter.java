package dev.aquifer.cache;

import dev.aquifer.ReadFloor;
import dev.aquifer.Tenant;
import dev.aquifer.TenantLimitException;
import dev.aquifer.cache.Rates.Rate;
import io.lettuce.core.cluster.api.async.RedisClusterAsyncCommands;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.RejectedExecutionException;
import java.util.function.Consumer;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Holds tenants to their {@link Limits}. */
final class Limiter {
  private static final Logger LOG = LoggerFactory.getLogger(Limiter.class);

  private final Node node;
  final Rates rates;
  final Bulkhead bulkhead;
  final VoidGroups groups = new VoidGroups();
  private final ConcurrentHashMap<Tenant, Limits> own = new ConcurrentHashMap<>();
  private volatile Limits all = Limits.NONE;

  Limiter(Node node) {
    this.node = node;
    this.rates = new Rates(node.nanos);
    this.bulkhead = new Bulkhead(node.executor, tenant -> of(tenant).concurrentLoads());
  }

  void set(Limits limits) {
    all = limits;
  }

  void set(Tenant tenant, @Nullable Limits limits) {
    if (limits == null) {
      own.remove(tenant);
    } else {
      own.put(tenant, limits);
    }
  }

  Limits of(Tenant tenant) {
    Limits set = own.isEmpty() ? null : own.get(tenant);
    return set == null ? all : set;
  }

  void share(Supplier<RedisClusterAsyncCommands<byte[], byte[]>> redis, Duration timeout) {
    rates.share(redis, timeout);
  }

  /**
   * Runs a load on a thread of the cache, when its tenant's limits allow it. Does not block.
   *
   * @param refused what becomes of the load if they do not
   * @throws RejectedExecutionException when the executor takes no more work
   */
  @SuppressWarnings("FutureReturnValueIgnored") // ends the load, whatever happens
  void start(Flight flight, Runnable load, Consumer<Throwable> refused) {
    Tenant tenant = flight.view.tenant;
    Limits limits = of(tenant);
    if (!flight.counted()) {
      node.executor.execute(load);
      return;
    }
    if (limits.loadsPerSecond() == 0) {
      begin(flight, limits, load, refused);
      return;
    }
    Rate rate = new Rate(tenant, "loads", limits.loadsPerSecond(), limits.loadBurst());
    Remote remote = node.remote();
    CompletableFuture<Long> answer =
        limits.shared() && remote != null && remote.readable(flight.view.partition)
            ? rates.takeShared(rate)
            : null;
    if (answer == null) {
      admit(flight, limits, rate, rates.take(rate), load, refused);
      return;
    }
    answer.whenComplete(
        (wait, error) -> {
          if (error != null) {
            LOG.debug("Redis was not asked for the limit of {}; it is counted here", tenant, error);
          }
          try {
            // Not on the thread that reads from Redis.
            node.executor.execute(
                () -> {
                  try {
                    long left = error == null ? wait : rates.take(rate);
                    admit(flight, limits, rate, left, load, refused);
                  } catch (RuntimeException e) {
                    refused.accept(rejected(flight, e));
                  }
                });
          } catch (RejectedExecutionException e) {
            refused.accept(rejected(flight, e));
          }
        });
  }

  private void admit(
      Flight flight,
      Limits limits,
      Rate rate,
      long wait,
      Runnable load,
      Consumer<Throwable> refused) {
    if (wait == 0) {
      begin(flight, limits, load, refused);
    } else {
      refused.accept(new TenantLimitException(rate.tenant(), rate.text(), Duration.ofNanos(wait)));
    }
  }

  private void begin(Flight flight, Limits limits, Runnable load, Consumer<Throwable> refused) {
    try {
      bulkhead.run(flight, limits, load, e -> refused.accept(rejected(flight, e)));
    } catch (TenantLimitException e) {
      refused.accept(e);
    }
  }

  /** What callers are told of a load that no thread was found for. */
  static Throwable rejected(Flight flight, Throwable e) {
    return e instanceof RejectedExecutionException rejected
        ? Flights.closed(flight.view, rejected)
        : e;
  }

  /** See {@link Remote#voidNames}. */
  long[] voidNames(
      Remote remote, List<Remote.Part> parts, ReadFloor floor, @Nullable String token) {
    return within(remote, parts.get(0).partition())
        ? remote.voidNames(parts, floor, token, null)
        : parts.stream()
            .mapToLong(part -> groups.voidNames(remote, part, floor, node.guards))
            .toArray();
  }

  /** As {@link #voidNames}, with nobody waiting. */
  CompletableFuture<Long> voidNamesAsync(
      Remote remote, Remote.Part part, ReadFloor floor, @Nullable String token) {
    return within(remote, part.partition())
        ? remote.voidNamesAsync(part, floor, token)
        : CompletableFuture.supplyAsync(
            () -> groups.voidNames(remote, part, floor, node.guards), node.executor);
  }

  private boolean within(Remote remote, Partition partition) {
    Tenant tenant = partition.tenant;
    Limits limits = tenant == null ? Limits.NONE : of(tenant);
    if (tenant == null || limits.invalidationsPerSecond() == 0) {
      return true;
    }
    Rate rate =
        new Rate(
            tenant, "invalidations", limits.invalidationsPerSecond(), limits.invalidationBurst());
    return rates.takeAhead(rate, limits.shared() && remote.readable(partition));
  }
}
