package dev.aquifer.bench;

import io.netty.buffer.ByteBufUtil;
import io.netty.buffer.Unpooled;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Level;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.redisson.Redisson;
import org.redisson.api.RLocalCachedMap;
import org.redisson.api.RedissonClient;
import org.redisson.api.options.LocalCachedMapOptions;
import org.redisson.client.codec.BaseCodec;
import org.redisson.client.codec.Codec;
import org.redisson.client.codec.StringCodec;
import org.redisson.client.protocol.Decoder;
import org.redisson.client.protocol.Encoder;
import org.redisson.codec.CompositeCodec;
import org.redisson.config.Config;

/** Redisson's local cached map over Caffeine, and its bucket, with every key in both. */
@State(Scope.Benchmark)
public class RedissonTiers extends Redis {
  static final Codec CODEC = new FlightCodec();

  RLocalCachedMap<String, Flight> map;
  RedissonClient client;

  /** Starts the server and fills the cache. */
  @Setup(Level.Trial)
  public void open() {
    startServer();
    Config config = new Config();
    config.useSingleServer().setAddress(server.uri().toString());
    client = Redisson.create(config);
    map =
        client.getLocalCachedMap(
            LocalCachedMapOptions.<String, Flight>name("flights")
                .codec(new CompositeCodec(StringCodec.INSTANCE, CODEC))
                .cacheProvider(LocalCachedMapOptions.CacheProvider.CAFFEINE)
                .evictionPolicy(LocalCachedMapOptions.EvictionPolicy.LFU)
                .cacheSize(CAPACITY)
                .timeToLive(TTL));
    for (String key : Keys.all()) {
      map.put(key, AquiferCache.load(key));
      client.<Flight>getBucket(key, CODEC).set(AquiferCache.load(key), TTL);
    }
  }

  /** Ends them. */
  @TearDown(Level.Trial)
  public void close() {
    client.shutdown(0, 2, TimeUnit.SECONDS);
    stopServer();
  }

  private static final class FlightCodec extends BaseCodec {
    @Override
    public Decoder<Object> getValueDecoder() {
      return (buffer, state) -> FlightBytes.decode(ByteBufUtil.getBytes(buffer));
    }

    @Override
    public Encoder getValueEncoder() {
      return value -> Unpooled.wrappedBuffer(FlightBytes.encode(value));
    }
  }
}
