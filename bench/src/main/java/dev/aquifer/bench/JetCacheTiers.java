package dev.aquifer.bench;

import com.alicp.jetcache.Cache;
import com.alicp.jetcache.MultiLevelCacheBuilder;
import com.alicp.jetcache.embedded.CaffeineCacheBuilder;
import com.alicp.jetcache.redis.lettuce.RedisLettuceCacheBuilder;
import io.lettuce.core.RedisClient;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Level;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;

/** JetCache's two tiers, with every key in both. */
@State(Scope.Benchmark)
public class JetCacheTiers extends Redis {
  Cache<String, Flight> tiers;
  Cache<String, Flight> remote;
  private RedisClient client;

  /** Starts the server and fills the cache. */
  @Setup(Level.Trial)
  public void open() {
    startServer();
    client = RedisClient.create(server.uri().toString());
    remote =
        RedisLettuceCacheBuilder.createRedisLettuceCacheBuilder()
            .redisClient(client)
            .keyPrefix("bench:")
            .keyConvertor(key -> key)
            .valueEncoder(FlightHolder::encode)
            .valueDecoder(FlightHolder::decode)
            .expireAfterWrite(TTL.toMinutes(), TimeUnit.MINUTES)
            .buildCache();
    Cache<String, Flight> memory =
        CaffeineCacheBuilder.createCaffeineCacheBuilder()
            .limit(CAPACITY)
            .expireAfterWrite(TTL.toMinutes(), TimeUnit.MINUTES)
            .buildCache();
    tiers =
        MultiLevelCacheBuilder.createMultiLevelCacheBuilder()
            .addCache(memory, remote)
            .expireAfterWrite(TTL.toMinutes(), TimeUnit.MINUTES)
            .buildCache();
    Keys.all().forEach(key -> tiers.put(key, AquiferCache.load(key)));
  }

  /** Ends them. */
  @TearDown(Level.Trial)
  public void close() {
    client.shutdown(Duration.ZERO, Duration.ofSeconds(2));
    stopServer();
  }
}
