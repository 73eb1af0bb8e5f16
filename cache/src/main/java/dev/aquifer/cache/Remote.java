package dev.aquifer.cache;

import dev.aquifer.ReadFloor;
import java.time.Duration;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** The second tier, as the first one sees it. Thread-safe. No method throws for Redis' sake. */
@SuppressWarnings("ArrayRecordComponent") // carriers of bytes, never compared
interface Remote extends AutoCloseable {
  /** Whether reads of the partition may be asked for: Redis answers, and knows of all our voids. */
  boolean readable(Partition partition);

  /**
   * Asks for entries, all at once, and brings the partition up to date with what the answers say.
   *
   * @return an answer for each, null where Redis did not answer in time
   */
  List<@Nullable Answer> read(TenantView view, List<Ask> asks) throws InterruptedException;

  /** Asks for one entry. */
  default @Nullable Answer read(TenantView view, Ask ask) throws InterruptedException {
    return read(view, List.of(ask)).get(0);
  }

  /** Stores an entry if the lease still stands, and gives the lease back. Does not wait. */
  void fill(TenantView view, String text, Lease lease, Filling filling);

  /** Gives a lease back. Does not wait. */
  void release(TenantView view, String text, Lease lease);

  /**
   * Voids names, here and everywhere; where Redis does not answer, here, and everywhere once it
   * does.
   *
   * @param token a lease to be taken on the one key that is voided
   * @return the sequence of the void, 0 where it is not known yet
   */
  long voidNames(
      Partition partition,
      List<String> names,
      List<Stored> stored,
      ReadFloor floor,
      @Nullable String token);

  /**
   * From here on no node stores a value that depends on the names, until the poison is lifted or
   * its time is up, which voids them. Where Redis does not answer, nobody else is told.
   */
  void poison(Partition partition, String token, List<String> names, Duration limit);

  /** As {@link #voidNames}, and lifts the poison. */
  long voidPoisoned(Partition partition, List<String> names, ReadFloor floor, String poison);

  /** Lifts the poison and voids nothing. Does not wait. */
  void lift(Partition partition, String poison);

  /**
   * Waits until Redis knows of every void of the partition that this process made.
   *
   * @return false when that takes longer
   */
  boolean awaitTold(Partition partition, Duration limit) throws InterruptedException;

  /** When the link was last known to be live, in nanoseconds of the process's clock. */
  long provenAt();

  /** Brings the partition up to date. Returns whether Redis answered. */
  boolean sync(Partition partition) throws InterruptedException;

  /** How it is doing. */
  CacheHealth health();

  @Override
  void close();

  /**
   * What is asked for.
   *
   * @param token asks for the lease where there is no entry; null: does not
   * @param refused how an entry begins that was found void, and is to be treated as missing
   */
  record Ask(String text, @Nullable String token, byte @Nullable [] refused) {}

  /** Where an entry and its lease are. */
  record Stored(byte[] entry, byte[] lease) {}

  /** The right to store an entry that was read at this sequence. */
  record Lease(
      String token, long incarnation, long asOf, long sharedIncarnation, long sharedAsOf) {}

  /**
   * What to store.
   *
   * @param ttlMillis how long it is fresh
   * @param staleMillis how much longer it is kept, for when a load fails or is slow
   * @param loadMillis how long its load took
   */
  record Filling(
      byte[] payload,
      boolean negative,
      List<String> tags,
      long ttlMillis,
      long staleMillis,
      long loadMillis) {}

  /**
   * What Redis has.
   *
   * @param sequence where the partition was
   * @param entry bytes, or null
   * @param ttlMillis how long the entry still lives
   * @param lease what was granted, or null
   */
  record Answer(
      long incarnation,
      long sequence,
      byte @Nullable [] entry,
      long ttlMillis,
      @Nullable Lease lease) {}
}
