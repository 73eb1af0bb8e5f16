package dev.aquifer.bench;

import dev.aquifer.testkit.CacheUnderTest;
import java.time.Duration;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.TreeSet;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.redisson.Redisson;
import org.redisson.api.RLocalCachedMap;
import org.redisson.api.RedissonClient;
import org.redisson.api.map.MapLoader;
import org.redisson.api.options.LocalCachedMapOptions;
import org.redisson.client.codec.StringCodec;
import org.redisson.codec.CompositeCodec;
import org.redisson.codec.SerializationCodec;
import org.redisson.config.Config;

/**
 * A node of Redisson's local cached map, read through its {@code MapLoader}, with the strategies
 * that its manual has for consistency: {@code INVALIDATE}, and {@code LOAD} after a reconnection.
 * What it promises is that others' local entries are removed when the message arrives, or, after a
 * disconnection of up to ten minutes, by a log of what was invalidated.
 */
final class RedissonNode implements CacheUnderTest {
  private final RedissonClient client;
  private final Map<String, RLocalCachedMap<String, Row>> byName = new HashMap<>();
  private volatile @Nullable Source source;

  RedissonNode(Host host) {
    Config config = new Config();
    config
        .useSingleServer()
        .setAddress(host.redis().toString())
        .setTimeout(500)
        .setRetryAttempts(1)
        .setConnectionMinimumIdleSize(4)
        .setConnectionPoolSize(16);
    config.setLockWatchdogTimeout(2000);
    this.client = Redisson.create(config);
    for (String name : List.of("rows", "groups")) {
      byName.put(
          name,
          client.getLocalCachedMap(
              LocalCachedMapOptions.<String, Row>name(name)
                  .codec(new CompositeCodec(StringCodec.INSTANCE, new SerializationCodec()))
                  .cacheProvider(LocalCachedMapOptions.CacheProvider.CAFFEINE)
                  .evictionPolicy(LocalCachedMapOptions.EvictionPolicy.LFU)
                  .cacheSize(10_000)
                  .timeToLive(Duration.ofMinutes(10))
                  .syncStrategy(LocalCachedMapOptions.SyncStrategy.INVALIDATE)
                  .reconnectionStrategy(LocalCachedMapOptions.ReconnectionStrategy.LOAD)
                  .loader(loader(name))));
    }
  }

  private MapLoader<String, Row> loader(String cache) {
    return new MapLoader<>() {
      @Override
      public @Nullable Row load(String key) {
        int colon = key.indexOf(':');
        Place place =
            new Place(
                key.substring(0, colon), cache, Integer.parseInt(key, colon + 1, key.length(), 10));
        try {
          return Objects.requireNonNull(source).load(place);
        } catch (Exception e) {
          throw new IllegalStateException(e);
        }
      }

      @Override
      public Iterable<String> loadAllKeys() {
        return List.of();
      }
    };
  }

  @Override
  public Session session(String tenant) {
    return new Line();
  }

  @Override
  public void close() {
    client.shutdown(0, 2, TimeUnit.SECONDS);
  }

  private RLocalCachedMap<String, Row> map(Place place) {
    return Objects.requireNonNull(byName.get(place.cache()));
  }

  private static String key(Place place) {
    return place.tenant() + ":" + place.key();
  }

  private final class Line implements Session {
    @Override
    public @Nullable Row get(Place place, Source from) {
      source = from;
      return map(place).get(key(place));
    }

    @Override
    public Map<Place, Row> getAll(Collection<Place> places, Source from) {
      source = from;
      TreeSet<String> keys = new TreeSet<>();
      places.forEach(place -> keys.add(key(place)));
      Map<String, Row> found = map(places.iterator().next()).getAll(keys);
      Map<Place, Row> all = new HashMap<>();
      for (Place place : places) {
        Row row = found.get(key(place));
        if (row != null) {
          all.put(place, row);
        }
      }
      return all;
    }

    @Override
    public void put(Place place, Row row) {
      map(place).fastPut(key(place), row);
    }

    @Override
    public void invalidate(Scope scope) {
      Map<RLocalCachedMap<String, Row>, TreeSet<String>> keys = new HashMap<>();
      for (Place place : scope.places()) {
        keys.computeIfAbsent(map(place), m -> new TreeSet<>()).add(key(place));
      }
      keys.forEach((map, some) -> map.fastRemove(some.toArray(new String[0])));
    }

    @Override
    public String export() {
      return "";
    }

    @Override
    public void accept(String token) {
      // There are none.
    }
  }
}
