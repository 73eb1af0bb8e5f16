package dev.aquifer.bench;

import dev.aquifer.testkit.CacheHistory;
import dev.aquifer.testkit.CacheHistory.Fault;
import dev.aquifer.testkit.CacheUnderTest;
import dev.aquifer.testkit.CacheUnderTest.Scope.Kind;
import dev.aquifer.testkit.HistoryVerdict;
import dev.aquifer.testkit.Proof;
import dev.aquifer.testkit.RedisServer;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/**
 * The schedules that Aquifer's caches are driven by, over its peers: the checker finds what they do
 * not promise. Peers have no tokens, so their reads elsewhere are held to the bound alone, and no
 * tags, so that their writers remove each key that a tag would cover.
 *
 * <p>In every build each is driven by what it misses by its construction; the long form has rows of
 * the other schedules, too.
 */
@Timeout(600)
class CacheHistoryPeersTest {
  /** One is enough as a rule; a busy machine may leave no time for anything to go wrong. */
  private static final int MOST_SCHEDULES = 4;

  /**
   * A cache to be driven.
   *
   * @param misses what its rows are called
   * @param by the schedule that finds it stale
   */
  private record Peer(
      String name, CacheUnderTest.Factory factory, String misses, UnaryOperator<CacheHistory> by) {}

  private static final List<Peer> PEERS =
      List.of(
          // A value that was loaded before its key was removed is stored after that.
          new Peer(
              "JetCache",
              JetCacheNode::new,
              "slow loads",
              schedule -> schedule.slowLoads().operations(2_000).faults(0, Set.of())),
          // Who hears nothing, and is not told so, keeps what it has.
          new Peer(
              "Redisson",
              RedissonNode::new,
              "lost messages",
              schedule -> schedule.operations(3_000).faults(10, Set.of(Fault.DROP))));

  @Test
  void schedules_overPeers_readStale() {
    Proof.of("cache-history-peers")
        .tries(1, 50_000)
        .run(
            run -> {
              StringBuilder table = new StringBuilder();
              row(
                  table,
                  "",
                  "operations",
                  "failed",
                  "stale",
                  "own node",
                  "elsewhere",
                  "longest ms");
              for (Peer peer : PEERS) {
                long found = 0;
                for (int i = 0; found == 0 && i < MOST_SCHEDULES; i++) {
                  CacheHistory directed =
                      schedule(run.seed() + i).voids(Set.of(Kind.KEY, Kind.KEYS));
                  found += driven(run, table, peer, peer.misses, peer.by.apply(directed));
                }
                if (found == 0) {
                  run.failed("nothing stale found in " + peer.name);
                }
                if (Boolean.getBoolean("proof.long")) {
                  CacheHistory all = schedule(run.seed()).operations((int) run.tries());
                  driven(run, table, peer, "no faults", all.faults(0, Set.of()));
                  driven(run, table, peer, "faults", all);
                }
              }
              run.detail("table", table.toString());
            });
  }

  private static CacheHistory schedule(long seed) {
    return CacheHistory.of(seed).threads(16).withoutTokens();
  }

  /** Returns how many reads were stale. */
  private static long driven(
      Proof.Run run, StringBuilder table, Peer peer, String what, CacheHistory schedule)
      throws InterruptedException {
    HistoryVerdict verdict;
    try (RedisServer redis = RedisServer.start()) {
      verdict = schedule.run(redis, peer.factory);
    }
    run.tried(verdict.operations());
    String name = peer.name + ", " + what;
    run.detail(name + ": operations", verdict.operations());
    run.detail(name + ": failed operations", verdict.failures());
    run.detail(name + ": stale reads", verdict.stale());
    run.detail(name + ": of another's", verdict.foreign());
    run.detail(name + ": longest, ms", verdict.longestStale().toMillis());
    row(
        table,
        name,
        verdict.operations(),
        verdict.failures(),
        verdict.stale(),
        verdict.staleOnOwnNode(),
        verdict.staleElsewhere(),
        verdict.longestStale().toMillis());
    return verdict.stale();
  }

  private static void row(StringBuilder table, Object... columns) {
    table.append(String.format(Locale.ROOT, "%-26s%12s%10s%10s%10s%11s%12s%n", columns));
  }
}
