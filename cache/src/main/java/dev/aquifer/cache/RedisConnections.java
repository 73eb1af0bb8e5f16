package dev.aquifer.cache;

import dev.aquifer.UnavailableException;
import io.lettuce.core.ScriptOutputType;
import io.lettuce.core.cluster.api.async.RedisClusterAsyncCommands;
import java.util.List;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Executor;
import java.util.function.BiConsumer;

/**
 * The connections of a node to Redis, of whatever kind: for commands, and those on which voids
 * arrive. They reconnect by themselves. Thread-safe.
 */
interface RedisConnections {

  /** Connections of the kind that the address asks for; none is open yet. */
  static RedisConnections to(RedisAddress address, NodeSettings settings, Executor executor) {
    return address.kind() == CacheHealth.Kind.CLUSTER
        ? new ClusterConnections(address, settings, executor)
        : new PrimaryConnections(address, settings);
  }

  /**
   * Who hears what arrives; to be said before {@link #connect}.
   *
   * @param onEvent told of a partition and what was published for it
   * @param onSubscribed told when voids arrive from now on, but may have been missed before
   * @param onLost told when voids may be missed from now on
   */
  void listen(BiConsumer<String, String> onEvent, Runnable onSubscribed, Runnable onLost);

  /** Where voids of the partition are published. */
  byte[] channel(Partition partition);

  /** Whether all connections were made; one that is lost meanwhile comes back by itself. */
  boolean connected();

  /**
   * Opens what is not open yet.
   *
   * @throws UnavailableException when Redis cannot be reached, or does not let this node in
   */
  void connect();

  /** Calls a script where the keys are. */
  <T> CompletionStage<T> call(
      Script script, ScriptOutputType output, List<byte[]> keys, List<byte[]> args);

  /** Answered where commands are. */
  CompletionStage<String> ping();

  /**
   * For single commands.
   *
   * @throws UnavailableException where there is no connection yet
   */
  RedisClusterAsyncCommands<byte[], byte[]> commands();

  /**
   * Answered only after all voids that were published anywhere before this was called have been
   * heard here, provided that none was missed before; fails, or is never answered, where that
   * cannot be known.
   */
  CompletionStage<String> pingEvents();

  /** How each server is doing, as far as it is known without asking. */
  List<CacheHealth.Server> servers();

  /** Ends all connections, within a few seconds. */
  void close();
}
