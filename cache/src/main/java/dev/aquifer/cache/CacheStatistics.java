package dev.aquifer.cache;

import java.time.Duration;

/**
 * What one cache of this node did since it was made, for all tenants. Counts are exact when nothing
 * goes on, and else may lack what has just begun.
 *
 * @param memoryHits answers from memory
 * @param remoteHits answers from Redis
 * @param staleAnswers answers past their time, since a load failed or was slow
 * @param loads loads that returned
 * @param failures loads that threw or ran out of time
 * @param loadTime how long these loads took together, whether they returned or not
 * @param refreshes loads that were started in the background before a value's time was up
 * @param refreshesRefused those that were not, since too many were under way
 * @param faults what went wrong without a caller noticing: damaged bytes, refused fills, no Redis
 * @param fillsRefused of these, loaded values that a void overtook
 * @param negativesRefused how often memory did not take the absence of a value, since it holds as
 *     many as it may
 * @param evictions values that left memory for want of room
 * @param entries values, and absences, in memory now
 * @param bytes what these take, estimated
 */
public record CacheStatistics(
    long memoryHits,
    long remoteHits,
    long staleAnswers,
    long loads,
    long failures,
    Duration loadTime,
    long refreshes,
    long refreshesRefused,
    long faults,
    long fillsRefused,
    long negativesRefused,
    long evictions,
    long entries,
    long bytes) {

  /** Which part of the answers came from memory or Redis in time; 1 where there were none. */
  public double hitRatio() {
    return ratio(memoryHits + remoteHits, answers());
  }

  /** Which part of the answers came from memory in time; 1 where there were none. */
  public double memoryHitRatio() {
    return ratio(memoryHits, answers());
  }

  /** How long a load took on average; zero where there were none. */
  public Duration averageLoadTime() {
    long all = loads + failures;
    return all == 0 ? Duration.ZERO : loadTime.dividedBy(all);
  }

  /** Loads in the background answer nobody. */
  private long answers() {
    return memoryHits + remoteHits + staleAnswers + Math.max(0, loads + failures - refreshes);
  }

  private static double ratio(long part, long all) {
    return all == 0 ? 1 : (double) part / all;
  }
}
