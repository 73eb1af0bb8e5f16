package dev.aquifer.cache;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.aquifer.AquiferException;
import dev.aquifer.ConfigurationException;
import dev.aquifer.UnavailableException;
import dev.aquifer.batch.BatchFullException;
import dev.aquifer.batch.BatchRetry;
import dev.aquifer.batch.BatchSettings;
import dev.aquifer.batch.BatchSink;
import dev.aquifer.batch.Batcher;
import dev.aquifer.testkit.DeterministicScheduler;
import dev.aquifer.testkit.Eventually;
import dev.aquifer.testkit.FakeTicker;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.UnaryOperator;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

@SuppressWarnings("FutureReturnValueIgnored") // what a test looks at, it keeps
class BatcherTest {
  private static final Duration MILLI = Duration.ofMillis(1);

  private final FakeTicker ticker = new FakeTicker();
  private final DeterministicScheduler time = new DeterministicScheduler(ticker);
  private final List<List<String>> sent = new ArrayList<>();
  private final List<CompletableFuture<Void>> pending = new ArrayList<>();

  private Batcher<String> batcher(UnaryOperator<BatchSettings.Builder> settings) {
    return Batcher.<String>of(this::sink, built(settings), time, time).clock(ticker);
  }

  private Batcher<String> ordered(UnaryOperator<BatchSettings.Builder> settings) {
    return Batcher.<String>ordered(this::sink, built(settings), item -> item.charAt(0), time, time)
        .clock(ticker);
  }

  private static BatchSettings built(UnaryOperator<BatchSettings.Builder> settings) {
    return settings
        .apply(
            BatchSettings.builder()
                .maxItems(3)
                .linger(MILLI.multipliedBy(10))
                .target(Duration.ZERO)
                .patience(Duration.ZERO))
        .build();
  }

  private CompletableFuture<Void> sink(List<String> items) {
    sent.add(items);
    CompletableFuture<Void> done = new CompletableFuture<>();
    pending.add(done);
    return done;
  }

  private void acknowledge(int batch) {
    pending.get(batch).complete(null);
    time.runDue();
  }

  @Test
  void batch_goesWhenItIsFullOrItsFirstItemIsLate() {
    Batcher<String> batcher = batcher(s -> s.parallel(9));
    CompletableFuture<?> a = batcher.add("a");
    time.advance(MILLI.multipliedBy(9));
    assertThat(sent).isEmpty();
    batcher.add("b");
    time.advance(MILLI);
    assertThat(sent).containsExactly(List.of("a", "b"));
    batcher.add("c");
    batcher.add("d");
    batcher.add("e");
    batcher.add("f");
    time.runDue();
    assertThat(sent).hasSize(2).last().isEqualTo(List.of("c", "d", "e"));
    time.advance(MILLI.multipliedBy(10));
    assertThat(sent).hasSize(3).last().isEqualTo(List.of("f"));
    assertThat(a).isNotDone();
    acknowledge(0);
    assertThat(a).isCompleted();
    assertThat(batcher.statistics().acknowledged()).isEqualTo(2);
  }

  @Test
  void noLinger_goesAtOnceWhileTheSinkIsIdleAndGathersWhileItIsNot() {
    Batcher<String> batcher = batcher(s -> s.linger(Duration.ZERO));
    batcher.add("a");
    batcher.add("b");
    batcher.add("c");
    time.runDue();
    assertThat(sent).containsExactly(List.of("a"));
    acknowledge(0);
    assertThat(sent).containsExactly(List.of("a"), List.of("b", "c"));
  }

  @Test
  void flush_sendsWhatWaitsAndEndsWithAllOfIt() {
    Batcher<String> batcher = batcher(s -> s);
    CompletableFuture<?> a = batcher.add("a");
    CompletableFuture<?> flushed = batcher.flush();
    batcher.add("later");
    time.runDue();
    assertThat(sent.get(0)).contains("a");
    assertThat(flushed).isNotDone();
    pending.get(0).completeExceptionally(new IllegalStateException("no"));
    time.runDue();
    assertThat(flushed).isCompleted();
    assertThat(a).isCompletedExceptionally();
  }

  @Test
  void failure_isEachItemsAndOfThatBatchAlone() {
    Batcher<String> batcher = batcher(s -> s);
    List<CompletableFuture<Void>> all =
        IntStream.range(0, 6).mapToObj(i -> batcher.add("" + i)).toList();
    time.runDue();
    pending.get(0).completeExceptionally(new IllegalStateException("full disk"));
    time.runDue();
    acknowledge(1);
    for (int i = 0; i < 3; i++) {
      assertThatThrownBy(all.get(i)::join).hasRootCauseMessage("full disk");
      assertThat(all.get(i + 3)).isCompleted();
    }
    assertThat(batcher.statistics().failed()).isEqualTo(3);
  }

  @Test
  void priority_goesFirstAndTheOldestIsNeverStarved() {
    Batcher<String> batcher = batcher(s -> s);
    batcher.add("x");
    batcher.flush();
    time.runDue();
    batcher.add("low1", 0, Duration.ZERO);
    batcher.add("low2", 0, Duration.ZERO);
    batcher.add("mid", 5, Duration.ZERO);
    batcher.add("high1", 9, Duration.ZERO);
    batcher.add("high2", 9, Duration.ZERO);
    acknowledge(0);
    assertThat(sent.get(1)).containsExactly("low1", "high1", "high2");
    batcher.add("high3", 9, Duration.ZERO);
    acknowledge(1);
    assertThat(sent.get(2)).containsExactly("low2", "high3", "mid");
  }

  @Test
  void itemsOfOneKey_keepTheirOrderBesideOtherBatchesAndWhateverTheirPriority() {
    Batcher<String> batcher = ordered(s -> s.parallel(4).maxItems(2));
    batcher.add("a1");
    batcher.add("b1");
    time.runDue();
    batcher.add("a2", 0, Duration.ZERO);
    batcher.add("a3", 9, Duration.ZERO);
    batcher.add("c1");
    batcher.add("c2");
    time.runDue();
    assertThat(sent).containsExactly(List.of("a1", "b1"), List.of("c1", "c2"));
    acknowledge(0);
    time.advance(MILLI.multipliedBy(10));
    assertThat(sent).hasSize(3).last().isEqualTo(List.of("a2", "a3"));
  }

  @Test
  void noRoom_isRefusedLoudlyAndTheItemNotTaken() {
    Batcher<String> batcher = batcher(s -> s.capacity(3));
    IntStream.range(0, 3).forEach(i -> batcher.add("" + i));
    time.runDue();
    // What is under way takes room too, or memory would have no bound.
    assertThatThrownBy(() -> batcher.add("x"))
        .isInstanceOf(BatchFullException.class)
        .hasMessageContaining("capacity");
    acknowledge(0);
    batcher.add("y");
    assertThat(batcher.statistics().refused()).isEqualTo(1);
    assertThat(sent).hasSize(1);
  }

  @Test
  void noRoom_callerWaitsUntilThereIsSome() throws Exception {
    Batcher<String> batcher = batcher(s -> s.capacity(3));
    IntStream.range(0, 3).forEach(i -> batcher.add("" + i));
    time.runDue();
    CompletableFuture<Boolean> waiting =
        CompletableFuture.supplyAsync(
            () -> {
              batcher.add("late", 5, Duration.ofSeconds(30));
              return true;
            });
    assertThat(waiting).isNotDone();
    acknowledge(0);
    assertThat(waiting.get(20, TimeUnit.SECONDS)).isTrue();
    assertThat(batcher.statistics().waiting()).isEqualTo(1);
  }

  @Test
  void size_growsWhileTheSinkKeepsUpAndIsHalvedWhenItDoesNot() {
    Batcher<String> batcher =
        batcher(s -> s.maxItems(640).capacity(100_000).target(MILLI.multipliedBy(5)));
    assertThat(batcher.statistics().size()).isEqualTo(16);
    IntStream.range(0, 50_000).forEach(i -> batcher.add("" + i));
    time.runDue();
    for (int i = 0; i < 100; i++) {
      acknowledge(i);
    }
    int grown = batcher.statistics().size();
    assertThat(grown).isEqualTo(640);
    assertThat(sent.get(99)).hasSizeGreaterThan(sent.get(0).size());
    ticker.advance(MILLI.multipliedBy(6));
    acknowledge(100);
    assertThat(batcher.statistics().size()).isEqualTo(grown / 2);
    pending.get(101).completeExceptionally(new IllegalStateException());
    time.runDue();
    assertThat(batcher.statistics().size()).isEqualTo(grown / 4);
  }

  @Test
  void retry_sendsTheSameItemsAgainBeforeAnyOther() {
    Batcher<String> batcher = batcher(s -> s.retry(BatchRetry.upTo(2, MILLI.multipliedBy(10))));
    List<CompletableFuture<Void>> all =
        IntStream.range(0, 4).mapToObj(i -> batcher.add("" + i)).toList();
    time.runDue();
    for (int i = 0; i < 2; i++) {
      pending.get(i).completeExceptionally(new IllegalStateException("again"));
      time.advance(MILLI.multipliedBy(10L << i));
      assertThat(sent).hasSize(i + 2).last().isEqualTo(sent.get(0));
    }
    assertThat(all.get(0)).isNotDone();
    pending.get(2).completeExceptionally(new IllegalStateException("for good"));
    time.runDue();
    assertThatThrownBy(all.get(0)::join).hasRootCauseMessage("for good");
    time.advance(MILLI.multipliedBy(10));
    assertThat(sent).last().isEqualTo(List.of("3"));
    assertThat(batcher.statistics().retries()).isEqualTo(2);
  }

  @Test
  void sinkThatNeverEnds_failsItsBatchInTime() {
    Batcher<String> batcher = batcher(s -> s.sendTimeout(Duration.ofSeconds(1)));
    CompletableFuture<?> a = batcher.add("a");
    batcher.flush();
    time.runDue();
    time.advance(Duration.ofSeconds(1));
    assertThatThrownBy(a::join).hasCauseInstanceOf(UnavailableException.class);
    pending.get(0).complete(null);
    assertThat(batcher.statistics().failed()).isEqualTo(1);
    assertThat(batcher.statistics().acknowledged()).isZero();
  }

  @Test
  void sinkThatThrows_failsItsBatchAlone() {
    AtomicInteger calls = new AtomicInteger();
    Batcher<String> batcher =
        Batcher.<String>of(
                BatchSink.blocking(
                    items -> {
                      if (calls.incrementAndGet() == 1) {
                        throw new java.io.IOException("broken");
                      }
                    }),
                built(s -> s.maxItems(1)),
                time,
                time)
            .clock(ticker);
    CompletableFuture<?> a = batcher.add("a");
    CompletableFuture<?> b = batcher.add("b");
    time.runDue();
    assertThatThrownBy(a::join).hasRootCauseMessage("broken");
    assertThat(b).isCompleted();
  }

  @Test
  void close_failsWhatIsLeftAndTakesNoMore() {
    Batcher<String> batcher = batcher(s -> s.closeTimeout(Duration.ZERO));
    List<CompletableFuture<Void>> all =
        IntStream.range(0, 5).mapToObj(i -> batcher.add("" + i)).toList();
    time.runDue();
    batcher.close();
    batcher.close();
    for (CompletableFuture<Void> each : all) {
      assertThatThrownBy(each::join).hasCauseInstanceOf(AquiferException.class);
    }
    acknowledge(0);
    assertThat(sent).hasSize(1);
    assertThat(batcher.statistics().failed()).isEqualTo(5);
    assertThatThrownBy(() -> batcher.add("x")).isInstanceOf(AquiferException.class);
  }

  @Test
  void settings_outOfRange_areRefused() {
    assertThatThrownBy(() -> BatchSettings.builder().maxItems(0).build())
        .isInstanceOf(ConfigurationException.class);
    assertThatThrownBy(() -> BatchSettings.builder().maxItems(5).capacity(4).build())
        .isInstanceOf(ConfigurationException.class)
        .hasMessageContaining("maxItems 5")
        .hasMessageContaining("capacity 4");
    assertThatThrownBy(() -> BatchSettings.builder().linger(Duration.ofMillis(-1)).build())
        .isInstanceOf(ConfigurationException.class)
        .hasMessageContaining("linger");
  }

  /** An item of the stress test. */
  private record Numbered(int key, int number) {}

  @Test
  void manyThreads_loseNothingAndKeepTheOrderOfKeys() throws Exception {
    ExecutorService threads = Executors.newCachedThreadPool();
    ScheduledExecutorService timer = Executors.newScheduledThreadPool(1);
    Map<Integer, Integer> last = new ConcurrentHashMap<>();
    AtomicLong acknowledged = new AtomicLong();
    AtomicInteger out = new AtomicInteger();
    int writers = 8;
    int each = 5_000;
    Batcher<Numbered> batcher =
        Batcher.ordered(
            BatchSink.blocking(
                items -> {
                  for (Numbered item : items) {
                    Integer before = last.put(item.key(), item.number());
                    if (before != null && before >= item.number()) {
                      out.incrementAndGet();
                    }
                  }
                }),
            BatchSettings.builder()
                .parallel(4)
                .capacity(600)
                .linger(MILLI)
                .patience(Duration.ofMinutes(2))
                .closeTimeout(Duration.ofMinutes(1))
                .build(),
            Numbered::key,
            threads,
            timer);
    try {
      List<CompletableFuture<Void>> all =
          IntStream.range(0, writers)
              .mapToObj(
                  writer ->
                      CompletableFuture.runAsync(
                          () -> {
                            for (int i = 0; i < each; i++) {
                              batcher
                                  .add(
                                      new Numbered(writer * 10 + i % 7, i),
                                      i % 10,
                                      Duration.ofMinutes(2))
                                  .thenRun(acknowledged::incrementAndGet);
                            }
                          },
                          threads))
              .toList();
      for (CompletableFuture<Void> one : all) {
        one.get(2, TimeUnit.MINUTES);
      }
      batcher.close();
      Eventually.within(Duration.ofSeconds(30))
          .until("all", () -> acknowledged.get() == (long) writers * each);
      assertThat(out).hasValue(0);
      assertThat(batcher.statistics().acknowledged()).isEqualTo((long) writers * each);
      assertThat(batcher.statistics().waiting()).isZero();
    } finally {
      threads.shutdownNow();
      timer.shutdownNow();
    }
  }
}
