package dev.aquifer.cache;

import static dev.aquifer.cache.TimedNode.as;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.aquifer.CausalSession;
import dev.aquifer.LoadTimeoutException;
import dev.aquifer.Tag;
import dev.aquifer.TenantLimitException;
import dev.aquifer.spi.Observer.Tier;
import dev.aquifer.testkit.Eventually;
import java.io.IOException;
import java.time.Duration;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** What callers get where a load fails or is slow. */
class StaleAnswersTest {
  private static final Tag FLIGHT = Tag.table("flight");
  private static final Duration TTL = Duration.ofMinutes(10);

  private final ExecutorService threads = Executors.newCachedThreadPool();
  private final TimedNode node = new TimedNode();
  private final TimedNode threaded = new TimedNode(settings -> settings.executor(threads));
  private final AtomicInteger tries = new AtomicInteger();

  /** What the node does now and then, with no load. */
  private final int upkeep = threaded.timer.pending();

  @AfterEach
  void close() {
    node.close();
    threaded.close();
    threads.shutdownNow();
  }

  private static TieredCache<String, String> cache(TimedNode of) {
    return of.cache(
        settings ->
            settings
                .tags(FLIGHT)
                .staleOnError(Duration.ofHours(1))
                .softTimeout(Duration.ofMillis(100))
                .loadTimeout(Duration.ofSeconds(30)));
  }

  private String fail(String key) throws IOException {
    tries.incrementAndGet();
    throw new IOException("the database is away");
  }

  private String failing(TieredCache<String, String> cache) {
    return as(() -> cache.get("k", this::fail));
  }

  private static TieredCache<String, String> filled(TimedNode of) {
    TieredCache<String, String> cache = cache(of);
    assertThat(as(() -> cache.get("k", k -> "first"))).isEqualTo("first");
    return cache;
  }

  @Test
  void get_loadFailsAfterTtl_servesWhatIsKeptAndTells() {
    TieredCache<String, String> cache = filled(node);
    node.pass(TTL);
    assertThat(as(() -> cache.getIfPresent("k"))).isNull();
    assertThat(failing(cache)).isEqualTo("first");
    assertThat(node.answers).containsExactly(Tier.SOURCE, Tier.STALE);
    assertThat(cache.statistics().staleAnswers()).isEqualTo(1);
    assertThat(cache.statistics().failures()).isEqualTo(1);
    node.pass(Duration.ofSeconds(1));
    assertThat(as(() -> cache.get("k", k -> "second"))).isEqualTo("second");
    assertThat(as(() -> cache.getIfPresent("k"))).isEqualTo("second");
  }

  @Test
  void get_keepsFailing_isTriedAfterOneTwoFourToThirtySeconds() {
    TieredCache<String, String> cache = filled(node);
    node.pass(TTL);
    int tried = 0;
    for (int pause : new int[] {1, 2, 4, 8, 16, 30, 30}) {
      assertThat(failing(cache)).isEqualTo("first");
      assertThat(tries).hasValue(++tried);
      node.pass(Duration.ofSeconds(pause).minusNanos(1));
      assertThat(failing(cache)).isEqualTo("first");
      assertThat(tries).hasValue(tried);
      node.pass(Duration.ofNanos(1));
    }
    assertThat(as(() -> cache.get("k", k -> "back"))).isEqualTo("back");
    node.pass(TTL);
    assertThat(failing(cache)).isEqualTo("back");
    node.pass(Duration.ofSeconds(1));
    assertThat(failing(cache)).isEqualTo("back");
    assertThat(tries).hasValue(tried + 2);
  }

  @Test
  void get_pastTheLimit_throws() {
    TieredCache<String, String> cache = filled(node);
    node.pass(TTL.plusHours(1).minusNanos(1));
    assertThat(failing(cache)).isEqualTo("first");
    node.pass(Duration.ofNanos(1));
    assertFails(cache);
  }

  private void assertFails(TieredCache<String, String> cache) {
    assertThatThrownBy(() -> TimedNode.DFW.call(() -> cache.get("k", this::fail)))
        .isInstanceOf(IOException.class);
  }

  @Test
  void get_noStaleOnError_throws() {
    TieredCache<String, String> cache = node.cache(settings -> settings);
    as(() -> cache.get("k", k -> "first"));
    node.pass(TTL);
    assertFails(cache);
  }

  @Test
  void get_voided_isNeverServed() {
    TieredCache<String, String> cache = filled(node);
    node.pass(TTL);
    assertThat(failing(cache)).isEqualTo("first");
    TimedNode.DFW.run(() -> node.caches.invalidateTags(FLIGHT));
    // Neither without a try, nor after one.
    assertFails(cache);
    assertFails(cache);
    assertThat(tries).hasValue(3);
  }

  @Test
  void get_voidedWhileTheLoadFails_isNotServed() {
    TieredCache<String, String> cache = filled(node);
    node.pass(TTL);
    assertThatThrownBy(
            () ->
                TimedNode.DFW.call(
                    () ->
                        cache.get(
                            "k",
                            k -> {
                              node.caches.invalidateTags(FLIGHT);
                              return fail(k);
                            })))
        .isInstanceOf(IOException.class);
  }

  @Test
  void get_sessionHasSeenMore_isNotServed() throws Exception {
    TieredCache<String, String> cache = filled(node);
    node.pass(TTL);
    CausalSession demanding = node.sessions.open();
    demanding.observe("DFW:0", 77);
    assertThatThrownBy(
            () ->
                node.sessions.call(
                    demanding, () -> TimedNode.DFW.call(() -> cache.get("k", this::fail))))
        .isInstanceOf(IOException.class);
    assertThat(failing(cache)).isEqualTo("first");
    // Not even while the others are served without a try.
    assertThatThrownBy(
            () ->
                node.sessions.call(
                    demanding, () -> TimedNode.DFW.call(() -> cache.get("k", this::fail))))
        .isInstanceOf(IOException.class);
  }

  @Test
  void get_loadIsRefusedByALimit_servesWhatIsKept() {
    node.caches.limits(TimedNode.DFW, Limits.builder().loads(1, 1).build());
    TieredCache<String, String> cache = filled(node);
    node.pass(TTL);
    assertThat(as(() -> cache.get("other", k -> "takes the one load"))).isNotNull();
    assertThat(failing(cache)).isEqualTo("first");
    assertThat(tries).hasValue(0);
    TimedNode.DFW.run(() -> cache.invalidate("k"));
    assertThatThrownBy(() -> TimedNode.DFW.call(() -> cache.get("k", this::fail)))
        .isInstanceOf(TenantLimitException.class);
  }

  @Test
  void get_absenceIsKnown_isNotKeptPastItsTime() {
    TieredCache<String, String> cache = cache(node);
    assertThat(TimedNode.<Boolean>as(() -> cache.get("k", k -> null) == null)).isTrue();
    node.pass(Duration.ofSeconds(30));
    assertFails(cache);
  }

  @Test
  void get_slowLoad_softLimitServesWhatIsKeptAndLoadGoesOn() throws Exception {
    TieredCache<String, String> cache = filled(threaded);
    threaded.pass(TTL);
    CountDownLatch go = new CountDownLatch(1);
    Future<String> slow = threads.submit(() -> slowly(cache, go, "second"));
    awaitTimers(2);
    assertThat(slow.isDone()).isFalse();
    threaded.pass(Duration.ofMillis(100));
    assertThat(slow.get(10, TimeUnit.SECONDS)).isEqualTo("first");
    // Whoever comes while it goes on waits for nothing, and starts nothing.
    assertThat(failing(cache)).isEqualTo("first");
    assertThat(tries).hasValue(0);
    assertThat(threaded.answers).containsExactly(Tier.SOURCE, Tier.STALE, Tier.STALE);
    go.countDown();
    Eventually.within(Duration.ofSeconds(10))
        .asserts(() -> assertThat(as(() -> cache.getIfPresent("k"))).isEqualTo("second"));
    awaitTimers(0);
  }

  @Test
  void get_threadsAreBusyPastTheSoftLimit_loadRunsWhenItsTurnComes() {
    TieredCache<String, String> cache = filled(node);
    node.pass(TTL);
    node.executor.hold();
    CompletableFuture<String> first = as(() -> cache.getAsync("k", this::later));
    node.pass(Duration.ofMillis(100));
    assertThat(tries).hasValue(0);
    node.executor.go();
    assertThat(first).isCompletedWithValue("first");
    assertThat(tries).hasValue(1);
    assertThat(as(() -> cache.getIfPresent("k"))).isEqualTo("second");
  }

  @Test
  void get_threadsAreBusyPastTheHardLimit_loadIsNotRun() {
    TieredCache<String, String> cache = filled(node);
    node.pass(TTL);
    node.executor.hold();
    CompletableFuture<String> first = as(() -> cache.getAsync("k", this::later));
    node.pass(Duration.ofSeconds(30));
    node.executor.go();
    assertThat(first).isCompletedWithValue("first");
    assertThat(tries).hasValue(0);
  }

  @Test
  void getAll_threadsAreBusy_loadRunsUnlessTheHardLimitHasPassed() {
    TieredCache<String, String> cache = filled(node);
    node.pass(TTL);
    node.executor.hold();
    CompletableFuture<BulkResult<String, String>> soft = all(cache);
    node.pass(Duration.ofMillis(100));
    node.executor.go();
    assertThat(soft.join().values()).containsExactly(Map.entry("k", "first"));
    assertThat(tries).hasValue(1);
    assertThat(as(() -> cache.getIfPresent("k"))).isEqualTo("second");
    node.pass(TTL);
    node.executor.hold();
    CompletableFuture<BulkResult<String, String>> hard = all(cache);
    node.pass(Duration.ofSeconds(30));
    node.executor.go();
    assertThat(hard.join().values()).containsExactly(Map.entry("k", "second"));
    assertThat(tries).hasValue(1);
  }

  private CompletableFuture<BulkResult<String, String>> all(TieredCache<String, String> cache) {
    return as(
        () ->
            cache.getAllAsync(
                Set.of("k"),
                keys -> {
                  tries.incrementAndGet();
                  return CompletableFuture.completedFuture(Map.of("k", "second"));
                }));
  }

  private CompletableFuture<String> later(String key) {
    tries.incrementAndGet();
    return CompletableFuture.completedFuture("second");
  }

  @Test
  void get_lateResultOvertakenByVoid_isNotKept() throws Exception {
    TieredCache<String, String> cache = filled(threaded);
    threaded.pass(TTL);
    CountDownLatch go = new CountDownLatch(1);
    Future<String> slow = threads.submit(() -> slowly(cache, go, "old"));
    awaitTimers(2);
    threaded.pass(Duration.ofMillis(100));
    assertThat(slow.get(10, TimeUnit.SECONDS)).isEqualTo("first");
    TimedNode.DFW.run(() -> threaded.caches.invalidateTags(FLIGHT));
    // What was served a moment ago is void now: the next caller starts a load of its own.
    assertThat(as(() -> cache.get("k", k -> "new"))).isEqualTo("new");
    go.countDown();
    Eventually.within(Duration.ofSeconds(10))
        .asserts(() -> assertThat(cache.statistics().fillsRefused()).isEqualTo(1));
    assertThat(as(() -> cache.getIfPresent("k"))).isEqualTo("new");
  }

  @Test
  void get_nothingKept_softLimitChangesNothing() throws Exception {
    TieredCache<String, String> cache = cache(threaded);
    CountDownLatch go = new CountDownLatch(1);
    Future<String> slow = threads.submit(() -> slowly(cache, go, "only"));
    awaitTimers(2);
    threaded.pass(Duration.ofMillis(200));
    assertThat(slow.isDone()).isFalse();
    go.countDown();
    assertThat(slow.get(10, TimeUnit.SECONDS)).isEqualTo("only");
  }

  @Test
  void get_hardLimit_servesWhatIsKeptElseThrows() throws Exception {
    TieredCache<String, String> cache =
        threaded.cache(
            settings ->
                settings.staleOnError(Duration.ofHours(1)).loadTimeout(Duration.ofSeconds(5)));
    as(() -> cache.get("k", k -> "first"));
    threaded.pass(TTL);
    CountDownLatch never = new CountDownLatch(1);
    Future<String> kept = threads.submit(() -> slowly(cache, never, "k"));
    awaitTimers(1);
    threaded.pass(Duration.ofSeconds(5));
    assertThat(kept.get(10, TimeUnit.SECONDS)).isEqualTo("first");
    TimedNode.DFW.run(() -> cache.invalidate("k"));
    Future<String> none = threads.submit(() -> slowly(cache, never, "k"));
    awaitTimers(1);
    threaded.pass(Duration.ofSeconds(5));
    assertThatThrownBy(() -> none.get(10, TimeUnit.SECONDS))
        .hasCauseInstanceOf(LoadTimeoutException.class);
  }

  private static String slowly(TieredCache<String, String> cache, CountDownLatch go, String value) {
    return as(
        () ->
            cache.get(
                "k",
                k -> {
                  assertThat(go.await(30, TimeUnit.SECONDS)).isTrue();
                  return value;
                }));
  }

  private void awaitTimers(int ofLoads) {
    Eventually.within(Duration.ofSeconds(10))
        .asserts(() -> assertThat(threaded.timer.pending()).isEqualTo(upkeep + ofLoads));
  }
}
