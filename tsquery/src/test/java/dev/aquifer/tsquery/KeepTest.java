package dev.aquifer.tsquery;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.time.Instant;
import java.util.Arrays;
import java.util.BitSet;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.function.IntConsumer;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/** What happens while the segment is made that an answer is kept in. */
class KeepTest {
  private static final long SECOND = ClusterNode.SECOND;
  private static final int SERIES = 1_000;
  private static final long NOW = Duration.ofDays(9).toNanos();

  private final WindowCache cache = new WindowCache(Ageing.defaults(), 1 << 30, null);
  private final Ledger ledger = cache.pin(ClusterNode.T1, "m");
  private final TimeSeriesQuery query = ClusterNode.query(10, 100);
  private final Track.Part part = new Track.Part(Track.of(ClusterNode.T1, query), 0);

  @Test
  void keep_whileASegmentIsMade_holdsUpNoVoid() {
    int[] made = new int[1];
    keep(
        times -> {
          made[0] = times;
          Thread other = new Thread(() -> cache.invalidate(ledger, 9_000 * SECOND, 9_001 * SECOND));
          other.start();
          join(other);
        });

    assertThat(known()).containsExactly(0, 1, 2, 3, 4, 5, 6, 7, 8, 9);
    assertThat(made[0]).as("others' voids do not make it be made again").isEqualTo(1);
  }

  @Test
  void keep_voidedWhileItsSegmentIsMade_keepsTheOthers() {
    keep(
        times -> {
          if (times == 1) {
            cache.invalidate(ledger, 55 * SECOND, 56 * SECOND);
          }
        });

    assertThat(known()).containsExactly(0, 1, 2, 3, 4, 6, 7, 8, 9);
  }

  @Test
  void keep_voidedEachTimeItsSegmentIsMade_ends() {
    keep(
        times -> {
          if (times < WindowCache.KEEP_ATTEMPTS) {
            cache.invalidate(ledger, 10L * times * SECOND, 10L * times * SECOND + 1);
          }
        });

    assertThat(known()).containsExactly(0, 4, 5, 6, 7, 8, 9);
  }

  @Test
  void keep_whatMemoryHasChangesMeanwhile_losesNeither() {
    keep(
        times -> {
          if (times == 1) {
            cache.adopt(ledger, ledger.log.epoch(), part, segment(20, new Cells(Segment.LENGTH)));
          }
        });

    assertThat(known()).containsExactly(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 20);
  }

  /** Of a segment of which memory has nothing, nothing but the log tells of a void. */
  @Test
  void keep_voidedAtAnyMomentWhileASegmentIsMade_leavesThatWindowOut() throws Exception {
    for (int round = 0; round < 60; round++) {
      cache.invalidateAll(ledger);
      CountDownLatch departed = new CountDownLatch(1);
      long pause = round * 50_000L;
      Thread voiding =
          new Thread(
              () -> {
                join(departed);
                long until = System.nanoTime() + pause;
                while (System.nanoTime() < until) {
                  Thread.onSpinWait();
                }
                cache.invalidate(ledger, 55 * SECOND, 56 * SECOND);
              });
      voiding.start();
      keep(departed::countDown, SERIES);
      voiding.join();

      assertThat(known()).containsExactly(1, 2, 3, 4, 6, 7, 8, 9);
    }
  }

  /**
   * Keeps windows 1 to 9 beside window 0, which memory has.
   *
   * @param making is told how often the segment was begun to be made
   */
  private void keep(IntConsumer making) {
    cache.adopt(ledger, ledger.log.epoch(), part, segment(0, new Watched(making)));
    keep(() -> {}, 0);
  }

  /** Keeps windows 1 to 9 of one series without tags, and of so many others. */
  private void keep(Runnable departed, int others) {
    TimeRange range = new TimeRange(Instant.EPOCH.plusSeconds(10), Instant.EPOCH.plusSeconds(100));
    WindowGrid grid = WindowGrid.of(query.window(), range, QueryLimits.defaults(), 1);
    BitSet pending = new BitSet();
    pending.set(0, grid.size());
    WindowCache.Sight sight =
        new WindowCache.Sight(NOW, Long.MAX_VALUE, true, true, Received.NOTHING);
    WindowCache.Departure departure = cache.depart(ledger, part.track(), grid, pending, sight);
    departed.run();
    Assembly assembly = new Assembly(grid, query, new PointBudget(ClusterNode.T1, 100_000));
    List<Run> all = List.of(new Run(grid.first(), grid.end()));
    assembly.expect(all);
    for (int series = 0; series <= others; series++) {
      for (int i = 1; i < 10; i++) {
        assembly.row(series == 0 ? List.of() : List.of("s" + series), 10L * i * SECOND);
        assembly.doubleValue(0, i);
      }
    }
    cache.keep(ledger, departure.flight(), all, assembly, NOW);
    cache.land(ledger, departure.flight(), null);
  }

  private List<Integer> known() {
    Segment kept = cache.segment(part);
    return IntStream.range(0, Segment.LENGTH)
        .filter(i -> kept != null && kept.known(i))
        .boxed()
        .toList();
  }

  /** One window is known. */
  private static Segment segment(int window, Column column) {
    long[] at = new long[Segment.LENGTH];
    long[] until = new long[Segment.LENGTH];
    Arrays.fill(at, Segment.UNKNOWN);
    Arrays.fill(until, Segment.FOR_GOOD);
    at[window] = 1;
    return Segment.of(Marks.of(at, until), Map.of(new Group(List.of()), new Column[] {column}));
  }

  private static void join(CountDownLatch latch) {
    try {
      assertThat(latch.await(10, TimeUnit.SECONDS)).isTrue();
    } catch (InterruptedException e) {
      throw new AssertionError(e);
    }
  }

  private static void join(Thread other) {
    try {
      other.join(10_000);
    } catch (InterruptedException e) {
      throw new AssertionError(e);
    }
    assertThat(other.isAlive()).as("still waits").isFalse();
  }

  /** Its first window is copied each time that the segment is made anew. */
  private static final class Watched implements Column {
    private final IntConsumer copying;
    private int times;

    Watched(IntConsumer copying) {
      this.copying = copying;
    }

    @Override
    public void copyTo(Cells target, int from, int toIndex, int length) {
      if (from == 0) {
        times++;
        copying.accept(times);
      }
    }

    @Override
    public boolean anyPresent(int from, int to) {
      return true;
    }

    @Override
    public int weight() {
      return 8;
    }
  }
}
