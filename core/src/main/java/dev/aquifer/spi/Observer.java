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
    /** Bytes in Redis were not an entry. */
    DAMAGED,
    /** An entry in Redis was of a format or codec that this version does not know. */
    FOREIGN,
    /** A value could not be encoded, and was not stored. */
    UNENCODABLE,
    /** A value or key was larger than the limit, and was not stored. */
    TOO_LARGE,
    /** A loaded value was overtaken by an invalidation, and was not stored. */
    FILL_REFUSED,
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
    /** Callers wait at every replica that could answer, and the primary helps. */
    REPLICAS_BUSY,
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

  /** Why a connection pool has the size that it has. */
  enum PoolReason {
    /** The size fits what callers need. */
    STEADY,
    /** Callers need more, and the server is known to bear it. */
    DEMAND,
    /** Callers wait at the largest size known to be good; a larger one is tried. */
    EXPLORE,
    /** The larger size answered more, and is kept. */
    GAIN,
    /** The larger size only made execution slower, and was taken back. */
    NO_GAIN,
    /** Execution has become slower: the size does not grow, and falls while callers wait. */
    SLOWER,
    /** Connections that nobody needed for a while were given back. */
    IDLE,
    /** The server refused a connection because it has no more (53300). */
    SERVER_FULL,
    /** Callers need more than the pool's largest size. */
    LIMIT,
    /** Callers need more than the budget leaves. */
    BUDGET,
    /** The server cannot be reached; nothing can be learned. */
    UNREACHABLE
  }

  /** Why a query of a time series was turned away. */
  enum WindowRefusal {
    /** It is larger than the limits, or asks for what the backend cannot do. */
    QUERY,
    /** Its tenant has begun as many requests in this second as it may. */
    RATE,
    /** As many requests of its tenant wait as may. */
    QUEUE
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

  /**
   * A pool's size was decided, about once a second.
   *
   * @param before most connections until now
   * @param now most connections from now on
   */
  default void poolDecided(String pool, PoolReason reason, int before, int now) {}

  /**
   * A connection was not given back in time.
   *
   * @param held how long it is out
   * @param taken the stack of who took it, with the name of its thread
   */
  default void connectionLeaked(String pool, Duration held, Throwable taken) {}

  /** A pool's server can no more be connected to, so that callers fail at once; or can again. */
  default void poolReachable(String pool, boolean reachable, String reason) {}

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

  /**
   * A request to a time-series backend begins, after so many nanoseconds of waiting for its turn.
   */
  default void windowQueued(String measurement, Tenant tenant, long nanos) {}

  /**
   * A request to a time-series backend ended, this many nanoseconds after it began.
   *
   * @param bytes of its answer that came; 0 where the backend cannot know
   * @param error null when it was answered
   */
  default void windowFetched(
      String measurement, Tenant tenant, long nanos, long bytes, @Nullable Throwable error) {}

  /** A query of a time series was turned away; nothing was sent for it. */
  default void windowRefused(String measurement, Tenant tenant, WindowRefusal why) {}

  /** One observer that tells all of these, and keeps what they throw away from the caller. */
  static Observer of(Collection<? extends Observer> observers) {
    return GuardedObserver.of(observers);
  }
}
