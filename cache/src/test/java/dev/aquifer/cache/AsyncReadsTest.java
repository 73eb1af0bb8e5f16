package dev.aquifer.cache;

import static dev.aquifer.cache.TestNode.DFW;
import static dev.aquifer.cache.TestNode.FLIGHT;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.aquifer.AquiferException;
import dev.aquifer.CausalSession;
import dev.aquifer.LoadTimeoutException;
import dev.aquifer.TenantContext;
import dev.aquifer.cache.TestNode.Flight;
import dev.aquifer.testkit.Eventually;
import dev.aquifer.testkit.RedisExtension;
import dev.aquifer.testkit.RedisServer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** Callers who do not wait, on nodes that have one thread. */
class AsyncReadsTest {
  @RegisterExtension static final RedisExtension REDIS = RedisExtension.own(RedisServer.builder());

  private static final Duration SOON = Duration.ofSeconds(20);

  private final AtomicInteger loads = new AtomicInteger();
  private final ExecutorService single = Executors.newSingleThreadExecutor();
  private TestNode node;
  private TestNode other;

  @BeforeEach
  void open() {
    REDIS.database().flush();
    node =
        TestNode.open(
            uri(), caches -> caches.executor(single).remoteTimeout(Duration.ofSeconds(1)));
    other = TestNode.open(uri());
  }

  @AfterEach
  void close() {
    REDIS.server().resume();
    node.close();
    other.close();
    single.shutdownNow();
  }

  private static String uri() {
    return REDIS.database().uri().toString();
  }

  private CompletableFuture<Flight> now(Long id) {
    loads.incrementAndGet();
    return CompletableFuture.completedFuture(new Flight(id, "HNL", 0));
  }

  private static <T> T of(CompletableFuture<T> future) throws Exception {
    return future.get(20, TimeUnit.SECONDS);
  }

  private CompletableFuture<Flight> getAsync(TestNode at, long id) {
    return TestNode.as(() -> at.flights().getAsync(id, this::now));
  }

  @Test
  void getAsync_whileOthersLoad_holdsNoThread() throws Exception {
    List<CompletableFuture<Flight>> slow = new ArrayList<>();
    List<CompletableFuture<Flight>> waiting = new ArrayList<>();
    for (long id = 0; id < 50; id++) {
      CompletableFuture<Flight> later = new CompletableFuture<>();
      slow.add(later);
      long key = id;
      CompletableFuture<Flight> begun = new CompletableFuture<>();
      TestNode.as(
          () ->
              other
                  .flights()
                  .getAsync(
                      key,
                      k -> {
                        begun.complete(null);
                        return later;
                      }));
      of(begun);
      waiting.add(getAsync(node, id));
    }
    // All of these wait for the other node; the one thread is free for this.
    assertThat(of(getAsync(node, 1000)).to()).isEqualTo("HNL");
    assertThat(waiting).noneMatch(CompletableFuture::isDone);
    for (int id = 0; id < 50; id++) {
      slow.get(id).complete(new Flight(id, "OGG", 0));
    }
    for (CompletableFuture<Flight> one : waiting) {
      assertThat(of(one).to()).isEqualTo("OGG");
    }
    assertThat(loads).hasValue(1);
  }

  @Test
  void cancel_ofOne_changesNothingForOthers() throws Exception {
    CompletableFuture<Flight> later = new CompletableFuture<>();
    CompletableFuture<Flight> first = TestNode.as(() -> node.flights().getAsync(1L, id -> later));
    CompletableFuture<Flight> second = getAsync(node, 1);
    CompletableFuture<Flight> third = getAsync(node, 1);
    assertThat(first.cancel(true)).isTrue();
    assertThat(third.complete(null)).isTrue();
    later.complete(new Flight(1, "LIH", 0));
    assertThat(of(second).to()).isEqualTo("LIH");
    assertThat(getAsync(node, 1).join().to()).isEqualTo("LIH");
    assertThat(loads).hasValue(0);
  }

  @Test
  void getAsync_loaderHasTenantAndSession() throws Exception {
    CausalSession session = node.sessions().open();
    CompletableFuture<String> seen = new CompletableFuture<>();
    TestNode.as(
        () ->
            node.sessions()
                .call(
                    session,
                    () ->
                        node.flights()
                            .getAsync(
                                1L,
                                id -> {
                                  boolean same = node.sessions().current() == session;
                                  seen.complete(TenantContext.require() + " " + same);
                                  return now(id);
                                })));
    assertThat(of(seen)).isEqualTo(DFW + " true");
  }

  @Test
  void getAsync_loaderFailsOrNeverEnds_endsTheFuture() {
    IllegalStateException broken = new IllegalStateException("down");
    CompletableFuture<Flight> failed =
        TestNode.as(
            () -> node.flights().getAsync(1L, id -> CompletableFuture.failedFuture(broken)));
    assertThatThrownBy(() -> of(failed)).isInstanceOf(ExecutionException.class).hasCause(broken);
    TieredCache<Long, Flight> brief =
        node.caches()
            .cache(
                "brief",
                Flight.class,
                CacheSettings.builder().loadTimeout(Duration.ofMillis(300)).build());
    CompletableFuture<Flight> never =
        TestNode.as(() -> brief.getAsync(1L, id -> new CompletableFuture<>()));
    assertThatThrownBy(() -> of(never)).hasCauseInstanceOf(LoadTimeoutException.class);
  }

  @Test
  void getAsync_ofTheKeyThatIsLoaded_isRefused() {
    CompletableFuture<Flight> circle =
        TestNode.as(
            () ->
                node.flights()
                    .getAsync(1L, id -> TestNode.as(() -> node.flights().getAsync(id, this::now))));
    assertThatThrownBy(() -> of(circle))
        .hasCauseInstanceOf(AquiferException.class)
        .hasMessageContaining("asks");
  }

  @Test
  void getAsync_redisPaused_loadsInTime() throws Exception {
    of(getAsync(node, 1));
    REDIS.server().pause();
    assertThat(of(getAsync(node, 2)).to()).isEqualTo("HNL");
    CompletableFuture<Void> told =
        TestNode.as(() -> node.caches().invalidateTagsAsync(Set.of(FLIGHT)));
    of(told);
    assertThat(node.caches().health().pending()).isEqualTo(1);
    assertThat(of(getAsync(node, 1)).to()).isEqualTo("HNL");
    assertThat(loads).hasValue(3);
    REDIS.server().resume();
    Eventually.within(SOON).until("told", () -> node.caches().health().pending() == 0);
  }

  @Test
  void writesAsync_areKnownToTheSessionWhenTheyEnd() throws Exception {
    Map<Long, Flight> all = new HashMap<>();
    for (long id = 0; id < 20; id++) {
      all.put(id, new Flight(id, "ITO", 0));
    }
    CausalSession session = node.sessions().open();
    of(TestNode.as(() -> node.sessions().call(session, () -> node.flights().putAllAsync(all))));
    long put = session.sequence("DFW:0");
    assertThat(put).isPositive();
    assertThat(of(getAsync(node, 3)).to()).isEqualTo("ITO");
    of(TestNode.as(() -> node.sessions().call(session, () -> node.flights().invalidateAsync(3L))));
    assertThat(session.sequence("DFW:0")).isGreaterThan(put);
    assertThat(of(getAsync(node, 3)).to()).isEqualTo("HNL");
    assertThat(of(getAsync(node, 4)).to()).isEqualTo("ITO");
    assertThat(loads).hasValue(1);
  }

  @Test
  void getAllAsync_isOneLoadAndTellsEachKey() throws Exception {
    IllegalStateException broken = new IllegalStateException("no such row");
    CompletableFuture<BulkResult<Long, Flight>> all =
        TestNode.as(
            () ->
                node.flights()
                    .getAllAsync(
                        Set.of(1L, 2L, 3L),
                        ids -> {
                          loads.incrementAndGet();
                          return CompletableFuture.failedFuture(
                              new PartialLoadException(
                                  Map.of(1L, new Flight(1, "KOA", 0)), Map.of(2L, broken)));
                        }));
    BulkResult<Long, Flight> result = of(all);
    assertThat(result.values()).containsOnlyKeys(1L);
    assertThat(result.errors()).containsExactly(Map.entry(2L, broken));
    assertThatThrownBy(result::orThrow).isSameAs(broken);
    assertThat(loads).hasValue(1);
  }
}
