package dev.aquifer.cache;

import java.time.Duration;
import java.util.List;

/**
 * How a node's caches are doing.
 *
 * @param usable whether Redis answers, or none is configured
 * @param proven whether what other nodes void is known to arrive here, so that memory may answer
 * @param silence since when the link is not proven; zero where no Redis is configured
 * @param pending invalidations that wait for Redis
 * @param kind of Redis
 * @param servers that this node is connected to; for a cluster, its masters
 */
public record CacheHealth(
    boolean usable,
    boolean proven,
    Duration silence,
    int pending,
    Kind kind,
    List<Server> servers) {

  /** The kinds of Redis. */
  public enum Kind {
    /** There is none: one tier, one process. */
    NONE,
    /** One server. */
    STANDALONE,
    /** A primary that sentinels name. */
    SENTINEL,
    /** A Redis Cluster. */
    CLUSTER
  }

  /**
   * One server.
   *
   * @param address host and port, without credentials
   * @param connected whether commands can be sent to it
   * @param subscribed whether voids that are published there arrive here
   */
  public record Server(String address, boolean connected, boolean subscribed) {}

  /** Copies the list. */
  public CacheHealth {
    servers = List.copyOf(servers);
  }
}
