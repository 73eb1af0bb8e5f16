package dev.aquifer.testkit;

import java.io.Serializable;
import java.net.URI;
import java.time.Duration;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Executor;
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
     * What a session elsewhere must be given to see what was written in this one; an empty text
     * where there is no such thing.
     *
     * @throws Exception others cannot be told now
     */
    String export() throws Exception;

    /** Takes what {@link #export} gave. */
    void accept(String token) throws Exception;
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
   * @param executor runs tasks, except while the node is paused
   * @param stumble to be called where a thread may well be slow for a moment
   */
  record Host(
      String name,
      URI redis,
      Duration clockOffset,
      Duration silenceLimit,
      Executor executor,
      Runnable stumble) {}
}
