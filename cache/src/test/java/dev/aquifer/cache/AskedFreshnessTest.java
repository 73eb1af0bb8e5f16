package dev.aquifer.cache;

import static org.assertj.core.api.Assertions.assertThat;

import dev.aquifer.Consistency;
import dev.aquifer.Position;
import dev.aquifer.ReadFloor;
import dev.aquifer.Tenant;
import dev.aquifer.spi.PositionSource;
import dev.aquifer.testkit.Eventually;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** How fresh a caller asked its reads to be reaches the load that it begins, on another thread. */
class AskedFreshnessTest {
  private static final Tenant DFW = Tenant.of("DFW");
  private static final Consistency STRONG = Consistency.strong();
  private static final Consistency LATELY = Consistency.bounded(Duration.ofSeconds(2));

  /** A router that knows of each thread what it asked for. */
  private static final class Router implements PositionSource {
    private static final ThreadLocal<@Nullable Consistency> ASKED = new ThreadLocal<>();

    @Override
    public ReadFloor now() {
      return ReadFloor.NONE;
    }

    @Override
    public @Nullable Position resolve(ReadFloor floor) {
      return floor.position();
    }

    @Override
    public <T> T call(ReadFloor floor, Callable<T> body) throws Exception {
      return body.call();
    }

    @Override
    public @Nullable Consistency asked() {
      return ASKED.get();
    }

    @Override
    public <T extends @Nullable Object> T read(Consistency consistency, Callable<T> body)
        throws Exception {
      ASKED.set(consistency);
      try {
        return body.call();
      } finally {
        ASKED.remove();
      }
    }
  }

  private final Router router = new Router();
  private final Caches caches = Caches.builder().positions(router).build();
  private final TieredCache<String, String> cache =
      caches.cache("level", String.class, CacheSettings.builder().build());
  private final ExecutorService threads = Executors.newCachedThreadPool();
  private final List<String> loads = new CopyOnWriteArrayList<>();

  @AfterEach
  void close() {
    caches.close();
    threads.shutdownNow();
  }

  private String load(String key) {
    String made = key + " " + router.asked();
    loads.add(made);
    return made;
  }

  private CompletableFuture<String> later(String key) {
    return cache.getAsync(key, k -> CompletableFuture.completedFuture(load(k)));
  }

  private String get(@Nullable Consistency asked, Callable<String> read) throws Exception {
    return DFW.call(() -> asked == null ? read.call() : router.read(asked, read));
  }

  @Test
  void load_readsAsFreshAsItsCallerAsked() throws Exception {
    assertThat(get(STRONG, () -> cache.get("a", this::load))).isEqualTo("a STRONG");
    assertThat(get(LATELY, () -> cache.get("b", this::load))).isEqualTo("b BOUNDED(PT2S)");
    assertThat(get(null, () -> cache.get("c", this::load))).isEqualTo("c null");
    assertThat(get(STRONG, () -> cache.get("c", this::load)))
        .as("it is cached")
        .isEqualTo("c null");
    assertThat(get(STRONG, () -> later("d").get(10, TimeUnit.SECONDS))).isEqualTo("d STRONG");
    Map<String, String> many =
        DFW.call(
            () ->
                router.read(
                    STRONG,
                    () ->
                        cache.getAll(
                            Set.of("e", "f"), keys -> Map.of("e", load("e"), "f", load("f")))));
    assertThat(many).containsEntry("e", "e STRONG").containsEntry("f", "f STRONG");
  }

  /** Others are served the value too. */
  @Test
  void load_isNotLessFreshThanTheDefault() throws Exception {
    assertThat(get(Consistency.eventual(), () -> cache.get("a", this::load))).isEqualTo("a null");
    assertThat(get(Consistency.session(), () -> cache.get("b", this::load))).isEqualTo("b null");
  }

  @Test
  void callerWhoAskedForMore_beginsAnotherLoad_oneWhoAskedForLessShares() throws Exception {
    CountDownLatch go = new CountDownLatch(1);
    Callable<String> read =
        () ->
            cache.get(
                "a",
                key -> {
                  String made = load(key);
                  go.await();
                  return made;
                });
    Future<String> plain = begun(null, read, 1);
    Future<String> lately = begun(LATELY, read, 2);
    Future<String> strong = begun(STRONG, read, 3);
    List<Future<String>> sharing =
        List.of(
            threads.submit(() -> get(null, read)),
            threads.submit(() -> get(LATELY, read)),
            threads.submit(() -> get(STRONG, read)));
    go.countDown();
    assertThat(plain.get(10, TimeUnit.SECONDS)).isEqualTo("a null");
    assertThat(lately.get(10, TimeUnit.SECONDS)).isEqualTo("a BOUNDED(PT2S)");
    assertThat(strong.get(10, TimeUnit.SECONDS)).isEqualTo("a STRONG");
    for (Future<String> each : sharing) {
      assertThat(each.get(10, TimeUnit.SECONDS)).isIn(loads);
    }
    assertThat(loads).hasSize(3);
  }

  private Future<String> begun(@Nullable Consistency asked, Callable<String> read, int load) {
    Future<String> result = threads.submit(() -> get(asked, read));
    Eventually.within(Duration.ofSeconds(10))
        .until("load " + load + " runs", () -> loads.size() == load);
    return result;
  }
}
