package dev.aquifer.cache;

import dev.aquifer.CausalSession;
import dev.aquifer.CausalSessions;
import dev.aquifer.ReadFloor;
import dev.aquifer.Tenant;
import dev.aquifer.spi.Observer;
import dev.aquifer.spi.Observer.Scope;
import dev.aquifer.spi.PositionSource;
import java.util.ArrayList;
import java.util.List;
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
  final Partition shared;
  final Guards guards = new Guards();
  final Flights flights;
  private final long silence;
  private final boolean alone;
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
    this.shared = new Partition("*:0", null, ticks, nanos);
    byName.put(shared.name, shared);
    this.memory = new Memory(settings.memoryBytes(), nanos, guards);
    this.idle = new IdleTenants(this, memory.fairness());
    this.flights = new Flights(this);
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
    long now = nanos.getAsLong();
    Entry entry = memory.find(view, key, now);
    return entry != null && valid(view, entry, now) ? entry : null;
  }

  private boolean valid(TenantView view, Entry entry, long now) {
    Remote link = remote;
    if (link != null && now - link.provenAt() > view.cache.memoryLimit) {
      return false;
    }
    Partition partition = view.partition;
    if (!partition.holds(entry.tick(), entry.cells())
        || !shared.holds(entry.tick(), entry.shared())) {
      return false;
    }
    CausalSession opened = sessions.opened();
    CausalSession session = opened != null ? opened : view.session(sessions);
    return partition.applied() >= session.sequence(partition.name)
        && shared.applied() >= session.sequence(shared.name);
  }

  void remember(MemoryKey key, Entry entry) {
    memory.put(key, entry, nanos.getAsLong());
  }

  void voidKeys(TenantView view, List<String> texts) {
    List<String> names = new ArrayList<>(texts.size());
    List<Remote.Stored> stored = new ArrayList<>(texts.size());
    for (String text : texts) {
      names.add(KeyText.keyName(view.cache.name, text));
      stored.add(StoredKeys.of(view, text));
    }
    voidNames(view.partition, names, stored, ReadFloor.NONE, null, Scope.KEY);
  }

  void voidNames(Partition partition, List<String> names, Scope scope) {
    voidNames(partition, names, List.of(), ReadFloor.NONE, null, scope);
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
      gone(in);
      in = partition(java.util.Objects.requireNonNull(in.tenant));
      sequence = voidIn(in, names, stored, demand, token);
    }
    if (sequence > 0) {
      sessions.current().observe(in.name, sequence);
    }
    if (partition.tenant != null) {
      observer.cacheInvalidated(partition.tenant, scope, names.size());
    }
    return sequence;
  }

  private long voidIn(
      Partition partition,
      List<String> names,
      List<Remote.Stored> stored,
      ReadFloor demand,
      @Nullable String token) {
    if (partition.tenant != null) {
      share(partition.tenant).used();
    }
    Remote link = remote;
    return link == null
        ? partition.voidHere(names, demand, true)
        : link.voidNames(partition, names, stored, demand, token);
  }
}
