package dev.aquifer.cache;

import dev.aquifer.testkit.CacheHistory;
import dev.aquifer.testkit.HistoryVerdict;
import dev.aquifer.testkit.Proof;
import dev.aquifer.testkit.RedisExtension;
import dev.aquifer.testkit.RedisServer;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** Random schedules with faults: no read is stale. */
class CacheHistoryTest {
  @RegisterExtension static final RedisExtension REDIS = RedisExtension.own(RedisServer.builder());

  @Test
  void schedules_withFaults_readNothingStale() {
    Proof.of("cache-history")
        .tries(1, 50)
        .run(
            run -> {
              for (long i = 0; i < run.tries() && run.failures() == 0; i++) {
                long seed = i == 0 ? run.seed() : new SplittableRandom(run.seed() + i).nextLong();
                HistoryVerdict verdict =
                    CacheHistory.of(seed)
                        .run(REDIS.server(), host -> new HistoryNode(host, guards -> {}));
                run.tried(verdict.operations());
                System.err.println(verdict);
                if (!verdict.fresh()) {
                  run.failed("seed " + seed + ": " + verdict);
                }
              }
            });
  }
}
