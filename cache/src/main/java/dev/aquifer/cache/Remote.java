package dev.aquifer.cache;

import dev.aquifer.CausalSession;
import dev.aquifer.ReadFloor;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/** The second tier, as the first one sees it. Thread-safe. No method throws for Redis' sake. */
@SuppressWarnings("ArrayRecordComponent") // carriers of bytes, never compared
interface Remote extends AutoCloseable {
  /** Whether reads of the partition may be asked for: Redis answers, and knows of all our voids. */
  boolean readable(Partition partition);

  /**
   * Asks for entries, all at once, and brings the partition up to date with what the answers say.
   *
   * @param session what must be known of the partition that work without a tenant voids
   * @param looked whether a {@link #look} was in vain just now
   */
  Reply read(TenantView view, CausalSession session, List<Ask> asks, boolean looked);

  /**
   * Looks for entries, in one plain command that takes no lease and brings nothing up to date.
   *
   * @param keys where they are
   * @return null where that could not tell what is current: then {@link #read} does
   */
  @Nullable Look look(TenantView view, CausalSession session, byte[][] keys);

  /** What the work fills and releases, on this thread, goes to Redis together. */
  void together(Runnable work);

  /** Stores an entry if the lease still stands, and gives the lease back. Does not wait. */
  void fill(TenantView view, String text, Lease lease, Filling filling);

  /** Gives a lease back. Does not wait. */
  void release(TenantView view, String text, Lease lease);

  /**
   * Voids names, here and everywhere; where Redis does not answer, here, and everywhere once it
   * does.
   *
   * @param parts told at the same time
   * @param token of leases to be taken on the keys that are voided
   * @param poison that is lifted by that; late where Redis does not answer
   * @return the sequence of each void, 0 where it is not known yet
   */
  long[] voidNames(
      List<Part> parts, ReadFloor floor, @Nullable String token, @Nullable String poison);

  /** As {@link #voidNames}, with nobody waiting. */
  CompletableFuture<Long> voidNamesAsync(Part part, ReadFloor floor, @Nullable String token);

  /** A partition takes the place of others: what Redis was not told of them is void in it. */
  void follow(Partition partition);

  /** Whether it is worth while to tell Redis anything. */
  boolean reachable();

  /**
   * From here on no node stores a value that depends on the names, until the poison is lifted or
   * its time is up, which voids them.
   *
   * @return whether Redis said that it knows, of all of them
   */
  boolean poison(List<Partition> partitions, String token, List<String> names, Duration limit);

  /** Lifts the poison and voids nothing. Does not wait; late where Redis does not answer. */
  void lift(Partition partition, String poison);

  /**
   * Waits until Redis knows of every void of the partition that this process made.
   *
   * @return false when that takes longer
   */
  boolean awaitTold(Partition partition, Duration limit) throws InterruptedException;

  /** What the clock of Redis shows. */
  ServerClock clock();

  /** When the link was last known to be live, in nanoseconds of the process's clock. */
  long provenAt();

  /** Brings the partition up to date. Returns whether Redis answered. */
  boolean sync(Partition partition) throws InterruptedException;

  /**
   * As {@link #sync}, of several, and waiting no longer than a call may. Returns whether Redis
   * answered for all of them.
   */
  boolean refresh(List<Partition> partitions) throws InterruptedException;

  /** Values of timelines. */
  RedisTimelines timelines();

  /** How it is doing. */
  CacheHealth health();

  @Override
  void close();

  /** Answers that are under way: one of the two is called, once. Null where none comes in time. */
  interface Reply {
    /** Waits for them, no longer than a call may. */
    @Nullable Answer[] await() throws InterruptedException;

    /** Gives them to this, on a thread of the cache. */
    void then(Consumer<@Nullable Answer[]> next);
  }

  /** A look that is under way: one of the first two is called, once. */
  interface Look {
    /** Waits, no longer than a call may; whether there is an answer by then. */
    boolean await() throws InterruptedException;

    /** Goes on, on a thread of the cache, with whether there was an answer in time. */
    void then(Consumer<Boolean> next);

    /**
     * Whether all is applied here that was void when Redis was read; to be asked before what was
     * found is used.
     */
    boolean current();

    /** Null where there is none. */
    byte @Nullable [] entry(int i);

    /** The state that the partition was in. */
    long incarnation();

    /** Where the partition was. */
    long sequence();
  }

  /**
   * What is asked for.
   *
   * @param lease asks for the lease where there is no entry
   * @param refused how an entry begins that was found void, and is to be treated as missing
   */
  record Ask(String text, boolean lease, byte @Nullable [] refused) {}

  /** Where an entry and its lease are. */
  record Stored(byte[] entry, byte[] lease) {}

  /**
   * What is void in one partition.
   *
   * @param stored where the entries of its keys are
   */
  record Part(Partition partition, List<String> names, List<Stored> stored) {}

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
   * @param ttlMillis how long the entry still lives; negative: what it says itself holds
   * @param lease what was granted, or null
   */
  record Answer(
      long incarnation,
      long sequence,
      byte @Nullable [] entry,
      long ttlMillis,
      @Nullable Lease lease) {}
}
