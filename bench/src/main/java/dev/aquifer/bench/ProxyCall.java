package dev.aquifer.bench;

import dev.aquifer.cache.Cached;
import dev.aquifer.cache.CachingProxy;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Level;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.Warmup;

/**
 * What a cached method of an interface costs above the cache itself, when the value is in memory.
 */
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Fork(1)
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 5, time = 1)
public class ProxyCall {
  /** An interface of an application. */
  public interface Flights {
    /** One argument, which is the key. */
    @Cached(ttl = "10m")
    Flight flight(String key);

    /** Several, which make a key together. */
    @Cached(ttl = "10m")
    Flight leg(String key, int leg);
  }

  /** The interface, cached. */
  @State(Scope.Benchmark)
  public static class Proxied extends AquiferCache {
    Flights flights;

    @Override
    @Setup(Level.Trial)
    public void open() {
      super.open();
      flights = CachingProxy.of(Flights.class, new Loaded(), caches);
      Keys.TENANT.run(
          () ->
              Keys.all()
                  .forEach(
                      key -> {
                        flights.flight(key);
                        flights.leg(key, 1);
                      }));
    }
  }

  private static final class Loaded implements Flights {
    @Override
    public Flight flight(String key) {
      return AquiferCache.load(key);
    }

    @Override
    public Flight leg(String key, int leg) {
      return AquiferCache.load(key);
    }
  }

  /** Through the proxy. */
  @Benchmark
  public Flight proxy(Proxied state, Keys keys) {
    return state.flights.flight(keys.next());
  }

  /** Through the proxy, with two arguments. */
  @Benchmark
  public Flight proxyOfTwo(Proxied state, Keys keys) {
    return state.flights.leg(keys.next(), 1);
  }

  /** The cache itself. */
  @Benchmark
  public Flight cache(Proxied state, Keys keys) {
    return state.cache.get(keys.next(), AquiferCache::load);
  }
}
