package dev.aquifer.cache;

import static org.assertj.core.api.Assertions.assertThat;

import dev.aquifer.testkit.CacheHistory;
import dev.aquifer.testkit.CacheHistory.Fault;
import dev.aquifer.testkit.CacheUnderTest.Scope.Kind;
import dev.aquifer.testkit.HistoryVerdict;
import dev.aquifer.testkit.Proof;
import dev.aquifer.testkit.RedisExtension;
import dev.aquifer.testkit.RedisServer;
import java.lang.reflect.Field;
import java.time.Duration;
import java.util.Arrays;
import java.util.Map;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
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

  /** The schedule whose nodes hold all tenants to limits. */
  private static final int LIMITED = 11;

  /** Which schedule misses them; those that are not named are missed in a calm one, too. */
  private static final Map<String, Integer> DIRECTED =
      Map.ofEntries(
          Map.entry("replay", 2),
          Map.entry("positions", 3),
          Map.entry("leases", 4),
          Map.entry("regressions", 5),
          Map.entry("overtakenLoads", 6),
          Map.entry("poison", 7),
          Map.entry("floors", 8),
          Map.entry("voidsWhileOff", 9),
          Map.entry("groupedVoids", LIMITED),
          Map.entry("earlyCells", 10));

  /**
   * What others guard too, most of the time: a schedule in three to ten finds that they are missed,
   * so they are searched for in the long form alone. {@link RacesTest}, {@link RedisReadsTest},
   * {@link AdoptionTest} and {@link BulkRacesTest} name the tests that miss them for certain.
   */
  private static final Set<String> RARE =
      Set.of("leases", "replay", "positions", "voidsWhileOff", "earlyCells");

  private static final int THREADS = 16;

  @Test
  void schedules_withFaults_readNothingStale() {
    Proof.of("cache-history")
        .tries(20_000, 1_000_000)
        .run(
            run -> {
              int each = (int) Math.min(40_000, run.tries() / 2);
              Totals totals = new Totals();
              for (int i = 0; totals.operations < run.tries() && run.failures() == 0; i++) {
                boolean renewing = i % 2 == 1;
                long seed = i == 0 ? run.seed() : new SplittableRandom(run.seed() + i).nextLong();
                CacheHistory schedule = CacheHistory.of(seed).operations(each).threads(THREADS);
                HistoryVerdict verdict =
                    harmed(varied(schedule, i))
                        // Now and then as long as it is by default.
                        .silenceLimit(i % 5 == 4 ? Duration.ofSeconds(2) : Duration.ofMillis(500))
                        .run(REDIS.server(), host -> new HistoryNode(host, guards -> {}, renewing));
                run.tried(verdict.operations());
                totals.add(verdict);
                if (!verdict.fresh()) {
                  run.failed("seed " + seed + ": " + verdict);
                }
              }
              totals.report(run);
            });
  }

  /** In turns: transactions, a replica, both, neither. */
  private static CacheHistory varied(CacheHistory schedule, int turn) {
    CacheHistory first = turn % 4 == 0 || turn % 4 == 2 ? schedule.transactions() : schedule;
    return turn % 4 == 1 || turn % 4 == 2 ? first.replica() : first;
  }

  /** Where Redis is set back again and again, also to what it was before others were. */
  @Test
  void redisSetBackOften_nothingIsStale() {
    Proof.of("cache-history-set-back")
        .tries(12_000, 300_000)
        .run(
            run -> {
              Totals totals = new Totals();
              for (int i = 0; totals.operations < run.tries() && run.failures() == 0; i++) {
                long seed = i == 0 ? run.seed() : new SplittableRandom(run.seed() + i).nextLong();
                HistoryVerdict verdict =
                    varied(seed, 5).run(REDIS.server(), host -> new HistoryNode(host, g -> {}));
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
        .map(Field::getName);
  }

  @ParameterizedTest
  @MethodSource("guards")
  void schedules_withoutAGuard_readStale(String guard) {
    assertThat(guards()).hasSizeGreaterThan(6);
    Proof.of(
            "cache-history-without-"
                + guard.replaceAll("([A-Z])", "-$1").toLowerCase(java.util.Locale.ROOT))
        .tries(1, 1)
        .run(
            run -> {
              run.tried(1);
              boolean whole = Boolean.getBoolean("proof.long");
              if (RARE.contains(guard) && !whole) {
                run.detail("searched for", "in the long form");
                return;
              }
              long begun = System.nanoTime();
              // Many times what it takes: a busy machine is to find them, too.
              long most = TimeUnit.SECONDS.toNanos(whole ? 300 : 60);
              long operations = 0;
              for (int i = 0; System.nanoTime() - begun < most; i++) {
                HistoryVerdict verdict =
                    judged(run.seed() + i, DIRECTED.getOrDefault(guard, i), g -> off(g, guard));
                if (!verdict.fresh()) {
                  run.detail("operations until found", operations + verdict.foundAfter());
                  run.detail("stale", verdict.stale());
                  run.detail("longest, ms", verdict.longestStale().toMillis());
                  return;
                }
                operations += verdict.operations();
              }
              run.failed("nothing stale in " + operations + " operations without " + guard);
            });
  }

  static HistoryVerdict judged(long seed, int variant, Consumer<Guards> guards)
      throws InterruptedException {
    return varied(seed, variant)
        .run(
            REDIS.server(),
            host -> {
              HistoryNode node = new HistoryNode(host, guards);
              if (variant == LIMITED) {
                node.caches().limits(Limits.builder().invalidations(1, 1).build());
              }
              return node;
            });
  }

  /** Each withstood by a guard or two alone. */
  static CacheHistory varied(long seed, int variant) {
    CacheHistory schedule = CacheHistory.of(seed).operations(15_000).threads(THREADS);
    return switch (variant % 13) {
      case 0 -> schedule.faults(0, Set.of());
      // Late links, and lost ones.
      case 1 -> schedule.faults(20, Set.of(Fault.DELAY));
      case 2 ->
          schedule
              .operations(4_000)
              .faults(3, Set.of(Fault.CUT, Fault.REFUSE, Fault.REDIS_DISCONNECTS));
      // Answers that know of voids which the node has not heard.
      case 3 -> schedule.faults(20, Set.of(Fault.LAG));
      // Loads that a void overtook, which leaves no marker, and nodes that never saw the key.
      case 4 ->
          schedule
              .operations(4_000)
              .voids(Set.of(Kind.KEY, Kind.KEYS))
              .slowLoads()
              .faults(4, Set.of(Fault.LAG, Fault.NODE_REPLACED));
      // What was voided by key leaves no marker that would outlive it.
      case 5 ->
          schedule
              .operations(6_000)
              .voids(Set.of(Kind.KEY, Kind.KEYS))
              .faults(8, Set.of(Fault.REDIS_SET_BACK));
      // Values that were read before anything was asked of Redis.
      case 6 -> schedule.operations(4_000).slowLoads().faults(12, Set.of(Fault.NODE_CHANGED));
      // Writers that are gone between a commit and its void, and commits that come after it.
      case 7 ->
          schedule
              .operations(4_000)
              .transactions()
              .voids(Set.of(Kind.KEY, Kind.KEYS))
              .faults(4, Set.of(Fault.DELAY, Fault.LAG));
      // Loads that the replica answers.
      case 8 -> schedule.operations(4_000).replica().faults(0, Set.of());
      // Caches that are off for a while.
      case 9 -> schedule.operations(4_000).puts().faults(12, Set.of(Fault.NODE_CHANGED));
      // Keys that are looked for together, void when the answer comes.
      case 10 ->
          schedule
              .operations(20_000)
              .readTogether(40)
              .voids(Set.of(Kind.KEY, Kind.KEYS))
              .faults(20, Set.of(Fault.LAG, Fault.NODE_REPLACED));
      // Voids that go out together, late.
      case LIMITED -> schedule.operations(1_500).busyWriters().faults(2, Set.of(Fault.DELAY));
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

  static void off(Guards guards, String name) {
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
