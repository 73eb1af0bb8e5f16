package dev.aquifer.cache;

import dev.aquifer.ConfigurationException;
import dev.aquifer.UnavailableException;
import io.lettuce.core.ClientOptions;
import io.lettuce.core.MaintNotificationsConfig;
import io.lettuce.core.RedisChannelHandler;
import io.lettuce.core.RedisClient;
import io.lettuce.core.RedisConnectionStateListener;
import io.lettuce.core.RedisURI;
import io.lettuce.core.ScriptOutputType;
import io.lettuce.core.SocketOptions;
import io.lettuce.core.api.StatefulRedisConnection;
import io.lettuce.core.codec.ByteArrayCodec;
import io.lettuce.core.protocol.RedisCommand;
import io.lettuce.core.pubsub.RedisPubSubAdapter;
import io.lettuce.core.pubsub.StatefulRedisPubSubConnection;
import io.lettuce.core.resource.ClientResources;
import io.lettuce.core.resource.Delay;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.BiConsumer;
import org.jspecify.annotations.Nullable;

/** The connections of a node: one for commands, one on which voids arrive. Both reconnect. */
final class RedisConnections {

  private final RedisURI uri;
  private final String address;
  private final ClientResources resources;
  private final RedisClient client;
  private final ReentrantLock connecting = new ReentrantLock();
  private BiConsumer<String, String> heard = (partition, message) -> {};
  private Runnable subscribed = () -> {};
  private Runnable lost = () -> {};
  private volatile @Nullable StatefulRedisConnection<byte[], byte[]> commands;
  private volatile @Nullable StatefulRedisPubSubConnection<byte[], byte[]> events;
  private volatile boolean closed;

  RedisConnections(String text, NodeSettings settings) {
    try {
      this.uri = RedisURI.create(text);
    } catch (RuntimeException e) {
      // The text may hold a password, and so may the cause's message.
      throw new ConfigurationException(
          "The address of Redis cannot be read. Use redis://user:password@host:6379/0, rediss:// or redis-sentinel://.");
    }
    uri.setTimeout(settings.connectTimeout());
    this.address =
        uri.getSentinels().isEmpty()
            ? uri.getHost() + ":" + uri.getPort()
            : "sentinels of " + uri.getSentinelMasterId();
    this.resources =
        ClientResources.builder()
            .ioThreadPoolSize(2)
            .computationThreadPoolSize(2)
            .threadFactoryProvider(pool -> Threads.named("aquifer-" + pool + "-"))
            .reconnectDelay(
                Delay.exponential(
                    Duration.ofMillis(20), Duration.ofMillis(500), 2, TimeUnit.MILLISECONDS))
            .build();
    this.client = RedisClient.create(resources);
    client.setOptions(
        ClientOptions.builder()
            .maintNotificationsConfig(MaintNotificationsConfig.disabled())
            .disconnectedBehavior(ClientOptions.DisconnectedBehavior.REJECT_COMMANDS)
            .socketOptions(
                SocketOptions.builder()
                    .connectTimeout(settings.connectTimeout())
                    .keepAlive(true)
                    .tcpNoDelay(true)
                    .build())
            .build());
  }

  void listen(BiConsumer<String, String> onEvent, Runnable onSubscribed, Runnable onLost) {
    heard = onEvent;
    subscribed = onSubscribed;
    lost = onLost;
  }

  /** Channels are the whole server's, so each names its database. */
  byte[] channel(Partition partition) {
    return bytes("aq:{" + partition.name + "}:c" + uri.getDatabase());
  }

  boolean connected() {
    return commands != null && events != null;
  }

  /** Opens what is not open yet; afterwards it reconnects by itself. */
  void connect() {
    connecting.lock();
    try {
      if (closed) {
        return;
      }
      if (commands == null) {
        StatefulRedisConnection<byte[], byte[]> made = client.connect(ByteArrayCodec.INSTANCE, uri);
        for (Script script : Script.values()) {
          made.sync().scriptLoad(script.text());
        }
        commands = made;
      }
      if (events == null) {
        StatefulRedisPubSubConnection<byte[], byte[]> made =
            client.connectPubSub(ByteArrayCodec.INSTANCE, uri);
        made.addListener(new Events());
        made.addListener(new Losses());
        made.sync().psubscribe(bytes("aq:{*}:c" + uri.getDatabase()));
        events = made;
      }
    } catch (RuntimeException e) {
      throw new UnavailableException(
          "Redis at %s cannot be reached within %s: %s. Check that it runs and that address, user and password are right."
              .formatted(address, uri.getTimeout(), reason(e)));
    } finally {
      connecting.unlock();
    }
  }

  /** The innermost reason, which names no credentials. */
  private static String reason(Throwable error) {
    Throwable root = error;
    while (root.getCause() != null && root.getCause() != root) {
      root = root.getCause();
    }
    return root instanceof io.lettuce.core.RedisCommandExecutionException
        ? "it refused the connection"
        : root.getClass().getSimpleName();
  }

  <T> CompletionStage<T> call(
      Script script, ScriptOutputType output, List<byte[]> keys, List<byte[]> args) {
    StatefulRedisConnection<byte[], byte[]> open = commands;
    if (open == null) {
      throw new UnavailableException("Redis at %s is not connected.".formatted(address));
    }
    return script.call(open.async(), output, keys, args);
  }

  void dispatch(RedisCommand<byte[], byte[], ?> command) {
    StatefulRedisConnection<byte[], byte[]> open = commands;
    if (open == null) {
      throw new UnavailableException("Redis at %s is not connected.".formatted(address));
    }
    open.dispatch(command);
  }

  /** Seconds and microseconds of the server's clock. */
  CompletionStage<List<byte[]>> time() {
    StatefulRedisConnection<byte[], byte[]> open = commands;
    if (open == null) {
      throw new UnavailableException("Redis at %s is not connected.".formatted(address));
    }
    return open.async().time();
  }

  /** Its answer comes after all that was published before it was asked. */
  CompletionStage<String> pingEvents() {
    StatefulRedisPubSubConnection<byte[], byte[]> open = events;
    if (open == null) {
      throw new UnavailableException("Redis at %s is not connected.".formatted(address));
    }
    return open.async().ping();
  }

  void close() {
    closed = true;
    client.shutdown(0, 2, TimeUnit.SECONDS);
    resources.shutdown(0, 2, TimeUnit.SECONDS).awaitUninterruptibly(3, TimeUnit.SECONDS);
  }

  private static byte[] bytes(String text) {
    return text.getBytes(StandardCharsets.UTF_8);
  }

  private final class Events extends RedisPubSubAdapter<byte[], byte[]> {
    @Override
    public void message(byte[] pattern, byte[] channel, byte[] message) {
      String name = new String(channel, StandardCharsets.UTF_8);
      int from = name.indexOf('{') + 1;
      int to = name.lastIndexOf('}');
      if (from > 0 && to > from) {
        heard.accept(name.substring(from, to), new String(message, StandardCharsets.UTF_8));
      }
    }

    @Override
    public void psubscribed(byte[] pattern, long count) {
      subscribed.run();
    }
  }

  private final class Losses implements RedisConnectionStateListener {
    @Override
    public void onRedisDisconnected(RedisChannelHandler<?, ?> connection) {
      lost.run();
    }
  }
}
