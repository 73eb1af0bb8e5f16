package dev.aquifer.testkit;

import java.time.Duration;
import java.util.List;

/**
 * What {@link HistoryChecker#check} found. Immutable.
 *
 * @param operations how many were recorded
 * @param reads how many of them were reads that returned a value, or that there is none
 * @param writes how many were writes
 * @param failures how many ended with an error
 * @param staleOnOwnNode reads that missed a write that was acknowledged on their own node
 * @param staleWithToken reads that missed a write that their session's token speaks of
 * @param staleElsewhere reads that missed a write of another node for longer than the bound
 * @param foreign reads that returned another key's or tenant's value
 * @param backwards reads that returned less than an earlier one of their session; stale only if
 *     they are counted there too, since a write is seen by some before it is acknowledged
 * @param foundAfter which operation, by the time it ended, was the first that is counted in one of
 *     the four above; -1 if none is
 * @param longestStale the longest time after which a write was still missed by a read that had to
 *     see it, and, of readers elsewhere, by those within the bound too
 * @param longestElsewhere the same, of readers on other nodes without a token alone
 * @param longestUntold the longest time for which readers elsewhere missed a write, told or not: of
 *     a writer that was cut off, as long as it was
 * @param stories the first ten of what was found, each with what went on around it
 */
public record HistoryVerdict(
    long operations,
    long reads,
    long writes,
    long failures,
    long staleOnOwnNode,
    long staleWithToken,
    long staleElsewhere,
    long foreign,
    long backwards,
    long foundAfter,
    Duration longestStale,
    Duration longestElsewhere,
    Duration longestUntold,
    List<String> stories) {

  /** How many reads were stale. */
  public long stale() {
    return staleOnOwnNode + staleWithToken + staleElsewhere;
  }

  /** Whether none was stale, and none returned another's value. */
  public boolean fresh() {
    return stale() == 0 && foreign == 0;
  }

  /**
   * Does nothing when all reads were fresh.
   *
   * @throws AssertionError with the first stale reads and what went on around them
   */
  public void assertFresh() {
    if (!fresh()) {
      throw new AssertionError(toString());
    }
  }

  /** Several lines: the counts, and the stories. */
  @Override
  public String toString() {
    StringBuilder text = new StringBuilder();
    text.append(
        "%d operations (%d reads, %d writes, %d failed): %d stale (%d own node, %d token, %d elsewhere), %d of another's; longest %d ms"
            .formatted(
                operations,
                reads,
                writes,
                failures,
                stale(),
                staleOnOwnNode,
                staleWithToken,
                staleElsewhere,
                foreign,
                longestStale.toMillis()));
    for (String story : stories) {
      text.append("\n  ").append(story);
    }
    return text.toString();
  }
}
