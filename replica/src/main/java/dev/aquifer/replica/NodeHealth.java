package dev.aquifer.replica;

import dev.aquifer.Position;
import dev.aquifer.pool.PoolStats;
import dev.aquifer.spi.Observer.NodeState;
import dev.aquifer.spi.Observer.Role;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/**
 * One node at one moment.
 *
 * @param name {@code host:port/database}
 * @param role what it is to the cluster
 * @param state how it is doing
 * @param usable whether reads are sent to it as a replica, or statements as the primary
 * @param weight its share of reads among replicas
 * @param inFlight connections of it that are leased now
 * @param position up to where it has replayed, or written if it is the primary; null when unknown
 * @param lag of a replica behind the primary: zero when it has replayed all; null when unknown
 * @param lagBytes of log not replayed yet, -1 when unknown
 * @param pool its connections
 * @param lastError of its last failed probe; null when the last one succeeded
 */
public record NodeHealth(
    String name,
    Role role,
    NodeState state,
    boolean usable,
    double weight,
    int inFlight,
    @Nullable Position position,
    @Nullable Duration lag,
    long lagBytes,
    PoolStats pool,
    @Nullable String lastError) {}
