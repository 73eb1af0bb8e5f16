package dev.aquifer.cache;

import dev.aquifer.CausalSession;
import dev.aquifer.CausalSessions;
import dev.aquifer.ReadFloor;
import dev.aquifer.Tenant;
import dev.aquifer.spi.Observer;
import dev.aquifer.spi.Observer.Scope;
import dev.aquifer.spi.PositionSource;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Executor;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/**
 * What all caches of one node share: memory, partitions, the link to Redis.
 *
 * <p>An entry in memory answers if its time is not up, the link was proven live lately, nothing it
 * depends on was voided since, and the partition is as far as the caller's session demands. All of
 * these are reads of volatile fields: no lock, no I/O.
 */
final class Node {
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
  private final ConcurrentHashMap<Tenant, Partition> partitions = new ConcurrentHashMap<>();
  private final ConcurrentHashMap<String, Partition> byName = new ConcurrentHashMap<>();
  private final AtomicReference<Partition.Closed> closed =
      new AtomicReference<>(Partition.Closed.NONE);
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
    this.memory = new Memory(settings.memoryBytes(), nanos, guards);
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

  Partition partition(Tenant tenant) {
    return partitions.computeIfAbsent(
        tenant,
        t -> {
          Partition made = new Partition(t.id() + ":0", t, ticks, nanos).after(closed.get());
          byName.put(made.name, made);
          return made;
        });
  }

  /** Whether Redis, where there is one, knows all that the partition does. */
  boolean told(Partition partition) {
    Remote link = remote;
    return link == null || link.readable(partition);
  }

  /** Ends a partition; see {@link IdleTenants}. */
  void close(Partition partition) {
    // The next begins with what Redis says, where there is one.
    partition.close(last -> closed.accumulateAndGet(last, (all, one) -> all.and(one, alone)));
    gone(partition);
  }

  /** A closed partition makes room for the next. */
  void gone(Partition partition) {
    if (partition.tenant != null) {
      byName.remove(partition.name, partition);
      partitions.remove(partition.tenant, partition);
    }
  }

  @Nullable Partition named(String name) {
    return byName.get(name);
  }

  List<Partition> partitions() {
    return List.copyOf(byName.values());
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
    Entry entry = memory.find(view, key, now);
    return entry != null && valid(view, entry, now, session == null ? current(view) : session)
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
    Remote link = remote;
    if (link != null && now - link.provenAt() > view.cache.memoryLimit) {
      return false;
    }
    Partition partition = view.partition;
    // What must have been applied first, what it voided second: a void may come in between.
    return partition.applied() >= session.sequence(partition.name)
        && shared.applied() >= session.sequence(shared.name)
        && partition.holds(entry.tick(), entry.cells())
        && shared.holds(entry.tick(), entry.shared());
  }

  /**
   * Whether a flight is not older than what memory may serve: with the link lost, what others void
   * meanwhile is not heard, however long a load takes.
   */
  boolean joinable(Flight flight) {
    Remote link = remote;
    long now = nanos.getAsLong();
    return link == null
        || now - flight.begun <= flight.view.cache.memoryLimit
        || now - link.provenAt() <= flight.view.cache.memoryLimit;
  }

  /** Of the view's entries in memory that are used most, those whose end is this near. */
  List<MemoryKey> hottest(TenantView view, int most, long ahead) {
    long now = nanos.getAsLong();
    return memory.hottest(view, most, entry -> entry.expires() - now <= ahead);
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

  void voidKeys(TenantView view, List<String> texts) {
    voidNames(
        view.partition, names(view, texts), places(view, texts), ReadFloor.NONE, null, Scope.KEY);
  }

  CompletableFuture<Long> voidKeysAsync(TenantView view, List<String> texts) {
    return voidNamesAsync(
        view.partition, names(view, texts), places(view, texts), ReadFloor.NONE, null, Scope.KEY);
  }

  private static List<String> names(TenantView view, List<String> texts) {
    return texts.stream().map(text -> KeyText.keyName(view.cache.name, text)).toList();
  }

  private static List<Remote.Stored> places(TenantView view, List<String> texts) {
    return texts.stream().map(text -> StoredKeys.of(view, text)).toList();
  }

  void voidNames(Partition partition, List<String> names, Scope scope) {
    voidNames(partition, names, List.of(), ReadFloor.NONE, null, scope);
  }

  /** As {@link #voidNames}, with nobody waiting. */
  CompletableFuture<Long> voidNamesAsync(
      Partition partition,
      List<String> names,
      List<Remote.Stored> stored,
      ReadFloor floor,
      @Nullable String token,
      Scope scope) {
    ReadFloor demand = floor.and(positions.now());
    return voidInAsync(partition, names, stored, demand, token, scope, sessions.current());
  }

  /** For this session, whatever thread goes on with it. */
  private CompletableFuture<Long> voidInAsync(
      Partition partition,
      List<String> names,
      List<Remote.Stored> stored,
      ReadFloor demand,
      @Nullable String token,
      Scope scope,
      CausalSession session) {
    used(partition);
    Remote link = remote;
    CompletableFuture<Long> told =
        link == null
            ? CompletableFuture.completedFuture(partition.voidHere(names, demand, true))
            : limiter.voidNamesAsync(link, partition, names, stored, demand, token);
    return told.thenCompose(
        sequence -> {
          if (partition.closed()) {
            return voidInAsync(next(partition), names, stored, demand, token, scope, session);
          }
          voided(partition, names, scope, session, sequence);
          return CompletableFuture.completedFuture(sequence);
        });
  }

  private void voided(
      Partition partition, List<String> names, Scope scope, CausalSession session, long sequence) {
    if (sequence > 0) {
      session.observe(partition.name, sequence);
    }
    if (partition.tenant != null) {
      observer.cacheInvalidated(partition.tenant, scope, names.size());
    }
  }

  long voidNames(
      Partition partition,
      List<String> names,
      List<Remote.Stored> stored,
      ReadFloor floor,
      @Nullable String token,
      Scope scope) {
    ReadFloor demand = floor.and(positions.now());
    Partition in = partition;
    long sequence = voidIn(in, names, stored, demand, token);
    while (in.closed()) {
      in = next(in);
      sequence = voidIn(in, names, stored, demand, token);
    }
    voided(in, names, scope, sessions.current(), sequence);
    return sequence;
  }

  /** The partition that took the place of a closed one. */
  private Partition next(Partition closedOne) {
    gone(closedOne);
    return partition(java.util.Objects.requireNonNull(closedOne.tenant));
  }

  private void used(Partition partition) {
    if (partition.tenant != null) {
      share(partition.tenant).used();
    }
  }

  private long voidIn(
      Partition partition,
      List<String> names,
      List<Remote.Stored> stored,
      ReadFloor demand,
      @Nullable String token) {
    used(partition);
    Remote link = remote;
    return link == null
        ? partition.voidHere(names, demand, true)
        : limiter.voidNames(link, partition, names, stored, demand, token);
  }

  /** What a poisoned write committed is void, and its poison lifted. */
  void voidPoisoned(Partition partition, List<String> names, ReadFloor floor, String poison) {
    ReadFloor demand = floor.and(positions.now());
    used(partition);
    Remote link = remote;
    long sequence =
        link == null
            ? partition.voidHere(names, demand, true)
            : link.voidPoisoned(partition, names, demand, poison);
    if (partition.closed()) {
      voidNames(next(partition), names, List.of(), floor, null, Scope.TAG);
    } else {
      voided(partition, names, Scope.TAG, sessions.current(), sequence);
    }
  }
}
