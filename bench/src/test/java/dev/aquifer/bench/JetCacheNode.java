package dev.aquifer.bench;

import com.alicp.jetcache.Cache;
import com.alicp.jetcache.CacheBuilder;
import com.alicp.jetcache.CacheResult;
import com.alicp.jetcache.CacheResultCode;
import com.alicp.jetcache.SimpleCacheManager;
import com.alicp.jetcache.anno.CacheType;
import com.alicp.jetcache.embedded.CaffeineCacheBuilder;
import com.alicp.jetcache.redis.lettuce.JetCacheCodec;
import com.alicp.jetcache.redis.lettuce.RedisLettuceCacheBuilder;
import com.alicp.jetcache.support.BroadcastManager;
import com.alicp.jetcache.support.JavaValueDecoder;
import com.alicp.jetcache.support.JavaValueEncoder;
import com.alicp.jetcache.template.CacheBuilderTemplate;
import com.alicp.jetcache.template.QuickConfig;
import dev.aquifer.testkit.CacheUnderTest;
import io.lettuce.core.RedisClient;
import io.lettuce.core.RedisURI;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/**
 * A node of JetCache's two levels as its manual has it: the local one told of changes by broadcast
 * ({@code syncLocal}), one load of a key at a time in a process. What it promises of other nodes is
 * that their local entries are removed when the message arrives; of lost messages, expiry.
 */
final class JetCacheNode implements CacheUnderTest {
  private final RedisClient client;
  private final SimpleCacheManager manager = new SimpleCacheManager();
  private final BroadcastManager broadcast;
  private final Map<String, Cache<String, Row>> byName = new HashMap<>();

  @SuppressWarnings("unchecked") // its codec has no type
  JetCacheNode(Host host) {
    RedisURI uri = RedisURI.create(host.redis());
    // Of connecting; JetCache bounds its commands itself.
    uri.setTimeout(Duration.ofSeconds(10));
    this.client = RedisClient.create(uri);
    RedisLettuceCacheBuilder<?> remote =
        RedisLettuceCacheBuilder.createRedisLettuceCacheBuilder()
            .redisClient(client)
            .pubSubConnection(client.connectPubSub(new JetCacheCodec()))
            .asyncResultTimeoutInMillis(500)
            .keyPrefix("jet:")
            .broadcastChannel("jet")
            .keyConvertor(key -> key)
            .valueEncoder(JavaValueEncoder.INSTANCE)
            .valueDecoder(JavaValueDecoder.INSTANCE);
    CaffeineCacheBuilder<?> local =
        CaffeineCacheBuilder.createCaffeineCacheBuilder().keyConvertor(key -> key);
    manager.setCacheBuilderTemplate(template(local, remote));
    this.broadcast = remote.createBroadcastManager(manager);
    broadcast.startSubscribe();
    manager.putBroadcastManager("default", broadcast);
    for (String name : List.of("rows", "groups")) {
      byName.put(
          name,
          manager.getOrCreateCache(
              QuickConfig.newBuilder(name)
                  .cacheType(CacheType.BOTH)
                  .syncLocal(true)
                  .penetrationProtect(true)
                  .cacheNullValue(true)
                  .localLimit(10_000)
                  .expire(Duration.ofMinutes(10))
                  .build()));
    }
  }

  @SuppressWarnings("unchecked") // of the constructor's variable arity
  private static CacheBuilderTemplate template(CacheBuilder local, CacheBuilder remote) {
    return new CacheBuilderTemplate(true, Map.of("default", local), Map.of("default", remote));
  }

  @Override
  public Session session(String tenant) {
    return new Line();
  }

  @Override
  public void close() {
    try {
      broadcast.close();
    } catch (Exception e) {
      throw new IllegalStateException("the broadcast does not end", e);
    }
    manager.close();
    client.shutdown(Duration.ZERO, Duration.ofSeconds(2));
  }

  private Cache<String, Row> cache(Place place) {
    return java.util.Objects.requireNonNull(byName.get(place.cache()));
  }

  private static String key(Place place) {
    return place.tenant() + ":" + place.key();
  }

  private static void check(CacheResult result) {
    CacheResultCode code = result.getResultCode();
    if (code != CacheResultCode.SUCCESS && code != CacheResultCode.NOT_EXISTS) {
      throw new IllegalStateException(code + ": " + result.getMessage());
    }
  }

  private final class Line implements Session {
    @Override
    public @Nullable Row get(Place place, Source source) {
      return cache(place)
          .computeIfAbsent(
              key(place),
              key -> {
                try {
                  return source.load(place);
                } catch (Exception e) {
                  throw new IllegalStateException(e);
                }
              },
              true);
    }

    @Override
    public Map<Place, Row> getAll(Collection<Place> places, Source source) {
      TreeSet<String> keys = new TreeSet<>();
      places.forEach(place -> keys.add(key(place)));
      Map<String, Row> found = cache(places.iterator().next()).getAll(keys);
      Map<Place, Row> all = new HashMap<>();
      for (Place place : places) {
        Row row = found.get(key(place));
        Row loaded = row == null ? get(place, source) : row;
        if (loaded != null) {
          all.put(place, loaded);
        }
      }
      return all;
    }

    @Override
    public void put(Place place, Row row) {
      check(cache(place).PUT(key(place), row));
    }

    @Override
    public void invalidate(Scope scope) {
      Map<Cache<String, Row>, TreeSet<String>> keys = new HashMap<>();
      for (Place place : scope.places()) {
        keys.computeIfAbsent(cache(place), c -> new TreeSet<>()).add(key(place));
      }
      List<CacheResult> results = new ArrayList<>();
      keys.forEach((cache, some) -> results.add(cache.REMOVE_ALL(some)));
      results.forEach(JetCacheNode::check);
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
