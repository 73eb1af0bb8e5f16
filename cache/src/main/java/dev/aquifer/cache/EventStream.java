package dev.aquifer.cache;

import dev.aquifer.UnavailableException;
import io.lettuce.core.RedisChannelHandler;
import io.lettuce.core.RedisClient;
import io.lettuce.core.RedisConnectionStateListener;
import io.lettuce.core.RedisURI;
import io.lettuce.core.codec.ByteArrayCodec;
import io.lettuce.core.pubsub.RedisPubSubAdapter;
import io.lettuce.core.pubsub.StatefulRedisPubSubConnection;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.BiConsumer;

/**
 * A connection to one server, on which the voids that are published there arrive in order. It
 * reconnects and subscribes again by itself.
 */
// What futures end with is looked at by their own stages.
@SuppressWarnings("FutureReturnValueIgnored")
final class EventStream {
  // One pattern for all databases: a rule of the server's ACL has to name it letter by letter.
  private static final byte[] PATTERN = "aq:*".getBytes(StandardCharsets.UTF_8);

  private final String suffix;
  private final Ears ears;
  private final StatefulRedisPubSubConnection<byte[], byte[]> connection;
  private volatile boolean subscribed;
  private volatile boolean closed;

  /** Who is told; see {@link RedisConnections#listen}. */
  record Ears(BiConsumer<String, String> heard, Runnable subscribed, Runnable lost) {}

  private EventStream(
      StatefulRedisPubSubConnection<byte[], byte[]> connection, int database, Ears ears) {
    this.connection = connection;
    this.suffix = suffix(database);
    this.ears = ears;
  }

  /** Connects and subscribes. */
  static EventStream open(RedisClient client, RedisURI uri, int database, Ears ears) {
    StatefulRedisPubSubConnection<byte[], byte[]> made =
        client.connectPubSub(ByteArrayCodec.INSTANCE, uri);
    try {
      EventStream stream = new EventStream(made, database, ears);
      made.addListener(stream.new Events());
      made.addListener(stream.new Losses());
      made.sync().psubscribe(PATTERN);
      return stream;
    } catch (RuntimeException e) {
      made.closeAsync();
      throw e;
    }
  }

  /** Channels are the whole server's, so each names its database. */
  static byte[] channel(Partition partition, int database) {
    return ("aq:{" + partition.name + suffix(database)).getBytes(StandardCharsets.UTF_8);
  }

  private static String suffix(int database) {
    return "}:c" + database;
  }

  boolean subscribed() {
    return subscribed;
  }

  /** Answered after all that was published on the server before; fails where it is not heard. */
  CompletionStage<String> ping() {
    // A connection that is back but has not subscribed yet would answer as well.
    return subscribed
        ? connection.async().ping()
        : CompletableFuture.failedStage(new UnavailableException("Not subscribed."));
  }

  void close() {
    closed = true;
    connection.closeAsync();
  }

  private final class Events extends RedisPubSubAdapter<byte[], byte[]> {
    @Override
    public void message(byte[] pattern, byte[] channel, byte[] message) {
      String name = new String(channel, StandardCharsets.UTF_8);
      int from = name.indexOf('{') + 1;
      int to = name.length() - suffix.length();
      if (from > 0 && to > from && name.endsWith(suffix)) {
        ears.heard.accept(name.substring(from, to), new String(message, StandardCharsets.UTF_8));
      }
    }

    @Override
    public void psubscribed(byte[] pattern, long count) {
      // Told first: from then on an answer proves nothing until what was missed is asked for.
      ears.subscribed.run();
      subscribed = true;
    }
  }

  private final class Losses implements RedisConnectionStateListener {
    @Override
    public void onRedisDisconnected(RedisChannelHandler<?, ?> handler) {
      subscribed = false;
      if (!closed) {
        ears.lost.run();
      }
    }
  }
}
