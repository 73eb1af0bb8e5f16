package dev.aquifer.cache;

import dev.aquifer.CausalSession;
import dev.aquifer.ReadFloor;
import dev.aquifer.Tag;
import dev.aquifer.spi.Observer.Role;
import dev.aquifer.spi.Observer.Tier;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;

/**
 * One answer being fetched, for all callers of the process that want it. Its tick and its cells are
 * taken before anything is read.
 */
final class Flight {
  final MemoryKey at;
  final TenantView view;
  final Object key;
  final String text;
  final Source source;
  final CausalSession session;
  final ReadFloor sessionFloor;
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
  private volatile boolean batched;

  final boolean lateTags;

  /** Where the database read of its loader was answered. */
  volatile Role route = Role.UNKNOWN;

  /** The flight whose loader waits for this one's end; a circle of these is a dead-lock. */
  volatile @Nullable Flight waitsFor;

  /** The thread that loads; whoever takes it out may interrupt it, or need not expect that. */
  final AtomicReference<@Nullable Thread> loading = new AtomicReference<>();

  Flight(MemoryKey at, Object key, Source source, Node node) {
    this.at = at;
    this.view = at.view;
    this.key = key;
    this.text = KeyText.of(key);
    this.source = source;
    this.session = node.sessions.current();
    this.sessionFloor = session.floor();
    this.begun = node.nanos.getAsLong();
    this.applied = view.partition.applied();
    this.sharedApplied = node.shared.applied();
    this.tick = node.ticks.get();
    this.keyCell = view.partition.cell(KeyText.keyName(view.cache.name, text));
    this.cells = view.own(keyCell, Set.of());
    this.shared = view.shared(node.shared, Set.of());
    this.lateTags = view.cache.tagger != null;
  }

  long tick() {
    return tick;
  }

  /** The load begins: what was voided until now, it will be shown. */
  void loadsFrom(Node node) {
    if (!batched) {
      applied = view.partition.applied();
      sharedApplied = node.shared.applied();
      tick = node.ticks.get();
    }
  }

  /** One call loads it with others, and may have begun before its own turn comes. */
  void batched() {
    batched = true;
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
  boolean serves(CausalSession caller, Partition allTenants) {
    long tick = this.tick;
    boolean current =
        lateTags
            ? !view.partition.changedSince(tick) && !allTenants.changedSince(tick)
            : view.partition.holds(tick, cells) && allTenants.holds(tick, shared);
    return current
        && (caller == session || sessionFloor.and(caller.floor()).equals(sessionFloor))
        && sessionFloor.and(session.floor()).equals(sessionFloor);
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
   */
  record Outcome(
      @Nullable Object value, Tier tier, long sequence, long sharedSequence, Set<Tag> tags) {}
}
