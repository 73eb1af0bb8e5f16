package dev.aquifer.metrics;

import dev.aquifer.Tenant;
import dev.aquifer.spi.Observer;
import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Tags;
import java.time.Duration;
import java.util.Objects;
import java.util.concurrent.atomic.AtomicBoolean;
import org.jspecify.annotations.Nullable;

/**
 * Counts what Aquifer does, in a Micrometer registry.
 *
 * <pre>{@code
 * try (AquiferMetrics metrics = AquiferMetrics.of(registry)) { … an observer of every module … }
 * }</pre>
 *
 * <table>
 *   <caption>Meters</caption>
 *   <tr><th>Name</th><th>Tags</th><th>What</th></tr>
 *   <tr><td>{@code cache.gets}</td><td>cache, tier, result</td><td>reads that were answered; tier
 *       {@code source} is a miss, the others are hits</td></tr>
 *   <tr><td>{@code cache.loads}</td><td>cache, outcome, tenant</td><td>timer of the loader</td></tr>
 *   <tr><td>{@code cache.invalidations}</td><td>scope, tenant</td><td>names voided</td></tr>
 *   <tr><td>{@code aquifer.cache.faults}</td><td>cache, fault</td><td>errors kept from callers</td></tr>
 *   <tr><td>{@code aquifer.cache.remote.usable}</td><td></td><td>1 while Redis can be used, 0 while
 *       not, NaN before anything is known</td></tr>
 *   <tr><td>{@code aquifer.routes}</td><td>node, role, reason</td><td>statements by node</td></tr>
 *   <tr><td>{@code aquifer.replica.lag}</td><td>node</td><td>seconds behind, NaN when unknown</td></tr>
 *   <tr><td>{@code aquifer.replica.lag.bytes}</td><td>node</td><td>log not replayed yet</td></tr>
 *   <tr><td>{@code aquifer.node.state}, {@code aquifer.node.role}</td><td>node, state or role</td>
 *       <td>1 for the present one, else 0</td></tr>
 *   <tr><td>{@code aquifer.node.changes}</td><td>node</td><td>changes of state</td></tr>
 *   <tr><td>{@code aquifer.pool.decisions}</td><td>pool, reason</td><td>decisions on its size</td></tr>
 *   <tr><td>{@code aquifer.pool.size}, {@code .reachable}</td><td>pool</td><td>most connections now;
 *       1 while its server can be connected to, else 0</td></tr>
 *   <tr><td>{@code aquifer.pool.leaks}</td><td>pool</td><td>connections not given back in time</td></tr>
 *   <tr><td>{@code aquifer.windows.shown}, {@code .fetched}, {@code .requests},
 *       {@code .bytes}</td><td>measurement</td><td>buckets in answers, buckets fetched, requests
 *       made, bytes of their answers</td></tr>
 *   <tr><td>{@code aquifer.windows.queue}</td><td>measurement</td><td>timer of requests' wait for
 *       their turn</td></tr>
 *   <tr><td>{@code aquifer.windows.fetches}</td><td>measurement, outcome</td><td>timer of requests
 *       at the backend</td></tr>
 *   <tr><td>{@code aquifer.windows.refusals}</td><td>measurement, why, tenant</td><td>queries turned
 *       away</td></tr>
 *   <tr><td>{@code aquifer.listener.failures}</td><td></td><td>commit listeners that threw</td></tr>
 * </table>
 *
 * <p>The number of time series is bounded whatever the names are: each of caches, nodes, pools and
 * measurements has a limit, and so has the number of tenants with a tag of their own. What comes
 * later, or does not print, counts as {@code other}. SQL text, keys and error messages are never
 * tags.
 *
 * <p>Thread-safe. {@link #cacheAnswered} and {@link #routed} take no lock and allocate nothing once
 * a name was seen. No object of the application but names is kept, and no error.
 */
public final class AquiferMetrics implements Observer, AutoCloseable {
  private static final String REMOTE_USABLE = "aquifer.cache.remote.usable";
  private static final Scope[] SCOPES = Scope.values();

  private final OwnMeters meters;
  private final TenantSlots tenants;
  private final boolean tenantsOnReads;
  private final BoundedNames<CacheMeters> caches;
  private final BoundedNames<NodeMeters> nodes;
  private final BoundedNames<PoolMeters> pools;
  private final BoundedNames<WindowMeters> measurements;
  private final MeterGrid<Counter> invalidations;
  private final Counter listenerFailures;
  private final @Nullable SystemMeters system;
  private final AtomicBoolean closing = new AtomicBoolean();
  private volatile boolean closed;
  private volatile double remoteUsable = Double.NaN;

  private AquiferMetrics(MeterRegistry registry, MetricsSettings settings, boolean bindSystem) {
    meters = new OwnMeters(registry, settings.common());
    tenants = new TenantSlots(settings.topTenants());
    tenantsOnReads = settings.tenantsOnReads();
    caches =
        new BoundedNames<>(
            settings.names(), name -> new CacheMeters(name, meters, tenants, tenantsOnReads));
    nodes = new BoundedNames<>(settings.names(), name -> new NodeMeters(name, meters));
    pools = new BoundedNames<>(settings.names(), name -> new PoolMeters(name, meters));
    measurements =
        new BoundedNames<>(settings.names(), name -> new WindowMeters(name, meters, tenants));
    invalidations =
        new MeterGrid<>(
            SCOPES.length * tenants.count(),
            cell -> {
              Tags tags = Tags.of("scope", CacheMeters.word(SCOPES[cell % SCOPES.length]));
              return meters.counter(
                  "cache.invalidations",
                  "Names voided by this process",
                  tenants.tagged() ? tags.and("tenant", tenants.id(cell / SCOPES.length)) : tags);
            });
    listenerFailures =
        meters.counter("aquifer.listener.failures", "Commit listeners that threw", Tags.empty());
    meters.gauge(
        REMOTE_USABLE,
        "",
        "1 while Redis can be used, else 0",
        Tags.empty(),
        this,
        metrics -> metrics.remoteUsable);
    system = bindSystem ? new SystemMeters(registry, settings.common()) : null;
  }

  /**
   * Counts in this registry, with the defaults.
   *
   * @throws IllegalStateException as {@link Builder#build}
   */
  public static AquiferMetrics of(MeterRegistry registry) {
    return builder(registry).build();
  }

  /** Starts from the defaults. */
  public static Builder builder(MeterRegistry registry) {
    return new Builder(Objects.requireNonNull(registry, "registry"));
  }

  @Override
  public void cacheAnswered(String cache, Tenant tenant, Tier tier) {
    if (!closed) {
      caches.of(cache).answered(tier, tenantsOnReads ? tenants.of(tenant) : 0);
    }
  }

  @Override
  public void cacheLoaded(String cache, Tenant tenant, long nanos, @Nullable Throwable error) {
    if (!closed) {
      caches.of(cache).loaded(tenants.of(tenant), nanos, error != null);
    }
  }

  @Override
  public void cacheInvalidated(Tenant tenant, Scope scope, int names) {
    if (!closed) {
      int cell = MeterGrid.cell(tenants.of(tenant), SCOPES.length, scope);
      invalidations.get(cell).increment(Math.max(0, names));
    }
  }

  @Override
  public void cacheFault(String cache, CacheFault fault, @Nullable Throwable error) {
    if (!closed) {
      caches.of(cache).fault(fault);
    }
  }

  @Override
  public void remoteChanged(boolean usable, String reason) {
    remoteUsable = usable ? 1 : 0;
  }

  @Override
  public void routed(String node, Role role, RouteReason reason) {
    if (!closed) {
      nodes.of(node).routed(role, reason);
    }
  }

  @Override
  public void lagSampled(String node, @Nullable Duration lag, long bytes) {
    if (!closed) {
      nodes.of(node).lag(lag, bytes);
    }
  }

  @Override
  public void nodeChanged(String node, NodeState from, NodeState to, String reason) {
    if (!closed) {
      nodes.of(node).state(to);
    }
  }

  @Override
  public void roleChanged(String node, Role from, Role to) {
    if (!closed) {
      nodes.of(node).role(to);
    }
  }

  @Override
  public void poolDecided(String pool, PoolReason reason, int before, int now) {
    if (!closed) {
      pools.of(pool).decided(reason, now);
    }
  }

  @Override
  public void connectionLeaked(String pool, Duration held, Throwable taken) {
    if (!closed) {
      pools.of(pool).leaked();
    }
  }

  @Override
  public void poolReachable(String pool, boolean reachable, String reason) {
    if (!closed) {
      pools.of(pool).reachable(reachable);
    }
  }

  @Override
  public void listenerFailed(String listener, Throwable error) {
    listenerFailures.increment();
  }

  @Override
  public void windowAnswered(
      String measurement, Tenant tenant, long shown, long fetched, int requests) {
    if (!closed) {
      measurements.of(measurement).answered(shown, fetched, requests);
    }
  }

  @Override
  public void windowQueued(String measurement, Tenant tenant, long nanos) {
    if (!closed) {
      measurements.of(measurement).queued(nanos);
    }
  }

  @Override
  public void windowFetched(
      String measurement, Tenant tenant, long nanos, long bytes, @Nullable Throwable error) {
    if (!closed) {
      measurements.of(measurement).fetched(nanos, bytes, error != null);
    }
  }

  @Override
  public void windowRefused(String measurement, Tenant tenant, WindowRefusal why) {
    if (!closed) {
      measurements.of(measurement).refused(tenants.of(tenant), why);
    }
  }

  /** Removes its meters from the registry and counts no more. Idempotent. */
  @Override
  public void close() {
    if (closing.compareAndSet(false, true)) {
      closed = true;
      meters.close();
      if (system != null) {
        system.close();
      }
    }
  }

  /** Settings of {@link AquiferMetrics}. Not thread-safe. */
  public static final class Builder {
    private final MeterRegistry registry;
    private int topTenants = MetricsSettings.DEFAULT_TOP_TENANTS;
    private int names = MetricsSettings.DEFAULT_NAMES;
    private boolean tenantsOnReads;
    private boolean system;
    private Tags common = Tags.empty();

    private Builder(MeterRegistry registry) {
      this.registry = registry;
    }

    /**
     * How many tenants have a tag of their own: the first so many that are seen; the rest count as
     * {@code other}. 0 leaves the tenant tag out. Default 20, at most 1,000.
     */
    public Builder topTenants(int count) {
      topTenants = count;
      return this;
    }

    /**
     * Also tags {@code cache.gets} with the tenant. Default off: it multiplies the series of every
     * cache by the number of tenants.
     */
    public Builder tenantsOnReads() {
      tenantsOnReads = true;
      return this;
    }

    /**
     * How many caches, nodes, pools and measurements each have meters of their own; further ones
     * count as {@code other}. Default 1,000, at most 100,000.
     */
    public Builder names(int limit) {
      names = limit;
      return this;
    }

    /** Adds a tag to every meter, such as the node's name. */
    public Builder tag(String key, String value) {
      common = common.and(key, value);
      return this;
    }

    /**
     * Also binds Micrometer's meters of the JVM and the machine: memory, collections, threads,
     * classes, processors, uptime, file descriptors.
     */
    public Builder bindSystem() {
      system = true;
      return this;
    }

    /**
     * Registers the meters.
     *
     * @throws IllegalArgumentException when a setting is out of its bounds or two contradict
     * @throws IllegalStateException when another one counts in this registry with the same tags:
     *     the two would share meters, and closing one would take them from the other
     */
    public AquiferMetrics build() {
      MetricsSettings settings = new MetricsSettings(topTenants, tenantsOnReads, names, common);
      boolean taken =
          registry.find(REMOTE_USABLE).gauges().stream()
              .anyMatch(gauge -> Tags.of(gauge.getId().getTags()).equals(common));
      if (taken) {
        throw new IllegalStateException(
            "This registry already has the meters of an AquiferMetrics with the tags %s."
                    .formatted(common.stream().toList())
                + " Close that one, or tell the two apart with tag(\"instance\", …).");
      }
      return new AquiferMetrics(registry, settings, system);
    }
  }
}
