package dev.aquifer.tsquery;

import static dev.aquifer.tsquery.ClusterNode.SECOND;
import static dev.aquifer.tsquery.ClusterNode.as;
import static org.assertj.core.api.Assertions.assertThat;

import dev.aquifer.CausalSession;
import dev.aquifer.testkit.DeterministicScheduler;
import dev.aquifer.testkit.FakeTicker;
import dev.aquifer.testkit.Proof;
import dev.aquifer.testkit.RedisDatabase;
import dev.aquifer.testkit.RedisTest;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.Executor;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/**
 * A stale write-back after an invalidation: all interleavings of a node's fetch, keep and both
 * steps of its write to Redis with a write and its void by a second node, and with a query of that
 * node that shares what it finds. A scheduler without threads runs the steps in each order that
 * there is. After each, a node that knows nothing asks with the writer's token, from Redis and from
 * memory.
 */
@RedisTest
class WriteBackTest {
  /** Between the steps of node one: before all, in the fetch, after it is kept, and so on. */
  private static final int GAPS = 5;

  private static final int IN_FETCH = 1;
  private static final int STEP = 100;

  /** Windows of two segments: no interleaving meets another's. */
  private static final long APART = 2 * 10L * Segment.LENGTH;

  private final SteppingClock clock = new SteppingClock(Instant.EPOCH.plus(Duration.ofDays(90)));
  private final DeterministicScheduler steps = new DeterministicScheduler(new FakeTicker());
  private final Points points = new Points();
  private ClusterNode one;
  private ClusterNode two;
  private ClusterNode three;

  @BeforeEach
  void open(RedisDatabase redis) {
    redis.flush();
    one = node(redis, after(STEP));
    two = node(redis, after(1));
    three = node(redis, Runnable::run);
  }

  @AfterEach
  void close() {
    one.close();
    two.close();
    three.close();
  }

  private ClusterNode node(RedisDatabase redis, Executor executor) {
    return ClusterNode.open(
        redis.uri().toString(), points, clock, b -> b.executor(executor), new FakeTicker());
  }

  private Executor after(long nanos) {
    return step -> {
      var unused = steps.schedule(step, nanos, TimeUnit.NANOSECONDS);
    };
  }

  @Test
  void interleavings_storeNothingStale() {
    Proof.of("write-back")
        .run(
            run -> {
              for (Order order : Order.all()) {
                run.tried(1);
                if (staleAfter(order)) {
                  run.failed(order.toString());
                }
              }
              run.detail("refused", one.series().statistics().segmentsRefused());
              run.detail("conflicts", one.series().statistics().segmentsInConflict());
            });
    // The guards were needed.
    assertThat(one.series().statistics().segmentsRefused()).isPositive();
    assertThat(one.series().statistics().segmentsInConflict()).isPositive();
  }

  /** The same with the checks out: it must be found. */
  @Test
  void interleavings_withoutGuards_storeStaleWindows() {
    for (ClusterNode node : List.of(one, two)) {
      node.series().cache().checkEpochs(false);
      node.series().cache().second().checkVoids(false);
    }
    assertThat(Order.all().stream().filter(this::staleAfter)).isNotEmpty();
  }

  /**
   * In which gap the second node writes, voids and asks, and whether it asks before, between or
   * after the other two where it shares a gap with them.
   */
  private record Order(int number, int write, int voids, int ask, int rank) {
    static List<Order> all() {
      List<Order> all = new ArrayList<>();
      for (int write = 0; write < GAPS; write++) {
        for (int voids = write; voids < GAPS; voids++) {
          for (int ask = 0; ask < GAPS; ask++) {
            boolean shares = ask == write || ask == voids;
            for (int rank = 0; rank < (shares ? 3 : 1); rank++) {
              all.add(new Order(all.size(), write, voids, ask, rank));
            }
          }
        }
      }
      return all;
    }
  }

  private boolean staleAfter(Order order) {
    long base = order.number * APART;
    for (int i = 0; i < 10; i++) {
      points.add("t1", (base + i * 10L) * SECOND, Map.of(), i);
    }
    CausalSession writer = two.sessions().open();
    act(order.write, 1, () -> points.add("t1", (base + 55) * SECOND, Map.of(), 1000));
    act(order.voids, 3, () -> as(() -> two.sessions().call(writer, () -> voided(base + 55))));
    act(order.ask, 2 * order.rank, () -> two.ask(base, base + 100));
    var unused = steps.schedule(() -> one.ask(base, base + 100), STEP, TimeUnit.NANOSECONDS);
    steps.advance(Duration.ofNanos(50 * STEP));
    assertThat(steps.pending()).isZero();

    List<Series> expected = one.uncached(base, base + 100);
    boolean stale = false;
    for (ClusterNode node : List.of(one, three, three)) {
      CausalSession reader = node.sessions().open();
      writer.sequences().forEach(reader::observe);
      stale |= !node.ask(reader, base, base + 100).series().equals(expected);
    }
    return stale;
  }

  private boolean voided(long second) {
    two.series().invalidate("m", ClusterNode.at(second), ClusterNode.at(second + 1));
    return true;
  }

  /** The fetch is at one step, the steps of the write to Redis at the next two. */
  private void act(int gap, int rank, Runnable action) {
    if (gap == IN_FETCH) {
      points.inFetch.put(rank, action);
    } else {
      int at = (gap == 0 ? 0 : gap - 1) * STEP + STEP / 2 + rank;
      var unused = steps.schedule(action, at, TimeUnit.NANOSECONDS);
    }
  }

  /** Lets the second node act after the first one's fetch has read, and before it is kept. */
  private static final class Points extends PointsBackend {
    private final TreeMap<Integer, Runnable> inFetch = new TreeMap<>();

    @Override
    public void fetch(FetchRequest request, RowSink sink) {
      super.fetch(request, sink);
      List<Runnable> actions = List.copyOf(inFetch.values());
      inFetch.clear();
      actions.forEach(Runnable::run);
    }
  }
}
