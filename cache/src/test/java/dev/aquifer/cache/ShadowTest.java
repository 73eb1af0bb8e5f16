package dev.aquifer.cache;

import static org.assertj.core.api.Assertions.assertThat;

import dev.aquifer.Position;
import dev.aquifer.ReadFloor;
import dev.aquifer.Tag;
import dev.aquifer.Tenant;
import dev.aquifer.cache.Adoption.Mode;
import dev.aquifer.spi.WriteSet;
import dev.aquifer.testkit.DeterministicScheduler;
import dev.aquifer.testkit.Eventually;
import dev.aquifer.testkit.FakeTicker;
import java.time.Duration;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** What the shadow counts, and that no caller notices it. One process, time in the test's hand. */
class ShadowTest {
  private static final Tenant DFW = Tenant.of("DFW");
  private static final Tag GATES = Tag.of("gates");
  private static final Duration SILENCE = Duration.ofSeconds(2);

  private final FakeTicker ticker = new FakeTicker();
  private final DeterministicScheduler scheduler = new DeterministicScheduler(ticker);
  private final AtomicReference<String> source = new AtomicReference<>("A1");
  private final AtomicReference<Tagger<String, String>> tagger =
      new AtomicReference<>((key, value) -> Set.of());
  private final Caches caches =
      Caches.builder()
          .scheduler(scheduler)
          .clock(ticker)
          .silenceLimit(SILENCE)
          .adoption(Adoption.of(Mode.SHADOW))
          .build();
  private final TieredCache<String, String> gates =
      caches.cache(
          "gates",
          new TypeRef<String>() {},
          CacheSettings.builder().tags(GATES).build(),
          (key, value) -> tagger.get().tags(key, value));

  private final int upkeep = scheduler.pending();

  @AfterEach
  void close() {
    caches.close();
  }

  private String read() throws Exception {
    return DFW.call(() -> gates.get("secret-key", key -> source.get()));
  }

  private static void eventually(String what, java.util.concurrent.Callable<Boolean> condition) {
    Eventually.within(Duration.ofSeconds(10)).until(what, condition);
  }

  /** The second look is timed, beside what the node does now and then. */
  private void suspected() {
    eventually("suspected", () -> scheduler.pending() > upkeep);
  }

  private void filled() throws Exception {
    read();
    eventually("filled", () -> gates.shadow().filled() == 1);
  }

  @Test
  void shadow_sourceChangedWithoutVoid_isADifference() throws Exception {
    filled();
    source.set("B2");
    assertThat(read()).isEqualTo("B2");
    suspected();
    assertThat(gates.shadow().different()).isZero();
    scheduler.advance(SILENCE);
    eventually("counted", () -> gates.shadow().different() == 1);
    assertThat(gates.shadow().examples())
        .singleElement()
        .satisfies(
            example -> {
              assertThat(example.kind()).isEqualTo(ShadowReport.Kind.VALUE);
              assertThat(example.key()).matches("[0-9a-f]{12}");
              assertThat(example.toString()).doesNotContain("secret", "A1", "B2");
            });
  }

  @Test
  void shadow_absenceDiffers_isNamed() throws Exception {
    filled();
    source.set(null);
    assertThat(read()).isNull();
    suspected();
    scheduler.advance(SILENCE);
    eventually("counted", () -> gates.shadow().different() == 1);
    assertThat(gates.shadow().examples().get(0).kind())
        .isEqualTo(ShadowReport.Kind.ABSENT_IN_SOURCE);
  }

  /** Race R8: a lagging replica must not fill the cache with what was just voided. */
  @Test
  void shadow_afterAVoid_readsTheSourceFromWhereTheVoidWasReplayed() throws Exception {
    Thread caller = Thread.currentThread();
    DemandedPositions positions =
        new DemandedPositions() {
          @Override
          public @Nullable Position resolve(ReadFloor floor) {
            assertThat(Thread.currentThread()).isNotSameAs(caller);
            return super.resolve(floor);
          }
        };
    List<ReadFloor> demanded = positions.demanded;
    try (Caches routed =
        Caches.builder()
            .clock(ticker)
            .positions(positions)
            .adoption(Adoption.of(Mode.SHADOW))
            .build()) {
      TieredCache<String, String> flights =
          routed.cache(
              "flights", String.class, CacheSettings.builder().tags(Tag.table("flight")).build());
      assertThat(DFW.<String>call(() -> flights.get("1", key -> "v"))).isEqualTo("v");
      // Compared before the void: what a comparison resolves is settled for all.
      eventually("compared", () -> flights.shadow().filled() == 1);
      assertThat(demanded).as("nothing was voided").isEmpty();
      ReadFloor written = ReadFloor.after(17);
      routed.committed(new WriteSet(1, DFW, Set.of("flight"), false), written);
      ticker.advance(Duration.ofMinutes(1));
      assertThat(DFW.<String>call(() -> flights.get("1", key -> "v"))).isEqualTo("v");
      assertThat(demanded).containsExactly(written);
    }
  }

  /** The write is seen before its void is: not the cache's mistake. */
  @Test
  void shadow_voidComesAfterTheRead_isNoDifference() throws Exception {
    filled();
    source.set("B2");
    read();
    suspected();
    DFW.run(() -> caches.invalidateTags(GATES));
    scheduler.advance(SILENCE);
    eventually("explained", () -> gates.shadow().overtaken() == 1);
    assertThat(gates.shadow().different()).isZero();
  }

  /** The void is of a tag that only the cached value had. */
  @Test
  void shadow_voidOfTheCachedValuesTag_isNoDifference() throws Exception {
    tagger.set((key, value) -> value == null ? Set.of() : Set.of(Tag.of("gate", value)));
    filled();
    source.set("B2");
    read();
    suspected();
    DFW.run(() -> caches.invalidateTags(Tag.of("gate", "A1")));
    scheduler.advance(SILENCE);
    eventually("explained", () -> gates.shadow().overtaken() == 1);
    assertThat(gates.shadow().different()).isZero();
  }

  @Test
  void shadow_stuck_dropsAndDelaysNobody() throws Exception {
    CountDownLatch go = new CountDownLatch(1);
    tagger.set(
        (key, value) -> {
          try {
            go.await();
          } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
          }
          return Set.of();
        });
    for (int i = 0; i < 2_000; i++) {
      assertThat(read()).isEqualTo("A1");
    }
    assertThat(gates.shadow().dropped()).isPositive();
    go.countDown();
    eventually(
        "all are accounted for",
        () -> {
          ShadowReport report = gates.shadow();
          return report.filled() + report.same() + report.dropped() == 2_000;
        });
  }

  @Test
  void shadow_fails_countsAndNobodyNotices() throws Exception {
    tagger.set(
        (key, value) -> {
          throw new IllegalStateException("no tags today");
        });
    assertThat(read()).isEqualTo("A1");
    eventually("failed", () -> gates.shadow().failed() == 1);
    Object noKey = new Object();
    TieredCache<Object, String> odd = caches.cache("odd", String.class, CacheSettings.defaults());
    assertThat(DFW.<String>call(() -> odd.get(noKey, key -> "value"))).isEqualTo("value");
    assertThat(odd.shadow().failed()).isEqualTo(1);
  }
}
