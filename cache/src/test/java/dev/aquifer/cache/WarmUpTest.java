package dev.aquifer.cache;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.aquifer.ConfigurationException;
import dev.aquifer.Tenant;
import dev.aquifer.cache.Adoption.Mode;
import dev.aquifer.testkit.DeterministicScheduler;
import dev.aquifer.testkit.Eventually;
import dev.aquifer.testkit.FakeTicker;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.Callable;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import java.util.stream.Collectors;
import java.util.stream.LongStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Warming, on a clock and a timer of the test's. */
class WarmUpTest {
  private static final Tenant DFW = Tenant.of("DFW");

  private final FakeTicker ticker = new FakeTicker();
  private final DeterministicScheduler scheduler = new DeterministicScheduler(ticker);
  private final Caches caches = Caches.builder().clock(ticker).scheduler(scheduler).build();
  private final TieredCache<Long, String> gates =
      caches.cache(
          "gates", String.class, CacheSettings.builder().loadTimeout(Duration.ofDays(1)).build());
  private final List<Set<Long>> asked = new CopyOnWriteArrayList<>();

  @AfterEach
  void close() {
    caches.close();
  }

  private static Set<Long> keys(long from, long to) {
    return LongStream.range(from, to).boxed().collect(Collectors.toCollection(TreeSet::new));
  }

  private Map<Long, String> load(Set<Long> keys) {
    asked.add(Set.copyOf(keys));
    Map<Long, String> found = new HashMap<>();
    keys.forEach(key -> found.put(key, "gate " + key));
    return found;
  }

  private static <T> T as(Callable<T> body) {
    try {
      return DFW.call(body);
    } catch (Exception e) {
      throw new AssertionError(e);
    }
  }

  private WarmUpResult<Long> ended(WarmUpRun<Long> run) throws Exception {
    return Eventually.within(Duration.ofSeconds(20))
        .get(
            "the warm-up's end",
            () -> {
              scheduler.advance(Duration.ofSeconds(1));
              return run.result().isDone() ? run.result().get(1, TimeUnit.SECONDS) : null;
            });
  }

  @Test
  void warm_beforeUse_answersNineOfTenReads() throws Exception {
    WarmUpResult<Long> result =
        ended(as(() -> gates.warm(keys(0, 1_000), this::load, WarmUp.defaults())));
    assertThat(result.done()).isEqualTo(1_000);
    assertThat(result.remaining()).isEmpty();
    assertThat(result.error()).isNull();
    AtomicInteger loads = new AtomicInteger();
    // A twentieth of the reads is of keys that nobody foresaw.
    for (int i = 0; i < 4_000; i++) {
      long key = i % 20 == 0 ? 1_000 + i : (i * 31L) % 1_000;
      as(
          () ->
              gates.get(
                  key,
                  k -> {
                    loads.incrementAndGet();
                    return "gate " + k;
                  }));
    }
    assertThat(1 - loads.get() / 4_000.0).isGreaterThanOrEqualTo(0.9);
  }

  @Test
  void warm_manyKeys_goesInBatchesAtItsRate() throws Exception {
    List<WarmUp.Progress> steps = new CopyOnWriteArrayList<>();
    WarmUp slow =
        WarmUp.builder().batch(10).concurrency(1).keysPerSecond(10).progress(steps::add).build();
    WarmUpRun<Long> run = as(() -> gates.warm(keys(0, 30), this::load, slow));
    for (int batch = 1; batch <= 3; batch++) {
      int number = batch;
      Eventually.within(Duration.ofSeconds(10)).until("a batch", () -> steps.size() == number);
      assertThat(asked).hasSize(batch);
      if (batch < 3) {
        Eventually.within(Duration.ofSeconds(10))
            .until("the next one's turn is planned", () -> scheduler.pending() > 0);
        scheduler.advance(Duration.ofSeconds(1));
      }
    }
    assertThat(run.result().get(10, TimeUnit.SECONDS).done()).isEqualTo(30);
    assertThat(asked).allMatch(batch -> batch.size() == 10);
    assertThat(steps.get(1))
        .extracting(WarmUp.Progress::total, WarmUp.Progress::done)
        .containsExactly(30, 20);
    assertThat(steps.get(2).perSecond()).isBetween(10.0, 20.0);
  }

  @Test
  void warm_whatIsThere_isNotLoadedAgain() throws Exception {
    ended(as(() -> gates.warm(keys(0, 10), this::load, WarmUp.defaults())));
    WarmUpResult<Long> again =
        ended(as(() -> gates.warm(keys(5, 15), this::load, WarmUp.defaults())));
    assertThat(again.done()).isEqualTo(10);
    assertThat(asked).hasSize(2).last().isEqualTo(keys(10, 15));
  }

  @Test
  void warm_batchFailsOnce_isTriedAgain() throws Exception {
    AtomicInteger tries = new AtomicInteger();
    BulkLoader<Long, String, Exception> flaky =
        keys -> {
          if (keys.contains(15L) && tries.incrementAndGet() == 1) {
            throw new IllegalStateException("not now");
          }
          return load(keys);
        };
    WarmUpResult<Long> result =
        ended(as(() -> gates.warm(keys(0, 30), flaky, WarmUp.builder().batch(10).build())));
    assertThat(result.done()).isEqualTo(30);
    assertThat(result.error()).hasMessage("not now");
    assertThat(tries).hasValue(2);
  }

  @Test
  void warm_batchKeepsFailing_goesOnAndCanBeResumed() throws Exception {
    AtomicBoolean broken = new AtomicBoolean(true);
    BulkLoader<Long, String, Exception> loader =
        keys -> {
          if (keys.contains(15L) && broken.get()) {
            throw new IllegalStateException("gone");
          }
          return load(keys);
        };
    AtomicReference<WarmUp.Progress> last = new AtomicReference<>();
    WarmUp options =
        WarmUp.builder().batch(10).concurrency(1).attempts(2).progress(last::set).build();
    WarmUpResult<Long> result = ended(as(() -> gates.warm(keys(0, 30), loader, options)));
    assertThat(result.done()).isEqualTo(20);
    assertThat(result.remaining()).isEqualTo(keys(10, 20));
    assertThat(result.cancelled()).isFalse();
    assertThat(last.get().failed()).isEqualTo(10);
    broken.set(false);
    WarmUpResult<Long> rest = ended(as(() -> gates.warm(result.remaining(), loader, options)));
    assertThat(rest.done()).isEqualTo(10);
    assertThat(asked.stream().mapToInt(Set::size).sum()).isEqualTo(30);
  }

  @Test
  void warm_cancelled_endsAfterTheBatchUnderWay() throws Exception {
    WarmUp options = WarmUp.builder().batch(10).concurrency(1).keysPerSecond(10).build();
    WarmUpRun<Long> run = as(() -> gates.warm(keys(0, 100), this::load, options));
    Eventually.within(Duration.ofSeconds(10)).until("it began", () -> !asked.isEmpty());
    run.cancel();
    WarmUpResult<Long> result = ended(run);
    assertThat(result.cancelled()).isTrue();
    assertThat(result.done()).isPositive().isLessThan(100);
    assertThat(result.remaining()).hasSize(100 - result.done());
  }

  @Test
  void warm_listenerThrows_changesNothing() throws Exception {
    WarmUp options =
        WarmUp.builder()
            .progress(
                step -> {
                  throw new IllegalStateException("no listener today");
                })
            .build();
    assertThat(ended(as(() -> gates.warm(keys(0, 10), this::load, options))).done()).isEqualTo(10);
  }

  @Test
  void warm_overTheTenantsLimit_waitsForIt() throws Exception {
    caches.limits(Limits.builder().loads(1, 1).build());
    WarmUp options = WarmUp.builder().batch(1).concurrency(1).attempts(100).build();
    WarmUpResult<Long> result = ended(as(() -> gates.warm(keys(0, 5), this::load, options)));
    assertThat(result.done()).isEqualTo(5);
    assertThat(result.took()).isGreaterThanOrEqualTo(Duration.ofSeconds(4));
  }

  @Test
  void warm_cacheThatIsOffOrShadow_fillsOnlyTheShadow() throws Exception {
    caches.adoption(Adoption.of(Mode.OFF));
    assertThat(ended(as(() -> gates.warm(keys(0, 10), this::load, WarmUp.defaults()))).total())
        .isZero();
    caches.adoption(Adoption.of(Mode.SHADOW));
    assertThat(ended(as(() -> gates.warm(keys(0, 10), this::load, WarmUp.defaults()))).done())
        .isEqualTo(10);
    caches.adoption(Adoption.of(Mode.ON));
    assertThat(as(() -> gates.getIfPresent(3L))).isEqualTo("gate 3");
  }

  @Test
  void keepWarm_everyHalfHour_loadsWhatIsGone() {
    AtomicReference<Set<Long>> wanted = new AtomicReference<>(keys(0, 10));
    Schedule schedule = as(() -> gates.keepWarm(wanted::get, this::load, WarmUp.defaults()));
    Eventually.within(Duration.ofSeconds(10)).until("the first round", () -> asked.size() == 1);
    wanted.set(keys(0, 20));
    Eventually.within(Duration.ofSeconds(10)).until("the second is planned", schedule::planned);
    scheduler.advance(Duration.ofMinutes(26));
    assertThat(asked).hasSize(1);
    scheduler.advance(Duration.ofMinutes(8));
    Eventually.within(Duration.ofSeconds(10)).until("the second round", () -> asked.size() == 2);
    // The first ones' time was up.
    assertThat(asked.get(1)).isEqualTo(keys(0, 20));
    schedule.close();
    int rounds = asked.size();
    scheduler.advance(Duration.ofHours(2));
    assertThat(asked).hasSize(rounds);
  }

  @Test
  void keepWarm_keysCannotBeTold_triesAgain() {
    AtomicInteger tries = new AtomicInteger();
    try (Schedule schedule =
        as(
            () ->
                gates.keepWarm(
                    () -> {
                      if (tries.incrementAndGet() == 1) {
                        throw new IllegalStateException("no list");
                      }
                      return keys(0, 5);
                    },
                    this::load,
                    WarmUp.builder().every(Duration.ofMinutes(1)).build()))) {
      assertThat(schedule).isNotNull();
      Eventually.within(Duration.ofSeconds(20))
          .until(
              "a later round",
              () -> {
                scheduler.advance(Duration.ofSeconds(70));
                return !asked.isEmpty();
              });
    }
  }

  @Test
  void preload_oneUser_fillsSeveralCachesForTheTenant() throws Exception {
    TieredCache<String, String> profiles =
        caches.cache("profiles", String.class, CacheSettings.defaults());
    Preload<String> login =
        Preload.<String>plan()
            .and(profiles, Set::of, keys -> keys.stream().collect(Collectors.toMap(k -> k, k -> k)))
            .and(gates, user -> keys(0, 3), this::load)
            .and(
                gates,
                user -> {
                  throw new IllegalStateException("no idea");
                },
                this::load);
    Map<String, WarmUpResult<?>> ends = as(() -> login.run("ada")).get(10, TimeUnit.SECONDS);
    assertThat(ends).containsOnlyKeys("profiles", "gates", "gates 2");
    assertThat(ends.get("gates").done()).isEqualTo(3);
    assertThat(ends.get("gates 2").error()).hasMessage("no idea");
    assertThat(as(() -> profiles.getIfPresent("ada"))).isEqualTo("ada");
    assertThat(as(() -> gates.getIfPresent(2L))).isEqualTo("gate 2");
    assertThat(Tenant.of("ATL").<String>call(() -> gates.getIfPresent(2L))).isNull();
  }

  @Test
  void refreshHottest_dueEntries_areLoadedBeforeTheyExpire() {
    List<Long> renewed = new CopyOnWriteArrayList<>();
    as(() -> gates.get(1L, k -> "old"));
    as(() -> gates.get(1L, k -> "old"));
    try (Schedule schedule =
        as(
            () ->
                gates.refreshHottest(
                    10,
                    Duration.ofMinutes(2),
                    key -> {
                      renewed.add(key);
                      return "new";
                    }))) {
      List<String> seen = new ArrayList<>();
      // It lives for 9 to 11 minutes; looks come every 54 to 66 seconds.
      for (int step = 1; step <= 36; step++) {
        Eventually.within(Duration.ofSeconds(10))
            .until("the next look is planned", schedule::planned);
        scheduler.advance(Duration.ofSeconds(20));
        seen.add(as(() -> gates.get(1L, k -> "missed")));
      }
      assertThat(renewed).isNotEmpty().containsOnly(1L);
      assertThat(seen).doesNotContain("missed").startsWith("old").endsWith("new");
    }
  }

  @Test
  void settings_outOfRange_areRefused() {
    assertThatThrownBy(() -> WarmUp.builder().batch(0).build())
        .isInstanceOf(ConfigurationException.class)
        .hasMessageContainingAll("batch", "0");
    assertThatThrownBy(() -> WarmUp.builder().every(Duration.ZERO).build())
        .isInstanceOf(ConfigurationException.class)
        .hasMessageContaining("every");
    assertThatThrownBy(() -> as(() -> gates.refreshHottest(0, Duration.ofSeconds(1), k -> "")))
        .hasRootCauseInstanceOf(ConfigurationException.class);
  }
}
