package dev.aquifer.bench;

import io.lettuce.core.RedisClient;
import io.lettuce.core.SetArgs;
import io.lettuce.core.api.StatefulRedisConnection;
import io.lettuce.core.api.sync.RedisCommands;
import io.lettuce.core.codec.ByteArrayCodec;
import io.lettuce.core.codec.RedisCodec;
import io.lettuce.core.codec.StringCodec;
import java.time.Duration;
import org.openjdk.jmh.annotations.Level;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;

/** Lettuce alone, which is the floor: one GET, and the bytes decoded. */
@State(Scope.Benchmark)
public class LettuceClient extends Redis {
  RedisCommands<String, byte[]> commands;
  private RedisClient client;
  private StatefulRedisConnection<String, byte[]> connection;

  /** Starts the server and fills it. */
  @Setup(Level.Trial)
  public void open() {
    startServer();
    client = RedisClient.create(server.uri().toString());
    connection = client.connect(RedisCodec.of(StringCodec.UTF8, ByteArrayCodec.INSTANCE));
    commands = connection.sync();
    for (String key : Keys.all()) {
      commands.set(key, FlightBytes.encode(AquiferCache.load(key)), SetArgs.Builder.px(TTL));
    }
  }

  /** Ends them. */
  @TearDown(Level.Trial)
  public void close() {
    connection.close();
    client.shutdown(Duration.ZERO, Duration.ofSeconds(2));
    stopServer();
  }
}
