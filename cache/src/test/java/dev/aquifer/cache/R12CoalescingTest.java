package dev.aquifer.cache;

import static dev.aquifer.cache.TestNode.DFW;
import static org.assertj.core.api.Assertions.assertThat;

import dev.aquifer.CausalSession;
import dev.aquifer.CausalSessions;
import dev.aquifer.Position;
import dev.aquifer.ReadFloor;
import dev.aquifer.Tenant;
import dev.aquifer.TenantContext;
import dev.aquifer.testkit.RedisDatabase;
import dev.aquifer.testkit.RedisExtension;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/**
 * R12: one caller gets what another's load returns, so the load must not depend on who that was.
 * Guards: the tenant is a part of the key; a load runs on a thread of the cache, under the tenant
 * and the session of its flight and nothing else of its caller; a caller who must be shown more
 * than a flight's session begins another. Taken out by an executor that runs loads on the caller's
 * thread, where what hangs on that thread is seen.
 */
class R12CoalescingTest extends TwoNodeRace {
  @RegisterExtension static final RedisExtension REDIS = RedisExtension.shared();

  private static final ThreadLocal<@Nullable String> USER = new ThreadLocal<>();
  private static final ThreadLocal<@Nullable String> HERITAGE = new InheritableThreadLocal<>();
  private static final Tenant OTHER = Tenant.of("SFO");

  @Override
  RedisDatabase redis() {
    return REDIS.database();
  }

  @AfterEach
  void forget() {
    USER.remove();
    HERITAGE.remove();
  }

  @Test
  void loader_seesNothingOfItsCallersThread() {
    assertThat(seenOfCaller(null)).isEqualTo("DFW null null");
  }

  @Test
  void loaderOnTheCallersThread_seesIt() {
    assertThat(seenOfCaller(Runnable::run)).isEqualTo("DFW alice alice");
  }

  /** The thread of the load is made by this call, and inherits nothing of its maker either. */
  private static String seenOfCaller(@Nullable Executor executor) {
    CachesBuilder builder = Caches.builder();
    if (executor != null) {
      builder.executor(executor);
    }
    USER.set("alice");
    HERITAGE.set("alice");
    try (Caches caches = builder.build()) {
      TieredCache<String, String> cache =
          caches.cache("who", String.class, CacheSettings.defaults());
      return TestNode.as(
          () ->
              cache.get(
                  "k",
                  key -> TenantContext.require().id() + " " + USER.get() + " " + HERITAGE.get()));
    }
  }

  @Test
  void twoTenantsOneKey_eachLoadsItsOwn() throws Exception {
    TieredCache<String, String> cache =
        one.caches().cache("who", String.class, CacheSettings.defaults());
    try (HeldLoad held = new HeldLoad()) {
      AtomicReference<String> first = new AtomicReference<>();
      held.begin(
          () -> {
            first.set(
                DFW.call(() -> cache.get("k", key -> held.hold(TenantContext.require().id()))));
            return first;
          });
      // Not held: it does not wait for the other's.
      assertThat(OTHER.call(() -> cache.get("k", key -> TenantContext.require().id())))
          .isEqualTo("SFO");
      held.end();
      assertThat(first.get()).isEqualTo("DFW");
    }
    sync(one);
    TieredCache<String, String> there =
        two.caches().cache("who", String.class, CacheSettings.defaults());
    assertThat(OTHER.call(() -> there.get("k", key -> "loaded again"))).isEqualTo("SFO");
    assertThat(DFW.call(() -> there.get("k", key -> "loaded again"))).isEqualTo("DFW");
  }

  @Test
  void sessionThatMustBeShownMore_doesNotShareTheLoad() throws Exception {
    CausalSessions sessions = one.sessions();
    CausalSession plain = sessions.open();
    CausalSession demanding = sessions.open();
    demanding.raise(ReadFloor.at(new Position(1, 1, 500)));
    AtomicReference<CausalSession> seen = new AtomicReference<>();
    try (HeldLoad held = new HeldLoad()) {
      held.begin(() -> one.read(plain, 1, id -> held.hold(load(id))));
      row.set(NEW);
      int answer =
          CompletableFuture.supplyAsync(
                  () ->
                      one.read(
                              demanding,
                              1,
                              id -> {
                                seen.set(sessions.current());
                                return load(id);
                              })
                          .delay(),
                  work -> new Thread(work, "demanding").start())
              .get(20, TimeUnit.SECONDS);
      assertThat(answer).isEqualTo(NEW);
      assertThat(seen.get()).isSameAs(demanding);
      held.end();
    }
    assertThat(loads).hasValue(2);
  }
}
