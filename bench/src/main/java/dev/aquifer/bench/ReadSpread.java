package dev.aquifer.bench;

import dev.aquifer.replica.ReplicaSet;
import dev.aquifer.replica.ReplicaSetBuilder;
import dev.aquifer.sql.FunctionCatalog;
import dev.aquifer.sql.FunctionCatalog.Effect;
import dev.aquifer.sql.SqlAnalyzer;
import dev.aquifer.testkit.FaultProxy;
import dev.aquifer.testkit.PostgresCluster;
import dev.aquifer.testkit.TestDatabase;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;

/**
 * What more nodes are worth, and what a slow one costs. Run with {@code java -cp benchmarks.jar
 * dev.aquifer.bench.ReadSpread}, and {@code nodes} or {@code slow}.
 *
 * <p>All servers share one machine, so its processors must not be the limit. With {@code nodes}
 * each read waits 10 ms in the server, which stands for its disk, and each server may have four
 * connections: 400 reads a second at most. With {@code slow} each of three replicas is 20 ms of
 * network away, and one of them 200 ms; rounds with that one and without take turns.
 */
public final class ReadSpread {
  private static final int CONNECTIONS = 4;
  private static final int REPLICAS = 3;
  private static final int ROUNDS = 4;
  private static final int[] CALLERS = {4, 8, 16};
  private static final Duration ROUND = Duration.ofSeconds(4);
  private static final Duration WARM_UP = Duration.ofSeconds(2);
  private static final Duration NEAR = Duration.ofMillis(10);
  private static final Duration FAR = Duration.ofMillis(100);
  private static final String WAIT = "select pg_sleep(0.01)";
  private static final String READ = "select 1";

  private final TestDatabase database;
  private final ExecutorService threads = Executors.newCachedThreadPool();

  private ReadSpread(TestDatabase database) {
    this.database = database;
  }

  /** Runs it. */
  public static void main(String[] args) throws Exception {
    try (PostgresCluster cluster = PostgresCluster.builder().standbys(REPLICAS).start()) {
      ReadSpread spread = new ReadSpread(cluster.createDatabase("bench"));
      try {
        if (args.length == 0 || args[0].equals("nodes")) {
          spread.nodes();
        } else {
          spread.slow();
        }
      } finally {
        spread.threads.shutdownNow();
      }
    }
  }

  private void nodes() throws Exception {
    FunctionCatalog waits =
        (schema, name) ->
            name.equals("pg_sleep")
                ? Effect.HARMLESS
                : FunctionCatalog.builtIn().function(schema, name);
    double alone = 0;
    for (int replicas = 0; replicas <= REPLICAS; replicas++) {
      ReplicaSetBuilder builder =
          builder(CONNECTIONS).analyzer(SqlAnalyzer.builder().catalog(waits).build());
      database.standbyUrls().subList(0, replicas).forEach(builder::replica);
      try (ReplicaSet set = builder.build()) {
        awaitReplicas(set, replicas);
        reads(set, WAIT, 32, Duration.ofSeconds(1));
        double rate = reads(set, WAIT, 32, ROUND).length / (double) ROUND.toSeconds();
        alone = replicas == 0 ? rate : alone;
        System.out.printf(
            "primary and %d replicas: %,.0f reads/s, %.2f times the primary alone%n",
            replicas, rate, rate / alone);
      }
    }
  }

  private void slow() throws Exception {
    List<FaultProxy> proxies = new ArrayList<>();
    try {
      for (int i = 0; i < REPLICAS; i++) {
        proxies.add(FaultProxy.to("127.0.0.1", database.cluster().standby(i).port()));
      }
      try (ReplicaSet near = set(proxies.subList(0, REPLICAS - 1));
          ReplicaSet all = set(proxies)) {
        proxies.forEach(proxy -> proxy.delay(NEAR));
        proxies.get(REPLICAS - 1).delay(FAR);
        for (int callers : CALLERS) {
          compare(near, all, callers);
        }
      }
    } finally {
      proxies.forEach(FaultProxy::close);
    }
  }

  private void compare(ReplicaSet near, ReplicaSet all, int callers) throws Exception {
    long[] without = {};
    long[] with = {};
    for (int round = 0; round < ROUNDS; round++) {
      // While the other set has its turn connections are idle, and the pool asks first whether they
      // still live.
      reads(near, READ, callers, WARM_UP);
      without = both(without, reads(near, READ, callers, ROUND));
      reads(all, READ, callers, WARM_UP);
      with = both(with, reads(all, READ, callers, ROUND));
    }
    System.out.printf(
        "%d callers: without the slow one %s; with it %s: p99 %.2f times%n",
        callers,
        text(without),
        text(with),
        (double) percentile(with, 99) / percentile(without, 99));
  }

  private static String text(long[] times) {
    return "%,d reads, p50 %.1f ms, p99 %.1f ms, over %d ms %.2f %%"
        .formatted(
            times.length,
            percentile(times, 50) / 1e6,
            percentile(times, 99) / 1e6,
            FAR.toMillis(),
            100.0
                * Arrays.stream(times).filter(time -> time > FAR.toNanos()).count()
                / times.length);
  }

  private static long[] both(long[] one, long[] other) {
    long[] both = Arrays.copyOf(one, one.length + other.length);
    System.arraycopy(other, 0, both, one.length, other.length);
    Arrays.sort(both);
    return both;
  }

  private static long percentile(long[] sorted, int percentile) {
    return sorted[(int) ((long) sorted.length * percentile / 100)];
  }

  private ReplicaSetBuilder builder(int connections) {
    return ReplicaSet.builder()
        .primary(database.url())
        .credentials(database.user(), database.password())
        .pool(pool -> pool.minimumIdle(connections).maximumSize(connections));
  }

  private ReplicaSet set(List<FaultProxy> proxies) throws InterruptedException {
    ReplicaSetBuilder builder = builder(16).probeTimeout(Duration.ofSeconds(1));
    for (FaultProxy proxy : proxies) {
      builder.replica(
          "jdbc:postgresql://%s:%d/%s".formatted(proxy.host(), proxy.port(), database.name()));
    }
    ReplicaSet set = builder.build();
    awaitReplicas(set, proxies.size());
    return set;
  }

  private static void awaitReplicas(ReplicaSet set, int count) throws InterruptedException {
    for (int i = 0; set.health().usableReplicas() < count; i++) {
      if (i > 1_000) {
        throw new IllegalStateException("Replicas are not in use: " + set.health());
      }
      TimeUnit.MILLISECONDS.sleep(10);
    }
  }

  /** How long each read took, in nanoseconds. */
  private long[] reads(ReplicaSet set, String sql, int callers, Duration limit)
      throws InterruptedException, ExecutionException {
    long end = System.nanoTime() + limit.toNanos();
    List<Callable<long[]>> work = new ArrayList<>();
    for (int i = 0; i < callers; i++) {
      work.add(() -> readUntil(set, sql, end));
    }
    long[] all = {};
    for (Future<long[]> one : threads.invokeAll(work)) {
      all = both(all, one.get());
    }
    return all;
  }

  private static long[] readUntil(ReplicaSet set, String sql, long end) throws SQLException {
    long[] times = new long[1 << 16];
    int count = 0;
    for (long now = System.nanoTime(); now - end < 0 && count < times.length; ) {
      try (Connection connection = set.getConnection();
          Statement statement = connection.createStatement();
          ResultSet rows = statement.executeQuery(sql)) {
        rows.next();
      }
      long ended = System.nanoTime();
      times[count++] = ended - now;
      now = ended;
    }
    return Arrays.copyOf(times, count);
  }
}
