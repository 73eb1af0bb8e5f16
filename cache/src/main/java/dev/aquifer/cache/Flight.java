package dev.aquifer.cache;

import dev.aquifer.CausalSession;
import dev.aquifer.Consistency;
import dev.aquifer.ReadFloor;
import dev.aquifer.Tag;
import dev.aquifer.spi.Observer.Role;
import dev.aquifer.spi.Observer.Tier;
import java.time.Duration;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;

/**
 * One answer being fetched, for all callers of the process that want it. Its tick and its cells are
 * taken before anything is read.
 */
class Flight {
  /** How far apart Redis and memory may tell the expiry of one entry. */
  private static final long SAME_EXPIRY = TimeUnit.MILLISECONDS.toNanos(250);

  final MemoryKey at;
  final TenantView view;
  final Object key;
  final String text;
  final Source source;
  final CausalSession session;
  final ReadFloor sessionFloor;

  /** How fresh the caller asked its reads to be, if that is more than others get; else null. */
  final @Nullable Consistency asked;

  final CompletableFuture<Outcome> done = new CompletableFuture<>();
  final TagCell keyCell;
  final TagCell[] cells;
  final TagCell[] shared;

  /** When it was made, in nanoseconds of the node's clock. */
  final long begun;

  /** Before what is read now was read; later for a load than for the look in Redis before it. */
  private volatile long tick;

  // What was applied at that tick or before.
  private volatile long applied;
  private volatile long sharedApplied;

  final boolean lateTags;

  /** Where the database read of its loader was answered. */
  volatile Role route = Role.UNKNOWN;

  /** The flight whose loader waits for this one's end; a circle of these is a dead-lock. */
  volatile @Nullable Flight waitsFor;

  /** A load waits for it, so it must not wait behind that load. */
  volatile boolean urgent;

  /** Its load, while that waits for others of its tenant. */
  volatile Bulkhead.@Nullable Waiting queued;

  /** In the place of the thread that loads, while that is being interrupted. */
  private static final Object INTERRUPTING = new Object();

  private final AtomicReference<@Nullable Object> loading = new AtomicReference<>();

  /** What a load in the background is to replace; an entry that is no newer does not end it. */
  private final @Nullable Entry renews;

  /** Completed when nothing more comes of it, which a soft limit's answer may come before. */
  final CompletableFuture<@Nullable Void> ended = new CompletableFuture<>();

  /** Whether the load returned, threw or ran out of time: the first of these counts. */
  final AtomicBoolean loaded = new AtomicBoolean();

  /** Whether the soft limit is timed. */
  final AtomicBoolean armed = new AtomicBoolean();

  /** Whether the soft limit has passed. */
  volatile boolean tooSlow;

  /** Whether it took the place of one whose loader was not shown what this caller must be. */
  volatile boolean replaces;

  /** Whether callers were answered while the load goes on. */
  volatile boolean answeredEarly;

  /** Why nothing newer came of it, though its callers may have been given what was kept. */
  volatile @Nullable Throwable failure;

  /** What Redis had that is past its time. */
  volatile @Nullable Entry kept;

  private final AtomicReference<@Nullable CompletableFuture<Outcome>> later =
      new AtomicReference<>();

  Flight(MemoryKey at, Object key, Source source, Node node) {
    this(at, key, source, node, node.sessions.current());
  }

  Flight(MemoryKey at, Object key, Source source, Node node, CausalSession session) {
    this(at, key, source, node, session, null);
  }

  Flight(
      MemoryKey at,
      Object key,
      Source source,
      Node node,
      CausalSession session,
      @Nullable Entry renews) {
    this.at = at;
    this.view = at.view;
    this.key = key;
    this.text = KeyText.of(key);
    this.source = source;
    this.session = session;
    this.renews = renews;
    this.sessionFloor = session.floor();
    this.asked = raised(node.positions.asked());
    this.begun = node.nanos.getAsLong();
    this.applied = view.partition.applied();
    this.sharedApplied = node.shared.applied();
    this.tick = node.ticks.get();
    this.keyCell = view.partition.cell(KeyText.keyName(view.cache.name, text));
    this.cells = view.own(keyCell, Set.of());
    this.shared = view.shared(node.shared, Set.of());
    this.lateTags = view.cache.tagger != null;
  }

  /** Whether it is to replace an entry. */
  boolean renews() {
    return renews != null;
  }

  /** Whether an entry of Redis is an answer: it is fresh, and newer than what is to be replaced. */
  boolean wants(Entry found, long now) {
    Entry old = renews;
    return now - found.expires() < 0
        && (old == null || found.expires() - old.expires() > SAME_EXPIRY);
  }

  /**
   * Its end, for those who do not wait: what they do then is done on a thread of the cache, not on
   * that of the caller who happened to fetch it.
   */
  CompletableFuture<Outcome> later(Executor executor) {
    CompletableFuture<Outcome> found = later.get();
    if (found == null) {
      CompletableFuture<Outcome> made = done.thenApplyAsync(outcome -> outcome, executor);
      found =
          later.compareAndSet(null, made) ? made : java.util.Objects.requireNonNull(later.get());
    }
    return found;
  }

  long tick() {
    return tick;
  }

  /** Whether it calls the application's loader once, which a tenant's limits count. */
  boolean counted() {
    return true;
  }

  void hurry() {
    urgent = true;
    Flight next = waitsFor;
    if (next != null) {
      // One load brings both.
      next.hurry();
    }
    Bulkhead.Waiting waiting = queued;
    if (waiting != null) {
      waiting.hurry();
    }
  }

  /** This thread is about to load; false: it is too late for that. {@link #leaves} follows. */
  boolean enters() {
    loading.set(Thread.currentThread());
    // Whoever is late sets this first, and then looks for the thread.
    return !loaded.get();
  }

  /** This thread loads no more: an interrupt that was meant for the load is over by now. */
  void leaves() {
    if (!loading.compareAndSet(Thread.currentThread(), null)) {
      while (loading.get() == INTERRUPTING) {
        Thread.onSpinWait();
      }
      // The loader may have taken it already, or left it to the thread's next work.
      Thread.interrupted();
    }
  }

  /** Interrupts the thread that loads, if there is one. */
  void interrupt() {
    if (loading.get() instanceof Thread thread && loading.compareAndSet(thread, INTERRUPTING)) {
      thread.interrupt();
      loading.set(null);
    }
  }

  /** The load begins: what was voided until now, it will be shown. */
  void loadsFrom(Node node) {
    applied = view.partition.applied();
    sharedApplied = node.shared.applied();
    tick = node.ticks.get();
  }

  /** Up to where voids were applied before what is read was read. */
  long applied() {
    return applied;
  }

  /** The same of the partition of all tenants. */
  long sharedApplied() {
    return sharedApplied;
  }

  /**
   * Whether a caller who comes now may share it: nothing it depends on was voided since it began,
   * and its loader was shown all that the caller must be.
   */
  boolean serves(Flight caller, Partition allTenants) {
    long tick = this.tick;
    boolean current =
        lateTags
            ? !view.partition.changedSince(tick) && !allTenants.changedSince(tick)
            : view.partition.holds(tick, cells) && allTenants.holds(tick, shared);
    return current && shows(caller);
  }

  /** Whether its loader was shown all that the caller must be. */
  boolean shows(Flight caller) {
    CausalSession theirs = caller.session;
    return (theirs == session || sessionFloor.and(theirs.floor()).equals(sessionFloor))
        && sessionFloor.and(session.floor()).equals(sessionFloor)
        && isAsFresh(caller.asked);
  }

  /** What is stored serves others too, so no load is less fresh than the database's default. */
  private static @Nullable Consistency raised(@Nullable Consistency asked) {
    return asked != null
            && (asked.level() == Consistency.Level.STRONG
                || asked.level() == Consistency.Level.BOUNDED)
        ? asked
        : null;
  }

  private boolean isAsFresh(@Nullable Consistency demanded) {
    Consistency mine = asked;
    if (demanded == null || (mine != null && mine.level() == Consistency.Level.STRONG)) {
      return true;
    }
    Duration bound = mine == null ? null : mine.bound();
    Duration most = demanded.bound();
    return bound != null && most != null && bound.compareTo(most) <= 0;
  }

  /** Where the value comes from: the caller's loader, already bound to its key. */
  @FunctionalInterface
  interface Source {
    @Nullable Object load() throws Exception;
  }

  /**
   * How it ended.
   *
   * @param sequence up to which the partition was applied when the value was known to be current
   * @param kept the entry that it is of, where a load did not answer; it can be judged again
   */
  record Outcome(
      @Nullable Object value,
      Tier tier,
      long sequence,
      long sharedSequence,
      Set<Tag> tags,
      @Nullable Entry kept) {

    Outcome(@Nullable Object value, Tier tier, long sequence, long sharedSequence, Set<Tag> tags) {
      this(value, tier, sequence, sharedSequence, tags, null);
    }
  }
}
