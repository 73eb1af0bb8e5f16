package dev.aquifer.pool;

import dev.aquifer.spi.Observer.PoolReason;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * How a pool is, why it has the size that it has, and what would be better.
 *
 * @param name the pool's
 * @param reachable whether the server can be connected to, as far as is known
 * @param lastFailure of connecting; null since it succeeded
 * @param stats its connections and callers
 * @param open real connections that are open
 * @param arrivalsPerSecond callers, as of late
 * @param execution how long connections are held, as of late, without the wait for one
 * @param last the last decision on its size
 * @param decisions how many there were for each reason, since the pool was opened
 * @param leaks connections that are out for too long
 * @param recommendations what to change, in words with figures; empty when all is well
 */
public record PoolReport(
    String name,
    boolean reachable,
    @Nullable String lastFailure,
    PoolStats stats,
    int open,
    double arrivalsPerSecond,
    Duration execution,
    PoolDecision last,
    Map<PoolReason, Long> decisions,
    List<LeakReport> leaks,
    List<String> recommendations) {}
