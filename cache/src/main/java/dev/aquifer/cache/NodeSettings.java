package dev.aquifer.cache;

import dev.aquifer.CausalSessions;
import dev.aquifer.spi.Observer;
import dev.aquifer.spi.PositionSource;
import java.nio.file.Path;
import java.time.Duration;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/** What {@link CachesBuilder} collected. */
record NodeSettings(
    @Nullable String redis,
    boolean redisRequired,
    @Nullable Path redisTrust,
    CausalSessions sessions,
    PositionSource positions,
    Observer observer,
    long memoryBytes,
    Duration remoteTimeout,
    Duration connectTimeout,
    Duration silenceLimit,
    int pendingLimit,
    int refreshes,
    int tenantRefreshes,
    Duration leaseTime,
    Duration cleanupInterval,
    LongSupplier nanos) {}
