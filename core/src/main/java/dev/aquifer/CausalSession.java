package dev.aquifer;

import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/**
 * What one line of work has seen and written, and so may not be shown less than: a floor for
 * database reads, the node that answered last, and, for each cache partition, the sequence that
 * must have been applied before memory may answer.
 *
 * <p>Floors only rise. Thread-safe: several threads may work in one session.
 */
public final class CausalSession {
  /**
   * An answer of a node that may have shown more than is known of the node's position: everything
   * that the primary had committed when it ended, at most.
   *
   * @param node whose answer it was, compared by identity; it shows no less later
   * @param ended when, in nanoseconds of the process's monotonic clock
   */
  public record Sighting(Object node, long ended) {}

  private final LongSupplier nanos;
  private final @Nullable CausalSession base;
  private final boolean own;
  private final AtomicReference<@Nullable Sighting> sighting = new AtomicReference<>();
  private final AtomicReference<ReadFloor> floor = new AtomicReference<>(ReadFloor.NONE);
  private final ConcurrentHashMap<String, Long> sequences = new ConcurrentHashMap<>(2);
  private volatile @Nullable CausalSession heir;
  private volatile long touched;

  /**
   * A session whose floor is never under that of its base.
   *
   * @param nanos monotonic nanoseconds
   * @param own whether it is of one line of work, and not of all that a tenant does
   */
  CausalSession(LongSupplier nanos, @Nullable CausalSession base, boolean own) {
    this.nanos = nanos;
    this.base = base;
    this.own = own;
    this.touched = nanos.getAsLong();
  }

  /** Whether it is of one line of work, and not of all that a tenant does. */
  public boolean isOwn() {
    return own;
  }

  /** What a node must have replayed before it may answer in this session. */
  public ReadFloor floor() {
    ReadFloor own = floor.get();
    return base == null ? own : own.and(base.floor());
  }

  /** Raises the floor by one more demand. */
  public void raise(ReadFloor demand) {
    if (demand.isNone()) {
      return;
    }
    floor.accumulateAndGet(demand, ReadFloor::and);
    touched = nanos.getAsLong();
    // Read after the floor was raised: whoever drops this session sets the heir first and reads the
    // floor second.
    CausalSession inherits = heir;
    if (inherits != null) {
      inherits.raise(demand);
    }
  }

  /**
   * Puts a resolved position in the place of the floor that it was resolved from, so that a moment
   * is not carried for ever. Does nothing when the floor has risen since.
   */
  public void settle(ReadFloor resolved, Position position) {
    floor.compareAndSet(resolved, ReadFloor.at(position));
  }

  /**
   * A node has answered: what it may have shown binds later reads. Does nothing in a session that a
   * tenant's callers share: for them, reads of one would decide where all the others go.
   */
  public void sighted(Object node, long ended) {
    if (!own) {
      return;
    }
    Sighting before;
    do {
      before = sighting.get();
      if (before != null && before.node() != node) {
        // The other one's answer still counts, wherever it was from.
        raise(ReadFloor.after(before.ended()));
      } else if (before != null && before.ended() - ended >= 0) {
        return;
      }
    } while (!sighting.compareAndSet(before, new Sighting(node, ended)));
  }

  /** The last answer of a node, which binds the next read; null in a shared session. */
  public @Nullable Sighting sighting() {
    return sighting.get();
  }

  /** The sequence of the cache partition that must have been applied, 0 if there is no demand. */
  public long sequence(String partition) {
    if (sequences.isEmpty()) {
      return 0;
    }
    Long sequence = sequences.get(partition);
    return sequence == null ? 0 : sequence;
  }

  /** Raises the demand on a cache partition. */
  public void observe(String partition, long sequence) {
    sequences.merge(partition, sequence, Math::max);
    touched = nanos.getAsLong();
  }

  /** Every cache partition with a demand on it. */
  public Map<String, Long> sequences() {
    return Map.copyOf(sequences);
  }

  /** Takes over what the token's writer had done: later reads in this session show it. */
  public void accept(CausalToken token) {
    token.position().ifPresent(position -> raise(ReadFloor.at(position)));
    token.sequences().forEach(this::observe);
  }

  /** Whether its tenant has another by now: {@link CausalSessions#of} gives that one. */
  public boolean forgotten() {
    return heir != null;
  }

  /**
   * Hands the floor on: what this session still learns after it was dropped, its heir learns too.
   */
  void drop(CausalSession heir) {
    this.heir = heir;
    heir.raise(floor.get());
  }

  long touched() {
    return touched;
  }
}
