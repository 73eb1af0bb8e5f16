package dev.aquifer.spi;

import dev.aquifer.Tenant;
import java.time.Duration;
import java.util.Collection;
import org.jspecify.annotations.Nullable;

/**
 * Told of what happened, on the thread where it happened. Every method does nothing by default.
 * Implementations are thread-safe, do not block and do not allocate in {@link #cacheAnswered} and
 * {@link #routed}: these are on the path of every read.
 *
 * <p>Modules call an observer only through {@link #of}, which keeps what it throws from the
 * application.
 */
public interface Observer {
  /** Hears nothing. */
  Observer NONE = new Observer() {};

  /** Where an answer came from. */
  enum Tier {
    /** Process memory. */
    L1,
    /** Redis. */
    L2,
    /** The loader. */
    SOURCE,
    /** A value past its time, served because the loader failed or was too slow. */
    STALE
  }

  /** What went wrong in a cache without the caller noticing. */
  enum CacheFault {
    /** Bytes in Redis were not an entry, or not one of this schema. */
    DAMAGED,
    /** A value could not be encoded, and was not stored. */
    UNENCODABLE,
    /** A value or key was larger than the limit, and was not stored. */
    TOO_LARGE,
    /** A loaded value was overtaken by an invalidation, and was not stored. */
    FILL_REFUSED,
    /** Bytes of another version of the library or of a codec; they were treated as missing. */
    FOREIGN,
    /** Redis failed or did not answer in time. */
    REMOTE,
    /** A TTL policy threw or returned no time that can be used; the cache's own counted. */
    POLICY,
    /** More invalidations were waiting for Redis than may; everything is void instead. */
    OVERFLOW
  }

  /** What was voided. */
  enum Scope {
    /** One key. */
    KEY,
    /** One tag. */
    TAG,
    /** All of a cache. */
    CACHE,
    /** All of a tenant. */
    TENANT,
    /** A range of time. */
    RANGE
  }

  /** What a node is to the cluster. */
  enum Role {
    /** Takes writes. */
    PRIMARY,
    /** Replays the primary's log. */
    REPLICA,
    /** Not known yet, or the node was fenced. */
    UNKNOWN
  }

  /** Why a statement went where it went. */
  enum RouteReason {
    /** A read, and the replica is fresh enough. */
    READ,
    /** It writes, or is not known not to. */
    WRITE,
    /** A read in a transaction that may write. */
    TRANSACTION,
    /** No replica had replayed what the reader must see. */
    FRESHNESS,
    /** No replica was usable. */
    NO_REPLICA,
    /** The caller asked for the primary. */
    STRONG,
    /** The connection holds state of the node. */
    PINNED,
    /** The replica failed and nothing had been delivered. */
    RETRY
  }

  /** How a node is doing. */
  enum NodeState {
    /** Answers probes. */
    HEALTHY,
    /** Missed one. */
    SUSPECT,
    /** Out of use. */
    EJECTED,
    /** Out of use, being tried. */
    PROBING,
    /** Back, with a rising part of the traffic. */
    RAMP,
    /** Too far behind. */
    LAGGING,
    /** Being removed. */
    DRAINING
  }

  /** A read of a cache was answered, from this tier. */
  default void cacheAnswered(String cache, Tenant tenant, Tier tier) {}

  /** A loader returned or threw, after this many nanoseconds. */
  default void cacheLoaded(String cache, Tenant tenant, long nanos, @Nullable Throwable error) {}

  /** Something was voided by this process. */
  default void cacheInvalidated(Tenant tenant, Scope scope, int names) {}

  /** Something went wrong that the caller does not see. */
  default void cacheFault(String cache, CacheFault fault, @Nullable Throwable error) {}

  /** The link to Redis was lost or found again. */
  default void remoteChanged(boolean usable, String reason) {}

  /** A statement was sent to a node. */
  default void routed(String node, Role role, RouteReason reason) {}

  /**
   * A replica's lag was measured.
   *
   * @param lag null when it cannot be known, since the primary was not sampled lately
   * @param bytes of log that are not replayed yet, -1 when unknown
   */
  default void lagSampled(String node, @Nullable Duration lag, long bytes) {}

  /** A node's state changed. */
  default void nodeChanged(String node, NodeState from, NodeState to, String reason) {}

  /** A node's role changed. */
  default void roleChanged(String node, Role from, Role to) {}

  /** A listener of commits threw; the application's commit is not affected. */
  default void listenerFailed(String listener, Throwable error) {}

  /**
   * A query of a time series was answered.
   *
   * @param shown buckets in the answer
   * @param fetched buckets that had to be fetched
   * @param requests sent to the server
   */
  default void windowAnswered(
      String measurement, Tenant tenant, long shown, long fetched, int requests) {}

  /** One observer that tells all of these, and keeps what they throw away from the caller. */
  static Observer of(Collection<? extends Observer> observers) {
    return GuardedObserver.of(observers);
  }
}
