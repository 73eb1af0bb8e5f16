package dev.aquifer.cache;

import dev.aquifer.CausalSession;
import dev.aquifer.CausalSessions;
import dev.aquifer.Tag;
import dev.aquifer.Tenant;
import dev.aquifer.spi.Observer;
import dev.aquifer.testkit.FaultProxy;
import dev.aquifer.testkit.RedisDatabase;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.Function;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;

/** One node of a test, with a cache of flights and a list of the faults that it told of. */
record TestNode(
    Caches caches,
    CausalSessions sessions,
    TieredCache<Long, TestNode.Flight> flights,
    List<Observer.CacheFault> faults)
    implements AutoCloseable {
  static final Tenant DFW = Tenant.of("DFW");
  static final Tag FLIGHT = Tag.table("flight");

  record Flight(long id, String to, int delay) {}

  /** So patient that only what a test does to the link counts. */
  static TestNode open(String uri) {
    return open(uri, UnaryOperator.identity());
  }

  static TestNode open(String uri, UnaryOperator<CachesBuilder> settings) {
    CausalSessions sessions = new CausalSessions();
    List<Observer.CacheFault> faults = new CopyOnWriteArrayList<>();
    Caches caches =
        settings
            .apply(
                Caches.builder()
                    .redis(uri)
                    .sessions(sessions)
                    .observer(
                        new Observer() {
                          @Override
                          public void cacheFault(
                              String cache, CacheFault fault, @Nullable Throwable error) {
                            faults.add(fault);
                          }
                        })
                    .remoteTimeout(Duration.ofMillis(400)))
            .build();
    return new TestNode(
        caches,
        sessions,
        caches.cache("flight", Flight.class, CacheSettings.builder().tags(FLIGHT).build()),
        faults);
  }

  static String through(FaultProxy proxy, RedisDatabase database) {
    return "redis://" + proxy.host() + ":" + proxy.port() + "/" + database.index();
  }

  Flight read(long id, Loader<? super Long, Flight, Exception> loader) {
    return as(() -> flights.get(id, loader));
  }

  Flight read(CausalSession session, long id, Loader<? super Long, Flight, Exception> loader) {
    return as(() -> sessions.call(session, () -> flights.get(id, loader)));
  }

  void invalidate(Tag... tags) {
    DFW.run(() -> caches.invalidateTags(tags));
  }

  Partition partition() {
    return caches.node().partition(DFW);
  }

  Guards guards() {
    return caches.node().guards;
  }

  static <K, V> Function<Set<K>, CompletionStage<Map<K, V>>> later(
      Function<Set<K>, Map<K, V>> loader) {
    return keys -> CompletableFuture.supplyAsync(() -> loader.apply(keys));
  }

  static <T> T as(Callable<T> body) {
    try {
      return DFW.call(body);
    } catch (RuntimeException | Error e) {
      throw e;
    } catch (Exception e) {
      throw new AssertionError(e);
    }
  }

  @Override
  public void close() {
    caches.close();
  }
}
