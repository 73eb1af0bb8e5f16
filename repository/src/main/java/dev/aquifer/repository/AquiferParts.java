package dev.aquifer.repository;

import dev.aquifer.CausalSessions;
import dev.aquifer.cache.Caches;
import dev.aquifer.replica.ReplicaSet;
import dev.aquifer.spi.Observer;
import java.util.List;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What a node is wired of.
 *
 * @param sessions its causal sessions, shared by router and caches
 * @param database its router
 * @param caches its caches
 * @param observer what its parts tell
 * @param rest what else ends with it, in order
 */
record AquiferParts(
    CausalSessions sessions,
    ReplicaSet database,
    Caches caches,
    Observer observer,
    List<AutoCloseable> rest) {
  private static final Logger log = LoggerFactory.getLogger(Aquifer.class);

  /**
   * The caches first: what still waits for Redis needs no database. One that fails stops no other.
   */
  void close() {
    closeQuietly(caches);
    closeQuietly(database);
    rest.forEach(AquiferParts::closeQuietly);
  }

  static void closeQuietly(AutoCloseable part) {
    try {
      part.close();
    } catch (Exception e) {
      log.warn("{} did not close cleanly", part, e);
    }
  }
}
