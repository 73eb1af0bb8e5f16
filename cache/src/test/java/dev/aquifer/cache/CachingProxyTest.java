package dev.aquifer.cache;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.aquifer.ConfigurationException;
import dev.aquifer.MissingTenantException;
import dev.aquifer.Tag;
import dev.aquifer.Tenant;
import java.io.IOException;
import java.lang.reflect.Proxy;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Supplier;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class CachingProxyTest {
  private static final Tenant DFW = Tenant.of("DFW");
  private final Caches caches = Caches.builder().build();
  private final AtomicInteger calls = new AtomicInteger();

  @AfterEach
  void close() {
    caches.close();
  }

  public interface Departures {
    @Cached(ttl = "10m", tags = "flight:{id}")
    Optional<String> byId(long id);

    @Cached
    List<String> board(String day, int hour);

    @Cached
    CompletableFuture<String> later(long id);

    @Cached
    String failing(long id) throws IOException;

    @Evicts(tags = "flight:{0}")
    int delay(long id, int minutes);

    default String both(long id) {
      return byId(id).orElse("none");
    }
  }

  private final class Source implements Departures {
    @Override
    public Optional<String> byId(long id) {
      calls.incrementAndGet();
      return id < 0 ? Optional.empty() : Optional.of("flight " + id);
    }

    @Override
    public List<String> board(String day, int hour) {
      calls.incrementAndGet();
      return List.of(day, Integer.toString(hour));
    }

    @Override
    public CompletableFuture<String> later(long id) {
      calls.incrementAndGet();
      return CompletableFuture.completedFuture("later " + id);
    }

    @Override
    public String failing(long id) throws IOException {
      throw new IOException("disk " + id);
    }

    @Override
    public int delay(long id, int minutes) {
      return minutes;
    }
  }

  private Departures proxy() {
    return CachingProxy.of(Departures.class, new Source(), caches);
  }

  @Test
  void call_cached_asksTheDelegateOnce() throws Exception {
    Departures proxy = proxy();
    DFW.call(
        () -> {
          assertThat(proxy.byId(42)).contains("flight 42");
          assertThat(proxy.byId(42)).contains("flight 42");
          assertThat(proxy.both(42)).isEqualTo("flight 42");
          assertThat(proxy.board("mon", 1)).isEqualTo(proxy.board("mon", 1));
          assertThat(proxy.later(1).get()).isEqualTo(proxy.later(1).get());
          assertThat(proxy.byId(-1)).isEmpty();
          assertThat(proxy.byId(-1)).isEmpty();
          return true;
        });
    assertThat(calls).hasValue(4);
  }

  @Test
  void call_evicting_voidsTheTag() throws Exception {
    Departures proxy = proxy();
    DFW.call(
        () -> {
          proxy.byId(42);
          proxy.byId(43);
          assertThat(proxy.delay(42, 5)).isEqualTo(5);
          proxy.byId(42);
          proxy.byId(43);
          return true;
        });
    assertThat(calls).hasValue(3);
  }

  @Test
  void call_delegateThrows_reachesTheCallerUnwrapped() {
    Departures proxy = proxy();
    assertThatThrownBy(() -> DFW.call(() -> proxy.failing(7)))
        .isExactlyInstanceOf(IOException.class)
        .hasMessage("disk 7");
  }

  @Test
  void call_noTenant_isRefused() {
    Departures proxy = proxy();
    assertThatThrownBy(() -> proxy.byId(1)).isInstanceOf(MissingTenantException.class);
    assertThat(calls).hasValue(0);
  }

  interface Nothing {
    @Cached
    void nothing(long id);
  }

  interface Both {
    @Cached
    @Evicts(tags = "x")
    String both(long id);
  }

  interface BadTtl {
    @Cached(ttl = "10 minutes")
    String ttl(long id);
  }

  interface BadKey {
    @Cached
    String key(Supplier<String> text);
  }

  interface StreamResult {
    @Cached
    Stream<String> stream(long id);
  }

  interface ObjectResult {
    @Cached
    List<?> any(long id);
  }

  interface BadTag {
    @Cached(tags = "flight:{nobody}")
    String tag(long id);
  }

  interface EmptyEvicts {
    @Evicts
    void evict(long id);
  }

  interface LongNegative {
    @Cached(ttl = "1s", negativeTtl = "2s")
    String negative(long id);
  }

  @Test
  void of_contradictions_areRefusedByName() {
    List<Class<?>> wrong =
        List.of(
            Nothing.class,
            Both.class,
            BadTtl.class,
            BadKey.class,
            StreamResult.class,
            ObjectResult.class,
            BadTag.class,
            EmptyEvicts.class,
            LongNegative.class);
    for (Class<?> type : wrong) {
      assertThatThrownBy(() -> refused(type))
          .isInstanceOf(ConfigurationException.class)
          .hasMessageContaining(type.getName() + "." + type.getMethods()[0].getName());
    }
  }

  @SuppressWarnings({"unchecked", "NullAway"})
  private <T> void refused(Class<?> type) {
    Class<T> wanted = (Class<T>) type;
    T delegate =
        wanted.cast(
            Proxy.newProxyInstance(
                type.getClassLoader(), new Class<?>[] {type}, (p, m, a) -> null));
    CachingProxy.of(wanted, delegate, caches, method -> java.util.Set.of(Tag.ANY_TABLE));
  }

  /** Stands for an interface of the application's that is not public, as most are. */
  interface Hidden {
    @Cached
    int cached(int id);

    int plain(int id);
  }

  @Test
  void of_interfaceThatIsNotPublicAndDelegateThatIsAProxy() {
    Object delegate =
        Proxy.newProxyInstance(
            Hidden.class.getClassLoader(),
            new Class<?>[] {Hidden.class},
            (proxy, method, arguments) -> arguments[0]);
    Hidden hidden = CachingProxy.of(Hidden.class, Hidden.class.cast(delegate), caches);

    assertThat(hidden.plain(3)).isEqualTo(3);
    Tenant.of("DFW").run(() -> assertThat(hidden.cached(4)).isEqualTo(4));
  }

  @Test
  void of_delegateInATransactionAnswersItselfAndNothingIsRemembered() {
    AtomicInteger calls = new AtomicInteger();
    AtomicBoolean open = new AtomicBoolean(true);
    Hidden delegate =
        new Hidden() {
          @Override
          public int cached(int id) {
            return calls.incrementAndGet();
          }

          @Override
          public int plain(int id) {
            return id;
          }
        };
    Hidden hidden = CachingProxy.of(Hidden.class, delegate, caches, method -> Set.of(), open::get);
    Tenant.of("DFW")
        .run(
            () -> {
              assertThat(hidden.cached(1)).isEqualTo(1);
              assertThat(hidden.cached(1)).isEqualTo(2);
              open.set(false);
              assertThat(hidden.cached(1)).isEqualTo(3);
              assertThat(hidden.cached(1)).isEqualTo(3);
              open.set(true);
              assertThat(hidden.cached(1)).isEqualTo(4);
            });
  }
}
