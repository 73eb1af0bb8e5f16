package dev.aquifer.cache;

import dev.aquifer.CausalSession;
import dev.aquifer.CausalSessions;
import dev.aquifer.ConfigurationException;
import dev.aquifer.ReadFloor;
import dev.aquifer.Tag;
import dev.aquifer.Tenant;
import dev.aquifer.TenantContext;
import dev.aquifer.UnavailableException;
import dev.aquifer.spi.CommitListener;
import dev.aquifer.spi.Observer;
import dev.aquifer.spi.Observer.Scope;
import dev.aquifer.spi.PositionSource;
import dev.aquifer.spi.WriteSet;
import java.lang.reflect.Type;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Executor;
import java.util.concurrent.ScheduledExecutorService;
import java.util.function.Consumer;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/**
 * The caches of one node: they share memory, the link to Redis, and what is void. Thread-safe;
 * close it to end its threads and connections.
 *
 * <p>Without {@link Builder#redis} there is one tier and one process, with the same behaviour.
 *
 * <p>A commit listener: what a transaction wrote is void on this node before its commit returns to
 * the application, and on the others as soon as they hear of it, or at once for readers who bear
 * the writer's causal token. {@link Builder#poisonLimit} bounds what a crash in between costs.
 */
public final class Caches implements CommitListener, AutoCloseable {
  private static final int MOST_WEIGHT = 1_000_000;

  private final Node node;
  private final Threads threads;
  private final Upkeep upkeep;
  private final PoisonedWrites poisoned;
  private final ConcurrentHashMap<String, CacheCore> caches = new ConcurrentHashMap<>();

  private final ConcurrentHashMap<String, List<Class<?>>> keyTypes = new ConcurrentHashMap<>();
  private final Map<String, Consumer<CacheSettings.Builder>> profiles;

  private Caches(
      Node node,
      Threads threads,
      Upkeep upkeep,
      PoisonedWrites poisoned,
      Map<String, Consumer<CacheSettings.Builder>> profiles) {
    this.node = node;
    this.poisoned = poisoned;
    this.threads = threads;
    this.profiles = Map.copyOf(profiles);
    this.upkeep = upkeep;
  }

  /** A builder that starts from the defaults. */
  public static Builder builder() {
    return new Builder();
  }

  /**
   * Makes a cache.
   *
   * @param name 1 to 128 characters of {@code A-Z a-z 0-9 _ . - $}, the same on every node
   * @param type what its values are
   * @throws ConfigurationException when there is one of that name already, or the name or the type
   *     cannot be used
   */
  public <K, V> TieredCache<K, V> cache(String name, Class<V> type, CacheSettings settings) {
    return made(name, Objects.requireNonNull(type, "type"), settings, null);
  }

  /** As {@link #cache(String, Class, CacheSettings)}, for a type with arguments. */
  public <K, V> TieredCache<K, V> cache(String name, TypeRef<V> type, CacheSettings settings) {
    return made(name, Objects.requireNonNull(type, "type").type(), settings, null);
  }

  /**
   * As {@link #cache(String, TypeRef, CacheSettings)}, with tags that depend on key and value.
   * Loads of such a cache are held to the newest void of their whole tenant, since their tags are
   * known too late to choose.
   */
  public <K, V> TieredCache<K, V> cache(
      String name, TypeRef<V> type, CacheSettings settings, Tagger<? super K, ? super V> tagger) {
    return made(name, Objects.requireNonNull(type, "type").type(), settings, tagger);
  }

  /**
   * Every value with one of these tags is void for the current tenant: on this node when this
   * returns, on the others when they hear of it, or at once for readers who bear this session's
   * causal token. Takes one round trip, whatever the number of values; while Redis cannot be
   * reached it takes effect here, and elsewhere afterwards.
   *
   * @throws dev.aquifer.MissingTenantException when no tenant is current
   */
  public void invalidateTags(Tag... tags) {
    for (Tag tag : Objects.requireNonNull(tags, "tags")) {
      Objects.requireNonNull(tag, "tag");
    }
    invalidateTags(List.of(tags));
  }

  /** See {@link #invalidateTags(Tag...)}. */
  public void invalidateTags(Collection<Tag> tags) {
    Tenant tenant = TenantContext.require();
    if (!Objects.requireNonNull(tags, "tags").isEmpty()) {
      node.voids.make(tagged(tenant, tags));
    }
  }

  /**
   * As {@link #invalidateTags(Tag...)}, without blocking the caller: the future ends when the other
   * returns.
   */
  public CompletableFuture<Void> invalidateTagsAsync(Collection<Tag> tags) {
    Tenant tenant = TenantContext.require();
    return tags.isEmpty()
        ? CompletableFuture.completedFuture(null)
        : node.voids.makeAsync(tagged(tenant, tags)).thenAccept(sequences -> {});
  }

  private Voids.What tagged(Tenant tenant, Collection<Tag> tags) {
    return node.voids.names(tenant, PoisonedWrites.names(tags), ReadFloor.NONE, Scope.TAG);
  }

  /** Everything of the current tenant, in all caches, is void. See {@link #invalidateTags}. */
  public void invalidateTenant() {
    voidWhole(Partition.ALL, Scope.TENANT);
  }

  /** All of one cache is void for the current tenant; the name need not be in use on this node. */
  public void invalidateCache(String name) {
    voidWhole(KeyText.cacheName(checked(name)), Scope.CACHE);
  }

  private void voidWhole(String name, Scope scope) {
    node.voids.make(
        node.voids.names(TenantContext.require(), List.of(name), ReadFloor.NONE, scope));
  }

  @Override
  public void committing(WriteSet writes) {
    poisoned.committing(writes);
  }

  @Override
  public void committed(WriteSet writes, ReadFloor floor) {
    poisoned.committed(writes, floor);
  }

  @Override
  public void outcomeUnknown(WriteSet writes, ReadFloor floor) {
    poisoned.outcomeUnknown(writes, floor);
  }

  @Override
  public void rolledBack(WriteSet writes) {
    poisoned.rolledBack(writes);
  }

  /**
   * Makes the session demand, of whichever node it goes on at, every void that this node knows of
   * the current tenant: for a token that is about to leave. Costs nothing while Redis knows of them
   * too; else waits until it does.
   *
   * @throws UnavailableException when Redis cannot be told within the limit; the voids stay queued
   */
  public void demandVoids(CausalSession session, Duration limit) {
    Tenant tenant = TenantContext.currentOrNull();
    if (tenant != null) {
      node.partitions(tenant)
          .all
          .forEach(partition -> DemandedVoids.of(node, partition, session, limit));
    }
    DemandedVoids.of(node, node.shared, session, limit);
  }

  /**
   * Sets for which calls the caches are in use, from the next call on, all of them at once. What is
   * under way ends as it began.
   */
  public void adoption(Adoption adoption) {
    node.adoption = adoption.everywhere(Adoption.Mode.ON) ? null : adoption;
  }

  /** For which calls the caches are in use. */
  public Adoption adoption() {
    Adoption set = node.adoption;
    return set == null ? Adoption.of(Adoption.Mode.ON) : set;
  }

  /** Sets the limits of every tenant that has none of its own, from the next call on. */
  public void limits(Limits limits) {
    node.limiter.set(limits);
  }

  /** Sets one tenant's limits, from the next call on; null: those of all. */
  public void limits(Tenant tenant, @Nullable Limits limits) {
    node.limiter.set(tenant, limits);
  }

  /** What limits hold for the tenant now. */
  public Limits limits(Tenant tenant) {
    return node.limiter.of(tenant);
  }

  /**
   * Changes how many bytes, about, the values in memory may take together. When this returns no
   * more are held.
   *
   * @throws ConfigurationException when it is negative
   */
  public void memoryBytes(long bytes) {
    node.fairness().total(checkedBytes(bytes));
  }

  /**
   * Changes a tenant's part of the memory: its weight's part of all weights of the tenants that
   * were seen lately. Each has 1 until this is called.
   *
   * @param weight above zero, up to 1,000,000
   * @throws ConfigurationException when it is out of range
   */
  public void weight(Tenant tenant, double weight) {
    if (!(weight > 0 && weight <= MOST_WEIGHT)) {
      throw new ConfigurationException(
          "The weight of tenant %s is %s; use more than 0 and at most %,d."
              .formatted(tenant, weight, MOST_WEIGHT));
    }
    node.fairness().weight(tenant, weight);
  }

  private static long checkedBytes(long bytes) {
    if (bytes < 0) {
      throw new ConfigurationException(
          "memoryBytes is %d; use 0 or more, 0 keeps nothing in memory.".formatted(bytes));
    }
    return bytes;
  }

  /** How the node's caches are doing. Costs nothing. */
  public CacheHealth health() {
    Remote remote = node.remote();
    return remote == null
        ? new CacheHealth(true, true, Duration.ZERO, 0, CacheHealth.Kind.NONE, List.of())
        : remote.health();
  }

  /** What each cache did, by name. */
  public java.util.Map<String, CacheStatistics> statistics() {
    java.util.TreeMap<String, CacheStatistics> all = new java.util.TreeMap<>();
    caches.forEach((name, cache) -> all.put(name, cache.statistics()));
    return all;
  }

  /** Ends connections and threads. Loads that run are interrupted. Idempotent. */
  @Override
  public void close() {
    upkeep.close();
    Remote remote = node.remote();
    if (remote != null) {
      remote.close();
    }
    node.shadow.close();
    threads.close();
    // Whoever begins one from now on is refused a turn of the timer.
    node.flights.close();
  }

  Node node() {
    return node;
  }

  @SuppressWarnings("unchecked")
  <K, V> TieredCache<K, V> made(
      String name, Type type, CacheSettings settings, @Nullable Tagger<?, ?> tagger) {
    Objects.requireNonNull(settings, "settings");
    CacheCore core =
        new CacheCore(checked(name), type, settings, (Tagger<Object, Object>) tagger, node);
    if (caches.putIfAbsent(name, core) != null) {
      throw new ConfigurationException(
          "There is a cache named '%s' already; give each a name of its own.".formatted(name));
    }
    return new TieredCache<>(core);
  }

  Consumer<CacheSettings.Builder> profile(String name) {
    Consumer<CacheSettings.Builder> found = profiles.get(name);
    if (found == null) {
      throw new ConfigurationException(
          "names the profile '%s', which is none of %s; give it to Caches.builder().profile(…)"
              .formatted(name, new java.util.TreeSet<>(profiles.keySet())));
    }
    return found;
  }

  /** What the keys of an annotated method's cache are. */
  void keyed(String name, List<Class<?>> types) {
    keyTypes.put(name, types);
  }

  @Nullable List<Class<?>> keyTypes(String name) {
    return keyTypes.get(name);
  }

  /**
   * One key of a cache; all of it, where it is not known here whether its keys are of that kind.
   */
  void invalidateKey(String name, Object key, List<Class<?>> types) {
    CacheCore core = caches.get(name);
    if (core == null || !types.equals(keyTypes.get(name))) {
      invalidateCache(name);
    } else {
      node.voids.make(node.voids.keys(core.view(TenantContext.require()), List.of(key), null));
    }
  }

  static String checked(String name) {
    boolean fits = !Objects.requireNonNull(name, "name").isEmpty() && name.length() <= 128;
    for (int i = 0; fits && i < name.length(); i++) {
      char c = name.charAt(i);
      fits =
          (c >= 'a' && c <= 'z')
              || (c >= 'A' && c <= 'Z')
              || (c >= '0' && c <= '9')
              || "_.-$".indexOf(c) >= 0;
    }
    if (!fits) {
      throw new ConfigurationException(
          "Not a name for a cache: '%s'. Use 1 to 128 characters of A-Z a-z 0-9 _ . - $"
              .formatted(
                  name.codePoints()
                      .limit(60)
                      .filter(c -> c >= ' ' && c < 127)
                      .collect(
                          StringBuilder::new,
                          StringBuilder::appendCodePoint,
                          StringBuilder::append)));
    }
    return name;
  }

  /** Collects the settings of a node's caches. Not thread-safe. */
  public static final class Builder {
    private @Nullable String redis;
    private boolean redisRequired = true;
    private @Nullable Path redisTrust;
    private CausalSessions sessions = new CausalSessions();
    private PositionSource positions = PositionSource.PRIMARY_ONLY;
    private Observer observer = Observer.NONE;
    private Codec codec = new CborCodec();
    private long memoryBytes = 128L << 20;
    private Duration remoteTimeout = Duration.ofMillis(50);
    private Duration connectTimeout = Duration.ofSeconds(5);
    private Duration silenceLimit = Duration.ofSeconds(2);
    private int pendingLimit = 10_000;
    private Duration poisonLimit = Duration.ofSeconds(60);
    private int refreshes = 64;
    private int tenantRefreshes = 16;
    private Duration leaseTime = Duration.ofSeconds(5);
    private Duration cleanupInterval = Duration.ofMinutes(5);
    private @Nullable Executor executor;
    private @Nullable ScheduledExecutorService timer;
    private LongSupplier nanos = System::nanoTime;
    private final Map<String, Consumer<CacheSettings.Builder>> profiles = new HashMap<>();
    private final Map<Tenant, Integer> partitions = new HashMap<>();
    private Limits limits = Limits.NONE;
    private Adoption adoption = Adoption.of(Adoption.Mode.ON);

    private Builder() {}

    /**
     * Where Redis is, 6.2 or newer. One server: {@code redis://user:password@host:6379/0}. The
     * primary that sentinels name: {@code redis-sentinel://host1,host2,host3/0#name}. A Redis
     * Cluster: {@code redis-cluster://host1,host2}, some of its nodes; it has database 0 alone.
     * With TLS: {@code rediss://}, {@code rediss-sentinel://}, {@code rediss-cluster://}.
     *
     * <p>User and password appear in no message and no log. The server lists the connections as
     * {@code aquifer-<host>-<process>}.
     */
    public Builder redis(String uri) {
      this.redis = uri;
      return this;
    }

    /**
     * Whether a Redis that cannot be reached at the start is an error (the default), or the same as
     * one that is lost later: reads load, and it is tried again in the background.
     */
    public Builder redisRequired(boolean required) {
      this.redisRequired = required;
      return this;
    }

    /**
     * A file, in PEM form, of the certificates that a server's must be issued by; by default those
     * that the JVM trusts. The host's name must be in the server's certificate.
     */
    public Builder redisTrust(Path certificates) {
      this.redisTrust = certificates;
      return this;
    }

    /** The sessions that say what a caller must be shown; one object a node. */
    public Builder sessions(CausalSessions sessions) {
      this.sessions = Objects.requireNonNull(sessions, "sessions");
      return this;
    }

    /** Where a load's database position comes from; by default there are no replicas. */
    public Builder positions(PositionSource positions) {
      this.positions = Objects.requireNonNull(positions, "positions");
      return this;
    }

    /** Who is told of what happens. */
    public Builder observer(Observer observer) {
      this.observer = Observer.of(List.of(Objects.requireNonNull(observer, "observer")));
      return this;
    }

    /** How values become bytes; CBOR by Jackson by default. */
    public Builder codec(Codec codec) {
      this.codec = Objects.requireNonNull(codec, "codec");
      return this;
    }

    /** How many bytes, about, the values in memory may take together; 128 MiB by default. */
    public Builder memoryBytes(long bytes) {
      this.memoryBytes = bytes;
      return this;
    }

    /** How long a call may wait for Redis; 50 ms by default. */
    public Builder remoteTimeout(Duration timeout) {
      this.remoteTimeout = timeout;
      return this;
    }

    /** How long the first connection may take; 5 s by default. */
    public Builder connectTimeout(Duration timeout) {
      this.connectTimeout = timeout;
      return this;
    }

    /** After how long without a sign of life memory stops answering; 2 s by default. */
    public Builder silenceLimit(Duration limit) {
      this.silenceLimit = limit;
      return this;
    }

    /**
     * How many voided names may wait for Redis, 10,000 by default; a tenant's whole partition is
     * voided in their place when there are more.
     */
    public Builder pendingLimit(int names) {
      this.pendingLimit = names;
      return this;
    }

    /**
     * Names settings, for {@link Cached#profile}.
     *
     * @param settings called with a builder that has the defaults, once for every cache of that
     *     profile
     * @throws ConfigurationException when the name is taken, or the settings contradict each other
     */
    public Builder profile(String name, Consumer<CacheSettings.Builder> settings) {
      CacheSettings.Builder trial = CacheSettings.builder();
      settings.accept(trial);
      trial.build();
      if (name.isEmpty() || profiles.putIfAbsent(name, settings) != null) {
        throw new ConfigurationException(
            "There is a profile named '%s' already, or the name is empty.".formatted(name));
      }
      return this;
    }

    /** What a tenant may do at a time; everything by default. */
    public Builder limits(Limits limits) {
      this.limits = limits;
      return this;
    }

    /**
     * Divides a tenant's keys among several partitions, 1 by default: for a tenant whose reads or
     * writes are more than one Redis, or one slot of a Redis Cluster, can take. A void of a key
     * costs the same; one of a tag, of a cache or of the tenant goes to all of them, in a round
     * trip each, at the same time. Without Redis it has no effect.
     *
     * <p>The same on every node. The first to use the tenant decides, in Redis; a node that is set
     * to another number uses that one, with a warning.
     *
     * @param count 1 to {@value Partitions#MOST}
     * @throws ConfigurationException when it is out of range
     */
    public Builder partitions(Tenant tenant, int count) {
      if (count < 1 || count > Partitions.MOST) {
        throw new ConfigurationException(
            "partitions of tenant %s is %d; use 1 to %d."
                .formatted(tenant, count, Partitions.MOST));
      }
      partitions.put(tenant, count);
      return this;
    }

    /** For which calls the caches are in use at first; all by default. */
    public Builder adoption(Adoption adoption) {
      this.adoption = adoption;
      return this;
    }

    /**
     * How long after a node's crash others may serve what it had just overwritten, 60 s by default;
     * longer than any COMMIT takes. Redis is told before a commit what it will void, in one round
     * trip, and voids it after this time if nobody else did. Zero: Redis is not told, and after a
     * crash such values live until they expire.
     */
    public Builder poisonLimit(Duration limit) {
      this.poisonLimit = limit;
      return this;
    }

    /**
     * How many loads may run in the background at a time, before values' time is up: 64 by default,
     * 16 of one tenant. Beyond that a later hit tries again.
     *
     * @param all 0 or more
     * @param ofTenant 0 to {@code all}
     */
    public Builder refreshLimit(int all, int ofTenant) {
      this.refreshes = all;
      this.tenantRefreshes = ofTenant;
      return this;
    }

    /**
     * After how long another node may load what this one began to, if this one died; 5 s by
     * default, 100 ms to a day. While it lives the lease on what it loads is renewed, however long
     * that takes.
     */
    public Builder leaseTime(Duration time) {
      this.leaseTime = time;
      return this;
    }

    /**
     * How often values past their time are freed where no traffic does it, and what is kept for
     * tenants that have not been seen for ten minutes; 5 minutes by default.
     */
    public Builder cleanupInterval(Duration interval) {
      this.cleanupInterval = interval;
      return this;
    }

    /**
     * Where loads run; by default daemon threads of the cache, as many as there are loads at a
     * time. A bounded executor must have room for loads that call other caches.
     */
    public Builder executor(Executor executor) {
      this.executor = executor;
      return this;
    }

    /** Where limits and heartbeats are timed; it is not shut down by {@link Caches#close}. */
    public Builder scheduler(ScheduledExecutorService timer) {
      this.timer = timer;
      return this;
    }

    /** Monotonic nanoseconds, {@code System::nanoTime} by default. */
    public Builder clock(LongSupplier nanos) {
      this.nanos = Objects.requireNonNull(nanos, "clock");
      return this;
    }

    /**
     * The caches.
     *
     * @throws ConfigurationException when a setting is out of range
     * @throws dev.aquifer.UnavailableException when Redis cannot be reached and is required
     */
    public Caches build() {
      positive("remoteTimeout", remoteTimeout);
      positive("connectTimeout", connectTimeout);
      positive("silenceLimit", silenceLimit);
      positive("leaseTime", leaseTime);
      if (leaseTime.toMillis() < 100 || leaseTime.compareTo(remoteTimeout) <= 0) {
        throw new ConfigurationException(
            "leaseTime is %s, remoteTimeout %s; use at least 100 ms, and longer than remoteTimeout: a lease must outlive the call that asks for it."
                .formatted(leaseTime, remoteTimeout));
      }
      positive("cleanupInterval", cleanupInterval);
      if (silenceLimit.compareTo(remoteTimeout) <= 0) {
        throw new ConfigurationException(
            "silenceLimit %s must be longer than remoteTimeout %s: a heartbeat takes up to that."
                .formatted(silenceLimit, remoteTimeout));
      }
      if (!poisonLimit.isZero()) {
        positive("poisonLimit", poisonLimit);
        if (poisonLimit.compareTo(remoteTimeout) <= 0) {
          throw new ConfigurationException(
              "poisonLimit %s must be longer than remoteTimeout %s, or a poison ends before its commit is sent; zero poisons nothing."
                  .formatted(poisonLimit, remoteTimeout));
        }
      }
      if (redisTrust != null && (redis == null || !redis.strip().startsWith("rediss"))) {
        throw new ConfigurationException(
            "redisTrust is %s, but redis() names no address with TLS; use rediss://, or leave redisTrust out."
                .formatted(redisTrust));
      }
      memoryBytes = checkedBytes(memoryBytes);
      if (pendingLimit < 1) {
        throw new ConfigurationException(
            "pendingLimit is %d; use 1 or more.".formatted(pendingLimit));
      }
      if (tenantRefreshes < 0 || tenantRefreshes > refreshes) {
        throw new ConfigurationException(
            "refreshLimit is %d, and %d of one tenant; use 0 or more, and no more for one than for all."
                .formatted(refreshes, tenantRefreshes));
      }
      NodeSettings settings =
          new NodeSettings(
              redis,
              redisRequired,
              redisTrust,
              sessions,
              positions,
              observer,
              memoryBytes,
              remoteTimeout,
              connectTimeout,
              silenceLimit,
              pendingLimit,
              refreshes,
              tenantRefreshes,
              leaseTime,
              cleanupInterval,
              nanos);
      Threads threads = new Threads(executor, timer);
      try {
        Node node = new Node(settings, codec, threads.executor(), threads.timer());
        partitions.forEach(node::count);
        if (redis != null) {
          RedisLink link = RedisLink.open(redis, settings, node);
          node.attach(link);
          node.limiter.share(link::commands, remoteTimeout);
        }
        Caches caches =
            new Caches(
                node,
                threads,
                new Upkeep(node, cleanupInterval),
                new PoisonedWrites(node, poisonLimit),
                profiles);
        caches.adoption(adoption);
        caches.limits(limits);
        return caches;
      } catch (RuntimeException e) {
        threads.close();
        throw e;
      }
    }

    private static void positive(String name, Duration value) {
      if (Objects.requireNonNull(value, name).isZero()
          || value.isNegative()
          || value.compareTo(Duration.ofDays(1)) > 0) {
        throw new ConfigurationException(
            "%s is %s; use a time above zero and up to a day.".formatted(name, value));
      }
    }
  }
}
