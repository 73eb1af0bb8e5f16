package dev.aquifer.cache;

import dev.aquifer.CausalSession;
import dev.aquifer.CausalSessions;
import dev.aquifer.Tenant;
import dev.aquifer.spi.Observer;
import dev.aquifer.spi.PositionSource;
import java.util.List;
import java.util.Objects;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Executor;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What all caches of one node share: memory, partitions, the link to Redis.
 *
 * <p>An entry in memory answers if its time is not up, the link was proven live lately, nothing it
 * depends on was voided since, and the partition is as far as the caller's session demands. All of
 * these are reads of volatile fields: no lock, no I/O.
 */
final class Node {
  private static final Logger LOG = LoggerFactory.getLogger(Node.class);

  final LongSupplier nanos;
  final Observer observer;
  final CausalSessions sessions;
  final PositionSource positions;
  final Codec codec;
  final Executor executor;
  final ScheduledExecutorService timer;
  final AtomicLong ticks = new AtomicLong();
  private final String id = UUID.randomUUID().toString();
  private final AtomicLong tokens = new AtomicLong();
  final Partition shared;
  final Guards guards = new Guards();
  final Lifetimes lifetimes = new Lifetimes();
  final Flights flights;
  final Limiter limiter;
  final Shadow shadow;
  final Bypass bypass;

  /** Null: every cache is on for every call. */
  volatile @Nullable Adoption adoption;

  private final long silence;
  private final boolean alone;
  private final boolean remembers;
  private final Memory memory;
  final Voids voids = new Voids(this);
  private final ConcurrentHashMap<Tenant, Partitions> partitions = new ConcurrentHashMap<>();
  private final ConcurrentHashMap<Tenant, Integer> counts = new ConcurrentHashMap<>();
  private final ConcurrentHashMap<String, Partition> byName = new ConcurrentHashMap<>();
  private final AtomicReference<Partition.Closed> closed =
      new AtomicReference<>(Partition.Closed.NONE);

  // How far partitions were when their tenant was divided anew, by name: what Redis lost of them
  // must be noticed by those that took their place.
  private final ConcurrentHashMap<String, Long> left = new ConcurrentHashMap<>();
  private final IdleTenants idle;
  private volatile @Nullable Remote remote;

  Node(NodeSettings settings, Codec codec, Executor executor, ScheduledExecutorService timer) {
    this.nanos = settings.nanos();
    this.observer = settings.observer();
    this.sessions = settings.sessions();
    this.positions = settings.positions();
    this.codec = codec;
    this.executor = executor;
    this.timer = timer;
    this.silence = settings.silenceLimit().toNanos();
    this.alone = settings.redis() == null;
    this.remembers = settings.memoryBytes() > 0;
    this.shared = new Partition("*:0", null, ticks, nanos);
    byName.put(shared.name, shared);
    this.memory = new Memory(settings.memoryBytes(), nanos);
    this.idle = new IdleTenants(this, memory.fairness());
    this.flights = new Flights(this, settings);
    this.limiter = new Limiter(this);
    this.shadow = new Shadow(this);
    this.bypass = new Bypass(this, shadow);
  }

  /** Names a lease: no other process can guess it, and none of this one has it. */
  String token() {
    return id + ':' + Long.toHexString(tokens.incrementAndGet());
  }

  void attach(Remote link) {
    remote = link;
  }

  @Nullable Remote remote() {
    return remote;
  }

  boolean alone() {
    return alone;
  }

  long silence() {
    return silence;
  }

  /** The tenant's partitions; never closed ones. */
  Partitions partitions(Tenant tenant) {
    Partitions found = partitions.computeIfAbsent(tenant, this::divided);
    while (found.first().closed()) {
      gone(found.first());
      found = partitions.computeIfAbsent(tenant, this::divided);
    }
    return found;
  }

  /** The first of them. */
  Partition partition(Tenant tenant) {
    return partitions(tenant).first();
  }

  private Partitions divided(Tenant tenant) {
    int count = alone ? 1 : counts.getOrDefault(tenant, 1);
    Partitions made = new Partitions(tenant, count, ticks, nanos);
    Remote link = remote;
    for (Partition partition : made.all) {
      partition.after(closed.get()).from(left.getOrDefault(partition.name, 0L));
      if (link != null) {
        link.follow(partition);
      }
    }
    made.all.forEach(partition -> byName.put(partition.name, partition));
    return made;
  }

  /** Into how many partitions the tenant is divided, where Redis does not say otherwise. */
  void count(Tenant tenant, int count) {
    counts.put(tenant, count);
  }

  /**
   * From now on the tenant of this partition, which is a first one, is divided into so many: what
   * it had is closed, and what it voided without telling Redis is void in all that follow.
   */
  void divide(Partition first, int count) {
    Tenant tenant = Objects.requireNonNull(first.tenant);
    if (count < 1 || count > Partitions.MOST) {
      throw new IllegalStateException(
          "Redis says that tenant %s has %d partitions; there are 1 to %d."
              .formatted(tenant, count, Partitions.MOST));
    }
    Partitions known = partitions.get(tenant);
    if (known == null || known.first() != first || first.closed()) {
      return;
    }
    if (known.all.size() != count) {
      LOG.warn(
          "Tenant {} has {} cache partitions in Redis, where another node decided it first; this node is set to {} and uses {}. Set the same number on every node.",
          tenant,
          count,
          known.all.size(),
          count);
    }
    counts.put(tenant, count);
    close(first, true);
  }

  /** Whether Redis, where there is one, knows all that the partition does. */
  boolean told(Partition partition) {
    Remote link = remote;
    return link == null || link.readable(partition);
  }

  /** Ends a tenant's partitions, by the first of them; see {@link IdleTenants}. */
  void close(Partition first) {
    close(first, false);
  }

  private void close(Partition first, boolean divided) {
    // The next begin with what Redis says, where there is one.
    first.others.forEach(partition -> end(partition, divided));
    end(first, divided);
    gone(first);
  }

  private void end(Partition partition, boolean divided) {
    partition.close(
        last -> {
          closed.accumulateAndGet(last, (all, one) -> all.and(one, alone));
          if (divided) {
            left.merge(partition.name, last.sequence(), Math::max);
          } else {
            left.remove(partition.name);
          }
        });
  }

  /** Closed partitions make room for the next. */
  void gone(Partition first) {
    Tenant tenant = first.tenant;
    Partitions known = tenant == null ? null : partitions.get(tenant);
    if (known != null && known.first() == first && partitions.remove(tenant, known)) {
      known.all.forEach(partition -> byName.remove(partition.name, partition));
    }
  }

  @Nullable Partition named(String name) {
    return byName.get(name);
  }

  /** All of them, of all tenants. */
  List<Partition> partitions() {
    return List.copyOf(byName.values());
  }

  /** Those of each tenant. */
  List<Partitions> tenants() {
    return List.copyOf(partitions.values());
  }

  Share share(Tenant tenant) {
    return memory.share(tenant);
  }

  Fairness fairness() {
    return memory.fairness();
  }

  /** Frees what is past its time, and what is kept for tenants that are gone. */
  void cleanUp() {
    memory.fairness().clean();
    idle.sweep();
  }

  /** The entry, if it is in memory and may be served to the caller's session. */
  @Nullable Entry memory(TenantView view, Object key) {
    return memory(view, key, null);
  }

  /** As for a caller of this session. */
  @Nullable Entry memory(TenantView view, Object key, @Nullable CausalSession session) {
    long now = nanos.getAsLong();
    TenantView mine = view.of(key);
    Entry entry = memory.find(mine, key, now);
    return entry != null && valid(mine, entry, now, session == null ? current(mine) : session)
        ? entry
        : null;
  }

  private CausalSession current(TenantView view) {
    CausalSession opened = sessions.opened();
    return opened != null ? opened : view.session(sessions);
  }

  /**
   * The entry, if there is one in memory, whatever its time, and whether it may be served or not.
   */
  @Nullable Entry peek(MemoryKey at) {
    return memory.any(at.view, at.key, nanos.getAsLong());
  }

  /** Whether the session may be shown the entry, its time apart. */
  boolean valid(TenantView view, Entry entry, long now, CausalSession session) {
    Partition partition = view.partition;
    if (!heard(partition, now, view.cache.memoryLimit)) {
      return false;
    }
    // What must have been applied first, what it voided second: a void may come in between.
    return partition.shows(partition.applied(), session)
        && partition.counts(session)
        && shared.shows(shared.applied(), session)
        && partition.holds(entry.tick(), entry.cells())
        && shared.holds(entry.tick(), entry.shared());
  }

  /**
   * Whether a flight is not older than what memory may serve: with the link lost, what others void
   * meanwhile is not heard, however long a load takes.
   */
  boolean joinable(Flight flight) {
    long now = nanos.getAsLong();
    long limit = flight.view.cache.memoryLimit;
    return now - flight.begun <= limit || heard(flight.view.partition, now, limit);
  }

  /** Whether all is known that was void this many nanoseconds ago. */
  boolean heardWithin(Partition partition, long limit) {
    return heard(partition, nanos.getAsLong(), limit);
  }

  private boolean heard(Partition partition, long now, long limit) {
    Remote link = remote;
    return link == null || now - partition.provenAt(link.provenAt()) <= limit;
  }

  /** Of the view's entries in memory that are used most, those whose end is this near. */
  List<MemoryKey> hottest(TenantView view, int most, long ahead) {
    long now = nanos.getAsLong();
    return memory.hottest(view, most, entry -> entry.expires() - now <= ahead);
  }

  /** Whether there is memory for entries. */
  boolean remembers() {
    return remembers;
  }

  void remember(MemoryKey key, Entry entry) {
    if (remembers) {
      long now = nanos.getAsLong();
      memory.put(key, lifetimes.scheduled(key.view.cache, entry, now), now);
    }
  }

  boolean replace(MemoryKey key, Entry old, Entry entry) {
    return memory.replace(key, old, entry, nanos.getAsLong());
  }
}
