package dev.aquifer.cache;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowable;

import dev.aquifer.AquiferException;
import dev.aquifer.ConfigurationException;
import dev.aquifer.LoadTimeoutException;
import dev.aquifer.Tag;
import dev.aquifer.Tenant;
import dev.aquifer.spi.Observer;
import dev.aquifer.testkit.Eventually;
import java.io.IOException;
import java.time.Duration;
import java.util.AbstractMap;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Loaders, keys and settings that nobody should write, and somebody does. */
@SuppressWarnings("NullAway") // nulls where none may be are what is tested
class BadInputTest {
  private static final Tenant DFW = Tenant.of("DFW");

  private final Caches caches = Caches.builder().build();
  private final TieredCache<String, String> cache =
      caches.cache(
          "texts",
          String.class,
          CacheSettings.builder().loadTimeout(Duration.ofSeconds(20)).build());
  private final AtomicInteger loads = new AtomicInteger();

  @AfterEach
  void close() {
    caches.close();
  }

  private static <T> T as(Callable<T> body) throws Exception {
    return DFW.call(body);
  }

  private void assertStillWorks() throws Exception {
    assertThat(as(() -> cache.get("k", k -> "fine"))).isEqualTo("fine");
  }

  static List<Throwable> errors() {
    return List.of(
        new IOException("checked"),
        new IllegalStateException("unchecked"),
        new AssertionError("an error"),
        new NoClassDefFoundError("a class is gone"),
        new StackOverflowError("too deep"),
        new InterruptedException("by itself"),
        new java.util.concurrent.CancellationException("cancelled"),
        new Throwable("neither"));
  }

  @ParameterizedTest
  @MethodSource("errors")
  void loader_throws_callerGetsItUnchanged(Throwable error) throws Exception {
    Throwable one =
        catchThrowable(
            () ->
                as(
                    () ->
                        cache.get(
                            "k",
                            k -> {
                              throw Flights.<RuntimeException>sneaky(error);
                            })));
    Throwable many =
        catchThrowable(
            () ->
                as(
                    () ->
                        cache.getAll(
                            Set.of("k"),
                            k -> {
                              throw Flights.<RuntimeException>sneaky(error);
                            })));
    assertThat(one).isSameAs(error);
    assertThat(many).isSameAs(error);
    Throwable later =
        catchThrowable(
            () -> as(() -> cache.getAsync("k", k -> CompletableFuture.failedFuture(error)).get()));
    assertThat(later).hasCause(error);
    assertThat(cache.statistics().failures()).isEqualTo(3);
    assertStillWorks();
  }

  @Test
  void loader_neverEnds_isGivenUpAndWhatItReturnsIsNotStored() throws Exception {
    TieredCache<String, String> hasty =
        caches.cache(
            "hasty",
            String.class,
            CacheSettings.builder().loadTimeout(Duration.ofMillis(100)).build());
    CountDownLatch go = new CountDownLatch(1);
    CountDownLatch ended = new CountDownLatch(1);
    assertThatThrownBy(
            () ->
                as(
                    () ->
                        hasty.get(
                            "k",
                            k -> {
                              awaitUninterruptibly(go);
                              ended.countDown();
                              return "late";
                            })))
        .isInstanceOf(LoadTimeoutException.class)
        .hasMessageContainingAll("hasty", "PT0.1S", "loadTimeout");
    // The caller's own limit may pass a moment before that of the load.
    Eventually.within(Duration.ofSeconds(10))
        .asserts(() -> assertThat(hasty.statistics().failures()).isEqualTo(1));
    go.countDown();
    assertThat(ended.await(10, TimeUnit.SECONDS)).isTrue();
    assertThat(as(() -> hasty.get("k", k -> "new"))).isEqualTo("new");
    assertThat(as(() -> hasty.get("k", k -> "newer"))).isEqualTo("new");
  }

  /** Deaf to interrupts, as some drivers are. */
  private static void awaitUninterruptibly(CountDownLatch latch) {
    boolean interrupted = true;
    while (interrupted) {
      try {
        interrupted = !latch.await(30, TimeUnit.SECONDS);
      } catch (InterruptedException e) {
        interrupted = true;
      }
    }
  }

  @Test
  void loader_interruptsItself_harmsNobodyElse() throws Exception {
    assertThat(
            as(
                () ->
                    cache.get(
                        "k",
                        k -> {
                          Thread.currentThread().interrupt();
                          return "value";
                        })))
        .isEqualTo("value");
    assertThat(Thread.currentThread().isInterrupted()).isFalse();
    for (int i = 0; i < 4; i++) {
      String key = "k" + i;
      assertThat(as(() -> cache.get(key, k -> Thread.interrupted() ? "cut" : "whole")))
          .isEqualTo("whole");
    }
  }

  @Test
  void loader_asksForItsOwnKey_getsAnError() throws Exception {
    assertThatThrownBy(() -> as(() -> cache.get("k", k -> cache.get(k, again -> "never"))))
        .isInstanceOf(AquiferException.class)
        .hasMessageContainingAll("texts", "without the cache");
    assertThatThrownBy(
            () ->
                as(
                    () ->
                        cache.getAll(
                            Set.of("k"), keys -> Map.of("k", cache.get("k", again -> "never")))))
        .isInstanceOf(AquiferException.class);
    assertStillWorks();
  }

  @Test
  void loader_asksForAnotherKey_getsIt() throws Exception {
    assertThat(as(() -> cache.get("a", a -> a + cache.get("b", b -> b + cache.get("c", c -> c)))))
        .isEqualTo("abc");
    assertThat(
            as(
                () ->
                    cache.getAll(
                        Set.of("x"),
                        keys ->
                            Map.of("x", "x" + cache.getAll(Set.of("y"), y -> Map.of("y", "y"))))))
        .containsEntry("x", "x{y=y}");
  }

  @Test
  void loader_voidsAndPutsItsOwnKey_lastWordCounts() throws Exception {
    assertThat(
            as(
                () ->
                    cache.get(
                        "k",
                        k -> {
                          cache.put(k, "put");
                          return "loaded";
                        })))
        .isEqualTo("loaded");
    assertThat(as(() -> cache.getIfPresent("k"))).isEqualTo("put");
  }

  @Test
  void loader_closesTheCache_endsInAnAnswerOrAnError() {
    Throwable end =
        catchThrowable(
            () ->
                as(
                    () ->
                        cache.get(
                            "k",
                            k -> {
                              caches.close();
                              return "value";
                            })));
    if (end != null) {
      assertThat(end).isInstanceOf(AquiferException.class);
    }
    assertThatThrownBy(() -> as(() -> cache.get("other", k -> k)))
        .isInstanceOf(AquiferException.class)
        .hasMessageContainingAll("texts", "closed");
    assertThatThrownBy(
            () -> as(() -> cache.getAsync("x", CompletableFuture::completedFuture).get()))
        .hasCauseInstanceOf(AquiferException.class);
  }

  @Test
  void bulkLoader_returnsMoreAndLess_onlyWhatWasAskedCounts() throws Exception {
    Map<String, String> found = new HashMap<>();
    found.put("a", "1");
    found.put("b", null);
    found.put(null, "for nobody");
    found.put("unasked", "x");
    Set<String> asked = new java.util.LinkedHashSet<>(List.of("c", "b", "a"));
    assertThat(as(() -> cache.getAll(asked, keys -> found))).containsExactly(Map.entry("a", "1"));
    assertThat(as(() -> cache.getIfPresent("unasked"))).isNull();
    // That b and c are not there is known now.
    assertThat(
            as(
                () ->
                    cache.getAll(
                        asked,
                        keys -> {
                          throw new AssertionError(keys);
                        })))
        .containsExactly(Map.entry("a", "1"));
  }

  @Test
  void bulkLoader_returnsNoMap_isAnErrorThatSaysSo() throws Exception {
    assertThatThrownBy(() -> as(() -> cache.getAll(Set.of("k"), keys -> null)))
        .isInstanceOf(NullPointerException.class)
        .hasMessageContaining("returned null");
    assertStillWorks();
  }

  @Test
  void bulkLoader_returnsAMapThatThrows_errorIsTheCallers() throws Exception {
    Map<String, String> hostile =
        new AbstractMap<>() {
          @Override
          public Set<Entry<String, String>> entrySet() {
            throw new IllegalStateException("hostile");
          }
        };
    assertThatThrownBy(() -> as(() -> cache.getAll(Set.of("l", "m"), keys -> hostile)))
        .isInstanceOf(IllegalStateException.class)
        .hasMessage("hostile");
    assertStillWorks();
  }

  @Test
  void bulkLoader_changesTheKeysItIsGiven_harmsNobody() throws Exception {
    assertThatCode(
            () ->
                as(
                    () ->
                        cache.getAll(
                            Set.of("k", "l"),
                            keys -> {
                              Map<String, String> all = new LinkedHashMap<>();
                              List<String> copy = new ArrayList<>(keys);
                              try {
                                keys.clear();
                              } catch (UnsupportedOperationException e) {
                                // As good.
                                loads.incrementAndGet();
                              }
                              copy.forEach(key -> all.put(key, key));
                              return all;
                            })))
        .doesNotThrowAnyException();
    assertThat(as(() -> cache.getIfPresent("k"))).isEqualTo("k");
  }

  @Test
  void asyncLoader_returnsNoStage_isAnError() throws Exception {
    assertThatThrownBy(() -> as(() -> cache.getAsync("k", k -> null).get(10, TimeUnit.SECONDS)))
        .hasCauseInstanceOf(NullPointerException.class);
    assertStillWorks();
  }

  @Test
  void taggerAndObserver_throw_callerHasItsValue() throws Exception {
    Observer hostile =
        new Observer() {
          @Override
          public void cacheAnswered(String name, Tenant tenant, Tier tier) {
            throw new IllegalStateException("observer");
          }

          @Override
          public void cacheLoaded(
              String name, Tenant tenant, long nanos, @Nullable Throwable error) {
            throw new AssertionError("observer");
          }
        };
    try (Caches observed = Caches.builder().observer(hostile).build()) {
      for (Throwable error : errors()) {
        TieredCache<String, String> tagged =
            observed.cache(
                "tagged" + loads.incrementAndGet(),
                new TypeRef<String>() {},
                CacheSettings.defaults(),
                (key, value) -> {
                  throw Flights.<RuntimeException>sneaky(error);
                });
        assertThat(as(() -> tagged.get("k", k -> "value"))).isEqualTo("value");
        assertThat(as(() -> tagged.getIfPresent("k"))).isNull();
        assertThat(tagged.statistics().faults()).isEqualTo(1);
      }
    }
  }

  @Test
  void nulls_areRefusedByName() {
    Loader<String, String, RuntimeException> loader = k -> k;
    Set<String> withNull = new HashSet<>(Collections.singleton(null));
    assertNull("key", () -> cache.get(null, loader));
    assertNull("loader", () -> cache.get("k", null));
    assertNull("key", () -> cache.getAsync(null, CompletableFuture::completedFuture));
    assertNull("loader", () -> cache.getAsync("k", null));
    assertNull("key", () -> cache.getIfPresent(null));
    assertNull("keys", () -> cache.getAll(null, keys -> Map.of()));
    assertNull("key", () -> cache.getAll(withNull, keys -> Map.of()));
    assertNull("loader", () -> cache.getAll(Set.of("k"), null));
    assertNull("key", () -> cache.put(null, "v"));
    assertNull("key", () -> cache.invalidate(null));
    assertNull("keys", () -> cache.invalidateAll(null));
    assertNull("key", () -> cache.invalidateAll(withNull));
    assertNull("name", () -> caches.cache(null, String.class, CacheSettings.defaults()));
    assertNull("type", () -> caches.cache("n", (Class<String>) null, CacheSettings.defaults()));
    assertNull("type", () -> caches.cache("n", (TypeRef<String>) null, CacheSettings.defaults()));
    assertNull("settings", () -> caches.cache("n", String.class, null));
    assertNull("name", () -> caches.invalidateCache(null));
    assertNull("tag", () -> caches.invalidateTags((Tag) null));
    assertNull("tags", () -> caches.invalidateTags((Collection<Tag>) null));
    assertNull("ttl", () -> CacheSettings.builder().ttl(null).build());
    assertNull("negativeTtl", () -> CacheSettings.builder().negativeTtl(null).build());
    assertNull("loadTimeout", () -> CacheSettings.builder().loadTimeout(null).build());
    assertNull("remoteLoss", () -> CacheSettings.builder().remoteLoss(null).build());
    assertNull("policy", () -> CacheSettings.builder().ttlPolicy(null));
    assertNull("limit", () -> CacheSettings.builder().staleOnError(null));
    assertNull("timeout", () -> CacheSettings.builder().softTimeout(null));
    assertNull("clock", () -> Caches.builder().clock(null));
    assertNull("codec", () -> Caches.builder().codec(null));
    assertNull("observer", () -> Caches.builder().observer(null));
    assertNull("sessions", () -> Caches.builder().sessions(null));
    assertNull("positions", () -> Caches.builder().positions(null));
    assertNull("remoteTimeout", () -> Caches.builder().remoteTimeout(null).build());
    assertThat(cache.statistics().entries()).isZero();
  }

  private static void assertNull(String name, ThrowingCallable call) {
    assertThatThrownBy(
            () ->
                DFW.call(
                    () -> {
                      try {
                        call.call();
                      } catch (Exception | Error e) {
                        throw e;
                      } catch (Throwable e) {
                        throw new AssertionError(e);
                      }
                      return 0;
                    }))
        .as(name)
        .isInstanceOf(NullPointerException.class)
        .hasMessage(name);
  }

  record Unreadable(String text) {
    @Override
    public String text() {
      throw new IllegalStateException("hostile");
    }
  }

  @Test
  void key_cannotBeOne_isRefusedEverywhere() {
    TieredCache<Object, String> any =
        caches.cache("any", new TypeRef<String>() {}, CacheSettings.defaults());
    List<Object> nested = new ArrayList<>();
    nested.add(nested);
    for (Object key :
        List.of(new Object(), new Unreadable("x"), nested, new AtomicInteger(), Map.of(1, any))) {
      List<ThrowingCallable> calls =
          List.of(
              () -> as(() -> any.get(key, k -> "v")),
              () -> as(() -> any.getAsync(key, k -> CompletableFuture.completedFuture("v"))),
              () -> as(() -> any.getIfPresent(key)),
              () -> as(() -> any.getAll(Set.of(key), keys -> Map.of())),
              () -> DFW.run(() -> any.put(key, "v")),
              () -> DFW.run(() -> any.invalidate(key)));
      calls.forEach(
          call ->
              assertThatThrownBy(call)
                  .as(key.getClass().getName())
                  .isInstanceOf(IllegalArgumentException.class));
    }
  }

  @Test
  void settings_outOfRange_areRefusedByNameAndValue() {
    Duration tooLong = Duration.ofSeconds(Long.MAX_VALUE);
    assertRefused("ttl", () -> CacheSettings.builder().ttl(Duration.ZERO).build());
    assertRefused("ttl", () -> CacheSettings.builder().ttl(Duration.ofMillis(-1)).build());
    assertRefused("ttl", () -> CacheSettings.builder().ttl(tooLong).build());
    assertRefused("loadTimeout", () -> CacheSettings.builder().loadTimeout(tooLong).build());
    assertRefused("maxValueBytes", () -> CacheSettings.builder().maxValueBytes(-1).build());
    assertRefused("maxKeyChars", () -> CacheSettings.builder().maxKeyChars(0).build());
    assertRefused("compressFrom", () -> CacheSettings.builder().compressFrom(1).build());
    assertRefused("remoteTimeout", () -> Caches.builder().remoteTimeout(tooLong).build());
    assertRefused("connectTimeout", () -> Caches.builder().connectTimeout(Duration.ZERO).build());
    assertRefused(
        "silenceLimit",
        () ->
            Caches.builder()
                .silenceLimit(Duration.ofMillis(1))
                .remoteTimeout(Duration.ofMillis(2))
                .build());
    assertRefused("memoryBytes", () -> Caches.builder().memoryBytes(-1).build());
    assertRefused("pendingLimit", () -> Caches.builder().pendingLimit(0).build());
    assertRefused("cache", () -> caches.cache("", String.class, CacheSettings.defaults()));
    assertRefused("cache", () -> caches.cache("a/b", String.class, CacheSettings.defaults()));
    assertRefused("texts", () -> caches.cache("texts", String.class, CacheSettings.defaults()));
  }

  private static void assertRefused(String name, ThrowingCallable call) {
    assertThatThrownBy(call)
        .as(name)
        .isInstanceOf(ConfigurationException.class)
        .hasMessageContaining(name);
  }

  @Test
  void close_whileOthersLoad_endsThem() throws Exception {
    CountDownLatch begun = new CountDownLatch(1);
    CountDownLatch never = new CountDownLatch(1);
    CompletableFuture<@Nullable String> loading =
        as(
            () ->
                cache.getAsync(
                    "k",
                    k -> {
                      begun.countDown();
                      try {
                        never.await();
                      } catch (InterruptedException e) {
                        throw new IllegalStateException("ended", e);
                      }
                      return CompletableFuture.completedFuture(k);
                    }));
    assertThat(begun.await(10, TimeUnit.SECONDS)).isTrue();
    caches.close();
    Eventually.within(Duration.ofSeconds(10)).until("the load ended", loading::isDone);
    assertThat(loading).isCompletedExceptionally();
  }
}
