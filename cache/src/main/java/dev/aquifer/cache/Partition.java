package dev.aquifer.cache;

import com.github.benmanes.caffeine.cache.Cache;
import com.github.benmanes.caffeine.cache.Caffeine;
import dev.aquifer.CausalSession;
import dev.aquifer.ReadFloor;
import dev.aquifer.Tenant;
import java.util.Arrays;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Consumer;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/**
 * One partition of invalidations as this process knows it: a tenant's, or the one ({@code *}) that
 * work without a tenant voids. It mirrors the sequence and the markers that Redis holds.
 *
 * <p>Two measures of "later" are kept apart. <em>Sequences</em> come from Redis and judge what is
 * stored there. <em>Ticks</em> count what this process has applied, whatever its source, and judge
 * what is in memory: so a void that Redis could not be told of yet works here at once.
 *
 * <p>Why a fill that races a void is never served (race R2): a void first raises the sequences of
 * its cells, then takes a tick, then writes it to them. A fill takes its tick first and judges the
 * sequences after. If it judged before they were raised, its tick is below the void's; if after, it
 * is refused. Cells of a load are taken before the load begins, or start at the tick of the last
 * marker that was dropped, so no void falls between.
 */
final class Partition {
  /** The name that voids everything. */
  static final String ALL = "*";

  /** How many markers are kept before the older half is dropped. */
  static final int MAX_MARKERS = 4096;

  final String name;
  final @Nullable Tenant tenant;
  final StoredKeys stored;

  /** Its tenant's first partition; null: it is that itself, or belongs to no tenant. */
  final @Nullable Partition first;

  /** Of the first: its tenant's other ones. */
  List<Partition> others = List.of();

  /** The first partition confirmed that this one's state in Redis belongs to nobody any more. */
  volatile boolean replaces;

  private final int count;

  private final AtomicLong ticks;
  private final LongSupplier nanos;
  private final ReentrantLock lock = new ReentrantLock();

  // Weak: a cell lives as long as an entry, a load or a marker needs it.
  private final Cache<String, TagCell> cells =
      Caffeine.newBuilder().weakValues().executor(Runnable::run).build();
  private final Set<Watcher> watchers = ConcurrentHashMap.newKeySet();
  private final ConcurrentHashMap<String, TagCell> marked = new ConcurrentHashMap<>();
  private final Poisons poisons = new Poisons();
  private final KeyFloors keyFloors = new KeyFloors();

  private volatile long incarnation;
  private volatile Gaps gaps = Gaps.NONE;
  private volatile long applied;
  private volatile long heard;
  private long strange;
  private long strangeHeard;
  private volatile boolean lacks;
  private final AtomicLong lacking = new AtomicLong();
  private volatile long lacksSince;
  private volatile long dropped;
  private volatile long droppedTick;
  private volatile long voidTick;
  private volatile long lastTick;
  private volatile ReadFloor newestFloor = ReadFloor.NONE;
  private ReadFloor inherited = ReadFloor.NONE;

  Partition(String name, @Nullable Tenant tenant, AtomicLong ticks, LongSupplier nanos) {
    this(name, tenant, null, 1, ticks, nanos);
  }

  /**
   * @param first of the tenant, null for itself
   * @param count how many the tenant has
   */
  Partition(
      String name,
      @Nullable Tenant tenant,
      @Nullable Partition first,
      int count,
      AtomicLong ticks,
      LongSupplier nanos) {
    this.name = name;
    this.tenant = tenant;
    this.first = first;
    this.count = count;
    this.stored = new StoredKeys(name);
    this.ticks = ticks;
    this.nanos = nanos;
  }

  /**
   * What its state in Redis must name for this process to work with it: of a first partition how
   * many there are, where that is not one; of another the incarnation of the first.
   */
  String owner() {
    return first != null ? Long.toHexString(first.incarnation) : count == 1 ? "" : "" + count;
  }

  /** Whether its tenant is still divided as this says, as far as the session demands to know. */
  boolean counts(CausalSession session) {
    return first == null || first.shows(first.applied, session);
  }

  /** Whether what is current at this sequence shows all that the session demands. */
  boolean shows(long sequence, CausalSession session) {
    long demand = session.sequence(name);
    return sequence >= demand && (demand == 0 || !gaps.contain(demand));
  }

  /**
   * Told, under the partition's lock and before {@link #applied} says so, of what is void. Must not
   * block.
   */
  interface Watcher {
    /** These names, of any kind. */
    void voided(Collection<String> names);

    /** Everything; it may be told again and again. */
    void voidedAll();
  }

  void watch(Watcher watcher) {
    watchers.add(watcher);
  }

  void unwatch(Watcher watcher) {
    watchers.remove(watcher);
  }

  /** Whether somebody keeps what it voids. */
  boolean watched() {
    return !watchers.isEmpty();
  }

  /** Whether {@link #owner} is not known yet. */
  boolean ownerless() {
    return first != null && first.incarnation == 0;
  }

  /** The cell of a name, the same for all who hold it. */
  TagCell cell(String named) {
    return cells.get(named, n -> new TagCell(dropped, droppedTick, inherited));
  }

  /** Takes the place of others that were closed; before anybody else knows of it. */
  Partition after(Closed others) {
    inherited = others.floor();
    newestFloor = others.floor();
    keyFloors.start(others.floor());
    applied = others.sequence();
    heard = others.sequence();
    return this;
  }

  /** Takes the place of one that had applied this much; before anybody else knows of it. */
  void from(long sequence) {
    applied = Math.max(applied, sequence);
    heard = applied;
  }

  /**
   * From now on nothing of it is served from memory or taken into it, and no void helps it.
   *
   * @param last told first what outlives it, so that whoever finds it closed finds that too
   */
  void close(Consumer<Closed> last) {
    lock.lock();
    try {
      last.accept(new Closed(applied, newestFloor));
      bump(Long.MAX_VALUE);
    } finally {
      lock.unlock();
    }
  }

  boolean closed() {
    return voidTick == Long.MAX_VALUE;
  }

  /**
   * What outlives partitions.
   *
   * @param sequence that was applied
   * @param floor all that their voids demand of loads
   */
  record Closed(long sequence, ReadFloor floor) {
    static final Closed NONE = new Closed(0, ReadFloor.NONE);

    Closed and(Closed other, boolean sequences) {
      return new Closed(sequences ? Math.max(sequence, other.sequence) : 0, floor.and(other.floor));
    }
  }

  /** The random number that Redis gave this partition when it was made; 0: not known. */
  long incarnation() {
    return incarnation;
  }

  /** Up to which sequence everything has been applied here. */
  long applied() {
    return applied;
  }

  /** Whether a later event was heard than could be applied. */
  boolean behind() {
    return heard > applied;
  }

  /** Something was heard that could not be applied: nothing later than this is proven any more. */
  void lack(long proven) {
    lock.lock();
    try {
      if (!lacks) {
        lacksSince = proven;
      }
      lacking.incrementAndGet();
      lacks = true;
      bump(ticks.incrementAndGet());
    } finally {
      lock.unlock();
    }
  }

  /** Whether something is missing. */
  boolean lacks() {
    return lacks;
  }

  /** How often something was missing. */
  long lacking() {
    return lacking.get();
  }

  /** What was missing until then is there; returns whether nothing is missing any more. */
  boolean madeUp(long until) {
    lock.lock();
    try {
      if (lacking.get() == until) {
        lacks = false;
      }
      return !lacks;
    } finally {
      lock.unlock();
    }
  }

  /**
   * When it was last known that nothing was missing of this partition.
   *
   * @param link when it was last known that all is heard
   */
  long provenAt(long link) {
    if (lacks) {
      return lacksSince;
    }
    Partition first = this.first;
    return first == null || !first.lacks ? link : first.lacksSince;
  }

  /** Whether nothing that the entry depends on was voided since its tick. */
  boolean holds(long tick, TagCell[] depends) {
    if (lastTick <= tick) {
      return true;
    }
    if (voidTick > tick) {
      return false;
    }
    for (TagCell cell : depends) {
      if (cell.tick() > tick) {
        return false;
      }
    }
    return true;
  }

  /** Whether anything at all was voided since the tick. */
  boolean changedSince(long tick) {
    return lastTick > tick;
  }

  /** Whether a value stored in Redis, read at this sequence of this incarnation, is current. */
  boolean stands(long ofIncarnation, long asOf, TagCell[] depends) {
    if (ofIncarnation != incarnation || ofIncarnation == 0 || asOf < dropped) {
      return false;
    }
    for (TagCell cell : depends) {
      if (cell.sequence() > asOf) {
        return false;
      }
    }
    return true;
  }

  /**
   * Whether nothing later than this was taken over, or is being. Sequences of cells tell of later
   * events; a state that is taken over names no keys, so an answer from before it is judged by the
   * tick at which it was asked for.
   */
  boolean knownTo(long ofIncarnation, long sequence) {
    return incarnation == ofIncarnation && applied <= sequence;
  }

  /** The demand on a load of the key: what voided it must be shown. */
  ReadFloor keyFloor(String key) {
    return keyFloors.of(key);
  }

  /** The demand of the newest void of anything, for loads whose tags are not known before. */
  ReadFloor newestFloor() {
    return newestFloor;
  }

  /** A void of this process that no Redis numbers: there is none, or it cannot be told yet. */
  long voidHere(Collection<String> names, ReadFloor floor, boolean numbered) {
    lock.lock();
    try {
      long sequence = numbered ? applied + 1 : 0;
      raise(names, sequence, floor);
      if (numbered) {
        applied = sequence;
        heard = sequence;
        drop();
      }
      return sequence;
    } finally {
      lock.unlock();
    }
  }

  /** A write of these, by this process, may still be committed: it is lifted here alone. */
  void poisonHere(String token, Collection<String> names, long limitNanos) {
    lock.lock();
    try {
      poisons.add(token, cells(names), nanos.getAsLong() + limitNanos, true);
    } finally {
      lock.unlock();
    }
  }

  /** Its write is void, or undone. */
  void liftHere(String token) {
    lock.lock();
    try {
      poisons.lift(token);
    } finally {
      lock.unlock();
    }
  }

  /** Whether a poison stands that Redis should have ended by now. */
  boolean overdue(long now) {
    return poisons.overdue(now);
  }

  private TagCell[] cells(Collection<String> names) {
    return names.stream().map(this::cell).toArray(TagCell[]::new);
  }

  /**
   * An event as it was published. Returns false where events before it are missing: what they void
   * is not known, and may never be if Redis does not answer, so everything in memory is void.
   */
  boolean hear(long ofIncarnation, long sequence, Notice notice, ReadFloor floor) {
    lock.lock();
    try {
      if (ofIncarnation == incarnation && sequence <= applied) {
        return true;
      }
      if (ofIncarnation != incarnation) {
        // Of a state that is not known here yet, or not this database's.
        strange = ofIncarnation;
        strangeHeard = sequence;
        bump(ticks.incrementAndGet());
        // What belongs to the state that is gone is gone with it.
        others.forEach(Partition::voidAll);
        return false;
      }
      if (sequence != applied + 1) {
        heard = Math.max(heard, sequence);
        bump(ticks.incrementAndGet());
        return false;
      }
      apply(notice, sequence, floor);
      applied = sequence;
      heard = Math.max(heard, sequence);
      return true;
    } finally {
      lock.unlock();
    }
  }

  /** Takes over what Redis answered: the events that were missing, or its whole state. */
  void catchUp(CatchUp news, ReadFloor floor) {
    lock.lock();
    try {
      if (news.incarnation() == incarnation && news.sequence() < applied) {
        // Asked for before what was applied meanwhile.
        return;
      }
      if (news.incarnation() == incarnation && news.sequence() == applied) {
        // Asked for before another's answer brought it: adopting it again would void what was
        // loaded since, and refuse the loads that run.
        dropped = Math.max(dropped, news.floor());
      } else if (news.markers() != null) {
        adopt(news, news.markers(), floor);
      } else if (news.incarnation() == incarnation) {
        know(news);
        for (CatchUp.Event event : news.events()) {
          if (event.sequence() > applied) {
            apply(event.notice(), event.sequence(), floor);
            applied = event.sequence();
          }
        }
      }
      heard = Math.max(heard, applied);
    } finally {
      lock.unlock();
    }
  }

  /** Everything of this partition in memory is void: O(1). */
  void voidAll() {
    lock.lock();
    try {
      bump(ticks.incrementAndGet());
    } finally {
      lock.unlock();
    }
  }

  /** Cells whose demand is a moment become cheaper once its position is known. */
  List<TagCell> marked() {
    return List.copyOf(marked.values());
  }

  private void adopt(CatchUp news, Map<String, Long> markers, ReadFloor floor) {
    boolean another = news.incarnation() != incarnation;
    // Nothing stands until the new state is complete.
    incarnation = 0;
    if (another) {
      cells.asMap().values().forEach(TagCell::forget);
      marked.clear();
      heard = strange == news.incarnation() ? strangeHeard : 0;
    }
    dropped = news.floor();
    long now = nanos.getAsLong();
    markers.forEach(
        (named, sequence) -> {
          TagCell cell = cell(named);
          if (sequence > cell.sequence() || another) {
            cell.mark(sequence, floor, now);
          }
          marked.put(named, cell);
        });
    know(news);
    poisons.adopt(news.poisons(), notice -> cells(notice.names()), now);
    // Keys that were voided meanwhile leave no marker, so every stripe takes the demand.
    keyFloors.raiseAll(floor);
    newestFloor = newestFloor.and(floor);
    bump(ticks.incrementAndGet());
    applied = news.sequence();
    heard = Math.max(heard, applied);
    incarnation = news.incarnation();
  }

  /** Before what comes after them is applied. */
  private void know(CatchUp news) {
    Gaps told = news.gaps();
    if (told != null) {
      gaps = told;
    }
  }

  /** Ticks only rise; the last of all is that of a closed partition. */
  private void bump(long tick) {
    voidTick = Math.max(voidTick, tick);
    lastTick = Math.max(lastTick, tick);
    watchers.forEach(Watcher::voidedAll);
  }

  /** What is lifted was voided before: no fill slips in between. */
  private void apply(Notice notice, long sequence, ReadFloor floor) {
    if (notice.kind() == Notice.Kind.POISON) {
      long until = nanos.getAsLong() + Poisons.nanos(notice.millis());
      poisons.add(notice.token(), cells(notice.names()), until, false);
      return;
    }
    if (!notice.names().isEmpty()) {
      raise(notice.names(), sequence, floor);
    }
    if (notice.kind() == Notice.Kind.LIFT) {
      poisons.lift(notice.token());
    }
  }

  /** The order of the steps is the proof above. */
  private void raise(Collection<String> names, long sequence, ReadFloor floor) {
    long now = nanos.getAsLong();
    TagCell[] touched = new TagCell[names.size()];
    int count = 0;
    boolean all = false;
    for (String named : names) {
      if (named.equals(ALL)) {
        all = true;
        continue;
      }
      if (KeyText.isRange(named)) {
        continue;
      }
      boolean key = KeyText.isKey(named);
      if (key) {
        keyFloors.raise(named, floor);
      }
      TagCell cell = key ? cells.getIfPresent(named) : cell(named);
      if (cell != null) {
        cell.mark(sequence, floor, now);
        touched[count++] = cell;
        if (!key) {
          marked.put(named, cell);
        }
      }
    }
    newestFloor = newestFloor.and(floor);
    if (all) {
      dropped = Math.max(dropped, sequence);
      keyFloors.raiseAll(floor);
      marked.values().forEach(cell -> cell.mark(0, floor, now));
    }
    long tick = ticks.incrementAndGet();
    for (int i = 0; i < count; i++) {
      touched[i].tick(tick);
    }
    if (all) {
      voidTick = Math.max(voidTick, tick);
    }
    lastTick = Math.max(lastTick, tick);
    for (Watcher watcher : watchers) {
      if (all) {
        watcher.voidedAll();
      } else {
        watcher.voided(names);
      }
    }
  }

  /** Where no Redis bounds the markers: forgets the older half, and with it what is that old. */
  private void drop() {
    if (marked.size() <= MAX_MARKERS) {
      return;
    }
    long[] sequences = marked.values().stream().mapToLong(TagCell::sequence).toArray();
    long[] markedTicks = marked.values().stream().mapToLong(TagCell::tick).toArray();
    Arrays.sort(sequences);
    Arrays.sort(markedTicks);
    // Raised before a cell goes: whoever makes it anew must start from here.
    dropped = Math.max(dropped, sequences[sequences.length / 2]);
    droppedTick = Math.max(droppedTick, markedTicks[markedTicks.length / 2]);
    marked.values().removeIf(cell -> cell.sequence() <= dropped);
  }
}
