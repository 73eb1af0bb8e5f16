package dev.aquifer.bench;

import java.sql.SQLException;
import java.util.Arrays;

/**
 * What Aquifer adds to what is below it, for a busy machine: both take turns in one process, so
 * what else the machine does disturbs both alike. Prints percentiles of both, and their ratios. Run
 * with {@code java -cp benchmarks.jar dev.aquifer.bench.Ratio}, and {@code bulk} or {@code single}
 * (values in Redis, beside Lettuce alone), or {@code select} (a row of a standby, beside HikariCP
 * alone).
 */
public final class Ratio {
  private static final int ROUNDS = 5;
  private static final long ROUND_NANOS = 4_000_000_000L;
  private static final int[] PERCENTILES = {5, 25, 50};

  private Ratio() {}

  /** Runs it. */
  public static void main(String[] args) {
    String what = args.length == 0 ? "bulk" : args[0];
    if (what.equals("select")) {
      selects();
    } else {
      reads(what.equals("bulk"));
    }
  }

  private static void selects() {
    RoutedSource aquifer = new RoutedSource();
    PooledSource hikari = new PooledSource();
    SelectOne one = new SelectOne();
    aquifer.open();
    try (var pool =
        PooledSource.hikari(
            aquifer.database.standbyUrls().get(0),
            aquifer.database.user(),
            aquifer.database.password())) {
      hikari.pool = pool;
      for (int round = 0; round < ROUNDS; round++) {
        round(20, "HikariCP", () -> select(one, aquifer), () -> select(one, hikari));
      }
    } finally {
      aquifer.close();
    }
  }

  private static void select(SelectOne one, Postgres source) {
    try {
      if (source instanceof RoutedSource routed) {
        one.aquifer(routed);
      } else if (source instanceof PooledSource pooled) {
        one.hikari(pooled);
      }
    } catch (SQLException e) {
      throw new IllegalStateException("A read failed", e);
    }
  }

  private static void reads(boolean bulk) {
    AquiferCache.RemoteOnly aquifer = new AquiferCache.RemoteOnly();
    LettuceClient lettuce = new LettuceClient();
    Keys keys = new Keys();
    BulkGet.Sets sets = new BulkGet.Sets();
    aquifer.open();
    lettuce.open();
    keys.shuffle();
    sets.draw();
    keys.enter();
    try {
      BulkGet many = new BulkGet();
      L2Hit one = new L2Hit();
      for (int round = 0; round < ROUNDS; round++) {
        if (bulk) {
          round(
              1,
              "Lettuce",
              () -> many.aquifer(aquifer, sets, keys),
              () -> many.lettuce(lettuce, sets));
        } else {
          round(20, "Lettuce", () -> one.aquifer(aquifer, keys), () -> one.lettuce(lettuce, keys));
        }
      }
    } finally {
      keys.leave();
      aquifer.close();
      lettuce.close();
    }
  }

  private static void round(int each, String other, Runnable ours, Runnable theirs) {
    long[] mine = new long[1 << 20];
    long[] raw = new long[mine.length];
    int count = 0;
    long end = System.nanoTime() + ROUND_NANOS;
    while (count < mine.length && System.nanoTime() - end < 0) {
      mine[count] = time(each, ours);
      raw[count++] = time(each, theirs);
    }
    Arrays.sort(mine, 0, count);
    Arrays.sort(raw, 0, count);
    StringBuilder line = new StringBuilder("%,d turns".formatted(count));
    for (int percentile : PERCENTILES) {
      int at = count * percentile / 100;
      line.append(
          "; p%d: %,d ns, %s %,d ns, ratio %.3f"
              .formatted(percentile, mine[at], other, raw[at], (double) mine[at] / raw[at]));
    }
    System.out.println(line);
  }

  private static long time(int calls, Runnable work) {
    long begun = System.nanoTime();
    for (int i = 0; i < calls; i++) {
      work.run();
    }
    return (System.nanoTime() - begun) / calls;
  }
}
