package dev.aquifer.cache;

import static org.assertj.core.api.Assertions.assertThat;

import dev.aquifer.testkit.CacheHistory;
import dev.aquifer.testkit.CacheHistory.Fault;
import dev.aquifer.testkit.HistoryVerdict;
import dev.aquifer.testkit.Proof;
import dev.aquifer.testkit.RedisExtension;
import dev.aquifer.testkit.RedisServer;
import java.lang.reflect.Field;
import java.time.Duration;
import java.util.Arrays;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Random schedules with faults over three nodes: no read is stale. With any of {@link Guards} taken
 * out, the same schedules find reads that are.
 *
 * <p>A schedule is repeated by {@code -Dproof.seed} with the seed that the failure names; how its
 * threads interleave is another matter, so it may take some repetitions.
 */
class CacheHistoryTest {
  @RegisterExtension static final RedisExtension REDIS = RedisExtension.own(RedisServer.builder());

  /**
   * What is seldom missed, since others guard it too: searched for in the long form alone, and told
   * of when it is found. {@link RacesTest} and {@link RedisReadsTest} name the tests that miss them
   * for certain.
   */
  private static final Set<String> RARE =
      Set.of("leases", "replay", "regressions", "overtakenLoads", "positions");

  /** What guards parts that the schedules have none of: transactions, replicas, limits, tenants. */
  private static final Set<String> ELSEWHERE =
      Set.of("poison", "floors", "shares", "voidsWhileOff", "groupedVoids");

  private static final int THREADS = 16;
  private static final long LONGEST_SEARCH = TimeUnit.SECONDS.toNanos(60);

  @Test
  void schedules_withFaults_readNothingStale() {
    Proof.of("cache-history")
        .tries(20_000, 1_000_000)
        .run(
            run -> {
              int each = (int) Math.min(40_000, run.tries());
              Totals totals = new Totals();
              for (int i = 0; totals.operations < run.tries() && run.failures() == 0; i++) {
                long seed = i == 0 ? run.seed() : new SplittableRandom(run.seed() + i).nextLong();
                HistoryVerdict verdict =
                    harmed(CacheHistory.of(seed).operations(each).threads(THREADS))
                        // Now and then as long as it is by default.
                        .silenceLimit(i % 5 == 4 ? Duration.ofSeconds(2) : Duration.ofMillis(500))
                        .run(REDIS.server(), host -> new HistoryNode(host, guards -> {}));
                run.tried(verdict.operations());
                totals.add(verdict);
                if (!verdict.fresh()) {
                  run.failed("seed " + seed + ": " + verdict);
                }
              }
              totals.report(run);
            });
  }

  static Stream<String> guards() {
    return Arrays.stream(Guards.class.getDeclaredFields())
        .filter(field -> field.getType() == boolean.class)
        .map(Field::getName)
        .filter(guard -> !ELSEWHERE.contains(guard));
  }

  @ParameterizedTest
  @MethodSource("guards")
  void schedules_withoutAGuard_readStale(String guard) {
    assertThat(guards()).hasSizeGreaterThan(6);
    boolean searched = !RARE.contains(guard) || Boolean.getBoolean("proof.long");
    Proof.of(
            "cache-history-without-"
                + guard.replaceAll("([A-Z])", "-$1").toLowerCase(java.util.Locale.ROOT))
        .tries(1, 1)
        .run(
            run -> {
              run.tried(1);
              long begun = System.nanoTime();
              long operations = 0;
              for (int i = 0; searched && System.nanoTime() - begun < LONGEST_SEARCH; i++) {
                HistoryVerdict verdict =
                    varied(run.seed() + i, i)
                        .run(REDIS.server(), host -> new HistoryNode(host, g -> off(g, guard)));
                if (!verdict.fresh()) {
                  run.detail("operations until found", operations + verdict.foundAfter());
                  run.detail("stale", verdict.stale());
                  run.detail("longest, ms", verdict.longestStale().toMillis());
                  return;
                }
                operations += verdict.operations();
              }
              run.detail("operations", operations);
              if (!RARE.contains(guard)) {
                run.failed("nothing stale in " + operations + " operations without " + guard);
              }
            });
  }

  /** Calm, with late links, with lost ones, and with all. */
  private static CacheHistory varied(long seed, int variant) {
    CacheHistory schedule = CacheHistory.of(seed).operations(15_000).threads(THREADS);
    return switch (variant % 4) {
      case 0 -> schedule.faults(0, Set.of());
      case 1 -> schedule.faults(20, Set.of(Fault.DELAY));
      case 2 -> schedule.faults(30, Set.of(Fault.CUT, Fault.REFUSE, Fault.REDIS_DISCONNECTS));
      default -> harmed(schedule);
    };
  }

  /** What only Redis' own keys are harmed by: evicted, lost to a failover. */
  private static CacheHistory harmed(CacheHistory schedule) {
    return schedule
        .harm("the states are gone", redis -> delete(redis, "aq:*:s"))
        .harm("the states of first partitions are gone", redis -> delete(redis, "aq:*:0}:s"))
        .harm("the streams are gone", redis -> delete(redis, "aq:*:e"))
        .harm("the leases are gone", redis -> delete(redis, "aq:*:l:*"));
  }

  private static void delete(RedisServer redis, String pattern) {
    redis.command(
        "EVAL",
        "for _,k in ipairs(redis.call('KEYS', ARGV[1])) do redis.call('DEL', k) end return 1",
        "0",
        pattern);
  }

  private static void off(Guards guards, String name) {
    try {
      Field field = Guards.class.getDeclaredField(name);
      field.setAccessible(true);
      field.setBoolean(guards, false);
    } catch (ReflectiveOperationException e) {
      throw new LinkageError(e.getMessage(), e);
    }
  }

  /** Of all schedules of a run. */
  private static final class Totals {
    private long operations;
    private long reads;
    private long writes;
    private long failures;
    private long stale;
    private long backwards;
    private Duration elsewhere = Duration.ZERO;
    private Duration untold = Duration.ZERO;

    void add(HistoryVerdict verdict) {
      operations += verdict.operations();
      reads += verdict.reads();
      writes += verdict.writes();
      failures += verdict.failures();
      stale += verdict.stale();
      backwards += verdict.backwards();
      elsewhere = longer(elsewhere, verdict.longestElsewhere());
      untold = longer(untold, verdict.longestUntold());
    }

    private static Duration longer(Duration a, Duration b) {
      return a.compareTo(b) > 0 ? a : b;
    }

    void report(Proof.Run run) {
      run.detail("operations", operations);
      run.detail("reads", reads);
      run.detail("writes", writes);
      run.detail("failed operations", failures);
      run.detail("stale reads", stale);
      run.detail("reads older than one before in their session", backwards);
      run.detail("longest without token on another node, ms", elsewhere.toMillis());
      run.detail("longest while the writer was cut off, ms", untold.toMillis());
    }
  }
}
