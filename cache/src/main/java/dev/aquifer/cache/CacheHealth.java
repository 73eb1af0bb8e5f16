package dev.aquifer.cache;

import java.time.Duration;

/**
 * How a node's caches are doing.
 *
 * @param usable whether Redis answers, or none is configured
 * @param proven whether what other nodes void is known to arrive here, so that memory may answer
 * @param silence since when the link is not proven; zero where no Redis is configured
 * @param pending invalidations that wait for Redis
 */
public record CacheHealth(boolean usable, boolean proven, Duration silence, int pending) {}
