package dev.aquifer.tsquery;

import java.util.List;
import java.util.concurrent.CompletableFuture;

/**
 * A fetch under way, with the windows that it claims: others that miss them wait for it instead of
 * fetching them again.
 *
 * @param epoch taken before the fetch began to read
 * @param done completed when the windows are kept, or by the error that the fetch ended with
 */
record Flight(Track track, List<Run> claims, long epoch, CompletableFuture<Void> done) {
  boolean claims(long bucket) {
    for (Run run : claims) {
      if (bucket >= run.from() && bucket < run.to()) {
        return true;
      }
    }
    return false;
  }
}
