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
    this.memory = new Memory(settings.memoryBytes(), nanos.getAsLong());
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
          Partition made = new Partition(t.id() + ":0", t, ticks, nanos);
          byName.put(made.name, made);
          return made;
        });
  }

  @Nullable Partition named(String name) {
    return byName.get(name);
  }

  List<Partition> partitions() {
    return List.copyOf(byName.values());
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
    CausalSession session = sessions.current();
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
    Remote link = remote;
    long sequence =
        link == null
            ? partition.voidHere(names, demand, true)
            : link.voidNames(partition, names, stored, demand, token);
    if (sequence > 0) {
      sessions.current().observe(partition.name, sequence);
    }
    if (partition.tenant != null) {
      observer.cacheInvalidated(partition.tenant, scope, names.size());
    }
    return sequence;
  }
}
