package dev.aquifer.bench;

import static org.assertj.core.api.Assertions.assertThat;

import dev.aquifer.testkit.CacheHistory;
import dev.aquifer.testkit.CacheUnderTest;
import dev.aquifer.testkit.HistoryVerdict;
import dev.aquifer.testkit.Proof;
import dev.aquifer.testkit.RedisServer;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/**
 * The schedules that Aquifer's caches are driven by, over its peers: the checker finds what they do
 * not promise. Peers have no tokens, so their reads elsewhere are held to the bound alone, and no
 * tags, so that their writers remove each key that a tag would cover.
 */
@Timeout(600)
class CacheHistoryPeersTest {
  private static final int MOST_SCHEDULES = 8;

  @Test
  void schedules_overPeers_readStale() {
    Map<String, CacheUnderTest.Factory> peers = new LinkedHashMap<>();
    peers.put("JetCache", JetCacheNode::new);
    peers.put("Redisson", RedissonNode::new);
    Proof.of("cache-history-peers")
        .tries(5_000, 50_000)
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
              for (Map.Entry<String, CacheUnderTest.Factory> peer : peers.entrySet()) {
                long found = 0;
                // Rows for the first two; more only if these found nothing.
                for (int i = 0; i < 2 || (found == 0 && i < MOST_SCHEDULES); i++) {
                  boolean calm = i == 0;
                  CacheHistory schedule =
                      CacheHistory.of(run.seed() + Math.max(0, i - 1))
                          .operations((int) run.tries())
                          .threads(16)
                          .silenceLimit(Duration.ofSeconds(2))
                          .withoutTokens();
                  HistoryVerdict verdict;
                  try (RedisServer redis = RedisServer.start()) {
                    verdict =
                        (calm ? schedule.faults(0, Set.of()) : schedule)
                            .run(redis, peer.getValue());
                  }
                  run.tried(verdict.operations());
                  found += verdict.stale();
                  String name = peer.getKey() + (calm ? ", no faults" : ", faults");
                  if (i > 1) {
                    name += " " + i;
                  }
                  tell(run, name, verdict);
                  row(
                      table,
                      name,
                      verdict.operations(),
                      verdict.failures(),
                      verdict.stale(),
                      verdict.staleOnOwnNode(),
                      verdict.staleElsewhere(),
                      verdict.longestStale().toMillis());
                }
                if (found == 0) {
                  run.failed("nothing stale found in " + peer.getKey());
                }
              }
              run.detail("table", table.toString());
              assertThat(table.toString()).contains("JetCache", "Redisson");
            });
  }

  private static void tell(Proof.Run run, String name, HistoryVerdict verdict) {
    run.detail(name + ": operations", verdict.operations());
    run.detail(name + ": failed operations", verdict.failures());
    run.detail(name + ": stale reads", verdict.stale());
    run.detail(name + ": of another's", verdict.foreign());
    run.detail(name + ": longest, ms", verdict.longestStale().toMillis());
  }

  private static void row(StringBuilder table, Object... columns) {
    table.append(String.format(Locale.ROOT, "%-22s%12s%10s%10s%10s%11s%12s%n", columns));
  }
}
