package dev.aquifer.cache;

import dev.aquifer.CausalSession;
import dev.aquifer.ConfigurationException;
import dev.aquifer.ReadFloor;
import dev.aquifer.Tag;
import dev.aquifer.Tenant;
import dev.aquifer.TenantContext;
import dev.aquifer.UnavailableException;
import dev.aquifer.spi.CommitListener;
import dev.aquifer.spi.Observer.Scope;
import dev.aquifer.spi.WriteSet;
import java.lang.reflect.Type;
import java.time.Duration;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Executor;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * The caches of one node: they share memory, the link to Redis, and what is void. Thread-safe;
 * close it to end its threads and connections.
 *
 * <p>Without {@link CachesBuilder#redis} there is one tier and one process, with the same
 * behaviour.
 *
 * <p>A commit listener: what a transaction wrote is void on this node before its commit returns to
 * the application, and on the others as soon as they hear of it, or at once for readers who bear
 * the writer's causal token. {@link CachesBuilder#poisonLimit} bounds what a crash in between
 * costs.
 */
public final class Caches implements CommitListener, AutoCloseable {
  private static final int MOST_WEIGHT = 1_000_000;
  private static final int MOST_SPANS = 64;
  private static final int MOST_TIMELINE_CHARS = 512;

  private final Node node;
  private final Threads threads;
  private final Upkeep upkeep;
  private final PoisonedWrites poisoned;
  private final ConcurrentHashMap<String, CacheCore> caches = new ConcurrentHashMap<>();

  private final ConcurrentHashMap<String, List<Class<?>>> keyTypes = new ConcurrentHashMap<>();
  private final Map<String, Consumer<CacheSettings.Builder>> profiles;

  Caches(
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
  public static CachesBuilder builder() {
    return new CachesBuilder();
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

  /**
   * What was read of these ranges of the current tenant's timeline is void, with the guarantees of
   * {@link #invalidateTags(Tag...)}, and in one round trip.
   *
   * @param timeline 1 to 512 characters
   * @param spans 1 to 64
   * @throws IllegalArgumentException when there are more or none, or the name is too long
   */
  public void invalidateRanges(String timeline, Collection<Timeline.Span> spans) {
    Tenant tenant = TenantContext.require();
    if (spans.isEmpty() || spans.size() > MOST_SPANS) {
      throw new IllegalArgumentException(
          "%d ranges of '%s' are void at once; use 1 to %d, and wider ones for more."
              .formatted(spans.size(), timelineName(timeline), MOST_SPANS));
    }
    node.voids.make(node.voids.ranges(tenant, timelineName(timeline), spans));
  }

  /**
   * A timeline of a tenant, for whoever keeps answers about it outside the caches.
   *
   * @param name 1 to 512 characters, the same on every node
   * @param tags whose voids make all of it void, as those of tables do that it is read from
   * @param listener told what is void, from before this returns
   */
  public Timeline timeline(Tenant tenant, String name, Set<Tag> tags, Timeline.Listener listener) {
    return new Timeline(node, tenant, timelineName(name), Set.copyOf(tags), listener);
  }

  private static String timelineName(String name) {
    if (name.isEmpty() || name.length() > MOST_TIMELINE_CHARS) {
      throw new IllegalArgumentException(
          "The name of a timeline has %,d characters; use 1 to %d."
              .formatted(name.length(), MOST_TIMELINE_CHARS));
    }
    return name;
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

  static long checkedBytes(long bytes) {
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

  /** The threads that loads run on; see {@link CachesBuilder#executor}. */
  public Executor executor() {
    return node.executor;
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

  PoisonedWrites poisoned() {
    return poisoned;
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
}
