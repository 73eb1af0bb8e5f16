package dev.aquifer.testkit;

import java.io.Serializable;
import java.net.URI;
import java.time.Duration;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Executor;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/**
 * One node of a cache, as {@link CacheHistory} drives it. What its sessions throw is recorded as a
 * failed operation, and of a void as one that nobody must see. Sessions are one thread's at a time,
 * the node is used by many.
 */
public interface CacheUnderTest extends AutoCloseable {
  /** A line of work of one tenant on this node. */
  Session session(String tenant);

  /** How many reads memory answered; -1 if that is not known. */
  default long memoryHits() {
    return -1;
  }

  /** How many reads were answered from Redis; -1 if that is not known. */
  default long remoteHits() {
    return -1;
  }

  /**
   * Makes the node work otherwise while it runs, in a way that must not make reads stale: with
   * other limits, or seen through by some of its callers.
   *
   * @param way any number names a way; 0: as it began
   */
  default void change(int way) {}

  @Override
  void close();

  /** What a session does. */
  interface Session {
    /** The value, from the source if need be; null where there is none. */
    @Nullable Row get(Place place, Source source) throws Exception;

    /** The same, started in the background; waits for it. */
    default @Nullable Row getAsync(Place place, Source source) throws Exception {
      return get(place, source);
    }

    /** The values of places of one cache. */
    Map<Place, Row> getAll(Collection<Place> places, Source source) throws Exception;

    /** Stores a value that is current. */
    void put(Place place, Row row) throws Exception;

    /** Voids what was written. */
    void invalidate(Scope scope) throws Exception;

    /**
     * A transaction that writes this, before its commit. By default nobody is told of it before it
     * has ended, and it is voided then.
     */
    default Transaction transaction(Scope scope) throws Exception {
      return new Transaction() {
        @Override
        public boolean committing() {
          return false;
        }

        @Override
        public void committed() throws Exception {
          invalidate(scope);
        }

        @Override
        public void rolledBack() {
          // Nothing was written.
        }

        @Override
        public void outcomeUnknown() throws Exception {
          invalidate(scope);
        }
      };
    }

    /**
     * What a session elsewhere must be given to see what was written in this one; an empty text
     * where there is no such thing.
     *
     * @throws Exception others cannot be told now
     */
    String export() throws Exception;

    /** Takes what {@link #export} gave. */
    void accept(String token) throws Exception;
  }

  /**
   * A transaction of a session. First {@link #committing}, then one of the others; none of them
   * where the writer is gone before.
   */
  interface Transaction {
    /**
     * Before the commit is sent.
     *
     * @return whether it is known by now, outside this node, what is about to be written: then
     *     nobody may miss it for longer than the limit ({@link Host#transactionLimit}), even if
     *     nothing more is heard of this transaction
     */
    boolean committing() throws Exception;

    /** The commit has taken effect; what was written is void when this returns. */
    void committed() throws Exception;

    /** Nothing was written. */
    void rolledBack() throws Exception;

    /** The commit may have taken effect, or not, or may still do so within the limit. */
    void outcomeUnknown() throws Exception;
  }

  /** Where a value is. */
  record Place(String tenant, String cache, int key) implements Serializable {
    /** The tag that some keys of the cache share. */
    public int group() {
      return key % 3;
    }
  }

  /**
   * A value.
   *
   * @param asOf the source's commit at which it was read
   */
  record Row(String tenant, String cache, int key, long asOf) implements Serializable {}

  /** Where values come from. It may be slow. */
  @FunctionalInterface
  interface Source {
    /** The value as it is now; null where there is none. */
    @Nullable Row load(Place place) throws Exception;

    /**
     * The value as somebody has it who has replayed that many commits at least: a replica that
     * lags, where there is one.
     */
    default @Nullable Row load(Place place, long commits) throws Exception {
      return load(place);
    }
  }

  /**
   * What was written.
   *
   * @param kind how it is named
   * @param tenant whose it is
   * @param places all that it covers: a cache without tags voids each
   */
  record Scope(Kind kind, String tenant, List<Place> places) {
    /** How it is named. */
    public enum Kind {
      /** One key. */
      KEY,
      /** Some keys of one cache. */
      KEYS,
      /** The keys of one cache that are in one {@link Place#group}. */
      GROUP,
      /** The table that all values of a tenant depend on. */
      TABLE,
      /** All of one cache. */
      CACHE,
      /** All of a tenant. */
      TENANT,
      /** The same table of all tenants; {@code places} are of all. */
      EVERYWHERE
    }
  }

  /** Starts a node. */
  @FunctionalInterface
  interface Factory {
    /** A node that works there. */
    CacheUnderTest open(Host host) throws Exception;
  }

  /**
   * Where a node works.
   *
   * @param name such as {@code node-1}
   * @param redis Redis behind a proxy of the node's own
   * @param clockOffset how far its clocks are off
   * @param silenceLimit after how long without a word from Redis the node must assume the worst
   * @param transactionLimit how long others may miss what a writer wrote that announced it and is
   *     gone
   * @param commits how many commits the source has by now
   * @param executor runs tasks, except while the node is paused
   * @param stumble to be called where a thread may well be slow for a moment
   */
  record Host(
      String name,
      URI redis,
      Duration clockOffset,
      Duration silenceLimit,
      Duration transactionLimit,
      LongSupplier commits,
      Executor executor,
      Runnable stumble) {}
}
