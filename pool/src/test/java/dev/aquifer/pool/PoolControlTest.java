package dev.aquifer.pool;

import dev.aquifer.testkit.Eventually;
import dev.aquifer.testkit.LeakCheck;
import dev.aquifer.testkit.PostgresExtension;
import dev.aquifer.testkit.Proof;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.random.RandomGenerator;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/**
 * Four loads on a real server, each by pools of several fixed sizes and by one that adapts itself,
 * in turns: what the machine does besides hits all of them. The adaptive one must do as well as the
 * fixed size that turns out to be the best for that load.
 */
class PoolControlTest {
  private static final String SHORT = "SELECT count(*) FROM generate_series(1, 2000)";
  private static final int CALLERS = 24;
  private static final int MAXIMUM = 40;
  private static final int[] SIZES = {3, 6, 12, 24, 40};
  private static final int[] FEW = {6, 24};

  @RegisterExtension static final PostgresExtension POSTGRES = PostgresExtension.shared();

  @RegisterExtension final LeakCheck leaks = LeakCheck.of().threads("aquifer-pool");

  /** What one caller does once. */
  private interface Work {
    String sql(RandomGenerator random);
  }

  /**
   * Callers, what they do, and whether they come all at once with a pause after it instead of again
   * and again.
   */
  private record Load(String name, Work work, boolean bursts) {}

  private static final Work PROCESSOR = random -> SHORT;

  private static final List<Load> LOADS =
      List.of(
          new Load("short", PROCESSOR, false),
          new Load("long", random -> "SELECT pg_sleep(0.2)", false),
          new Load("bursty", random -> "SELECT pg_sleep(0.05)", true),
          new Load(
              "mixed", random -> random.nextInt(5) == 0 ? "SELECT pg_sleep(0.05)" : SHORT, false));

  @Test
  void adaptiveSize_doesAsWellAsTheBestFixedOne() {
    Proof.of("pool-control")
        .tries(1, 9)
        .run(
            run -> {
              // A few turns say little on a busy machine; the long form has enough of them.
              double atLeast = run.tries() < 9 ? 0.4 : 0.9;
              int[] sizes = run.tries() < 9 ? FEW : SIZES;
              for (Load load : LOADS) {
                if (run.tries() < 9 && load.work() == PROCESSOR) {
                  // What depends on processors many turns tell: others use them too.
                  continue;
                }
                Map<Integer, Double> fixed = new LinkedHashMap<>();
                double[] adaptive = new double[1];
                int size = compare(load, sizes, (int) run.tries(), fixed, adaptive);
                run.tried(run.tries());
                Map.Entry<Integer, Double> best =
                    fixed.entrySet().stream().max(Map.Entry.comparingByValue()).orElseThrow();
                double part = adaptive[0] / best.getValue();
                run.detail(load.name() + "-adaptive-per-second", adaptive[0]);
                run.detail(load.name() + "-adaptive-size", size);
                run.detail(load.name() + "-fixed-per-second", fixed.toString());
                run.detail(load.name() + "-best-fixed-size", best.getKey());
                run.detail(load.name() + "-part-of-best", part);
                if (part < atLeast) {
                  run.failed(load.name() + ": " + part + " of the best fixed size's, " + fixed);
                }
              }
            });
  }

  /** Medians over the turns; returns the adaptive pool's size at the end. */
  private static int compare(
      Load load, int[] sizes, int turns, Map<Integer, Double> fixed, double[] adaptive)
      throws Exception {
    List<AdaptivePool> pools = new ArrayList<>();
    try {
      for (int size : sizes) {
        pools.add(open(false, size));
      }
      AdaptivePool adapting = open(true, MAXIMUM);
      pools.add(adapting);
      learn(load, adapting, Duration.ofSeconds(turns < 9 ? 6 : 20));
      double[][] figures = new double[pools.size()][turns];
      for (int turn = 0; turn < turns; turn++) {
        for (int i = 0; i < pools.size(); i++) {
          figures[i][turn] = perSecond(load, pools.get(i));
        }
      }
      for (int i = 0; i < sizes.length; i++) {
        fixed.put(sizes[i], median(figures[i]));
      }
      adaptive[0] = median(figures[sizes.length]);
      return adapting.stats().max();
    } finally {
      pools.forEach(AdaptivePool::close);
    }
  }

  private static AdaptivePool open(boolean adaptive, int size) {
    return AdaptivePool.open(
        PoolSettings.builder()
            .name((adaptive ? "adaptive-" : "fixed-") + size)
            .url(POSTGRES.database().url())
            .credentials(POSTGRES.database().user(), POSTGRES.database().password())
            .adaptive(adaptive)
            .maximumSize(size)
            .minimumIdle(adaptive ? 1 : size)
            .connectionTimeout(Duration.ofSeconds(20))
            .warmUp(Duration.ofSeconds(20))
            .build());
  }

  /** The pool sees the load until it has tried what it wants to try. */
  private static void learn(Load load, AdaptivePool pool, Duration time) throws Exception {
    long begun = System.nanoTime();
    while (System.nanoTime() - begun < time.toNanos()) {
      perSecond(load, pool);
    }
  }

  private static double median(double[] figures) {
    double[] sorted = figures.clone();
    Arrays.sort(sorted);
    return sorted[sorted.length / 2];
  }

  /** Statements a second, in a turn of one. */
  private static double perSecond(Load load, AdaptivePool pool) throws Exception {
    ExecutorService callers = Executors.newFixedThreadPool(CALLERS);
    try {
      long begun = System.nanoTime();
      long end = begun + Duration.ofSeconds(1).toNanos();
      long done = 0;
      long busy = 0;
      int rounds = 0;
      do {
        long from = System.nanoTime();
        List<Future<Integer>> all = new ArrayList<>();
        for (int i = 0; i < CALLERS; i++) {
          all.add(callers.submit(() -> call(load, pool, load.bursts() ? from : end)));
        }
        for (Future<Integer> one : all) {
          done += one.get();
        }
        busy += System.nanoTime() - from;
        long pause = from + Duration.ofMillis(500).toNanos();
        if (load.bursts()) {
          Eventually.within(Duration.ofSeconds(2))
              .until("the next burst is due", () -> System.nanoTime() - pause >= 0);
        }
        rounds++;
      } while (load.bursts() && rounds < 2);
      return done / (busy / 1e9);
    } finally {
      callers.shutdown();
    }
  }

  /** Again and again until the time is over, once at least. */
  private static int call(Load load, AdaptivePool pool, long until) throws SQLException {
    RandomGenerator random = new SplittableRandom();
    int done = 0;
    do {
      try (Connection connection = pool.getConnection();
          Statement statement = connection.createStatement()) {
        statement.execute(load.work().sql(random));
        done++;
      }
    } while (System.nanoTime() - until < 0);
    return done;
  }
}
