package dev.aquifer.cache;

import dev.aquifer.CausalSessions;
import dev.aquifer.ConfigurationException;
import dev.aquifer.Tenant;
import dev.aquifer.spi.Observer;
import dev.aquifer.spi.PositionSource;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.Executor;
import java.util.concurrent.ScheduledExecutorService;
import java.util.function.Consumer;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/** Collects the settings of a node's caches. Not thread-safe. */
public final class CachesBuilder {
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
  private Duration leaseTime = Duration.ofSeconds(4);
  private Duration cleanupInterval = Duration.ofMinutes(5);
  private @Nullable Executor executor;
  private @Nullable ScheduledExecutorService timer;
  private LongSupplier nanos = System::nanoTime;
  private final Map<String, Consumer<CacheSettings.Builder>> profiles = new HashMap<>();
  private final Map<Tenant, Integer> partitions = new HashMap<>();
  private Limits limits = Limits.NONE;
  private Adoption adoption = Adoption.of(Adoption.Mode.ON);

  CachesBuilder() {}

  /**
   * Where Redis is, 6.2 or newer. One server: {@code redis://user:password@host:6379/0}. The
   * primary that sentinels name: {@code redis-sentinel://host1,host2,host3/0#name}. A Redis
   * Cluster: {@code redis-cluster://host1,host2}, some of its nodes; it has database 0 alone. With
   * TLS: {@code rediss://}, {@code rediss-sentinel://}, {@code rediss-cluster://}.
   *
   * <p>User and password appear in no message and no log. The server lists the connections as
   * {@code aquifer-<host>-<process>}.
   */
  public CachesBuilder redis(String uri) {
    this.redis = uri;
    return this;
  }

  /**
   * Whether a Redis that cannot be reached at the start is an error (the default), or the same as
   * one that is lost later: reads load, and it is tried again in the background.
   */
  public CachesBuilder redisRequired(boolean required) {
    this.redisRequired = required;
    return this;
  }

  /**
   * A file, in PEM form, of the certificates that a server's must be issued by; by default those
   * that the JVM trusts. The host's name must be in the server's certificate.
   */
  public CachesBuilder redisTrust(Path certificates) {
    this.redisTrust = certificates;
    return this;
  }

  /** The sessions that say what a caller must be shown; one object a node. */
  public CachesBuilder sessions(CausalSessions sessions) {
    this.sessions = Objects.requireNonNull(sessions, "sessions");
    return this;
  }

  /** Where a load's database position comes from; by default there are no replicas. */
  public CachesBuilder positions(PositionSource positions) {
    this.positions = Objects.requireNonNull(positions, "positions");
    return this;
  }

  /** Who is told of what happens. */
  public CachesBuilder observer(Observer observer) {
    this.observer = Observer.of(List.of(Objects.requireNonNull(observer, "observer")));
    return this;
  }

  /** How values become bytes; CBOR by Jackson by default. */
  public CachesBuilder codec(Codec codec) {
    this.codec = Objects.requireNonNull(codec, "codec");
    return this;
  }

  /** How many bytes, about, the values in memory may take together; 128 MiB by default. */
  public CachesBuilder memoryBytes(long bytes) {
    this.memoryBytes = bytes;
    return this;
  }

  /** How long a call may wait for Redis; 50 ms by default. */
  public CachesBuilder remoteTimeout(Duration timeout) {
    this.remoteTimeout = timeout;
    return this;
  }

  /** How long the first connection may take; 5 s by default. */
  public CachesBuilder connectTimeout(Duration timeout) {
    this.connectTimeout = timeout;
    return this;
  }

  /** After how long without a sign of life memory stops answering; 2 s by default. */
  public CachesBuilder silenceLimit(Duration limit) {
    this.silenceLimit = limit;
    return this;
  }

  /**
   * How many voided names may wait for Redis, 10,000 by default; a tenant's whole partition is
   * voided in their place when there are more.
   */
  public CachesBuilder pendingLimit(int names) {
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
  public CachesBuilder profile(String name, Consumer<CacheSettings.Builder> settings) {
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
  public CachesBuilder limits(Limits limits) {
    this.limits = limits;
    return this;
  }

  /**
   * Divides a tenant's keys among several partitions, 1 by default: for a tenant whose reads or
   * writes are more than one Redis, or one slot of a Redis Cluster, can take. A void of a key costs
   * the same; one of a tag, of a cache or of the tenant goes to all of them, in a round trip each,
   * at the same time. Without Redis it has no effect.
   *
   * <p>The same on every node. The first to use the tenant decides, in Redis; a node that is set to
   * another number uses that one, with a warning.
   *
   * @param count 1 to {@value Partitions#MOST}
   * @throws ConfigurationException when it is out of range
   */
  public CachesBuilder partitions(Tenant tenant, int count) {
    if (count < 1 || count > Partitions.MOST) {
      throw new ConfigurationException(
          "partitions of tenant %s is %d; use 1 to %d.".formatted(tenant, count, Partitions.MOST));
    }
    partitions.put(tenant, count);
    return this;
  }

  /** For which calls the caches are in use at first; all by default. */
  public CachesBuilder adoption(Adoption adoption) {
    this.adoption = adoption;
    return this;
  }

  /**
   * How long after a node's crash others may serve what it had just overwritten, 60 s by default;
   * longer than any COMMIT takes. Redis is told before a commit what it will void, in one round
   * trip, and voids it after this time if nobody else did. Zero: Redis is not told, and after a
   * crash such values live until they expire.
   */
  public CachesBuilder poisonLimit(Duration limit) {
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
  public CachesBuilder refreshLimit(int all, int ofTenant) {
    this.refreshes = all;
    this.tenantRefreshes = ofTenant;
    return this;
  }

  /**
   * After how long another node may load what this one began to, if this one died; 4 s by default,
   * 100 ms to a day. While it lives the lease on what it loads is renewed, however long that takes.
   */
  public CachesBuilder leaseTime(Duration time) {
    this.leaseTime = time;
    return this;
  }

  /**
   * How often values past their time are freed where no traffic does it, and what is kept for
   * tenants that have not been seen for ten minutes; 5 minutes by default.
   */
  public CachesBuilder cleanupInterval(Duration interval) {
    this.cleanupInterval = interval;
    return this;
  }

  /**
   * Where loads run; by default daemon threads of the cache, as many as there are loads at a time.
   * A bounded executor must have room for loads that call other caches.
   */
  public CachesBuilder executor(Executor executor) {
    this.executor = executor;
    return this;
  }

  /** Where limits and heartbeats are timed; it is not shut down by {@link Caches#close}. */
  public CachesBuilder scheduler(ScheduledExecutorService timer) {
    this.timer = timer;
    return this;
  }

  /** Monotonic nanoseconds, {@code System::nanoTime} by default. */
  public CachesBuilder clock(LongSupplier nanos) {
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
    memoryBytes = Caches.checkedBytes(memoryBytes);
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
