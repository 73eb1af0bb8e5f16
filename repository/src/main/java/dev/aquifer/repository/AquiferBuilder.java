package dev.aquifer.repository;

import dev.aquifer.CausalSessions;
import dev.aquifer.ConfigurationException;
import dev.aquifer.Consistency;
import dev.aquifer.cache.Caches;
import dev.aquifer.cache.CachesBuilder;
import dev.aquifer.metrics.AquiferMetrics;
import dev.aquifer.replica.ReplicaSet;
import dev.aquifer.replica.ReplicaSetBuilder;
import dev.aquifer.spi.Observer;
import io.micrometer.core.instrument.MeterRegistry;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * The settings of an {@link Aquifer}. Only the primary is required; without replicas the primary
 * answers every read, without Redis the caches are this process's memory alone. Not thread-safe.
 */
public final class AquiferBuilder {
  private @Nullable String primary;
  private final Map<String, Double> replicas = new LinkedHashMap<>();
  private @Nullable String user;
  private @Nullable String password;
  private @Nullable String redis;
  private @Nullable MeterRegistry registry;
  private Consumer<AquiferMetrics.Builder> moreOfMetrics = settings -> {};
  private final List<Observer> observers = new ArrayList<>();
  private Consistency consistency = Consistency.session();
  private @Nullable Duration maxLag;
  private boolean positionGate = true;
  private final List<Consumer<ReplicaSetBuilder>> moreOfDatabase = new ArrayList<>();
  private final List<Consumer<CachesBuilder>> moreOfCaches = new ArrayList<>();

  AquiferBuilder() {}

  /** The JDBC URL of the primary, {@code jdbc:postgresql://host:port/database}. Required, once. */
  public AquiferBuilder primary(String url) {
    if (primary != null) {
      throw new ConfigurationException(
          "primary(…) was called twice: a set has one primary. Name the others with replica(…)");
    }
    primary = url;
    return this;
  }

  /** The JDBC URL of a replica, of weight 1. */
  public AquiferBuilder replica(String url) {
    return replica(url, 1);
  }

  /**
   * The JDBC URL of a replica and its part of the reads, above 0; beside one of weight 1, weight 2
   * gets two of three.
   */
  public AquiferBuilder replica(String url, double weight) {
    if (replicas.put(url, weight) != null) {
      throw new ConfigurationException(
          "The replica '%s' was named twice. Give it a weight instead".formatted(url));
    }
    return this;
  }

  /** The JDBC URLs of several replicas, of weight 1 each. */
  public AquiferBuilder replicas(List<String> urls) {
    urls.forEach(this::replica);
    return this;
  }

  /** The user and password of every node. They appear in no log and no message. */
  public AquiferBuilder credentials(String user, String password) {
    this.user = user;
    this.password = password;
    return this;
  }

  /** The URI of Redis, of any kind that {@link CachesBuilder#redis} takes. Default: none. */
  public AquiferBuilder redis(String uri) {
    redis = uri;
    return this;
  }

  /** Where meters are registered. Default: nowhere. */
  public AquiferBuilder meterRegistry(MeterRegistry registry) {
    this.registry = registry;
    return this;
  }

  /**
   * Where meters are registered, and how: tags that tell this node from others in the registry, how
   * many tenants are named. The settings are applied when the node is built.
   */
  public AquiferBuilder meterRegistry(
      MeterRegistry registry, Consumer<AquiferMetrics.Builder> settings) {
    this.moreOfMetrics = settings;
    return meterRegistry(registry);
  }

  /** One more observer. */
  public AquiferBuilder observer(Observer observer) {
    observers.add(observer);
    return this;
  }

  /**
   * How fresh database reads are where a call asks for nothing else. Default {@link
   * Consistency#session()}.
   */
  public AquiferBuilder consistency(Consistency consistency) {
    this.consistency = consistency;
    return this;
  }

  /** The lag from which on a replica is not used, above zero. Default 10 s. */
  public AquiferBuilder maxLag(Duration maxLag) {
    this.maxLag = maxLag;
    return this;
  }

  /**
   * Whether a replica must have replayed what the reader must see. Default true. Off, reads are
   * stale whenever replicas lag, and so are cached values; it is there to measure what the gate is
   * worth.
   */
  public AquiferBuilder positionGate(boolean on) {
    positionGate = on;
    return this;
  }

  /**
   * The router's other settings: pools, probes, limits. Called when the node is built, after the
   * settings above.
   */
  public AquiferBuilder database(Consumer<ReplicaSetBuilder> settings) {
    moreOfDatabase.add(settings);
    return this;
  }

  /**
   * The caches' other settings: memory, time-outs, codec. Called when the node is built, after the
   * settings above.
   */
  public AquiferBuilder caches(Consumer<CachesBuilder> settings) {
    moreOfCaches.add(settings);
    return this;
  }

  /**
   * Connects and starts.
   *
   * @throws ConfigurationException when a setting is missing or contradicts another
   * @throws dev.aquifer.UnavailableException when the primary or Redis cannot be reached; the
   *     message names host and port
   */
  public Aquifer build() {
    if (primary == null) {
      throw new ConfigurationException(
          "No primary. Name it: Aquifer.builder().primary(\"jdbc:postgresql://host/database\")");
    }
    List<AutoCloseable> rest = new ArrayList<>();
    try {
      return new Aquifer(parts(primary, rest));
    } catch (RuntimeException e) {
      rest.forEach(AquiferParts::closeQuietly);
      throw e;
    }
  }

  private AquiferParts parts(String url, List<AutoCloseable> rest) {
    List<Observer> told = new ArrayList<>(observers);
    if (registry != null) {
      AquiferMetrics metrics = metrics(registry);
      rest.add(metrics);
      told.add(metrics);
    }
    Observer observer = Observer.of(told);
    CausalSessions sessions = new CausalSessions();
    LateListener listener = new LateListener();
    ReplicaSet database = database(url, sessions, observer, listener);
    try {
      Caches caches = caches(database, sessions, observer);
      listener.set(caches);
      return new AquiferParts(sessions, database, caches, observer, rest);
    } catch (RuntimeException e) {
      AquiferParts.closeQuietly(database);
      throw e;
    }
  }

  private AquiferMetrics metrics(MeterRegistry registry) {
    AquiferMetrics.Builder settings = AquiferMetrics.builder(registry);
    moreOfMetrics.accept(settings);
    try {
      return settings.build();
    } catch (IllegalStateException e) {
      throw new ConfigurationException(
          "The registry has the meters of another node already. Close that node, or tell the two apart:"
              + " meterRegistry(registry, settings -> settings.tag(\"instance\", …))",
          e);
    }
  }

  private ReplicaSet database(
      String url, CausalSessions sessions, Observer observer, LateListener listener) {
    ReplicaSetBuilder builder =
        ReplicaSet.builder()
            .primary(url)
            .consistency(consistency)
            .positionGate(positionGate)
            .sessions(sessions)
            .observer(observer)
            .commitListener(listener);
    replicas.forEach(builder::replica);
    if (user != null && password != null) {
      builder.credentials(user, password);
    }
    if (maxLag != null) {
      builder.maxLag(maxLag);
    }
    moreOfDatabase.forEach(settings -> settings.accept(builder));
    return builder.build();
  }

  private Caches caches(ReplicaSet database, CausalSessions sessions, Observer observer) {
    CachesBuilder builder =
        Caches.builder().sessions(sessions).positions(database).observer(observer);
    if (redis != null) {
      builder.redis(redis);
    }
    moreOfCaches.forEach(settings -> settings.accept(builder));
    return builder.build();
  }
}
