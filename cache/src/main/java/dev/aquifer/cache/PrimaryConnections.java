package dev.aquifer.cache;

import dev.aquifer.UnavailableException;
import io.lettuce.core.ClientOptions;
import io.lettuce.core.RedisClient;
import io.lettuce.core.RedisURI;
import io.lettuce.core.ScriptOutputType;
import io.lettuce.core.api.StatefulRedisConnection;
import io.lettuce.core.cluster.api.async.RedisClusterAsyncCommands;
import io.lettuce.core.codec.ByteArrayCodec;
import io.lettuce.core.resource.ClientResources;
import java.util.List;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.BiConsumer;
import org.jspecify.annotations.Nullable;

/**
 * One server, or the primary that sentinels name. All voids are published there, so what it answers
 * on the connection on which they arrive proves that all have arrived that it knew of before.
 */
// What futures end with is looked at by their own stages.
@SuppressWarnings("FutureReturnValueIgnored")
final class PrimaryConnections implements RedisConnections {
  private final RedisAddress address;
  private final RedisURI uri;
  private final NodeSettings settings;
  private final ClientResources resources;
  private final RedisClient client;
  private final ReentrantLock connecting = new ReentrantLock();
  private EventStream.Ears ears =
      new EventStream.Ears((partition, message) -> {}, () -> {}, () -> {});
  private volatile @Nullable StatefulRedisConnection<byte[], byte[]> commands;
  private volatile @Nullable EventStream events;
  private volatile boolean closed;

  PrimaryConnections(RedisAddress address, NodeSettings settings) {
    this.address = address;
    this.uri = address.first();
    this.settings = settings;
    ClientOptions options = LettuceOptions.of(ClientOptions.builder(), settings).build();
    this.resources = LettuceOptions.resources(settings);
    this.client = RedisClient.create(resources);
    client.setOptions(options);
  }

  @Override
  public void listen(BiConsumer<String, String> onEvent, Runnable onSubscribed, Runnable onLost) {
    ears = new EventStream.Ears(onEvent, onSubscribed, onLost);
  }

  @Override
  public byte[] channel(Partition partition) {
    return EventStream.channel(partition, uri.getDatabase());
  }

  @Override
  public boolean connected() {
    return commands != null && events != null;
  }

  @Override
  public void connect() {
    connecting.lock();
    try {
      if (closed) {
        return;
      }
      if (commands == null) {
        StatefulRedisConnection<byte[], byte[]> made = client.connect(ByteArrayCodec.INSTANCE, uri);
        try {
          for (Script script : Script.values()) {
            made.sync().scriptLoad(script.text());
          }
          commands = made;
        } finally {
          if (commands == null) {
            made.closeAsync();
          }
        }
      }
      if (events == null) {
        events = EventStream.open(client, uri, uri.getDatabase(), ears);
      }
    } catch (RuntimeException e) {
      throw RedisRefusal.of(address, settings, e);
    } finally {
      connecting.unlock();
    }
  }

  @Override
  public <T> CompletionStage<T> call(
      Script script, ScriptOutputType output, List<byte[]> keys, List<byte[]> args) {
    return script.call(open().async(), output, keys, args);
  }

  @Override
  public RedisClusterAsyncCommands<byte[], byte[]> commands() {
    return open().async();
  }

  @Override
  public CompletionStage<String> ping() {
    return open().async().ping();
  }

  @Override
  public CompletionStage<String> pingEvents() {
    EventStream stream = events;
    if (stream == null) {
      throw notConnected();
    }
    return stream.ping();
  }

  private StatefulRedisConnection<byte[], byte[]> open() {
    StatefulRedisConnection<byte[], byte[]> made = commands;
    if (made == null) {
      throw notConnected();
    }
    return made;
  }

  private UnavailableException notConnected() {
    return new UnavailableException(address + " is not connected.");
  }

  @Override
  public List<CacheHealth.Server> servers() {
    StatefulRedisConnection<byte[], byte[]> made = commands;
    EventStream stream = events;
    return List.of(
        new CacheHealth.Server(
            address.toString(),
            made != null && made.isOpen(),
            stream != null && stream.subscribed()));
  }

  @Override
  public void close() {
    closed = true;
    client.shutdown(0, 2, TimeUnit.SECONDS);
    resources.shutdown(0, 2, TimeUnit.SECONDS).awaitUninterruptibly(3, TimeUnit.SECONDS);
  }
}
