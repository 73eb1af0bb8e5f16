package dev.aquifer.sql;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

class SqlAnalyzerTest {

  @Test
  void analyze_knownText_isTheSameResult() {
    SqlAnalyzer analyzer = SqlAnalyzer.create();
    SqlStatement first = analyzer.analyze("select 1");
    assertThat(analyzer.analyze("SELECT 1".toLowerCase(Locale.ROOT))).isSameAs(first);
  }

  @Test
  void analyze_moreTextsThanTheBound_staysWithinIt() {
    SqlAnalyzer analyzer = SqlAnalyzer.builder().maxEntries(100).build();
    for (int i = 0; i < 10_000; i++) {
      analyzer.analyze("select " + i);
      assertThat(analyzer.size()).isLessThanOrEqualTo(100);
    }
  }

  @Test
  void analyze_textInUse_outlivesAFloodOfOthers() {
    SqlAnalyzer analyzer = SqlAnalyzer.builder().maxEntries(100).build();
    SqlStatement hot = analyzer.analyze("select * from flight");
    for (int i = 0; i < 10_000; i++) {
      analyzer.analyze("select " + i);
      if (i % 20 == 0) {
        assertThat(analyzer.analyze("select * from flight")).isSameAs(hot);
      }
    }
  }

  @Test
  void analyze_longText_isNotKept() {
    SqlAnalyzer analyzer = SqlAnalyzer.builder().maxCachedLength(10).build();
    analyzer.analyze("select 1, 2, 3");
    assertThat(analyzer.size()).isZero();
    assertThat(SqlAnalyzer.builder().maxLength(10).build().analyze("select 1, 2").reason())
        .isEqualTo(Reason.TOO_LONG);
  }

  @Test
  void refusedByStandby_keepsThatTextOnThePrimary() {
    SqlAnalyzer analyzer = SqlAnalyzer.create();
    assertThat(analyzer.analyze("select * from v").mayUseReplica()).isTrue();
    analyzer.refusedByStandby("select * from v");
    SqlStatement refused = analyzer.analyze("select * from v");
    assertThat(refused.reason()).isEqualTo(Reason.REFUSED_BY_STANDBY);
    assertThat(refused.tablesRead()).containsExactly(TableName.of("v"));
    analyzer.refusedByStandby("update v set a = 1");
    assertThat(analyzer.analyze("update v set a = 1").reason()).isEqualTo(Reason.WRITES);
    analyzer.clear();
    assertThat(analyzer.analyze("select * from v").mayUseReplica()).isTrue();
  }

  /**
   * The race: an analysis asks the old catalogue, the catalogue changes and the memory is cleared,
   * the analysis ends. Its result may be returned to its caller but must not be remembered.
   */
  @Test
  void clear_duringAnAnalysis_dropsItsResultToo() {
    AtomicReference<FunctionCatalog.Effect> answer =
        new AtomicReference<>(FunctionCatalog.Effect.HARMLESS);
    AtomicReference<@Nullable SqlAnalyzer> analyzer = new AtomicReference<>();
    FunctionCatalog catalog =
        (schema, name) -> {
          FunctionCatalog.Effect effect = answer.get();
          if (effect == FunctionCatalog.Effect.HARMLESS) {
            answer.set(FunctionCatalog.Effect.UNKNOWN);
            analyzer.get().clear();
          }
          return effect;
        };
    analyzer.set(SqlAnalyzer.builder().catalog(catalog).build());
    assertThat(analyzer.get().analyze("select f()").mayUseReplica()).isTrue();
    assertThat(analyzer.get().analyze("select f()").mayUseReplica()).isFalse();
  }

  @Test
  void analyze_byManyThreads_staysWithinTheBoundAndRight() throws Exception {
    SqlAnalyzer analyzer = SqlAnalyzer.builder().maxEntries(64).build();
    int threads = 8;
    ExecutorService executor = Executors.newFixedThreadPool(threads);
    try {
      CountDownLatch start = new CountDownLatch(1);
      List<Future<?>> results = new ArrayList<>();
      for (int t = 0; t < threads; t++) {
        int offset = t;
        results.add(
            executor.submit(
                () -> {
                  start.await();
                  for (int i = 0; i < 20_000; i++) {
                    int n = (i * 31 + offset) % 500;
                    SqlStatement statement = analyzer.analyze("select * from t" + n);
                    assertThat(statement.tablesRead()).containsExactly(TableName.of("t" + n));
                  }
                  return null;
                }));
      }
      start.countDown();
      for (Future<?> result : results) {
        result.get(60, TimeUnit.SECONDS);
      }
      // Each thread may add one to a generation that another has just filled.
      assertThat(analyzer.size()).isLessThanOrEqualTo(64 + 2 * threads);
    } finally {
      executor.shutdownNow();
    }
  }

  @Test
  void builder_nonsense_isRefusedWithTheValue() {
    assertThatThrownBy(() -> SqlAnalyzer.builder().maxEntries(1))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("maxEntries is 1: give 2 or more");
    assertThatThrownBy(() -> SqlAnalyzer.builder().maxLength(0))
        .hasMessageContaining("maxLength is 0");
    assertThatThrownBy(() -> SqlAnalyzer.builder().maxCachedLength(-1)).hasMessageContaining("-1");
  }
}
