package dev.aquifer.cache;

/**
 * What one cache did since it was made.
 *
 * @param memoryHits answers from memory
 * @param remoteHits answers from Redis
 * @param loads loads that returned
 * @param failures loads that threw or ran out of time
 * @param faults what went wrong without a caller noticing: damaged bytes, refused fills, no Redis
 */
public record CacheStatistics(
    long memoryHits, long remoteHits, long loads, long failures, long faults) {}
