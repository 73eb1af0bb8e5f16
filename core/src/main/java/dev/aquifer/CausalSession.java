package dev.aquifer;

import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicReference;

/**
 * What one line of work has seen and written, and so may not be shown less than: a floor for
 * database reads and, for each cache partition, the sequence that must have been applied before
 * memory may answer.
 *
 * <p>Floors only rise. Thread-safe: several threads may work in one session.
 */
public final class CausalSession {
  private final AtomicReference<ReadFloor> floor = new AtomicReference<>(ReadFloor.NONE);
  private final ConcurrentHashMap<String, Long> sequences = new ConcurrentHashMap<>(2);
  private volatile long touched;

  CausalSession(ReadFloor floor, long now) {
    this.floor.set(floor);
    this.touched = now;
  }

  /** What a node must have replayed before it may answer in this session. */
  public ReadFloor floor() {
    return floor.get();
  }

  /** Raises the floor by one more demand. */
  public void raise(ReadFloor demand) {
    if (!demand.isNone()) {
      floor.accumulateAndGet(demand, ReadFloor::and);
    }
  }

  /**
   * Puts a resolved position in the place of the floor that it was resolved from, so that a moment
   * is not carried for ever. Does nothing when the floor has risen since.
   */
  public void settle(ReadFloor resolved, Position position) {
    floor.compareAndSet(resolved, ReadFloor.at(position));
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

  void touch(long now) {
    touched = now;
  }

  long touched() {
    return touched;
  }
}
